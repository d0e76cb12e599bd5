"""Trailers: the lines at the end of a commit message that say what was promoted, written and read by machine.

Trailers are a claim; the diff of the commit is the truth (design, section 7).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

ID = "Promote-Id"
APP = "Promote-App"
ENV = "Promote-Env"
FROM = "Promote-From"
IMAGE = "Promote-Image"
"""name:tag@digest"""
PREVIOUS = "Promote-Previous"
SOURCE_COMMIT = "Promote-Source-Commit"
SOURCE_REPO = "Promote-Source-Repo"
KIND = "Promote-Kind"
HOLD = "Promote-Hold"
"""A digest that a rollback took out and that is not to come back by itself."""
LIFT = "Promote-Lift"
"""A digest whose hold was lifted, and why."""
APPROVE = "Promote-Approve"
"""app, tag or digest, environment"""
REASON = "Promote-Reason"

_NAME = re.compile(r"Promote-[A-Z][A-Za-z]*(?:-[A-Z][A-Za-z]*)*")
_LINE = re.compile(rf"({_NAME.pattern}): ?(.*)")
_LONGEST = 2000


def message(subject: str, body: Sequence[str], trailers: Sequence[tuple[str, str]]) -> str:
    """A commit message: subject, body lines, and `trailers` as the last paragraph, one line each, in order.

    A name may come more than once (several apps in one commit).  Whatever a text holds, it stays one line, and no line
    but those of `trailers` can be read as a trailer.  Raises `ValueError` for a name that `parse` would not read.
    """
    for name, _ in trailers:
        if not _NAME.fullmatch(name):
            raise ValueError(name)
    paragraphs = [_prose(subject) or "promote"]
    if body:
        paragraphs.append("\n".join(_prose(line) for line in body))
    if trailers:
        paragraphs.append("\n".join(f"{name}: {_line(value)}" for name, value in trailers))
    return "\n\n".join(paragraphs) + "\n"


def parse(text: str) -> tuple[tuple[str, str], ...]:
    """Every trailer of promote in `text`, in order, wherever its line stands: a squash may have put text after it."""
    # Only "\n" ends a line: str.splitlines would also split at characters that a value may have brought along.
    matches = (_LINE.fullmatch(line.rstrip("\r")) for line in text.split("\n"))
    return tuple((match[1], match[2].strip()) for match in matches if match)


def _line(text: str) -> str:
    """`text` as one line: each character that could end or hide one (control, format, separator) becomes a space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_LONGEST]).split())


def _prose(text: str) -> str:
    """One line that is no trailer: what looks like one is indented, which `parse` and git do not read as its start."""
    line = _line(text)
    return f" {line}" if _LINE.match(line) else line
