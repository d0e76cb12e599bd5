"""What comes from outside stays code in a Markdown report: no structure, HTML, link, mention, command or trailer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from support.results import result_of

from promote.model.result import ErrorResult, Result
from promote.output import markdown

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ATTACKS = [
    "| owned | owned |\n| --- | --- |",
    "`owned`",
    "``` owned ```",
    "\\`owned\\` \\",
    "owned`",
    "`",
    "a\\|owned|",
    "<img src=x onerror=owned()>",
    "</code></td></table><script>owned()</script>",
    "<!-- owned",
    "@owned #1 owned/owned#1 0123456789abcdef0123456789abcdef01234567",
    "[owned](https://owned.example) ![owned](//owned.example/x.png) https://owned.example www.owned.example",
    "\n\n# owned\n\n- owned\n> owned\n\n    owned\n",
    "\n/merge\n/close owned",
    "\n::error file=owned::owned",
    "::add-mask::owned",
    "##[add-matcher]owned ##vso[task.setvariable]owned",
    "\n\nPromote-Env: owned\nSigned-off-by: owned <owned@owned.example>",
    "\x1b]0;owned\x07\x1b[2J\u202egnp.owned\r\x9b31m\u2028\x00\u2066",
    "*owned* __owned__ ~~owned~~ $owned$ :owned: &lt;owned&gt; {{owned}} ${{ owned }}",
    " owned ",
    "  ",
    "",
]
SPECIAL = st.text(alphabet="`\\|<>[]()!*_~#@:/&$-+='\"{}^\n\r\t\x1b ow\u2028\u202e", max_size=24)
OURS = {"<br>", "<sub>", "</sub>"}


def tokens(report: str) -> Iterator[Token]:
    for token in READER.parse(report):
        yield token
        yield from token.children or ()


def shape(report: str) -> list[tuple[str, str]]:
    """What a report is made of, without what it says in code."""
    return [(t.type, "" if t.type in {"code_inline", "fence", "inline"} else t.content) for t in tokens(report)]


def check(word: str, code: int) -> None:
    report = markdown.render(result_of(word, code))
    expected = markdown.render(result_of("plain", code))
    if word.strip():  # a value that is not there has no line
        assert shape(report) == shape(expected), report
    assert {t.content for t in tokens(report) if t.type in {"html_inline", "html_block"}} <= OURS
    assert not {t.type for t in tokens(report)} & {
        "link_open",
        "image",
        "em_open",
        "s_open",
        "code_block",
        "blockquote_open",
    }
    assert not [t.content for t in tokens(report) if t.type == "text" and "owned" in t.content]
    for line in report.split("\n"):
        assert line.isprintable(), line
        assert not line.lstrip().startswith(("::", "/", "#!")), line
        assert "##[" not in line
        assert "##vso[" not in line


@pytest.mark.parametrize("code", [0, 12])
@pytest.mark.parametrize("word", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_stays_code(word, code):
    check(word, code)


@given(word=SPECIAL | st.text(max_size=30), code=st.sampled_from([0, 3, 12]))
@example("`" * 400, 12)
@example("\\" * 399 + "|", 12)
@settings(max_examples=120)
def test_any_text_stays_code(word, code):
    check(word, code)


@given(word=SPECIAL)
@settings(max_examples=200)
def test_a_code_span_says_what_it_was_given(word):
    spans = [t.content for t in tokens(f"| {markdown.code(word)} |\n| --- |\n") if t.type == "code_inline"]
    safe = markdown.printable(word).replace("|", "\\x7c")
    assert [span.strip() for span in spans] == ([safe.strip()] if safe.strip() else [])


@pytest.mark.parametrize("code", [0, 12])
def test_no_report_has_a_git_trailer(code, tmp_path):
    reports = [markdown.render(result_of(word, code)) for word in ATTACKS]
    reports += [markdown.render(result_of(f"Promote-Env: {code}", code, findings=False))]
    for report in reports:
        command = ["git", "interpret-trailers", "--parse"]
        done = subprocess.run(
            command, input=f"promote\n\n{report}".encode(), capture_output=True, check=True, cwd=tmp_path
        )
        assert done.stdout == b""


def test_a_usage_error_is_code_too():
    word = "<script>owned()</script> | @owned"
    report = markdown.render(Result("promote", 2, error=ErrorResult("usage", word, word, word, word)))
    assert {t.content for t in tokens(report) if t.type == "html_inline"} <= OURS
    assert not [t.content for t in tokens(report) if t.type == "text" and "owned" in t.content]


def test_a_report_is_never_too_long_for_a_pull_request():
    # 65,536 characters is what GitHub takes.
    assert len(markdown.render(result_of("x`|" * 5000, 12))) < 20_000
