"""The body of a pull request: the report in Markdown, and the trailers of the commit as its last paragraph.

A host that squashes makes the commit's message of it, so that the record is not lost there.
"""

from __future__ import annotations

import re

from promote.model.result import Result
from promote.output import markdown

_TRAILER = re.compile(r"(Promote-[A-Za-z-]+): (.*)")
_PLAIN = re.compile(r"(?:[A-Za-z0-9.:/+-]|(?<=[A-Za-z0-9])[@_])*")
"""One word that no host reads as more than text: no mention, no reference, no markup, no "closes ISSUE"."""
_TOO_LONG = "The report is longer than this host takes; `promote --format markdown` prints it."


def render(result: Result, message: str, longest: int) -> str:
    """The body of the request for the commit that says `message`, in at most `longest` characters.

    A value of a trailer that Markdown could read as more than text is put into a code span.
    """
    ending = "\n".join(_trailer(line) for line in message.split("\n") if _TRAILER.fullmatch(line))
    for report in (markdown.render(result), f"{_TOO_LONG}\n"):
        body = f"{report}\n{ending}\n"
        if len(body) <= longest:
            return body
    return f"{_TOO_LONG}\n"


def _trailer(line: str) -> str:
    name, _, value = line.partition(": ")
    return line if _PLAIN.fullmatch(value) else f"{name}: {markdown.code(value)}"
