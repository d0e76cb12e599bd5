"""From a plan, and what was applied of it, to the result that is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from promote.errors import PromoteError
from promote.model.result import CommitResult, CopyResult, ErrorResult, ReleaseResult, Result
from promote.model.verdict import Verdict
from promote.promotion.planned import Plan, PlannedRelease

if TYPE_CHECKING:  # what applying needs is imported while the plan waits
    from promote.promotion.apply import Applied


def of_plan(plan: Plan, *, dry_run: bool) -> Result:
    """The result of a plan that was not applied: refused, unknown, or a dry run."""
    stopped = next((r for r in plan.releases if r.stop is not None or r.error is not None), None)
    return Result(
        command=plan.request.kind.value,
        exit_code=_exit_code(stopped) if stopped else 0,
        dry_run=dry_run,
        source=_source_name(plan),
        target=plan.request.target.name,
        releases=tuple(_promoted(plan, r, ()) if plan.may_apply else _judged(plan, r) for r in plan.releases),
        error=_error(stopped) if stopped else None,
    )


def of_applied(plan: Plan, applied: Applied) -> Result:
    """The result of a plan that was applied whole."""
    landed = applied.delivered.landed if applied.delivered else None
    commit = None
    if landed is not None and not landed.already:
        commit = CommitResult(landed.commit, landed.branch, landed.pushed, landed.note)
    return Result(
        command=plan.request.kind.value,
        exit_code=0,
        source=_source_name(plan),
        target=plan.request.target.name,
        releases=tuple(_promoted(plan, r, c) for r, c in zip(plan.releases, applied.copies, strict=True)),
        commit=commit,
    )


def of_error(command: str, error: PromoteError, plan: Plan | None = None, *, dry_run: bool = False) -> Result:
    """The result of a run that an error ended."""
    releases = tuple(_judged(plan, r) for r in plan.releases) if plan else ()
    return Result(
        command=command,
        exit_code=error.exit_code,
        dry_run=dry_run,
        source=_source_name(plan) if plan else None,
        target=plan.request.target.name if plan else None,
        releases=releases,
        error=ErrorResult(error.code, error.message, error.expected, error.actual, error.hint),
    )


def error_of_verdict(verdict: Verdict) -> ErrorResult:
    """What stopped the run, when it was a gate."""
    return ErrorResult(verdict.code, verdict.summary, verdict.expected, verdict.actual, verdict.hint)


def exit_code_of_verdict(verdict: Verdict) -> int:
    """The exit code that a refusal or an unknown leads to."""
    return verdict.reason.exit_code if verdict.reason else 1


def _source_name(plan: Plan) -> str | None:
    """The environment that the release comes from; a rollback comes from none."""
    return None if plan.request.is_rollback else plan.request.source.name


def _judged(plan: Plan, planned: PlannedRelease) -> ReleaseResult:
    """A release of a run that stopped: what was judged, and no change, because none of it stands."""
    source = plan.request.origin(planned.app).repository(planned.app)
    digest = planned.release.digest if planned.release else None
    return ReleaseResult(
        app=planned.app.name,
        tag=planned.tag,
        digest=str(digest) if digest else None,
        source=f"{source}@{digest}" if digest else None,
        changed=False,
        gates=planned.verdicts,
    )


def _promoted(plan: Plan, planned: PlannedRelease, copies: tuple[CopyResult, ...]) -> ReleaseResult:
    """A release that was promoted, or in a dry run would be."""
    edits = tuple(edit for file in planned.edits for edit in file.edits)
    changed = planned.changed or any(copy.attestation is not None and copy.attestation.written for copy in copies)
    return replace(_judged(plan, planned), changed=changed, copies=copies, edits=edits)


def _exit_code(stopped: PlannedRelease) -> int:
    if stopped.error is not None:
        return stopped.error.exit_code
    return exit_code_of_verdict(stopped.stop) if stopped.stop else 1


def _error(stopped: PlannedRelease) -> ErrorResult | None:
    if stopped.error is not None:
        e = stopped.error
        return ErrorResult(e.code, e.message, e.expected, e.actual, e.hint)
    return error_of_verdict(stopped.stop) if stopped.stop else None
