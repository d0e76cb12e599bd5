"""A result as it was before `promote.output.json` wrote it: for whoever runs promote and renders the report itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from promote.model.malformed import Malformed
from promote.model.release import Edit
from promote.model.result import (
    AttestationResult,
    CommitResult,
    CopyResult,
    ErrorResult,
    FindingResult,
    ReleaseResult,
    Result,
    SinceResult,
)
from promote.model.verdict import Outcome, Reason, Verdict
from promote.output.json import SCHEMA

_REASONS = {reason.code: reason for reason in Reason}
_T = TypeVar("_T")


def result_of(value: Any) -> Result:
    """The result that `promote.output.json.as_object` made `value` of; raises `Malformed` for anything else.

    What a newer promote adds to the object is left out.
    """
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise Malformed("result", value, f"an object with schema {SCHEMA}")
    try:
        return Result(
            command=value["command"],
            exit_code=value["exit_code"],
            dry_run=value["dry_run"],
            source=value["from"],
            target=value["to"],
            releases=tuple(_release(release) for release in value["releases"]),
            commit=_made(CommitResult, value["commit"]),
            error=_made(ErrorResult, value["error"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        raise Malformed("result", str(problem), f"an object that follows {SCHEMA}") from None


def _release(value: Mapping[str, Any]) -> ReleaseResult:
    findings = value["findings"]
    return ReleaseResult(
        app=value["app"],
        tag=value["tag"],
        digest=value["digest"],
        source=value["source"],
        changed=value["changed"],
        gates=tuple(_verdict(gate) for gate in value["gates"]),
        copies=tuple(_copy(copy) for copy in value["copies"]),
        edits=tuple(Edit(e["file"], e["line"], e["before"], e["after"]) for e in value["edits"]),
        findings=None if findings is None else tuple(f for f in map(_finding, findings) if f is not None),
        since=_since(value.get("since")),
    )


def _verdict(value: Mapping[str, Any]) -> Verdict:
    return Verdict(
        gate=value["gate"],
        outcome=Outcome(value["verdict"]),
        summary=value["summary"],
        reason=_REASONS.get(value["code"]),
        expected=value["expected"],
        actual=value["actual"],
        evidence=tuple(value["evidence"]),
        hint=value["hint"],
    )


def _copy(value: Mapping[str, Any]) -> CopyResult:
    parts = {**value, "evidence": tuple(value["evidence"])}
    copy = _made(CopyResult, {**parts, "attestation": _made(AttestationResult, value["attestation"])})
    if copy is None:
        raise TypeError("no copy")
    return copy


def _since(value: Mapping[str, Any] | None) -> SinceResult | None:
    since = _made(SinceResult, value)
    if since is not None:
        datetime.fromisoformat(since.when) + timedelta(seconds=since.age)  # what shows them takes them for times
    return since


def _finding(value: Mapping[str, Any]) -> FindingResult | None:
    return _made(FindingResult, value)


def _made(kind: type[_T], value: Mapping[str, Any] | None) -> _T | None:
    """A `kind` of the members of `value` that it has fields for; None for None."""
    if value is None:
        return None
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: part for name, part in value.items() if name in names})
