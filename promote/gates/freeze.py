"""No freeze of the target environment is on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from promote.model.policy import CronFreeze, Freeze
from promote.model.verdict import Reason, Verdict, passed, refused, skipped

if TYPE_CHECKING:  # a promotion without windows does not pay for it
    from cronsim import CronSim

GATE = "freeze"
_FARTHEST = timedelta(days=366)
"""How far ahead an opening is looked for."""
_MOST_STEPS = 1000


def judge(windows: Sequence[Freeze], environment: str, now: datetime) -> Verdict:
    """Pass when `now` (an aware time) lies in no window; the refusal names the end and the next opening, if any."""
    if not windows:
        return skipped(GATE, "promote.yaml has no freeze for this environment")
    ends = ((end(window, now), window) for window in windows)
    on = [(until, window) for until, window in ends if until is not None]
    if not on:
        return passed(GATE, f"no freeze of {environment} is on")
    until, window = max(on, key=lambda pair: pair[0])
    opens = opening(windows, now)
    because = f": {window.reason}" if window.reason else ""
    # The end of one of many short windows, each of which begins before the last one ends, is no end of the freeze.
    lasts = f" until {_said(until, window)}" if opens or until > now + _FARTHEST else ""
    opened = f"{_said(opens, window)} or later" if opens else "a time without a freeze, and none comes within a year"
    return refused(
        GATE,
        Reason.FROZEN,
        f"{environment} is frozen{lasts}{because}",
        expected=opened,
        actual=_said(now, window),
        hint=f"wait, or change `freeze` in promote.yaml; `promote rollback {environment}` is not frozen",
    )


def end(window: Freeze, at: datetime) -> datetime | None:
    """When `window` ends, in UTC, if it is on `at` that time; None when it is not.  The end itself is outside."""
    if not isinstance(window, CronFreeze):
        return window.until.astimezone(UTC) if window.start <= at < window.until else None
    # The search begins a second later because what it finds is before its beginning, and `at` itself counts.
    began = _begins(window, at + timedelta(seconds=1), backwards=True)
    if began is None or at >= began + window.length:
        return None
    return began + window.length


def opening(windows: Sequence[Freeze], at: datetime) -> datetime | None:
    """The first moment from `at` on, in UTC, in which no window is on; None when there is none within a year."""
    moment = at.astimezone(UTC)
    for _ in range(_MOST_STEPS):
        ends = [until for window in windows if (until := end(window, moment)) is not None]
        if not ends:
            return moment
        moment = max(ends)
        if moment > at + _FARTHEST:
            break
    return None


def _begins(window: CronFreeze, at: datetime, *, backwards: bool) -> datetime | None:
    from cronsim import CronSim as Times  # noqa: PLC0415 - see above

    times: CronSim = Times(window.cron, at.astimezone(window.zone), reverse=backwards)
    found = next(times, None)
    return None if found is None else found.astimezone(UTC)


def _said(moment: datetime, window: Freeze) -> str:
    return moment.astimezone(window.zone).strftime("%Y-%m-%d %H:%M %Z")
