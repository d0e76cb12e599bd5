"""Clocks for `promote.oci.patience` that nobody has to wait for."""

from __future__ import annotations

import threading


class FakeClock:
    """Time that passes only by waiting.  `waits` has every wait, in order."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.waits: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return self.time

    def wait(self, seconds: float, stop: threading.Event) -> None:
        with self._lock:
            until = self.time + seconds
            self.waits.append(seconds)
        self.meet()
        if not stop.is_set():
            with self._lock:
                self.time = max(self.time, until)

    def meet(self) -> None:
        """Called in each wait, before time passes."""


class MeetingClock(FakeClock):
    """Lets time pass only when `parties` threads wait for it; `met` is called then, once."""

    def __init__(self, parties: int) -> None:
        super().__init__()
        self._barrier = threading.Barrier(parties, action=self._gathered)
        self.met = lambda: None
        self._open = False

    def _gathered(self) -> None:
        self.met()
        self._open = True

    def meet(self) -> None:
        if not self._open:
            self._barrier.wait(timeout=20)
