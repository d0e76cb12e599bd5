"""Asking several parties at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(act: Callable[[T], R], items: Iterable[T], jobs: int) -> list[R]:
    """`act` on each item by at most `jobs` threads, the answers in the items' order.

    Raises the error of the first item, in order, that failed; waits for what was begun, begins nothing further.
    """
    things = list(items)
    if len(things) <= 1:
        return [act(thing) for thing in things]
    failed = threading.Event()

    def attempt(thing: T) -> R:
        if failed.is_set():  # items are begun in order, so that an earlier failure is always a real one
            raise CancelledError
        try:
            return act(thing)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(max_workers=min(jobs, len(things)), thread_name_prefix="promote") as pool:
        futures = [pool.submit(attempt, thing) for thing in things]
        try:
            return [future.result() for future in futures]
        finally:
            failed.set()  # Ctrl-C while waiting: what was not begun never is


def together(*acts: Callable[[], object]) -> None:
    """Run the acts at once; raises the error of the first, in order, that failed."""
    in_parallel(lambda act: act(), acts, jobs=max(len(acts), 1))
