"""Findings of the linter as SARIF 2.1.0, for GitHub code scanning and others (OASIS, sarif-v2.1.0-os)."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from promote import __version__
from promote.model.lint import LintFinding, LintResult, Rule
from promote.output.json import written
from promote.output.style import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_RULES = tuple(Rule)
_ESCAPED = {"\\": "\\\\", "[": "\\[", "]": "\\]", "{": "{{", "}": "}}"}


def render(result: LintResult) -> str:
    """One log with one run, ASCII only."""
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "promote", "version": __version__, "rules": [_rule(rule) for rule in _RULES]}},
        "invocations": [_invocation(result)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding) for finding in result.findings],
    }
    return written({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": _message(rule.why)},
        "fullDescription": {"text": _message(rule.why)},
        "help": {"text": _message(f"{rule.why} To do: {rule.fix}.")},
        "defaultConfiguration": {"level": rule.level.value},
    }


def _invocation(result: LintResult) -> dict[str, Any]:
    """A run that could not look is no success (3.20.14), whatever it found."""
    looked = result.error is None or bool(result.overlays)
    found: dict[str, Any] = {"executionSuccessful": looked, "exitCode": result.exit_code}
    if not looked and result.error is not None:
        text = {"text": _message(result.error.message)}
        found["toolExecutionNotifications"] = [
            {"level": "error", "message": text, "descriptor": {"id": result.error.code}}
        ]
    return found


def _result(finding: LintFinding) -> dict[str, Any]:
    # The line is left out, so that a finding stays the same one when something above it changes.
    identity = "\n".join((finding.rule.code, finding.file, finding.image or finding.message))
    return {
        "ruleId": finding.rule.code,
        "ruleIndex": _RULES.index(finding.rule),
        "level": finding.rule.level.value,
        "message": {"text": _message(f"{finding.message}. To do: {finding.rule.fix}.")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(finding.file, errors="replace"), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": finding.line},
                }
            }
        ],
        "partialFingerprints": {"promote/v1": hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest()},
    }


def _message(text: str) -> str:
    """Plain text in which nothing is a link or a placeholder (3.11.5, 3.11.6)."""
    return "".join(_ESCAPED.get(character, character) for character in printable(text))
