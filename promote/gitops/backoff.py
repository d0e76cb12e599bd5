"""How long to wait before the next try: full jitter, so that twenty that collided once do not collide again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits of 0 to `base` * 2^n seconds, at most `cap`; given up after `deadline` seconds and `least` tries, both.

    `sleep`, `clock` and `draw` are the outside world.
    """

    base: float = 0.1
    cap: float = 0.5
    deadline: float = 120.0
    least: int = 20
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    draw: Callable[[float, float], float] = random.uniform

    def wait(self, tries: int) -> None:
        """Sleep after `tries` (one or more) failed tries."""
        longest = min(self.cap, self.base * 2 ** min(tries - 1, 30))
        self.sleep(self.draw(0.0, longest))

    def is_over(self, tries: int, started: float) -> bool:
        """Whether to give up, having begun at `started` on `clock`."""
        return tries >= self.least and self.clock() - started >= self.deadline


PATIENT = Backoff()
"""For a branch that many push to."""
BRIEF = Backoff(cap=1.0, deadline=5.0, least=8)
"""For a lock that another git process holds in the same checkout."""
