"""Progress on a terminal: gates as they are decided, steps, bars while bytes move; gone when the report comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from types import TracebackType
from typing import TextIO

from promote.cli.bars import Bars
from promote.cli.progress import DETAILS, Load, arrival_line, step_line
from promote.model.progress import Arrival, Blob, Cargo
from promote.model.verdict import Reason, Verdict
from promote.output.lines import cut
from promote.output.style import Style
from promote.output.text import gate_line

PATIENCE = 0.5
"""Seconds that a copy must have taken before bars are drawn: one that is over sooner needs none, nor their import."""
GATES = 15
"""The width of the column of gates."""


class Live:
    """A watcher that shows what happens on a terminal; a context manager, at whose end all but the copies is erased.

    It writes no more lines than the terminal has, because what has scrolled away cannot be erased.  With `keep`,
    details are shown too, everything stays, and there is no such limit.
    """

    def __init__(
        self,
        stream: TextIO,
        style: Style,
        *,
        height: int = 24,
        keep: bool = False,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self._stream = stream
        self._style = style
        self._most = None if keep else max(height - 2, 0)
        self._clock = clock
        self._patience = patience
        self._lock = Lock()
        self._lines = 0
        self._load = Load()
        self._begun = 0.0
        self._copying: set[str] = set()
        self._bars: Bars | None = None
        self._arrivals: list[str] = []

    def __enter__(self) -> Live:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._stop_bars()
            if self._most is not None and self._lines:
                self._write(f"\033[{self._lines}F\033[J")  # ECMA-48: CPL, ED: up so many lines, erase to the end
                self._lines = 0
            for line in self._arrivals:
                self._write(f"{line}\n")
            self._arrivals.clear()

    def step(self, step: str, subject: str) -> None:
        """Show the step; details only where everything stays."""
        if self._most is None or step not in DETAILS:
            with self._lock:
                self._show(step_line(step, subject))

    def judged(self, app: str, verdict: Verdict) -> None:
        """Show what was decided."""
        if verdict.reason is not Reason.NOT_JUDGED:
            word, how, found = gate_line(verdict, GATES)
            with self._lock:
                self._show(f"  {word} {found}  ({app})", word, how)

    def expects(self, cargo: Cargo) -> None:
        """Count it; the time runs from the first."""
        with self._lock:
            if not self._load.blobs:
                self._begun = self._clock()
            self._load.expect(cargo)
            self._copying.add(cargo.target)
            if self._bars is not None:
                self._bars.expect(self._load.blobs, self._load.bytes)

    def begins(self, blob: Blob) -> None:
        """Nothing: its line comes with its first bytes."""

    def moves(self, blob: Blob, count: int) -> None:
        """Move its bar, once there are bars."""
        with self._lock:
            moved = self._load.move(blob, count)
            if self._bars is None and self._clock() - self._begun >= self._patience:
                self._bars = Bars(self._stream, self._style, self._load.blobs, self._load.bytes)
            if self._bars is not None:
                self._bars.show(blob, moved, self._load.moved)

    def ends(self, blob: Blob) -> None:
        """Take its bar away."""
        with self._lock:
            self._load.end(blob)
            if self._bars is not None:
                self._bars.end(blob, self._load.moved)

    def arrives(self, arrival: Arrival) -> None:
        """Keep what the copy did for the end; after the last one there are no bars any more."""
        with self._lock:
            self._arrivals.append(arrival_line(arrival))
            self._copying.discard(arrival.target)
            if not self._copying:
                self._stop_bars()

    def _stop_bars(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _show(self, line: str, word: str = "", how: str = "dim") -> None:
        """One line, cut so that it takes one row; `word` in it is painted."""
        if self._most is not None and self._lines >= self._most:
            return
        line = cut(line, (self._style.width or 80) - 1)
        self._lines += 1
        if self._bars is not None:
            self._bars.write(line)
        else:
            self._write((line.replace(word, self._style.paint(word, how), 1) if word else line) + "\n")

    def _write(self, text: str) -> None:
        with suppress(BrokenPipeError):  # nobody listens any more, which is no reason to stop half-way
            self._stream.write(text)
            self._stream.flush()
