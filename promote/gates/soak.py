"""The release has run in the source environment for as long as the target wants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from promote.model.length import said
from promote.model.verdict import Reason, Verdict, passed, refused, skipped, unknown

GATE = "soak"
_CLOCKS_DIFFER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Run:
    """The newest uninterrupted run of a release: `since` and `until` are committer dates, `until` None while it runs.

    `commit` is the one that began it.  `doubt` says why the dates cannot be believed.
    """

    since: datetime
    commit: str
    until: datetime | None = None
    doubt: str | None = None


def judge(
    environment: str, soak: timedelta | None, run: Run | None, now: datetime, *, history_complete: bool
) -> Verdict:
    """Pass when `run`, in `environment`, lasted for `soak` at least; what cannot be told is unknown."""
    if soak is None:
        return skipped(GATE, "promote.yaml asks for no soak")
    if run is None:
        return unknown(
            GATE,
            f"since when {environment} runs it is unknown",
            actual="no record of it" if history_complete else "this clone is shallow",
            hint=f"look at `promote history {environment}`" if history_complete else "run `git fetch --unshallow`",
        )
    end = run.until or now
    doubt = run.doubt
    if doubt is None and run.since > end + _CLOCKS_DIFFER:
        doubt = "it is later than its end" if run.until else "it is in the future"
    if doubt is not None:
        return unknown(
            GATE,
            f"since when {environment} runs it is unknown: the date of commit {run.commit[:12]} cannot be believed",
            actual=f"{run.since:%Y-%m-%d %H:%M} UTC; {doubt}",
            hint="look at the clock of whoever made the commit, or promote a newer build",
        )
    ran = max(end - run.since, timedelta())
    if ran >= soak:
        return passed(GATE, f"{environment} ran it for {said(ran)}, {said(soak)} are wanted")
    return refused(
        GATE,
        Reason.NOT_SOAKED,
        f"{environment} has run it for {said(ran)}"
        if run.until is None
        else f"{environment} ran it for {said(ran)} only",
        expected=f"{said(soak)} at least",
        actual=f"since {run.since:%Y-%m-%d %H:%M} UTC, commit {run.commit[:12]}",
        hint=f"promote it from {run.since + soak:%Y-%m-%d %H:%M} UTC on"
        if run.until is None
        else f"let {environment} run it again",
    )
