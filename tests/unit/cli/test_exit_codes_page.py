"""docs/exit-codes.md has every exit code, and every code in the row of its own."""

from __future__ import annotations

import re
from pathlib import Path

from promote.explanations import explanations
from promote.model.verdict import Reason

PAGE = Path(__file__).parents[3] / "docs" / "exit-codes.md"
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \| (.*) ?\|$", re.MULTILINE)


def rows() -> dict[int, list[str]]:
    found = ROW.findall(PAGE.read_text())
    return {int(exit_code): re.findall(r"`([a-z0-9-]+)`", codes) for exit_code, _, _, codes in found}


def test_every_exit_code_has_its_row():
    assert list(rows()) == [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16, 130]


def test_every_code_is_in_the_row_of_its_exit_code():
    assert [e.code for e in explanations().values() if e.code not in rows()[e.exit_code]] == []
    assert [r.code for r in Reason if r.code not in rows()[r.exit_code]] == []


def test_no_code_is_in_two_rows():
    codes = [code for found in rows().values() for code in found]
    assert sorted(codes) == sorted(set(codes))
