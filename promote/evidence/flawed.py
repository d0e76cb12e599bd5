"""How a lane says no about one candidate, inside this room."""

from __future__ import annotations

from typing import NoReturn

from promote.model.evidence import Flaw


class Flawed(Exception):
    """One candidate does not count.  Becomes a `Rejected`; never leaves the room."""

    def __init__(self, flaw: Flaw, summary: str, *, expected: str | None = None, actual: str | None = None) -> None:
        super().__init__(summary)
        self.flaw = flaw
        self.summary = summary
        self.expected = expected
        self.actual = actual


def invalid(summary: str, *, expected: str | None = None, actual: str | None = None) -> NoReturn:
    """Raise `Flawed` for cryptography, a binding or a claim that does not hold."""
    raise Flawed(Flaw.INVALID, summary, expected=expected, actual=actual)
