"""What GitHub shows beside the overlay's lines: an error for what was refused, a notice for what was edited.

GitHub shows ten of each kind a step, so that the worst come first and the rest is left to the summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePosixPath

from promote.model.release import Edit
from promote.model.result import ErrorResult, ReleaseResult, Result
from promote.model.verdict import Outcome, Verdict
from promote.output.why import why
from promote_action.commands import command

MOST = 10
"""Annotations of a kind that GitHub shows for one step."""
Places = Mapping[str, tuple[str, int]]
"""By app the file and line that pin it in the target."""


def annotations_of(result: Result, places: Places, prefix: str) -> Iterator[str]:
    """The workflow commands; `prefix` leads from the workspace to the repository that the files are in."""
    if result.error is not None:
        yield from _errors(result, result.error, places, prefix)
        return
    edited = [(r, f, list(edits)) for r in result.releases for f, edits in groupby(r.edits, lambda edit: edit.file)]
    for release, file, edits in edited[:MOST]:
        title = f"{release.app}: {result.source or ''} -> {result.target or ''}"
        at = str(edits[0].line)
        yield command("notice", _diff(edits, result), file=_path(prefix, file), line=at, title=title)
    if result.command in ("promote", "rollback") and not result.changed:
        message = f"nothing was changed: {result.target or 'the target'} runs this already"
        yield command("warning", message, title="promote changed nothing")


def _diff(edits: Sequence[Edit], result: Result) -> str:
    lines = [f"{sign} {text.strip()}" for e in edits for sign, text in (("-", e.before), ("+", e.after)) if text]
    return "\n".join(["promote would change this:" if result.dry_run else "promote changed this:", *lines])


def _errors(result: Result, error: ErrorResult, places: Places, prefix: str) -> Iterator[str]:
    stops = [(r, v) for r in result.releases for v in r.gates if v.outcome in (Outcome.REFUSE, Outcome.UNKNOWN)]
    if not any(verdict.summary == error.message for _, verdict in stops):
        where = next((places[r.app] for r in result.releases if r.app in places), None)
        yield _error(f"promote: {error.code} (exit {result.exit_code})", _explained(error, result), where, prefix)
    for release, verdict in sorted(stops, key=lambda stop: stop[1].outcome is not Outcome.REFUSE)[:MOST]:
        title = _title(release, verdict, result)
        yield _error(title, _explained(verdict, result), places.get(release.app), prefix)


def _error(title: str, message: str, where: tuple[str, int] | None, prefix: str) -> str:
    if where is None:
        return command("error", message, title=title)
    return command("error", message, file=_path(prefix, where[0]), line=str(where[1]), title=title)


def _title(release: ReleaseResult, verdict: Verdict, result: Result) -> str:
    word = "refused" if verdict.outcome is Outcome.REFUSE else "unknown"
    return f"promote {release.app}: {word} by {verdict.gate} ({verdict.code}, exit {result.exit_code})"


def _explained(what: Verdict | ErrorResult, result: Result) -> str:
    summary = what.summary if isinstance(what, Verdict) else what.message
    matters = why(what.code, result.exit_code)
    pairs = (("expected", what.expected), ("got", what.actual), ("why", matters), ("do", what.hint))
    return "\n".join([summary, *(f"{label}: {text}" for label, text in pairs if text)])


def _path(prefix: str, file: str) -> str:
    return str(PurePosixPath(prefix, file))
