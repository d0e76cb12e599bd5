"""Which releases lead to what runs now: the way back, from records alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from promote.model.digest import Digest
from promote.model.record import Kind, Record
from promote.promotion.rollback import stack

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
KINDS = {">": Kind.PROMOTE, "<": Kind.ROLLBACK, "~": Kind.REVERT, "=": Kind.EDIT}


def records(story: str) -> list[Record]:
    """``>A >B <A``: promoted to A, then to B, rolled back to A; newest first.  ``(X`` ran before the first."""
    found: list[Record] = []
    before = None
    for step in story.split():
        if step[0] == "(":
            before = step[1]
            continue
        name = step[1]
        found.append(
            Record(
                "web", "prod", KINDS[step[0]], name, Digest.of(name.encode()),
                before, Digest.of(before.encode()) if before else None, WHEN, "A", "c" * 40,
            )
        )  # fmt: skip
        before = name
    return found[::-1]


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("", ""),
        (">A", "A"),
        (">A >B >C", "ABC"),
        (">A >B >C <B", "AB"),
        (">A >B >C <A", "A"),
        (">A >B ~A >C", "AC"),
        (">A >B >A", "ABA"),
        (">A >B <A >B", "AB"),
        (">A >B >C <A <C", "AC"),  # forward again by name: from there the way back is to A
        ("(A >B", "AB"),
        ("(B <A", "A"),  # A ran before the history that is here: what was above it is undone
        ("(B ~A", "A"),
        ("(B >C <A", "A"),
        ("(B >C <A >D", "AD"),
        (">A =B =A", "ABA"),
    ],
)
def test_what_was_undone_is_no_way_back(story, expected):
    assert "".join(ran.tag for ran in stack(records(story))) == expected
