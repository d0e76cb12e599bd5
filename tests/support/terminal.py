"""A real terminal for a command, and what it shows in the end.

ended = run_in_terminal(["promote", "verify", "staging"], cwd=root, columns=80)
assert ended.code == 0
assert "Verified" in "\\n".join(ended.screen)
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60.0
_CONTROL = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])")


@dataclass(frozen=True)
class Shown:
    """How a command in a terminal ended: all that it wrote there, and what was left to be seen."""

    code: int
    raw: str

    @property
    def screen(self) -> list[str]:
        """The rows of the screen in the end, without colours."""
        return screen(self.raw)


def run_in_terminal(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    columns: int = 80,
    rows: int = 50,
    stdout: Path | None = None,
) -> Shown:
    """Run `command` with a terminal for stdin, stdout (a file, when `stdout` names one) and stderr, to its end."""
    ours, theirs = open_terminal(columns, rows)
    out = os.open(stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if stdout is not None else os.dup(theirs)
    try:
        process = subprocess.Popen(
            [str(c) for c in command], cwd=cwd, env=dict(env), stdin=theirs, stdout=out, stderr=theirs
        )
    finally:
        os.close(out)
        os.close(theirs)
    try:
        text = read_until(ours, lambda _text: False)
        return Shown(process.wait(PATIENCE), text)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def open_terminal(columns: int, rows: int = 50) -> tuple[int, int]:
    """A pseudo terminal of this size: our end and theirs."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return ours, theirs


def read_until(terminal: int, enough: Callable[[str], bool]) -> str:
    """What comes from `terminal` until it is enough, or until nobody has it open any more."""
    read, end = b"", time.monotonic() + PATIENCE
    while not enough(text := read.decode("utf-8", "replace")):
        assert time.monotonic() < end, text
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            block = os.read(terminal, 65536)
        except OSError:  # Linux says EIO when the other end is closed
            return text
        if not block:
            return text
        read += block
    return text


def screen(raw: str) -> list[str]:
    """What a terminal that is large enough shows after `raw`: lines, returns, and the controls that promote uses."""
    rows, row, column = [""], 0, 0
    at = 0
    while at < len(raw):
        if found := _CONTROL.match(raw, at):
            at = found.end()
            number = int(found[1]) if found[1].isdigit() else 1
            if found[2] in "AF":
                row, column = max(row - number, 0), 0 if found[2] == "F" else column
            elif found[2] == "J":
                rows = [*rows[:row], rows[row][:column]]
            elif found[2] == "K":
                rows[row] = rows[row][:column] if found[1] in {"", "0"} else ""
            else:
                assert found[2] in "mhl", found[0]
            continue
        character, at = raw[at], at + 1
        if character == "\n":
            row += 1
            rows += [""] * (row + 1 - len(rows))
        elif character == "\r":
            column = 0
        else:
            line = rows[row].ljust(column)
            rows[row], column = line[:column] + character + line[column + 1 :], column + 1
    return [line.rstrip() for line in rows]
