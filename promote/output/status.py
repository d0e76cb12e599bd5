"""Standings as text, JSON (schema promote.status/v1) and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from promote.model.length import ago
from promote.model.record import ODD_DATES, Record
from promote.model.standing import Behind, Comparison, Drift, Standing, StatusResult
from promote.output.history import (
    SHORT_TAG,
    heading,
    instant,
    markdown_end,
    minute,
    text_of,
    tip_object,
)
from promote.output.json import error_object, written
from promote.output.markdown import code
from promote.output.style import Style, disarmed, printable
from promote.output.text import render_error

SCHEMA = "promote.status/v1"


def render_json(result: StatusResult) -> str:
    """One object with a final newline, ASCII only."""
    value = {
        "schema": SCHEMA,
        "command": "status",
        "ok": result.error is None,
        "exit_code": result.exit_code,
        "declared_in": tip_object(result.tip),
        "rows": [_row(row) for row in result.rows],
        "error": error_object(result.error),
    }
    return written(value)


def _row(row: Standing) -> dict[str, Any]:
    record = row.record
    return {
        "app": row.app,
        "environment": row.environment,
        "tag": row.tag,
        "digest": text_of(row.digest),
        "since": instant(record.when) if record else None,
        "commit": record.commit if record else None,
        "by": record.by if record else None,
        "overlay": row.overlay,
        "place": row.place,
        "kind": record.kind.value if record else None,
        "from": record.source if record else None,
        "reason": record.reason if record else None,
        "behind": [{"environment": b.environment, "releases": b.releases} for b in row.behind],
        "registry": _comparison(row.registry),
        "problem": row.problem,
        "notes": list(row.notes),
    }


def _comparison(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    return {"drift": comparison.drift.value, "actual": text_of(comparison.actual), "reason": comparison.reason}


def render_text(result: StatusResult, style: Style) -> str:
    """A table for each environment, what is odd below its row, and what was read at the top."""
    lines = [*heading(result.tip, style)]
    for environment, rows in groupby(result.rows, key=lambda row: row.environment):
        lines += [style.paint(environment, "strong"), *_table(list(rows), result.now, style), ""]
    if result.error is None and any(row.registry for row in result.rows):
        lines.append(style.paint("Checked: the registries have what git declares.", "good"))
    elif result.error is None and lines and not lines[-1]:
        lines.pop()
    text = "".join(f"{disarmed(line)}\n" for line in lines)
    return text + (render_error(result.error, result.exit_code, style) if result.error else "")


def _table(rows: Sequence[Standing], now: datetime | None, style: Style) -> Iterator[str]:
    cells = [[printable(cell) for cell in _cells(row, now)] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for row, line in zip(rows, cells, strict=True):
        padded = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield f"  {padded}".rstrip()
        for said, how in _below(row):
            yield f"      {style.paint(said, how)}"


def _cells(row: Standing, now: datetime | None) -> list[str]:
    if row.problem is not None:
        return [row.app, "UNKNOWN", "", row.overlay, "", ""]
    if row.tag is None and row.digest is None:
        return [row.app, "-", "", row.overlay, "", ""]
    digest = f"{row.digest.algorithm}:{row.digest.short}" if row.digest else "(no digest)"
    age = _age(row.record, now)
    behind = ", ".join(_behind(b) for b in row.behind)
    return [row.app, (row.tag or "(no tag)")[:SHORT_TAG], digest, row.overlay, age, behind]


def _age(record: Record | None, now: datetime | None) -> str:
    """How long ago a record was; a question mark where there is none, or where its date cannot be believed."""
    return ago(now - record.when) if record and now and ODD_DATES.isdisjoint(record.notes) else "?"


def _behind(behind: Behind) -> str:
    if behind.releases is None:
        return f"not known in {behind.environment}"
    if behind.releases == 0:
        return f"as {behind.environment}"
    return f"{behind.releases} release{'s' if behind.releases > 1 else ''} behind {behind.environment}"


def _below(row: Standing) -> Iterator[tuple[str, str]]:
    if row.record is not None:
        came = f" from {row.record.source}" if row.record.source else ""
        reason = f": {row.record.reason}" if row.record.reason else ""
        how = f"{row.record.kind}{came} by {row.record.by}"
        yield f"since {minute(row.record.when)}: {how}, commit {row.record.commit[:12]}{reason}", "dim"
    if row.problem is not None:
        yield row.problem, "bad"
    for note in row.notes:
        yield note, "odd"
    if row.registry is not None and row.registry.drift is not Drift.NONE:
        yield f"registry: {row.registry.drift}: {row.registry.reason}", "bad"


def render_markdown(result: StatusResult) -> str:
    """A table of the rows."""
    head = ["app", "environment", "tag", "digest", "since", "by", "commit", "behind"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in result.rows:
        record = row.record
        cells = [
            row.app,
            row.environment,
            "unknown" if row.problem else row.tag or "-",
            str(row.digest) if row.digest else "-",
            minute(record.when) if record else "?",
            record.by if record else "?",
            record.commit[:12] if record else "?",
            ", ".join(_behind(b) for b in row.behind) or "-",
        ]
        lines.append("| " + " | ".join(code(cell) for cell in cells) + " |")
    return "\n".join([*lines, *markdown_end(result.error)]) + "\n"
