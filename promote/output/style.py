"""How text looks: colour and line breaks where a person reads it on a terminal, and never a control from outside."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from promote.model.malformed import shown

_CODES = {"good": "32", "bad": "31;1", "odd": "33;1", "dim": "2", "strong": "1"}
_COMMAND = re.compile(r"##(\w*)\[")
"""What runners obey anywhere in a line: ``##[`` (GitHub), ``##vso[`` (Azure Pipelines), ``##teamcity[``."""
LONGEST = 2000
NARROWEST, WIDEST = 60, 200
"""Columns between which lines are broken: a narrower terminal breaks them itself, and longer lines nobody reads."""


@dataclass(frozen=True, slots=True)
class Style:
    """Whether to use colour, and in how many columns; None: lines are as long as they are."""

    colour: bool = False
    width: int | None = None

    def paint(self, text: str, how: str) -> str:
        """`text` made safe for a terminal, in the colour of `how` (good, bad, odd, dim, strong)."""
        safe = printable(text)
        return f"\033[{_CODES[how]}m{safe}\033[0m" if self.colour else safe


def printable(text: str) -> str:
    """`text` on one line, control and bidirectional characters escaped, and nothing that a build log would obey."""
    return _COMMAND.sub(r"##\1\\x5b", shown(text, LONGEST))


def disarmed(line: str) -> str:
    """A whole line that no build log takes for a command, because of how it begins.

    Source: GitHub's runner trims a line of a log and obeys it when it begins with ``::`` (actions/runner,
    ActionCommand.TryParseV2).
    """
    return line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line


def style_for(stream: TextIO, environ: Mapping[str, str], *, wanted: bool = True) -> Style:
    """How to write to `stream`: broken lines for a terminal only, colour as `coloured` says unless not `wanted`."""
    return Style(colour=wanted and coloured(stream, environ), width=columns(stream, environ))


def coloured(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to use colour: on a terminal that has it.

    NO_COLOR forbids it (https://no-color.org), else FORCE_COLOR or CLICOLOR_FORCE demand it and CLICOLOR=0 forbids it
    (https://bixense.com/clicolors).
    """
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return environ.get("CLICOLOR") != "0" and is_terminal(stream, environ)


def is_terminal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether `stream` is a terminal that moves its cursor and has colours."""
    return stream.isatty() and environ.get("TERM", "dumb") != "dumb"


def columns(stream: TextIO, environ: Mapping[str, str]) -> int | None:
    """In how many columns to write to `stream`; None when it is no terminal, where others search and break lines."""
    if not stream.isatty():
        return None
    said = environ.get("COLUMNS", "")
    try:
        found = int(said) if said.isascii() and said.isdigit() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return None
    return min(max(found, NARROWEST), WIDEST) if found > 0 else None
