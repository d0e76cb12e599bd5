"""Findings as text: everything beside an image, what became of it, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from promote.model.result import FindingResult
from promote.output.lines import hanging
from promote.output.style import Style, printable

_COLOURS = {"accepted": "good", "ignored": "dim", "unsigned": "odd", "unsupported": "odd"}


def lines(findings: Sequence[FindingResult], style: Style) -> Iterator[str]:
    """The findings one by one, in their order."""
    yield style.paint("  beside the image", "strong")
    if not findings:
        yield "  nothing at all"
    for finding in findings:
        yield from _finding(finding, style)


def _finding(finding: FindingResult, style: Style) -> Iterator[str]:
    word = style.paint(f"{finding.verdict:11}", _COLOURS.get(finding.verdict, "bad"))
    what = " ".join(part for part in (finding.kind, finding.predicate_type) if part) or "something"
    yield from hanging(f"  {word} ", what, style, taken=14)
    yield from _pairs(
        style,
        ("manifest", finding.manifest),
        ("about", finding.subject),
        ("stored as", finding.storage),
        ("signed by", finding.signed_by),
        ("log", finding.log),
        ("time", finding.time),
        *((f"-a {key}", value) for key, value in sorted(finding.annotations.items())),
        ("why", finding.reason),
        ("expected", finding.expected),
        ("got", finding.actual),
    )


def _pairs(style: Style, *pairs: tuple[str, str | None]) -> Iterator[str]:
    for label, value in pairs:
        if value is not None:
            head = f"{'':14}{printable(label):10} "
            yield from hanging(head, value, style, taken=len(head))
