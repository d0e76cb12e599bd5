"""Several requests at once: bounded, in order, and over at the first error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Lock
from types import TracebackType
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


HEARTBEAT = 0.2
"""Seconds after which a thread that waits looks up: a signal that comes just before a wait without end is seen in
Python only after it, and a registry may have asked for a minute.
"""


class _StoppedError(Exception):
    """Work that was not begun, because other work had failed."""


def as_they_end(futures: Sequence[Future[Result]]) -> Iterator[Future[Result]]:
    """Each of `futures` once it has ended, however, in time.

    Not by `concurrent.futures.wait`, which takes the locks of all of them one by one: an interrupt in between would
    leave some taken, and who needs them would wait for ever.
    """
    ended: SimpleQueue[Future[Result]] = SimpleQueue()
    for future in futures:
        future.add_done_callback(ended.put)
    left = len(futures)
    while left:
        try:
            yield ended.get(timeout=HEARTBEAT)
        except Empty:
            continue
        left -= 1


class Workers:
    """At most `jobs` threads, as a context manager.

    `stop` is set at the first error: work that takes long looks at it and gives up.  Leaving the block waits for what
    still runs, except when it is left by an interrupt.
    """

    def __init__(self, jobs: int) -> None:
        self.stop = Event()
        self._lock = Lock()
        self._first: BaseException | None = None
        self._pool = ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="oci")

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = problem is not None and not isinstance(problem, Exception)
        if problem is not None:
            self.stop.set()
        self._pool.shutdown(wait=not interrupted, cancel_futures=True)

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """What `work` says to each item, in the order of `items`; work is begun in that order too.

        Raises the first error that happened, in time; nothing is begun after it.
        """
        futures = [self._pool.submit(self._guarded, work, item) for item in items]
        try:
            for ended in as_they_end(futures):
                ended.result()
        except BaseException as problem:
            self.stop.set()
            for future in futures:
                future.cancel()
            if self._first is not None and isinstance(problem, Exception):
                raise self._first from None
            raise
        return [future.result() for future in futures]

    @contextmanager
    def ahead(self, context: AbstractContextManager[Item]) -> Iterator[Future[Item]]:
        """Enter `context` in a thread of these while the block runs, and leave it with the block."""
        entered = self._pool.submit(context.__enter__)
        try:
            yield entered
        finally:
            entered.cancel()
            if not entered.cancelled() and entered.exception() is None:
                context.__exit__(None, None, None)

    def _guarded(self, work: Callable[[Item], Result], item: Item) -> Result:
        # The thread that fails says so itself: the one that waits may be woken too late to keep others from beginning.
        if self.stop.is_set():
            raise _StoppedError
        try:
            return work(item)
        except BaseException as problem:
            with self._lock:
                self._first = self._first or problem
            self.stop.set()
            raise
