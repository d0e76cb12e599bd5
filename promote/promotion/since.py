"""Since when the target has what was asked for, told of each release that there was nothing to do for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from promote.model.record import Record
from promote.model.result import Result, SinceResult
from promote.promotion import rollback
from promote.promotion.declared import Declared
from promote.promotion.planned import Plan, PlannedRelease
from promote.promotion.workplace import Workplace


def told(workplace: Workplace, plan: Plan, result: Result) -> Result:
    """`result` with what git's history says of each release that did not change, and of a rollback's how to go on.

    Nothing is told where no record says so: no overlays, or a shallow clone.  Raises `Fault`.
    """
    same = {release.app for release in result.releases if not release.changed}
    if plan.declared is None or not same:
        return result
    planned = [p for p in plan.releases if p.app.name in same and p.release is not None]
    found = _records(workplace, plan.declared, plan, planned)
    known = {p.app.name: s for p in planned if (s := _since(workplace, plan, p, found[p.app.name])) is not None}
    releases = (replace(r, since=known.get(r.app)) if r.app in same else r for r in result.releases)
    return replace(result, releases=tuple(releases))


def _records(
    workplace: Workplace, declared: Declared, plan: Plan, planned: Collection[PlannedRelease]
) -> dict[str, list[Record]]:
    """By app, newest first, what the target's history says: of a rollback all, else to where each release came in."""
    from promote.insight.records import records  # noqa: PLC0415 - history is read only where nothing else was to do

    found: dict[str, list[Record]] = {p.app.name: [] for p in planned}
    waiting = {p.app.name: p.release.digest for p in planned if p.release is not None}
    for record in records(
        declared.git,
        declared.tip,
        declared.configuration,
        environments=[plan.request.target.name],
        apps=list(found),
        now=workplace.now,
    ):
        found[record.app].append(record)
        if waiting.get(record.app) == record.digest and not plan.request.is_rollback:
            del waiting[record.app]
        if not waiting:
            break
    return found


def _since(workplace: Workplace, plan: Plan, planned: PlannedRelease, history: list[Record]) -> SinceResult | None:
    """What the newest record of the release says; None where there is none."""
    release, target = planned.release, plan.request.target
    record = next((r for r in history if release is not None and r.digest == release.digest), None)
    if record is None or plan.declared is None:
        return None
    further = None
    if plan.request.is_rollback:
        further = rollback.Past(target, planned.app, history, plan.declared).next_below({str(record.digest)})
    return SinceResult(
        kind=record.kind.value,
        commit=record.commit,
        when=f"{record.when:%Y-%m-%dT%H:%M:%SZ}",
        age=int((workplace.now - record.when).total_seconds()),
        by=record.by,
        reason=record.reason,
        previous_tag=record.previous_tag,
        further=further.tag or None if further else None,
    )
