"""Results as JSON: one object, on success and on failure (schema: promote/output/schemas)."""

from __future__ import annotations

import json
import re
from typing import Any

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
from promote.model.verdict import Verdict

SCHEMA = "promote.result/v1"
_COMMAND = re.compile(r"##(?=\w*\[)")


def render(result: Result) -> str:
    """The result as one JSON object with a final newline."""
    return written(as_object(result))


def written(value: dict[str, Any]) -> str:
    """`value` as JSON with a final newline: ASCII only, so that it cannot steer a terminal.

    What build logs obey anywhere in a line (``##[command]``) is written with an escape.
    """
    return _COMMAND.sub(r"\\u0023#", json.dumps(value, indent=2)) + "\n"


def as_object(result: Result) -> dict[str, Any]:
    """The result as the object that the schema describes."""
    return {
        "schema": SCHEMA,
        "command": result.command,
        "ok": result.ok,
        "exit_code": result.exit_code,
        "dry_run": result.dry_run,
        "from": result.source,
        "to": result.target,
        "releases": [_release(r) for r in result.releases],
        "commit": _commit(result.commit),
        "error": error_object(result.error),
    }


def _release(release: ReleaseResult) -> dict[str, Any]:
    return {
        "app": release.app,
        "tag": release.tag,
        "digest": release.digest,
        "source": release.source,
        "changed": release.changed,
        "gates": [_gate(v) for v in release.gates],
        "copies": [_copy(c) for c in release.copies],
        "edits": [{"file": e.file, "line": e.line, "before": e.before, "after": e.after} for e in release.edits],
        "findings": None if release.findings is None else [_finding(f) for f in release.findings],
        "since": _since(release.since),
    }


def _since(since: SinceResult | None) -> dict[str, Any] | None:
    if since is None:
        return None
    return {
        "kind": since.kind,
        "commit": since.commit,
        "when": since.when,
        "age": since.age,
        "by": since.by,
        "reason": since.reason,
        "previous_tag": since.previous_tag,
        "further": since.further,
    }


def _finding(finding: FindingResult) -> dict[str, Any]:
    return {
        "verdict": finding.verdict,
        "manifest": finding.manifest,
        "subject": finding.subject,
        "storage": finding.storage,
        "kind": finding.kind,
        "predicate_type": finding.predicate_type,
        "signed_by": finding.signed_by,
        "log": finding.log,
        "time": finding.time,
        "annotations": dict(finding.annotations),
        "reason": finding.reason,
        "expected": finding.expected,
        "actual": finding.actual,
    }


def _gate(verdict: Verdict) -> dict[str, Any]:
    return {
        "gate": verdict.gate,
        "verdict": verdict.outcome.value,
        "code": verdict.code,
        "summary": verdict.summary,
        "expected": verdict.expected,
        "actual": verdict.actual,
        "evidence": list(verdict.evidence),
        "hint": verdict.hint,
    }


def _copy(copy: CopyResult) -> dict[str, Any]:
    return {
        "place": copy.place,
        "target": copy.target,
        "digest": copy.digest,
        "manifests": copy.manifests,
        "blobs_copied": copy.blobs_copied,
        "blobs_mounted": copy.blobs_mounted,
        "blobs_present": copy.blobs_present,
        "bytes": copy.bytes,
        "seconds": copy.seconds,
        "evidence": list(copy.evidence),
        "attestation": _attestation(copy.attestation),
    }


def _attestation(attestation: AttestationResult | None) -> dict[str, Any] | None:
    if attestation is None:
        return None
    return {
        "manifest": attestation.manifest,
        "signed_by": attestation.signed_by,
        "written": attestation.written,
    }


def _commit(commit: CommitResult | None) -> dict[str, Any] | None:
    if commit is None:
        return None
    return {
        "id": commit.id,
        "branch": commit.branch,
        "pushed": commit.pushed,
        "pull_request": commit.pull_request,
        "base": commit.base,
        "note": commit.note,
    }


def error_object(error: ErrorResult | None) -> dict[str, Any] | None:
    """An error, as every schema describes it."""
    if error is None:
        return None
    return {
        "code": error.code,
        "message": error.message,
        "expected": error.expected,
        "actual": error.actual,
        "hint": error.hint,
    }
