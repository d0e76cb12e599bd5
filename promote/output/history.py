"""Records as text, JSON (schema promote.history/v1) and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from promote.model.digest import Digest
from promote.model.record import Record
from promote.model.result import ErrorResult
from promote.model.standing import HistoryResult, Tip
from promote.output.json import error_object, written
from promote.output.markdown import code
from promote.output.style import Style, disarmed, printable
from promote.output.text import render_error

SCHEMA = "promote.history/v1"
SHORT_TAG = 16
"""How much of a tag is shown where many are: ``sha-`` and twelve digits."""


def render_json(result: HistoryResult) -> str:
    """One object with a final newline, ASCII only."""
    value = {
        "schema": SCHEMA,
        "command": "history",
        "ok": result.error is None,
        "exit_code": result.exit_code,
        "declared_in": tip_object(result.tip),
        "records": [record_object(record) for record in result.records],
        "note": result.note,
        "error": error_object(result.error),
    }
    return written(value)


def record_object(record: Record) -> dict[str, Any]:
    """A record as the schema describes it."""
    return {
        "app": record.app,
        "from": record.source,
        "to": record.environment,
        "tag": record.tag,
        "digest": text_of(record.digest),
        "previous_tag": record.previous_tag,
        "previous_digest": text_of(record.previous_digest),
        "kind": record.kind.value,
        "when": instant(record.when),
        "by": record.by,
        "commit": record.commit,
        "reason": record.reason,
        "overlays": list(record.overlays),
        "notes": list(record.notes),
    }


def tip_object(tip: Tip | None) -> dict[str, Any] | None:
    """What was read, as both schemas describe it."""
    return None if tip is None else {"branch": tip.branch, "commit": tip.commit, "note": tip.note}


def render_text(result: HistoryResult, style: Style) -> str:
    """A line for each record, what is odd about it below, and what was read at the top."""
    lines = [*heading(result.tip, style)]
    for record in result.records:
        lines += _record(record, style)
    if not result.records and result.error is None:
        lines.append("Nothing was ever pinned here.")
    if result.note:
        lines.append(style.paint(result.note, "odd"))
    text = "".join(f"{disarmed(line)}\n" for line in lines)
    return text + (render_error(result.error, result.exit_code, style) if result.error else "")


def heading(tip: Tip | None, style: Style) -> Iterator[str]:
    """What git declares is not yet what a cluster runs: the first line says which commit declares it."""
    if tip is not None:
        yield style.paint(f"Declared in git: branch {tip.branch} at {tip.commit[:12]}", "strong")
        if tip.note:
            yield style.paint(tip.note, "odd")
        yield ""


def _record(record: Record, style: Style) -> Iterator[str]:
    way = f"{record.source} -> {record.environment}" if record.source else record.environment
    was = f" (was {release(record.previous_tag, record.previous_digest)})" if _had(record) else ""
    now = release(record.tag, record.digest)
    yield printable(f"{minute(record.when)}  {record.kind:8} {record.app}  {way}  {now}{was}")
    reason = f": {record.reason}" if record.reason else ""
    yield style.paint(f"{'':18}  by {record.by}, commit {record.commit[:12]}{reason}", "dim")
    for note in record.notes:
        yield f"{'':20}{style.paint(note, 'odd')}"


def _had(record: Record) -> bool:
    return bool(record.previous_tag or record.previous_digest)


def render_markdown(result: HistoryResult) -> str:
    """A table of the records."""
    lines = ["| when | kind | app | environment | release | by | commit |", "|---|---|---|---|---|---|---|"]
    for r in result.records:
        cells = [minute(r.when), r.kind.value, r.app, r.environment, release(r.tag, r.digest), r.by, r.commit[:12]]
        lines.append("| " + " | ".join(code(cell) for cell in cells) + " |")
    return "\n".join([*lines, *markdown_end(result.error)]) + "\n"


def markdown_end(error: ErrorResult | None) -> Iterator[str]:
    """The error, below a table."""
    if error is not None:
        yield ""
        yield f"**{code(error.code)}** {code(error.message)}"


def release(tag: str | None, digest: Digest | None) -> str:
    """A release in short, such as ``sha-4f2a91cd03b1@sha256:91735690``."""
    name = (tag or "")[:SHORT_TAG]
    return f"{name}@{digest.algorithm}:{digest.short[:8]}" if digest else name or "nothing"


def minute(when: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{when:%Y-%m-%d %H:%M}Z"


def instant(when: datetime) -> str:
    """A moment in UTC as RFC 3339 has it."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def text_of(digest: Digest | None) -> str | None:
    """A digest for JSON."""
    return str(digest) if digest else None
