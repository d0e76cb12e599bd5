"""Text in lines: broken at spaces, indented under where it began, digests and references whole."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from promote.output.style import Style, printable

INDENT = 4
"""Where a word begins that would not fit under the ones before it."""


def hanging(head: str, text: str, style: Style, *, taken: int, under: int | None = None) -> Iterator[str]:
    """`head`, which takes `taken` columns, and `text` after it, in lines of the style's width.

    What does not fit goes on below, indented by `under` columns, `taken` when None.  A word is never broken: one that
    is too long for its place begins further left, and one that is longer than the line is a line of its own, so that it
    can be copied.  `text` is made safe; `head` is promote's own.
    """
    safe = printable(text)
    if style.width is None or taken + width_of(safe) <= style.width:
        yield head + safe
        return
    room, indent = style.width, taken if under is None else under
    line, used, empty = head, taken, True
    for word in safe.split():
        size = width_of(word)
        if not empty and used + 1 + size <= room:
            line, used = f"{line} {word}", used + 1 + size
        elif empty and (used + size <= room or not head.strip()):
            line, used, empty = line + word, used + size, False
        else:
            yield line.rstrip()
            left = indent if indent + size <= room else min(indent, INDENT)
            line, used, empty = " " * left + word, left + size, False
    yield line


def width_of(text: str) -> int:
    """How many columns `text` takes on a terminal (Unicode TR 11)."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def cut(text: str, width: int) -> str:
    """The beginning of `text` that takes at most `width` columns."""
    used = 0
    for at, character in enumerate(text):
        used += _width(character)
        if used > width:
            return text[:at]
    return text


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
