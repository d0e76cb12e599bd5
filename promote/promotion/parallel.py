"""Asking several parties at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TypeVar

from promote.oci.workers import as_they_end

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(act: Callable[[T], R], items: Iterable[T], jobs: int) -> list[R]:
    """`act` on each item by at most `jobs` threads, the answers in the items' order.

    Raises the error of the first item, in order, that failed; waits for what was begun, begins nothing further.  An
    interrupt waits for nothing: what was begun ends when the stores that it uses are closed.
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

    pool = ThreadPoolExecutor(max_workers=min(jobs, len(things)), thread_name_prefix="promote")
    futures = [pool.submit(attempt, thing) for thing in things]
    try:
        for _ended in as_they_end(futures):
            pass
    except BaseException:
        failed.set()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return [future.result() for future in futures]


def together(*acts: Callable[[], object]) -> None:
    """Run the acts at once; raises the error of the first, in order, that failed."""
    in_parallel(lambda act: act(), acts, jobs=max(len(acts), 1))
