"""What `promote doctor` looked at, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from promote.model.result import ErrorResult


class Health(StrEnum):
    """How something stands.  Unknown is not good."""

    GOOD = "good"
    NOTE = "note"
    """Nothing is wrong, and there is something to know."""
    UNKNOWN = "unknown"
    """Nobody could say: a network, a registry, a server."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: `area` is what kind of thing was looked at, `about` which one.

    What is good or a note has no `error`; anything else has one, with its `fix`, and with the exit code that a
    promotion would end with because of it.
    """

    area: str
    about: str
    health: Health
    message: str
    code: str | None = None
    fix: str | None = None
    exit_code: int = 0

    @property
    def stops(self) -> bool:
        """Whether a promotion would, or could, stop here."""
        return self.health in {Health.BAD, Health.UNKNOWN}


@dataclass(frozen=True, slots=True)
class CheckupResult:
    """Every check in its order; `error` is that of the first that stops, which decides the exit code."""

    exit_code: int
    checks: tuple[Check, ...] = ()
    error: ErrorResult | None = None

    @classmethod
    def of(cls, checks: tuple[Check, ...]) -> CheckupResult:
        """The result of `checks`."""
        first = next((check for check in checks if check.stops), None)
        if first is None:
            return cls(0, checks)
        error = ErrorResult(first.code or "unknown", first.message, expected=None, actual=None, hint=first.fix)
        return cls(first.exit_code, checks, error)
