"""Waiting."""

from promote.gitops.backoff import Backoff


def test_the_longest_wait_doubles_up_to_the_cap():
    drawn, slept = [], []
    backoff = Backoff(base=1, cap=5, sleep=slept.append, draw=lambda low, high: drawn.append((low, high)) or high / 2)
    for tries in (1, 2, 3, 4, 5000):
        backoff.wait(tries)
    assert drawn == [(0, 1), (0, 2), (0, 4), (0, 5), (0, 5)]
    assert slept == [0.5, 1, 2, 2.5, 2.5]


def test_giving_up_needs_both_the_tries_and_the_time():
    now = [0.0]
    backoff = Backoff(deadline=10, least=3, clock=lambda: now[0])
    assert not backoff.is_over(99, 0)
    now[0] = 10
    assert not backoff.is_over(2, 0)
    assert backoff.is_over(3, 0)
