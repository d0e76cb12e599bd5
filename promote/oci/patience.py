"""How long a registry is waited for, and the clock that says so."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from promote.errors import Fault


class Clock(Protocol):
    """Time, as far as registries are concerned."""

    def now(self) -> float:
        """Seconds since some moment; never less than before."""

    def wait(self, seconds: float, stop: Event) -> None:
        """Return after `seconds`, or once `stop` is set."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    def wait(self, seconds: float, stop: Event) -> None:
        """See `Clock`."""
        stop.wait(seconds)


@dataclass(frozen=True, slots=True)
class Patience:
    """`connect` and `idle` are seconds until a connection is there and between two signs of life.

    What creeps is given up too: fewer than `least` bytes in `window` seconds of waiting for them.
    """

    connect: float = 10.0
    idle: float = 60.0
    window: float = 60.0
    least: int = 64 * 1024
    clock: Clock = field(default_factory=SystemClock)


class Pace:
    """Tells a transfer that creeps from one that flows.  `where` and `what` are for the error."""

    def __init__(self, patience: Patience, where: str, what: str) -> None:
        self._patience = patience
        self._where = where
        self._what = what
        self._bytes = 0
        self._seconds = 0.0

    def moved(self, size: int, seconds: float) -> None:
        """Note that `size` bytes came after `seconds` of waiting; raises `Fault` (``stalled``) when that creeps."""
        self._bytes += size
        self._seconds += seconds
        if self._seconds < self._patience.window:
            return
        if self._bytes * self._patience.window < self._patience.least * self._seconds:
            raise Fault(
                "stalled",
                f"{self._where} creeps: got {self._bytes} bytes of {self._what} in {self._seconds:.0f} s, expected "
                f"{self._patience.least} in {self._patience.window:.0f} s",
                expected=f"{self._patience.least} bytes in {self._patience.window:.0f} s",
                actual=f"{self._bytes} bytes",
                hint="run the same command again; what has arrived is not sent again",
            )
        self._bytes, self._seconds = 0, 0.0
