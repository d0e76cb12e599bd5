"""Results as text for a person: what was asked, each gate with what was found, the diff, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from promote.model.release import Edit
from promote.model.result import AttestationResult, CommitResult, CopyResult, ErrorResult, ReleaseResult, Result
from promote.model.verdict import Outcome, Reason, Verdict
from promote.output import explain, since
from promote.output.lines import hanging
from promote.output.quantity import counted, size
from promote.output.style import Style, disarmed, printable
from promote.output.why import why

WORDS = {
    Outcome.PASS: ("pass", "good"),
    Outcome.REFUSE: ("REFUSED", "bad"),
    Outcome.UNKNOWN: ("UNKNOWN", "odd"),
    Outcome.SKIP: ("skip", "dim"),
}
DONE = {"rollback": "brought back"}
"""What a verb has done to a release, where that is not to have promoted it."""
UNDER_GATE = 11
"""The column of the gates' names, and of what is said about one below it."""
NARROWEST_COLUMN = 12
ROOMY = 120
"""From this many columns on a summary goes on under its own beginning."""


def render(result: Result, style: Style) -> str:
    """The whole report, with a final newline."""
    lines: list[str] = []
    for release in result.releases:
        lines += [*_heading(result, release, style), *_gates(release.gates, style), ""]
        if release.findings is not None:
            lines += [*explain.lines(release.findings, style), ""]
        for copy in release.copies:
            lines += [*_copy(copy, style), ""]
        if release.edits:
            lines += [*_edits(release.edits, style), ""]
    lines += [*_ending(result, style), *_since(result, style)]
    return "".join(f"{disarmed(line)}\n" for line in lines)


def render_error(error: ErrorResult, exit_code: int, style: Style) -> str:
    """The error alone: one sentence, what was expected and got, why it matters, and what to do."""
    return "".join(f"{disarmed(line)}\n" for line in _error(error, exit_code, style))


def gate_line(verdict: Verdict, column: int) -> tuple[str, str, str]:
    """A verdict on one line: its word, how that looks, and the rest with the summary in its column."""
    word, how = WORDS[verdict.outcome]
    return f"{word:8}", how, f"{verdict.gate:{column}} {printable(verdict.summary)}"


def _heading(result: Result, release: ReleaseResult, style: Style) -> Iterator[str]:
    way = " -> ".join(name for name in (result.source, result.target) if name)
    yield style.paint(" ".join(p for p in (result.command, release.app, way) if p), "strong")
    for label, value in (("tag", release.tag), ("digest", release.digest)):
        if value:
            yield from hanging(f"  {label:6} ", value, style, taken=9)  # a digest just fits in 80 columns
    yield ""


def _gates(verdicts: tuple[Verdict, ...], style: Style) -> Iterator[str]:
    judged = [v for v in verdicts if v.reason is not Reason.NOT_JUDGED]
    column = max([NARROWEST_COLUMN, *(len(v.gate) for v in judged)])
    for verdict in judged:
        yield from _gate(verdict, column, style)
    if not_judged := [v.gate for v in verdicts if v.reason is Reason.NOT_JUDGED]:
        head = "  not judged, because an earlier gate already decided:"
        for line in hanging(head + " ", ", ".join(not_judged), style, taken=len(head) + 1, under=UNDER_GATE):
            yield style.paint(line, "dim")


def _gate(verdict: Verdict, column: int, style: Style) -> Iterator[str]:
    word, how = WORDS[verdict.outcome]
    head, taken = f"  {style.paint(f'{word:8}', how)} {verdict.gate:{column}} ", UNDER_GATE + column + 1
    under = taken if style.width is None or style.width >= ROOMY else UNDER_GATE
    yield from hanging(head, verdict.summary, style, taken=taken, under=under)
    if verdict.outcome not in (Outcome.REFUSE, Outcome.UNKNOWN):
        return
    matters = why(verdict.code, verdict.reason.exit_code if verdict.reason else None)
    pairs = (("expected", verdict.expected), ("got", verdict.actual), ("why", matters), ("do", verdict.hint))
    yield from _pairs(pairs, UNDER_GATE, style)
    yield from _pairs(tuple(("evidence", digest) for digest in verdict.evidence[:3]), UNDER_GATE, style)


def _pairs(pairs: tuple[tuple[str, str | None], ...], indent: int, style: Style) -> Iterator[str]:
    for label, value in pairs:
        if value:
            yield from hanging(f"{'':{indent}}{label:9} ", value, style, taken=indent + 10)


def _copy(copy: CopyResult, style: Style) -> Iterator[str]:
    yield from hanging("  ", copy.target, style, taken=2)
    blobs = f"{copy.blobs_copied} sent, {copy.blobs_mounted} mounted, {copy.blobs_present} there already"
    arrived = f"{counted(copy.manifests, 'manifest')}; blobs: {blobs}; {size(copy.bytes)} sent"
    yield from hanging("    ", f"arrived and verified again: {arrived}", style, taken=4)
    if copy.attestation:
        yield from hanging("    ", _attestation(copy.attestation), style, taken=4)


def _attestation(attestation: AttestationResult) -> str:
    how = "signed" if attestation.written else "signed earlier"
    return f"verdict {how} by {attestation.signed_by}: {attestation.manifest}"


def _edits(edits: tuple[Edit, ...], style: Style) -> Iterator[str]:
    """The diff by file; its lines are never broken, because they are what the file has."""
    column = max(len(str(edit.line)) for edit in edits)
    file = None
    for edit in edits:
        if edit.file != file:
            file = edit.file
            yield from hanging("  ", file, style, taken=2)
        if edit.before:
            yield f"    {edit.line:{column}} " + style.paint(f"- {edit.before}", "bad")
        yield f"    {edit.line:{column}} " + style.paint(f"+ {edit.after}", "good")


def _ending(result: Result, style: Style) -> Iterator[str]:
    if result.error is not None:
        yield from _stopped(result, result.error, style)
    elif result.command == "verify":
        yield style.paint("Verified: every gate that needs no target passed.", "good")
    elif not result.releases:
        yield f"Nothing to do: {result.target} runs what {result.source} runs."
    elif result.dry_run:
        word = DONE.get(result.command, "promoted")
        would = f"This would be {word}" if result.changed else f"This is {word} already"
        yield style.paint(f"{would}. Dry run: nothing was written.", "good")
        if result.changed:
            yield from _next("the same command without --dry-run", style)
    elif result.commit is not None:
        yield from _commit(result, result.commit, style)
    else:
        word = DONE.get(result.command, "promoted")
        done = (
            f"{word.capitalize()}; no overlay needed a change."
            if result.changed
            else f"Already {word}: nothing was changed."
        )
        yield style.paint(done, "good")


def _since(result: Result, style: Style) -> Iterator[str]:
    """Since when each release runs that there was nothing to do for."""
    for line in since.lines(result):
        yield from hanging("  since     ", line, style, taken=12)
    if further := since.further(result):
        yield from _next(further, style)


def _stopped(result: Result, error: ErrorResult, style: Style) -> Iterator[str]:
    # A gate has said it all above; anything else is said here.
    by = next((r.app for r in result.releases if any(v.summary == error.message for v in r.gates)), None)
    app = by if by is not None and len(result.releases) > 1 else None
    yield from _headline(error, result.exit_code, style, app)
    if by is None:
        yield from _details(error, result.exit_code, style)
    elif result.target is not None:
        yield "Nothing was written anywhere."


def _commit(result: Result, commit: CommitResult, style: Style) -> Iterator[str]:
    if commit.base is not None:
        yield from _proposed(result, commit, style)
        return
    how = "committed here, not pushed"
    if commit.pushed:
        how = "merged and read back" if commit.pull_request else "pushed and read back"
    word = DONE.get(result.command, "promoted").capitalize()
    yield style.paint(f"{word}: commit {commit.id[:12]} on {commit.branch}, {how}.", "good")
    if commit.pull_request:
        yield from hanging("  request   ", commit.pull_request, style, taken=12)
    if commit.note:
        yield from hanging("", commit.note, style, taken=0, under=2)
    if commit.pushed:
        yield from _next(f"whatever applies {commit.branch} to {result.target} rolls it out", style)
    else:
        yield from _next(f"`git push`: until then {result.target} stays as it is", style)


def _proposed(result: Result, commit: CommitResult, style: Style) -> Iterator[str]:
    yield style.paint(f"Proposed: commit {commit.id[:12]} is waiting for merge into {commit.base}.", "good")
    yield from hanging("  request   ", commit.pull_request or commit.branch, style, taken=12)
    if commit.note:
        yield from hanging("", commit.note, style, taken=0, under=2)
    yield from _next(f"review and merge it; until then {result.target} stays as it is", style)


def _next(what: str, style: Style) -> Iterator[str]:
    yield from hanging("  next      ", what, style, taken=12)


def _error(error: ErrorResult, exit_code: int, style: Style) -> Iterator[str]:
    yield from _headline(error, exit_code, style, None)
    yield from _details(error, exit_code, style)


def _headline(error: ErrorResult, exit_code: int, style: Style, app: str | None) -> Iterator[str]:
    kind = "Refused" if exit_code == 5 or exit_code >= 10 else "Failed"
    head = f"{kind} (exit {exit_code}, {error.code}):"
    message = f"{app}: {error.message}" if app else error.message
    yield from hanging(f"{style.paint(head, 'bad')} ", message, style, taken=len(head) + 1, under=2)


def _details(error: ErrorResult, exit_code: int, style: Style) -> Iterator[str]:
    pairs = (("expected", error.expected), ("got", error.actual), ("why", why(error.code, exit_code)))
    yield from _pairs((*pairs, ("do", error.hint)), 2, style)
