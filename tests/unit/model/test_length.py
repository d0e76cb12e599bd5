"""Lengths of time as people read them."""

from datetime import timedelta

import pytest

from promote.model.length import ago, said


@pytest.mark.parametrize(
    ("length", "words", "past"),
    [
        (timedelta(), "0 s", "just now"),
        (timedelta(seconds=59), "59 s", "just now"),
        (timedelta(seconds=-30), "0 s", "just now"),
        (timedelta(minutes=-2), "0 s", "in the future"),
        (timedelta(minutes=1, seconds=59), "1 min", "1 min ago"),
        (timedelta(hours=4, minutes=51, seconds=31, microseconds=144314), "4 h 51 min", "4 h ago"),
        (timedelta(hours=23, minutes=59), "23 h 59 min", "23 h ago"),
        (timedelta(days=3), "3 d", "3 d ago"),
        (timedelta(days=3, minutes=5), "3 d 5 min", "3 d ago"),
        (timedelta(days=400, hours=2, minutes=3), "400 d 2 h", "400 d ago"),
    ],
)
def test_the_largest_units_alone_are_said(length, words, past):
    assert (said(length), ago(length)) == (words, past)
