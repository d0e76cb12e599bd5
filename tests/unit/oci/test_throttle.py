"""Turns, pauses and rates, by a clock that nobody waits for."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
from support.fake_clock import FakeClock
from support.store_contract import in_parallel

from promote.errors import Fault
from promote.oci.patience import Pace, Patience, SystemClock
from promote.oci.throttle import SPREAD, Throttle


def begun(throttle: Throttle, clock: FakeClock, count: int) -> list[float]:
    """When each of `count` requests began, since the first."""
    times = []
    for _ in range(count):
        throttle.begin()
        times.append(clock.now())
    return [time - times[0] for time in times]


def test_without_limits_nobody_waits() -> None:
    clock = FakeClock()
    throttle = Throttle(None, None, clock)
    for _ in range(100):
        with throttle.request():
            pass
    assert clock.waits == []


def test_a_rate_spaces_requests_evenly() -> None:
    clock = FakeClock()
    assert begun(Throttle(None, 4.0, clock), clock, 9) == [number / 4 for number in range(9)]


def test_a_rate_holds_for_all_threads_together() -> None:
    clock = FakeClock()
    throttle = Throttle(None, 10.0, clock)
    assert in_parallel([throttle.begin] * 20) == []
    assert clock.now() - 1000.0 >= 19 / 10 - 1e-6


def test_a_pause_holds_everybody_and_a_little_jitter_brings_them_back_apart() -> None:
    clock = FakeClock()
    throttle = Throttle(None, None, clock)
    throttle.pause(30.0)
    throttle.pause(5.0)
    throttle.begin()
    assert 30.0 <= clock.waits[0] <= 30.0 + SPREAD
    assert clock.now() >= 1030.0
    throttle.begin()
    assert len(clock.waits) == 1


def test_after_a_pause_the_rate_holds_as_before() -> None:
    clock = FakeClock()
    throttle = Throttle(None, 1.0, clock)
    throttle.begin()
    throttle.pause(60.0)
    assert begun(throttle, clock, 3) == [0.0, 1.0, 2.0]
    assert clock.now() >= 1062.0


def test_no_more_requests_at_a_time_than_the_limit() -> None:
    throttle = Throttle(3, None, SystemClock())
    lock, inside, most = threading.Lock(), [0], [0]

    def act() -> None:
        with throttle.request():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            threading.Event().wait(0.005)
            with lock:
                inside[0] -= 1

    assert in_parallel([act] * 12) == []
    assert most == [3]


def test_downloads_leave_one_slot_to_who_sends_them_on() -> None:
    throttle = Throttle(2, None, SystemClock())
    second, done = threading.Event(), threading.Event()

    def another() -> None:
        with throttle.download():
            second.set()
        done.set()

    with ExitStack() as first:
        first.enter_context(throttle.download())
        waiting = threading.Thread(target=another, daemon=True)
        waiting.start()
        with throttle.request():  # has its turn although a download waits
            assert not second.is_set()
    waiting.join(20)
    assert second.is_set()
    assert done.is_set()


def test_who_waits_gives_up_when_it_is_closed() -> None:
    throttle = Throttle(2, None, SystemClock())
    throttle.pause(3600.0)
    codes: list[str] = []

    def wait() -> None:
        try:
            throttle.begin()
        except Fault as problem:
            codes.append(problem.code)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    throttle.close()
    waiting.join(20)
    assert codes == ["stopped"]
    with pytest.raises(Fault):
        throttle.begin()


def test_a_slot_is_given_back_when_the_turn_never_comes() -> None:
    throttle = Throttle(2, None, SystemClock())
    throttle.close()
    for _ in range(5):
        with pytest.raises(Fault), throttle.request():
            pass


def test_what_flows_is_no_creep_and_what_creeps_is_a_fault() -> None:
    patience = Patience(window=10.0, least=1000)
    flowing = Pace(patience, "registry.example", "it")
    for _ in range(100):
        flowing.moved(101, 1.0)
    bursty = Pace(patience, "registry.example", "it")
    bursty.moved(1000, 9.9)
    bursty.moved(0, 0.1)
    creeping = Pace(patience, "registry.example", "it")
    for _ in range(9):
        creeping.moved(99, 1.0)
    with pytest.raises(Fault) as caught:
        creeping.moved(99, 1.0)
    assert caught.value.code == "stalled"
    assert "got 990 bytes of it in 10 s, expected 1000" in caught.value.message
