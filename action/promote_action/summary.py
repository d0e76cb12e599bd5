"""The job's summary: promote's own Markdown report, and what a person who opens the job must not miss."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from promote.model.result import Result
from promote.output import markdown

LARGEST = 1024 * 1024 - 1024
"""Bytes: GitHub drops the summary of a step that has more than 1 MiB."""
_CUT = "\n\nThe summary is cut here; the output `result` has all of it.\n"


def of(result: Result, advice: str | None) -> str:
    """The summary of a run, in at most `LARGEST` bytes."""
    parts = []
    if result.ok and result.command in ("promote", "rollback") and not result.changed:
        parts.append("> [!WARNING]\n> **Nothing was changed.** The target runs this release already.\n")
    parts.append(markdown.render(result))
    if advice:
        parts.append(f"**What the workflow lacks**\n\n```text\n{advice}\n```\n")
    return "\n".join(parts)


def write(environ: Mapping[str, str], text: str) -> None:
    """Append `text` to GITHUB_STEP_SUMMARY, cut at a line when it is too long for GitHub."""
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    data = text.encode()
    if len(data) > LARGEST:
        data = data[: data.rindex(b"\n", 0, LARGEST - len(_CUT))] + _CUT.encode()
    with Path(path).open("ab") as file:
        file.write(data + b"\n")
