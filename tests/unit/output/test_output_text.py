"""Results as text and as JSON: everything that is in a result is shown, and nothing of it steers a terminal."""

from __future__ import annotations

import io

import pytest
from support.gitops_repo import checked_result

from promote.model.release import Edit
from promote.model.result import CommitResult, CopyResult, ErrorResult, ReleaseResult, Result
from promote.model.verdict import Reason, passed, refused, skipped, unknown
from promote.output import json as as_json
from promote.output import text
from promote.output.style import Style, printable, style_for

DIGEST = "sha256:" + "a" * 64
PLAIN = Style()
COPY = CopyResult(0, "r.example/acme/web:sha-0123456", DIGEST, 5, 9, 1, 2, 34_000, (DIGEST,), seconds=1.5)
EDIT = Edit("overlays/prod/kustomization.yaml", 7, "newTag: a", "newTag: b")
GATES = (passed("tag", "fine"), skipped("path", "left out"))
RELEASE = ReleaseResult("web", "sha-0123456", DIGEST, f"r.example/acme/web@{DIGEST}", True, GATES, (COPY,), (EDIT,))
COMMIT = CommitResult("c" * 40, "main", True, "the working copy was left alone")


def result(**more) -> Result:
    return Result(**({"command": "promote", "exit_code": 0, "source": "staging", "target": "prod"} | more))


def error(**more) -> ErrorResult:
    return ErrorResult(
        **({"code": "a-code", "message": "It is so", "expected": "this", "actual": "that", "hint": "do it"} | more)
    )


def lines(of: Result) -> list[str]:
    rendered = text.render(of, PLAIN)
    assert rendered.endswith("\n")
    assert not rendered.endswith("\n\n")
    return rendered.splitlines()


def test_a_promotion_is_shown_whole():
    shown = "\n".join(lines(result(releases=(RELEASE,), commit=COMMIT)))
    gates = ("pass", "skip", "left out")
    copied = (COPY.target, "5 manifests", "9 sent", "1 mounted", "2 there already", "33.2 KiB")
    edited = ("  overlays/prod/kustomization.yaml\n    7 - newTag: a\n    7 + newTag: b",)
    ended = ("commit cccccccccccc on main", "pushed and read back", "left alone")
    for part in ("web", "staging -> prod", "sha-0123456", DIGEST, *gates, *copied, *edited, *ended):
        assert part in shown, part


@pytest.mark.parametrize(
    ("of", "last"),
    [
        (result(releases=(RELEASE,), commit=CommitResult("c" * 40, "main", False)), "until then prod stays as it is"),
        (result(releases=(RELEASE,)), "no overlay needed a change"),
        (result(releases=(RELEASE,), dry_run=True), "next      the same command without --dry-run"),
        (result(), "Nothing to do: prod runs what staging runs."),
        (
            result(command="verify", target=None, releases=(RELEASE,)),
            "Verified: every gate that needs no target passed.",
        ),
    ],
)
def test_the_last_line_says_what_happened(of, last):
    assert last in lines(of)[-1]


def test_a_release_that_was_there_already():
    there = ReleaseResult("web", "sha-0123456", DIGEST, None, False, GATES)
    assert lines(result(releases=(there,)))[-1] == "Already promoted: nothing was changed."
    assert "promoted already" in lines(result(releases=(there,), dry_run=True))[-1]


@pytest.mark.parametrize(
    ("code", "word"),
    [(1, "Failed"), (2, "Failed"), (3, "Failed"), (4, "Failed"), (5, "Refused"), (10, "Refused"), (16, "Refused")],
)
def test_an_error_says_what_was_expected_what_was_got_and_what_to_do(code, word):
    found = lines(result(exit_code=code, error=error()))
    assert [line for line in found if not line.startswith("  why ")] == [
        f"{word} (exit {code}, a-code): It is so",
        "  expected  this",
        "  got       that",
        "  do        do it",
    ]
    assert text.render_error(error(), code, PLAIN).splitlines() == found


def test_a_refusal_of_a_gate_is_told_once():
    no = refused("sbom", Reason.NO_SBOM, "It is so", expected="this", actual="that", hint="do it", evidence=(DIGEST,))
    stopped = ReleaseResult("web", "sha-0123456", DIGEST, None, False, (no, unknown("x", "who knows", actual="dark")))
    found = lines(result(exit_code=13, releases=(stopped,), error=error(code="no-sbom")))
    assert [line.strip() for line in found if "expected" in line] == ["expected  this"]
    assert any("UNKNOWN" in line and "who knows" in line for line in found)
    assert any("evidence" in line and DIGEST in line for line in found)
    assert found[-2:] == ["Refused (exit 13, no-sbom): It is so", "Nothing was written anywhere."]


@pytest.mark.parametrize(
    "of",
    [
        result(),
        result(releases=(RELEASE,), commit=COMMIT),
        result(exit_code=13, error=error()),
        result(exit_code=3, error=error(expected=None, actual=None, hint=None), source=None, target=None),
        result(command="verify", target=None, releases=(ReleaseResult("web", "", None, None, False, GATES),)),
    ],
    ids=["nothing", "a promotion", "a refusal", "a fault", "verify"],
)
def test_the_json_keeps_to_its_schema(of):
    value = checked_result(as_json.render(of))
    assert (value["ok"], value["exit_code"]) == (of.exit_code == 0, of.exit_code)
    assert as_json.render(of).isascii()


def test_the_json_says_everything():
    value = checked_result(as_json.render(result(releases=(RELEASE,), commit=COMMIT)))
    (release,) = value["releases"]
    assert release["copies"][0] == {
        "place": 0, "target": COPY.target, "digest": DIGEST, "manifests": 5, "blobs_copied": 9, "blobs_mounted": 1,
        "blobs_present": 2, "bytes": 34_000, "seconds": 1.5, "evidence": [DIGEST], "attestation": None,
    }  # fmt: skip
    assert release["edits"] == [{"file": EDIT.file, "line": 7, "before": "newTag: a", "after": "newTag: b"}]
    assert value["commit"] == {
        "id": "c" * 40,
        "branch": "main",
        "pushed": True,
        "pull_request": None,
        "base": None,
        "note": COMMIT.note,
    }
    assert [g["verdict"] for g in release["gates"]] == ["pass", "skip"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "environ", "wanted", "colour"),
    [
        (True, {"TERM": "xterm"}, True, True),
        (True, {"TERM": "xterm"}, False, False),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        (True, {"TERM": "dumb"}, True, False),
        (True, {}, True, False),
        (False, {"TERM": "xterm"}, True, False),
        (False, {"FORCE_COLOR": "1"}, True, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        (False, {"FORCE_COLOR": "1"}, False, False),
    ],
)
def test_colour(terminal, environ, wanted, colour):
    assert style_for(Terminal() if terminal else io.StringIO(), environ, wanted=wanted).colour is colour


def test_colour_is_around_words_only_and_says_nothing_alone():
    coloured = text.render(result(releases=(RELEASE,), commit=COMMIT), Style(colour=True))
    plain = text.render(result(releases=(RELEASE,), commit=COMMIT), PLAIN)
    for code in ("32", "31;1", "33;1", "2", "1", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain
    assert Style(colour=True).paint("\x1b[31m", "good") == "\x1b[32m\\x1b[31m\x1b[0m"


def test_a_long_text_is_cut():
    assert len(printable("x" * 10_000)) == 2000
