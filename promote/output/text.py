"""Results as text for a person: what was asked, each gate with what was found, the diff, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from promote.model.release import Edit
from promote.model.result import AttestationResult, CommitResult, CopyResult, ErrorResult, ReleaseResult, Result
from promote.model.verdict import Outcome, Reason, Verdict
from promote.output import explain
from promote.output.style import Style, printable

WORDS = {
    Outcome.PASS: ("pass", "good"),
    Outcome.REFUSE: ("REFUSED", "bad"),
    Outcome.UNKNOWN: ("UNKNOWN", "odd"),
    Outcome.SKIP: ("skip", "dim"),
}


def render(result: Result, style: Style) -> str:
    """The whole report, with a final newline."""
    lines: list[str] = []
    for release in result.releases:
        lines += [*_heading(result, release, style), *_gates(release.gates, style), ""]
        if release.findings is not None:
            lines += [*explain.lines(release.findings, style), ""]
        lines += [line for copy in release.copies for line in _copy(copy)]
        lines += [line for edit in release.edits for line in _edit(edit, style)]
        if release.copies or release.edits:
            lines.append("")
    lines += _ending(result, style)
    return "\n".join(lines) + "\n"


def render_error(error: ErrorResult, exit_code: int, style: Style) -> str:
    """The error alone: one sentence, what was expected and got, and what to do."""
    return "\n".join(_error(error, exit_code, style)) + "\n"


def _heading(result: Result, release: ReleaseResult, style: Style) -> Iterator[str]:
    way = f"{result.source} -> {result.target}" if result.target else (result.source or "")
    yield style.paint(" ".join(p for p in (result.command, release.app, way) if p), "strong")
    if release.tag:
        yield f"  tag     {printable(release.tag)}"
    if release.digest:
        yield f"  digest  {release.digest}"
    yield ""


def _gates(verdicts: tuple[Verdict, ...], style: Style) -> Iterator[str]:
    for verdict in verdicts:
        if verdict.reason is not Reason.NOT_JUDGED:
            yield from _gate(verdict, style)
    if not_judged := [v.gate for v in verdicts if v.reason is Reason.NOT_JUDGED]:
        yield style.paint(f"  not judged, because an earlier gate already decided: {', '.join(not_judged)}", "dim")


def _gate(verdict: Verdict, style: Style) -> Iterator[str]:
    word, how = WORDS[verdict.outcome]
    yield f"  {style.paint(f'{word:8}', how)} {verdict.gate:12} {printable(verdict.summary)}"
    if verdict.outcome not in (Outcome.REFUSE, Outcome.UNKNOWN):
        return
    for label, value in (("expected", verdict.expected), ("got", verdict.actual), ("do", verdict.hint)):
        if value:
            yield f"{'':24}{label:9} {printable(value)}"
    for digest in verdict.evidence[:3]:
        yield f"{'':24}{'evidence':9} {printable(digest)}"


def _copy(copy: CopyResult) -> Iterator[str]:
    blobs = f"{copy.blobs_copied} sent, {copy.blobs_mounted} mounted, {copy.blobs_present} there already"
    yield f"  {printable(copy.target)}"
    yield f"    arrived and verified again: {copy.manifests} manifests; blobs: {blobs}; {_size(copy.bytes)} sent"
    if copy.attestation:
        yield _attestation(copy.attestation)


def _attestation(attestation: AttestationResult) -> str:
    how = "signed" if attestation.written else "signed earlier"
    return f"    verdict {how} by {printable(attestation.signed_by)}: {attestation.manifest}"


def _edit(edit: Edit, style: Style) -> Iterator[str]:
    yield f"  {printable(edit.file)}:{edit.line}"
    if edit.before:
        yield "    " + style.paint(f"- {edit.before}", "bad")
    yield "    " + style.paint(f"+ {edit.after}", "good")


def _ending(result: Result, style: Style) -> Iterator[str]:
    if result.error is not None:
        yield from _stopped(result, result.error, style)
    elif result.command == "verify":
        yield style.paint("Verified: every gate that needs no target passed.", "good")
    elif not result.releases:
        yield f"Nothing to do: {result.target} runs what {result.source} runs."
    elif result.dry_run:
        would = "This would be promoted" if result.changed else "This is promoted already"
        yield style.paint(f"{would}. Dry run: nothing was written.", "good")
    elif result.commit is not None:
        yield from _commit(result.commit, style)
    else:
        done = "Promoted; no overlay needed a change." if result.changed else "Already promoted: nothing was changed."
        yield style.paint(done, "good")


def _stopped(result: Result, error: ErrorResult, style: Style) -> Iterator[str]:
    # A gate has said it all above; anything else is said here.
    by_gate = any(v.summary == error.message for r in result.releases for v in r.gates)
    first, *more = _error(error, result.exit_code, style)
    yield first
    if not by_gate:
        yield from more
    elif result.target is not None:
        yield "Nothing was written anywhere."


def _commit(commit: CommitResult, style: Style) -> Iterator[str]:
    how = "pushed and read back" if commit.pushed else "committed here, not pushed"
    yield style.paint(f"Promoted: commit {commit.id[:12]} on {commit.branch}, {how}.", "good")
    if commit.note:
        yield printable(commit.note)


def _error(error: ErrorResult, exit_code: int, style: Style) -> Iterator[str]:
    kind = "Refused" if exit_code == 5 or exit_code >= 10 else "Failed"
    yield f"{style.paint(f'{kind} (exit {exit_code}, {error.code}):', 'bad')} {printable(error.message)}"
    for label, value in (("expected", error.expected), ("got", error.actual), ("do", error.hint)):
        if value:
            yield f"  {label:9} {printable(value)}"


def _size(count: int) -> str:
    size, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "B" else f"{size:.1f} {units[0]}"
