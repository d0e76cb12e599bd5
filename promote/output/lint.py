"""Findings of the linter as text, JSON (schema promote.lint/v1) and GitHub's workflow commands."""

from __future__ import annotations

from collections import Counter
from typing import Any

from promote.model.lint import Level, LintFinding, LintResult
from promote.output.json import error_object, written
from promote.output.style import Style, disarmed, printable
from promote.output.text import render_error

SCHEMA = "promote.lint/v1"
_LOOKS = {Level.ERROR: "bad", Level.WARNING: "odd", Level.NOTE: "dim"}
_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render_text(result: LintResult, style: Style) -> str:
    """One finding a line, ``FILE:LINE: LEVEL RULE: what``, below the first of each rule what to do; then the sum."""
    lines, told = [], set()
    for f in result.findings:
        level = style.paint(f.rule.level, _LOOKS[f.rule.level])
        lines.append(f"{printable(f.file)}:{f.line}: {level} {f.rule.code}: {printable(f.message)}")
        if f.rule not in told:
            lines.append(style.paint(f"    do  {f.rule.fix}", "dim"))
        told.add(f.rule)
    if not result.overlays and result.error is not None:
        return render_error(result.error, result.exit_code, style)
    lines.append(style.paint(summary(result), "bad" if result.error else "good"))
    return "".join(f"{disarmed(line)}\n" for line in lines)


def summary(result: LintResult) -> str:
    """How much of what there is, in one line."""
    counts = Counter(f.rule.level for f in result.findings)
    found = [f"{counts[level]} {level}{'s' if counts[level] > 1 else ''}" for level in Level if counts[level]]
    overlays = "1 overlay" if len(result.overlays) == 1 else f"{len(result.overlays)} overlays"
    return f"{overlays} read: {', '.join(found) or 'every image is pinned'}"


def render_json(result: LintResult) -> str:
    """One object with a final newline, ASCII only."""
    return written(
        {
            "schema": SCHEMA,
            "command": "lint",
            "ok": result.error is None,
            "exit_code": result.exit_code,
            "overlays": [overlay or "." for overlay in result.overlays],
            "findings": [_object(finding) for finding in result.findings],
            "error": error_object(result.error),
        }
    )


def _object(finding: LintFinding) -> dict[str, Any]:
    return {
        "rule": finding.rule.code,
        "level": finding.rule.level.value,
        "file": finding.file,
        "line": finding.line,
        "overlay": finding.overlay or ".",
        "image": finding.image,
        "message": finding.message,
        "why": finding.rule.why,
        "hint": finding.rule.fix,
    }


def render_github(result: LintResult) -> str:
    """One workflow command a finding, which GitHub shows at its line; the sum as a plain line.

    Source: actions/toolkit, packages/core/src/command.ts (`escapeData`, `escapeProperty`).
    """
    lines = [
        f"::{_COMMANDS[f.rule.level]} file={_property(f.file)},line={f.line},title={_property(f.rule.code)}::"
        f"{_data(f'{f.message}. {f.rule.why} To do: {f.rule.fix}.')}"
        for f in result.findings
    ]
    if not result.overlays and result.error is not None:
        lines.append(f"::error title={_property(result.error.code)}::{_data(result.error.message)}")
    else:
        lines.append(summary(result))
    return "".join(f"{line}\n" for line in lines)


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
