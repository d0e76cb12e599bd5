"""Findings of the linter as JUnit XML, which every CI shows as tests: one an overlay and one a finding."""

from __future__ import annotations

import html
from collections.abc import Iterator

from promote.model.lint import Level, LintFinding, LintResult
from promote.output.lint import summary
from promote.output.style import printable


def render(result: LintResult) -> str:
    """One suite; an error fails its test, what is less is written to the test's output.

    An overlay without an error is a test that passed, so that a run without findings is not a run without tests.
    """
    cases = list(_cases(result))
    failures = sum(f.rule.level is Level.ERROR for f in result.findings)
    looked = result.error is None or bool(result.overlays)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{0 if looked else 1}" skipped="0"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="promote lint" {counts}>',
        f'  <testsuite name="promote lint" {counts}>',
        *cases,
        *([f"    <system-out>{_escaped(summary(result))}</system-out>"] if looked else []),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _cases(result: LintResult) -> Iterator[str]:
    if not result.overlays and result.error is not None:
        said = f'<error type="{_escaped(result.error.code)}" message="{_escaped(result.error.message)}"/>'
        yield f'    <testcase classname="promote lint" name="run">{said}</testcase>'
    failed = {f.overlay for f in result.findings if f.rule.level is Level.ERROR}
    for overlay in result.overlays:
        if overlay not in failed:
            yield f'    <testcase classname="promote lint" name="{_escaped(overlay or ".")}"/>'
    for finding in result.findings:
        yield f"    {_case(finding)}"


def _case(finding: LintFinding) -> str:
    where = f"{finding.file}:{finding.line}"
    said = _escaped(f"{where}: {finding.message}. {finding.rule.why} To do: {finding.rule.fix}.")
    if finding.rule.level is Level.ERROR:
        inner = f'<failure type="{finding.rule.code}" message="{_escaped(finding.message)}">{said}</failure>'
    else:
        inner = f"<system-out>{said}</system-out>"
    name = _escaped(f"{finding.rule.code} {where} {finding.image or ''}".strip())
    file = _escaped(finding.file)
    return f'<testcase classname="{file}" name="{name}" file="{file}" line="{finding.line}">{inner}</testcase>'


def _escaped(text: str) -> str:
    """For an element or an attribute; `printable` leaves no character that XML 1.0 does not have."""
    return html.escape(printable(text).encode("utf-8", "backslashreplace").decode())
