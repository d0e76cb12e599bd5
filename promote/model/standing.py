"""Standings: what each overlay pins at the end of history; and the answers to `promote status` and `history`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from promote.model.digest import Digest
from promote.model.record import Record
from promote.model.result import ErrorResult


class Drift(StrEnum):
    """How a registry stands to what git declares."""

    NONE = "none"
    MOVED = "moved"
    """The tag names another digest there."""
    MISSING = "missing"
    """There is no such tag, or, where no tag is pinned, no such digest."""
    UNKNOWN = "unknown"
    """Nobody could say."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a registry said about a pin: `actual` is the digest that it has, `reason` one sentence."""

    drift: Drift
    actual: Digest | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """How many releases `environment` brought out after the one compared; None when it is not known to have run it."""

    environment: str
    releases: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What one overlay of an environment pins of one app, as git declares it: a row of the status.

    `record` is the change that brought it there; None where nobody can say.  `behind` has one entry for each
    environment that this one is promoted from.  `problem` says why the overlay cannot be read, `notes` what else there
    is to know.  `registry` is None where nobody asked.
    """

    app: str
    environment: str
    overlay: str
    place: int
    tag: str | None = None
    digest: Digest | None = None
    record: Record | None = None
    behind: tuple[Behind, ...] = ()
    problem: str | None = None
    notes: tuple[str, ...] = ()
    registry: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Tip:
    """What was read: `commit` of `branch`; `note` says how the remote's branch, as last fetched, differs from it."""

    branch: str
    commit: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class StatusResult:
    """What `promote status` found; `error` is set when a row could not be read, or a registry disagrees.

    `now` is the moment that ages are counted to, with a zone; None where nothing was read.
    """

    exit_code: int
    tip: Tip | None = None
    rows: tuple[Standing, ...] = ()
    error: ErrorResult | None = None
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """What `promote history` found, newest first.  `note` says where history is cut off, None when it is whole."""

    exit_code: int
    tip: Tip | None = None
    records: tuple[Record, ...] = ()
    note: str | None = None
    error: ErrorResult | None = None
