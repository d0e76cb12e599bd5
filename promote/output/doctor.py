"""A checkup as text, JSON (schema promote.doctor/v1) and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from promote.model.checkup import Check, CheckupResult, Health
from promote.output.history import markdown_end
from promote.output.json import error_object, written
from promote.output.lines import hanging
from promote.output.markdown import code
from promote.output.style import Style, disarmed
from promote.output.text import render_error

SCHEMA = "promote.doctor/v1"
_LOOKS = {Health.GOOD: "good", Health.NOTE: "dim", Health.UNKNOWN: "odd", Health.BAD: "bad"}
_COLUMN = 20
"""Where what is said begins: after the health and the area."""


def render_text(result: CheckupResult, style: Style) -> str:
    """A line for each check, its fix below it, and what a promotion would do at the end."""
    after = (*result.checks[1:], None)
    lines = [
        line for check, following in zip(result.checks, after, strict=False) for line in _check(check, following, style)
    ]
    if not result.checks and result.error is not None:
        return render_error(result.error, result.exit_code, style)
    stops = sum(check.stops for check in result.checks)
    if stops:
        things = "1 thing" if stops == 1 else f"{stops} things"
        lines += [
            "",
            style.paint(f"{things} would stop a promotion, the first with exit code {result.exit_code}.", "bad"),
        ]
    else:
        lines += ["", style.paint("Nothing here would stop a promotion.", "good")]
    return "".join(f"{disarmed(line)}\n" for line in lines)


def _check(check: Check, following: Check | None, style: Style) -> Iterator[str]:
    """The lines of `check`; a fix that the following one has too is said there."""
    head = f"{style.paint(check.health.value.ljust(8), _LOOKS[check.health])} {check.area.ljust(10)} "
    called = f" ({check.code})" if check.code else ""  # what `promote explain` takes
    yield from hanging(head, f"{check.about}: {check.message}{called}", style, taken=_COLUMN)
    if check.fix and not (following and following.fix == check.fix):
        yield from hanging(" " * _COLUMN + "do  ", check.fix, style, taken=_COLUMN + 4)


def render_json(result: CheckupResult) -> str:
    """One object with a final newline, ASCII only."""
    return written(
        {
            "schema": SCHEMA,
            "command": "doctor",
            "ok": result.error is None,
            "exit_code": result.exit_code,
            "checks": [_object(check) for check in result.checks],
            "error": error_object(result.error),
        }
    )


def _object(check: Check) -> dict[str, Any]:
    return {
        "area": check.area,
        "about": check.about,
        "health": check.health.value,
        "message": check.message,
        "code": check.code,
        "exit_code": check.exit_code,
        "hint": check.fix,
    }


def render_markdown(result: CheckupResult) -> str:
    """A table of the checks."""
    lines = ["| health | area | about | what | do |", "|---|---|---|---|---|"]
    for check in result.checks:
        cells = [check.health.value, check.area, check.about, check.message, check.fix or "-"]
        lines.append("| " + " | ".join(code(cell) for cell in cells) + " |")
    return "\n".join([*lines, *markdown_end(result.error)]) + "\n"
