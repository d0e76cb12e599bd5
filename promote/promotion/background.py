"""Work that is begun before its answer is needed, because all it does is wait for somebody far away."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

THREADS = 32

P = ParamSpec("P")
R = TypeVar("R")


class Background:
    """Threads for work that only reads.  Close it when nobody wants an answer any more.

    Work is begun in the order it was given, so that it may wait for what was given before it.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="ahead")
        self._narrower: list[Background] = []

    def start(self, act: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> Future[R]:
        """Begin `act`; what it raises is raised where its answer is asked for, and nowhere when it is not."""
        return self._pool.submit(act, *arguments, **named)

    def narrow(self, threads: int) -> Background:
        """Another one with so many threads, which is closed with this one.

        For what comes in large numbers: here it would keep everything else waiting.
        """
        made = Background(threads)
        self._narrower.append(made)
        return made

    def close(self, *, wait: bool) -> None:
        """Begin nothing further; with `wait`, see what was begun end."""
        for each in (*self._narrower, self):
            each._pool.shutdown(wait=wait, cancel_futures=True)  # noqa: SLF001 - of this class
