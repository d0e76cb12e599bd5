"""Since when a release runs, where a run had nothing to do: the same words in text and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from promote.model.length import ago
from promote.model.result import Result, SinceResult


def lines(result: Result) -> Iterator[str]:
    """One for each release that has it, such as ``2026-01-02 03:04Z (5 h ago): promote by A <a@b>, commit 4f2a..``."""
    for release in result.releases:
        if release.since is not None:
            of = f"{release.app}: " if len(result.releases) > 1 else ""
            yield f"{of}{_line(release.since)}"


def further(result: Result) -> str | None:
    """How to go back further than a rollback that was found done, None where that is not the question."""
    releases = [(r.app, r.since.further) for r in result.releases if r.since is not None and r.since.further]
    if result.command != "rollback" or not releases:
        return None
    words = " ".join(f"{app}={tag}" for app, tag in releases)
    return f"to go back further, name it: `promote rollback {result.target} {words}`"


def _line(since: SinceResult) -> str:
    when = datetime.fromisoformat(since.when)
    was = f" from {since.previous_tag}" if since.kind == "rollback" and since.previous_tag else ""
    reason = f": {since.reason}" if since.reason else ""
    age = ago(timedelta(seconds=since.age))
    return f"{when:%Y-%m-%d %H:%M}Z ({age}): {since.kind}{was} by {since.by}, commit {since.commit[:12]}{reason}"
