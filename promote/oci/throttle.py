"""How much is asked of one registry at a time, and when nothing is: its limits, and the pauses that it asks for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Event

from promote.errors import Fault
from promote.oci.patience import Clock

SPREAD = 1.0
"""Seconds over which those who waited for a pause to end come back, at most a tenth of the pause."""


class Throttle:
    """What all threads of this process that talk to one registry share.

    `concurrency` is how many requests may be unanswered or unread at a time, 2 or more; `rate` how many begin in a
    second, evenly spaced; None for no limit.  Of the slots one is always left to requests that hold no download open:
    within one registry a blob is read while it is written, and the writer must get its turn.
    """

    def __init__(self, concurrency: int | None, rate: float | None, clock: Clock) -> None:
        self._concurrency = concurrency
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._stop = Event()
        self._changed = Condition()
        self._busy = 0
        self._downloads = 0
        self._next = self._resume = clock.now()
        self._spread = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request from its beginning until its answer was read; waits for its turn, see `begin`."""
        self._take(download=False)
        try:
            self.begin()
            yield
        finally:
            self._give(download=False)

    @contextmanager
    def download(self) -> Iterator[None]:
        """A slot for a blob that is read over one or several requests, each of which waits for `begin` itself."""
        self._take(download=True)
        try:
            yield
        finally:
            self._give(download=True)

    def begin(self) -> None:
        """Wait until a request may begin: no pause, and not sooner than the rate allows.

        Raises `Fault` (``stopped``) once `close` was called.
        """
        while True:
            with self._changed:
                self._check_open()
                now = self._clock.now()
                wait = max(self._next, self._resume) - now
                if wait <= 0:
                    self._next = now + self._interval
                    return
                if self._resume >= self._next:
                    wait += random.uniform(0.0, self._spread)  # noqa: S311 - no secret
            self._clock.wait(wait, self._stop)

    def pause(self, seconds: float) -> None:
        """Let nobody begin a request for `seconds`: the registry said so to one of us, and means all."""
        with self._changed:
            self._resume = max(self._resume, self._clock.now() + seconds)
            self._spread = min(SPREAD, seconds / 10)

    def close(self) -> None:
        """Let everybody who waits, and who comes, give up."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()

    def _take(self, *, download: bool) -> None:
        if self._concurrency is None:
            return
        with self._changed:
            while self._busy >= self._concurrency or (download and self._downloads >= self._concurrency - 1):
                self._check_open()
                self._changed.wait()
            self._busy += 1
            self._downloads += download

    def _give(self, *, download: bool) -> None:
        if self._concurrency is None:
            return
        with self._changed:
            self._busy -= 1
            self._downloads -= download
            self._changed.notify_all()

    def _check_open(self) -> None:
        if self._stop.is_set():
            raise Fault("stopped", "the registry is no longer asked", hint="run the same command again")
