"""Since when the source environment runs a release, and who has approved it since: for the gates that ask that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from promote.gates import approvals, soak
from promote.gates.approvals import Approval
from promote.gates.soak import Run
from promote.model.environment import Environment
from promote.model.policy import Gates
from promote.model.record import ODD_DATES, Record
from promote.model.release import Release
from promote.model.verdict import Verdict, skipped
from promote.promotion.declared import Declared

GATES = (soak.GATE, approvals.GATE)


def judge(
    declared: Declared | None, release: Release, way: tuple[Environment, Environment], gates: Gates, now: datetime
) -> tuple[Verdict, Verdict]:
    """The verdicts of both gates on a way from source to target; git is asked only where one is wanted.

    Raises `Fault`.
    """
    source, target = way
    run = None
    if declared is not None and (gates.soak is not None or gates.approvals is not None):
        run = _run(declared, source, release, now)
    complete = declared is None or declared.history_complete
    given, who = None, None
    if declared is not None and run is not None and gates.approvals is not None:
        given, who = _approvals(declared, run, signed=gates.approvals.signed)
    return (
        soak.judge(source.name, gates.soak, run, now, history_complete=complete),
        approvals.judge(release, target.name, gates.approvals, given, who),
    )


def not_asked() -> tuple[Verdict, Verdict]:
    """The verdicts for a rollback: what goes back has run there, and cannot wait."""
    return skipped(soak.GATE, "a rollback does not wait"), skipped(approvals.GATE, "a rollback does not wait")


def newest_run(records: Iterable[Record], release: Release) -> Run | None:
    """The newest uninterrupted run of `release` that the records of its environment, newest first, tell of.

    Where overlays began at different times, the last of them counts.
    """
    left: Record | None = None
    for record in records:
        if record.digest == release.digest:
            odd = [note for r in (record, left) if r is not None for note in r.notes if note in ODD_DATES]
            until = left.when if left is not None else None
            return Run(record.when, record.commit, until, odd[0] if odd else None)
        if left is None and record.previous_digest == release.digest:
            left = record
    return None


def _run(declared: Declared, source: Environment, release: Release, now: datetime) -> Run | None:
    from promote.insight.records import records  # noqa: PLC0415 - see above

    complete = declared.history_complete
    history = records(
        declared.git, declared.tip, declared.configuration, environments=[source.name], apps=[release.app.name], now=now
    )
    found = newest_run(history, release)
    if found is None and declared.look_further(seen_complete=complete):
        return _run(declared, source, release, now)
    return found


def _approvals(declared: Declared, run: Run, *, signed: bool) -> tuple[tuple[Approval, ...], str | None]:
    from promote.gitops.approving import approving, promoter  # noqa: PLC0415 - see above

    found: list[Approval] = []
    for commit in approving(declared.git, declared.tip, run.commit, verify=signed):
        signer = (commit.signer or "").rpartition("<")[2].partition(">")[0] or commit.signer
        addresses = tuple(dict.fromkeys((commit.author, *([signer.casefold()] if signer else []))))
        found.extend(Approval(commit.oid, text, addresses, commit.key) for text in commit.texts)
    return tuple(found), promoter(declared.git)
