"""Progress as lines on stderr: each step, and while bytes move one line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TextIO

from promote.model.progress import Arrival, Blob, Cargo
from promote.model.verdict import Verdict
from promote.output.quantity import counted, rate, size
from promote.output.style import printable

DETAILS = frozenset({"blob", "manifest", "evidence-tag"})
"""Steps that only a verbose run shows."""
INTERVAL = 10.0
"""Seconds between two lines about bytes that move: often enough that no CI takes the job for dead."""


def step_line(step: str, subject: str) -> str:
    """A step and what it is done to, as one line without its end."""
    return f"{step:13} {printable(subject)}"


def arrival_line(arrival: Arrival) -> str:
    """What a copy did, as one line without its end: the numbers that the result has too."""
    moved = f"{counted(arrival.sent, 'blob')}, {size(arrival.bytes)} in {arrival.seconds:.1f} s"
    skipped = f"{arrival.mounted} mounted, {arrival.present} skipped"
    return step_line("copied", f"{arrival.target}: {moved} ({rate(arrival.bytes, arrival.seconds)}), {skipped}")


@dataclass(slots=True)
class Load:
    """All copies of a run together: what is to be brought, and what has been.  Not safe between threads."""

    blobs: int = 0
    bytes: int = 0
    done: int = 0
    _moved: dict[Blob, int] = field(default_factory=dict)

    def expect(self, cargo: Cargo) -> None:
        """More is to be brought."""
        self.blobs += cargo.blobs
        self.bytes += cargo.bytes

    def move(self, blob: Blob, count: int) -> int:
        """More of a blob has moved; how much of it in all, never more than there is when some of it is sent again."""
        self._moved[blob] = min(self._moved.get(blob, 0) + count, blob.size)
        return self._moved[blob]

    def end(self, blob: Blob) -> None:
        """A blob is there, whether its bytes moved or not."""
        self._moved[blob] = blob.size
        self.done += 1

    @property
    def moved(self) -> int:
        """Bytes that are there or on their way."""
        return sum(self._moved.values())


class Lines:
    """A watcher that writes one line a step, and one every `INTERVAL` seconds while bytes move."""

    def __init__(self, stream: TextIO, verbose: bool = False, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._verbose = verbose
        self._clock = clock
        self._lock = Lock()
        self._load = Load()
        self._begun = self._told = 0.0

    def step(self, step: str, subject: str) -> None:
        """Write the step, unless it is a detail that nobody asked for."""
        if self._verbose or step not in DETAILS:
            self._write(step_line(step, subject))

    def judged(self, app: str, verdict: Verdict) -> None:
        """Nothing: the report says it, and a log would have it twice."""

    def expects(self, cargo: Cargo) -> None:
        """Count it; the time runs from the first."""
        with self._lock:
            if not self._load.blobs:
                self._begun = self._told = self._clock()
            self._load.expect(cargo)

    def begins(self, blob: Blob) -> None:
        """Nothing."""

    def moves(self, blob: Blob, count: int) -> None:
        """Write how far it is, when that was not said for a while."""
        with self._lock:
            self._load.move(blob, count)
            now = self._clock()
            if now - self._told < INTERVAL:
                return
            self._told = now
            line = self._far(now)
        self._write(line)

    def ends(self, blob: Blob) -> None:
        """Count it."""
        with self._lock:
            self._load.end(blob)

    def arrives(self, arrival: Arrival) -> None:
        """Write what the copy did."""
        self._write(arrival_line(arrival))

    def _far(self, now: float) -> str:
        load, moved = self._load, self._load.moved
        part = f"{moved * 100 // max(load.bytes, 1)} %"
        so_far = f"{size(moved)} of {size(load.bytes)} ({part}), {load.done} of {counted(load.blobs, 'blob')}"
        return step_line("copying", f"{so_far}, {rate(moved, now - self._begun)}")

    def _write(self, line: str) -> None:
        with suppress(BrokenPipeError):  # nobody listens any more, which is no reason to stop half-way
            self._stream.write(f"{line}\n")
