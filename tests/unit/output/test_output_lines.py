"""Lines broken for a width: nothing is lost, no word is broken, and digests stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.model.verdict import Reason
from promote.output.lines import INDENT, cut, hanging, width_of
from promote.output.quantity import counted, rate, size
from promote.output.style import Style, disarmed, printable
from promote.output.why import why

DIGEST = "sha256:" + "a" * 64
SENTENCE = f"it is {DIGEST} and the registry has another"


def test_no_width_is_one_line():
    assert list(hanging("  got  ", SENTENCE, Style(), taken=7)) == [f"  got  {SENTENCE}"]


def test_what_follows_is_indented_under_its_beginning():
    assert list(hanging("  got  ", "aa bb cc dd", Style(width=12), taken=7)) == ["  got  aa bb", "       cc dd"]
    assert list(hanging("  got  ", "aa bb cc", Style(width=12), taken=7, under=4)) == ["  got  aa bb", "    cc"]


def test_a_digest_is_whole_and_begins_further_left_when_it_has_to():
    assert list(hanging(" " * 20, SENTENCE, Style(width=80), taken=20)) == [
        " " * 20 + "it is",
        " " * INDENT + DIGEST + " and",
        " " * 20 + "the registry has another",
    ]
    assert list(hanging("  got  ", SENTENCE, Style(width=60), taken=7))[1] == " " * INDENT + DIGEST


words = st.lists(st.text(alphabet="ab:#[é中", min_size=1, max_size=90), min_size=1, max_size=12)


@given(words=words, width=st.integers(60, 200), taken=st.integers(0, 40))
@settings(max_examples=150)
def test_nothing_is_lost_and_no_line_is_longer_than_it_must_be(words, width, taken):
    text = " ".join(words)
    head = "x" * taken
    lines = list(hanging(head, text, Style(width=width), taken=taken))
    assert " ".join(lines).removeprefix(head).split() == printable(text).split()
    assert all(width_of(line) <= width or len(line.split()) == 1 or line.startswith(head) for line in lines)
    assert [line for line in lines if width_of(line) > width and len(line.split()) > 1 and line is not lines[0]] == []


@pytest.mark.parametrize(
    ("text", "width", "columns"), [("abc", 3, 3), ("中", 3, 2), ("e\u0301", 3, 1), ("中中", 3, 4), ("", 1, 0)]
)
def test_columns_are_those_of_a_terminal(text, width, columns):
    assert width_of(text) == columns
    assert width_of(cut(text, width)) <= width


def test_a_line_that_a_build_log_would_obey_is_disarmed():
    assert disarmed("  ::error::x") == "  \\x3a:error::x"
    assert disarmed("a ::error::x") == "a ::error::x"
    assert printable("a ##[add-mask]x ##vso[task]y ###[z] ## [w]") == (
        "a ##\\x5badd-mask]x ##vso\\x5btask]y ###\\x5bz] ## [w]"
    )


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (34_178, "33.4 KiB"),
        (6 * 2**30, "6.0 GiB"),
        (2**60, "1048576.0 TiB"),
    ],
)
def test_sizes(count, shown):
    assert size(count) == shown


def test_rates_and_counts():
    assert rate(10 * 1024, 2.0) == "5.0 KiB/s"
    assert [counted(n, "blob") for n in (0, 1, 2)] == ["0 blobs", "1 blob", "2 blobs"]


def test_every_refusal_of_a_gate_says_why_it_matters():
    refusals = [r for r in Reason if r.exit_code >= 10]
    assert [r.code for r in refusals if not why(r.code, r.exit_code)] == []
    assert all(len(why(r.code, r.exit_code) or "") < 100 for r in refusals)
    assert why("a-code", 2) is None
