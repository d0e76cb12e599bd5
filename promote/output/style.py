"""How text looks: colour where a person reads it on a terminal, and never a control character from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from promote.model.malformed import shown

_CODES = {"good": "32", "bad": "31;1", "odd": "33;1", "dim": "2", "strong": "1"}
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Style:
    """Whether to use colour."""

    colour: bool = False

    def paint(self, text: str, how: str) -> str:
        """`text` made safe for a terminal, in the colour of `how` (good, bad, odd, dim, strong)."""
        safe = printable(text)
        return f"\033[{_CODES[how]}m{safe}\033[0m" if self.colour else safe


def printable(text: str) -> str:
    """`text` on one line, control and bidirectional characters escaped."""
    return shown(text, LONGEST)


def style_for(stream: TextIO, environ: Mapping[str, str], *, wanted: bool = True) -> Style:
    """Colour for a terminal, unless NO_COLOR, TERM=dumb or the caller forbids it; FORCE_COLOR demands it."""
    if not wanted or environ.get("NO_COLOR"):
        return Style(colour=False)
    if environ.get("FORCE_COLOR"):
        return Style(colour=True)
    return Style(colour=stream.isatty() and environ.get("TERM", "dumb") != "dumb")
