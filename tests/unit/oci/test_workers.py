from __future__ import annotations

import _thread
import threading

import pytest

from promote.oci.workers import Workers


def test_results_come_in_the_order_of_the_items():
    first_may_end = threading.Event()

    def work(n: int) -> int:
        first_may_end.wait(10) if n == 0 else first_may_end.set()
        return n * n

    with Workers(2) as workers:
        assert workers.map(work, range(20)) == [n * n for n in range(20)]
        assert workers.map(work, []) == []


def test_no_more_than_so_many_run_at_once_and_less_than_one_is_one():
    running, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1

    with Workers(3) as workers:
        workers.map(work, range(200))
    assert 1 <= most <= 3
    with Workers(0) as workers:
        assert workers.map(abs, [-1]) == [1]


def test_the_first_error_is_raised_others_give_up_and_nothing_more_begins():
    begun: list[int] = []

    def work(n: int) -> None:
        begun.append(n)
        if n == 1:
            raise ValueError(n)
        workers.stop.wait(10)
        raise KeyError(n)

    workers = Workers(2)
    with pytest.raises(ValueError, match="1"), workers:
        workers.map(work, range(50))
    assert sorted(begun) == [0, 1]


def test_an_interrupt_ends_the_wait_and_tells_what_runs_to_give_up():
    told = threading.Event()

    def work(_: int) -> None:
        _thread.interrupt_main()
        if workers.stop.wait(10):
            told.set()

    workers = Workers(1)
    with pytest.raises(KeyboardInterrupt), workers:
        workers.map(work, range(3))
    assert told.wait(10)


def test_an_error_elsewhere_in_the_block_stops_the_work():
    workers = Workers(1)
    with pytest.raises(ValueError), workers:
        raise ValueError
    assert workers.stop.is_set()
