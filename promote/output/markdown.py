"""Results as Markdown, for the body of a pull request and for a job's summary.

Whatever comes from outside is in a code span or a fenced block, where neither Markdown nor HTML, mentions, references
or links are read (CommonMark 0.31, 4.5 and 6.1; GitHub leaves code alone), and no line begins with it: it can be no
quick action, no workflow command and no git trailer of a commit that is made from the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from promote.model.malformed import shown
from promote.model.release import Edit
from promote.model.result import CommitResult, CopyResult, ErrorResult, FindingResult, ReleaseResult, Result
from promote.model.verdict import Outcome, Reason, Verdict
from promote.output import since
from promote.output.quantity import counted, size
from promote.output.style import printable
from promote.output.text import DONE
from promote.output.why import why

WORDS = {
    Outcome.PASS: "✅ pass",
    Outcome.REFUSE: "❌ **refused**",
    Outcome.UNKNOWN: "❓ **unknown**",
    Outcome.SKIP: "⚪ skip",
}
LONGEST = 400
"""Characters of one value: GitHub cuts a pull request's body at 65,536, and `--format json` has all of it."""
FOOTER = "<sub>Written by promote.</sub>"
"""The last paragraph, in promote's own words: git reads trailers from there."""
MOST_LINES = 200
"""Lines of a diff, and rows of a table, for the same reason."""


def render(result: Result) -> str:
    """The whole report, with a final newline."""
    lines: list[str] = [*_headline(result), ""]
    for release in result.releases:
        lines += _release(release)
    if ending := list(_ending(result)):
        lines += [*ending, ""]
    lines.append(FOOTER)
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """`text` as a code span that ends where it should, on one line, and without the sign that ends a cell of a table.

    Source: CommonMark 0.31, 6.1: the fence is longer than any run of backticks within, and one space is stripped from
    both ends; GFM 0.29, 4.10: a pipe ends a cell even in code.
    """
    safe = printable(shown(text, LONGEST)).replace("|", "\\x7c")
    if not safe.strip():
        return "(empty)"
    fence = _fence(safe, 1)
    pad = " " if safe[0] in "` " or safe[-1] in "` " else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def _fence(text: str, least: int) -> str:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return "`" * max(longest + 1, least)


def _headline(result: Result) -> Iterator[str]:
    place = " → ".join(code(name) for name in (result.source, result.target) if name)
    apps = ", ".join(code(app) for app in dict.fromkeys(r.app for r in result.releases[:20]))
    if len(result.releases) > 20:
        apps += f" and {len(result.releases) - 20} more"
    yield " ".join(
        part for part in ("## rollback:" if result.command == "rollback" else "## promote:", apps, place) if part
    )
    yield ""
    yield f"**{_outcome(result)}**"
    for line in (*since.lines(result), *([told] if (told := since.further(result)) else [])):
        yield ""
        yield code(line)


def _outcome(result: Result) -> str:
    if result.error is not None:
        kind = "Refused" if result.exit_code == 5 or result.exit_code >= 10 else "Failed"
        return f"{kind} (exit {result.exit_code}, {code(result.error.code)})"
    if result.command == "verify":
        return "Verified: every gate that needs no target passed"
    if not result.releases:
        return "Nothing to do"
    word = DONE.get(result.command, "promoted")
    if result.dry_run:
        return f"Dry run: this would be {word}" if result.changed else f"Dry run: this is {word} already"
    if result.commit is not None and result.commit.base is not None:
        return "Proposed: waiting for merge"
    return word.capitalize() if result.changed else f"Already {word}: nothing was changed"


def _release(release: ReleaseResult) -> Iterator[str]:
    yield f"### {code(release.app)}"
    yield ""
    for label, value in (("tag", release.tag), ("digest", release.digest), ("from", release.source)):
        if value:
            yield f"- {label} {code(value)}"
    yield ""
    yield from _gates(release.gates)
    if release.findings is not None:
        yield from _findings(release.findings)
    if release.edits:
        yield from _diff(release.edits)
    if release.copies:
        yield from _copies(release.copies)


def _gates(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield from _table_head("verdict", "gate", "found")
    for verdict in verdicts:
        if verdict.reason is not Reason.NOT_JUDGED:
            yield _row(WORDS[verdict.outcome], code(verdict.gate), "<br>".join(_found(verdict)))
    if not_judged := [v.gate for v in verdicts if v.reason is Reason.NOT_JUDGED]:
        yield _row("not judged", ", ".join(code(gate) for gate in not_judged), "an earlier gate already decided")
    yield ""


def _found(verdict: Verdict) -> Iterator[str]:
    yield code(verdict.summary)
    if verdict.outcome not in (Outcome.REFUSE, Outcome.UNKNOWN):
        return
    yield from _explained(verdict.expected, verdict.actual, verdict.code, verdict.hint, verdict.reason)
    for digest in verdict.evidence[:3]:
        yield f"evidence {code(digest)}"


def _explained(
    expected: str | None, actual: str | None, reason_code: str, hint: str | None, reason: Reason | None
) -> Iterator[str]:
    matters = why(reason_code, reason.exit_code if reason else None)
    for label, text in (("expected", expected), ("got", actual)):
        if text:
            yield f"{label} {code(text)}"
    if matters:
        yield f"why: {matters}"
    if hint:
        yield f"do: {code(hint)}"


def _findings(findings: Sequence[FindingResult]) -> Iterator[str]:
    yield "Beside the image:"
    yield ""
    yield from _table_head("verdict", "what", "signed by", "why")
    for finding in findings[:MOST_LINES]:
        what = " ".join(part for part in (finding.kind, finding.predicate_type) if part) or "something"
        reason = " ".join(part for part in (finding.reason, finding.actual) if part)
        yield _row(*(code(text) for text in (finding.verdict, what, finding.signed_by or "", reason)))
    if len(findings) > MOST_LINES:
        yield _row("", f"and {len(findings) - MOST_LINES} more", "", "")
    yield ""


def _diff(edits: Sequence[Edit]) -> Iterator[str]:
    lines = list(_diff_lines(edits))
    fence = _fence("\n".join(lines), 3)
    yield f"{fence}diff"
    yield from lines[:MOST_LINES]
    yield fence
    if len(lines) > MOST_LINES:
        yield ""
        yield f"and {len(lines) - MOST_LINES} more lines"
    yield ""


def _diff_lines(edits: Sequence[Edit]) -> Iterator[str]:
    """A sign and a space before each: without the space ``-key: value`` would be a git trailer."""
    file = None
    for edit in edits:
        if edit.file != file:
            file = edit.file
            yield f"@@ {printable(shown(file, LONGEST))} @@"
        if edit.before:
            yield f"- {printable(shown(edit.before, LONGEST))}"
        yield f"+ {printable(shown(edit.after, LONGEST))}"


def _copies(copies: Sequence[CopyResult]) -> Iterator[str]:
    yield from _table_head("arrived and verified again", "sent", "evidence")
    for copy in copies:
        blobs = f"{copy.blobs_copied} sent, {copy.blobs_mounted} mounted, {copy.blobs_present} there already"
        sent = f"{counted(copy.manifests, 'manifest')}; blobs: {blobs}; {size(copy.bytes)} in {copy.seconds:.1f} s"
        evidence = [code(digest) for digest in copy.evidence[:20]]
        if copy.attestation is not None:
            how = "signed" if copy.attestation.written else "signed earlier"
            evidence.append(f"verdict {how} by {code(copy.attestation.signed_by)}")
        yield _row(code(copy.target), sent, "<br>".join(evidence))
    yield ""


def _ending(result: Result) -> Iterator[str]:
    if result.error is not None:
        yield from _error(result, result.error)
    elif result.commit is not None:
        yield from _commit(result, result.commit)
    elif result.dry_run and result.changed:
        yield "Next: the same command without `--dry-run`."


def _error(result: Result, error: ErrorResult) -> Iterator[str]:
    yield f"- {code(error.message)}"
    by_gate = any(v.summary == error.message for r in result.releases for v in r.gates)
    if not by_gate:
        for line in _explained(error.expected, error.actual, error.code, None, None):
            yield f"- {line}"
    if error.hint:
        yield f"- do: {code(error.hint)}"
    if by_gate and result.target is not None:
        yield "- Nothing was written anywhere."


def _commit(result: Result, commit: CommitResult) -> Iterator[str]:
    if commit.base is not None:
        yield f"- commit {code(commit.id)} on {code(commit.branch)} is waiting for merge into {code(commit.base)}"
        if commit.pull_request:
            yield f"- request {code(commit.pull_request)}"
        if commit.note:
            yield f"- {code(commit.note)}"
        return
    how = "committed here, not pushed"
    if commit.pushed:
        how = "merged and read back" if commit.pull_request else "pushed and read back"
    yield f"- commit {code(commit.id)} on {code(commit.branch)}, {how}"
    if commit.pull_request:
        yield f"- request {code(commit.pull_request)}"
    if commit.note:
        yield f"- {code(commit.note)}"
    if commit.pushed and result.target:
        yield f"- next: whatever applies {code(commit.branch)} to {code(result.target)} rolls it out"
    elif result.target:
        yield f"- next: `git push`; until then {code(result.target)} stays as it is"


def _table_head(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield _row(*("---" for _ in titles))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
