"""Soak: how long the source has run it, by dates that can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from promote.gates import soak
from promote.gates.soak import Run
from promote.model.verdict import Outcome, Reason

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
HALF = timedelta(minutes=30)


def judged(run, wanted=HALF, complete=True):
    return soak.judge("staging", wanted, run, NOW, history_complete=complete)


def test_not_asked_for_is_a_skip():
    assert judged(None, None).outcome is Outcome.SKIP


@pytest.mark.parametrize(("minutes", "outcome"), [(30, Outcome.PASS), (29, Outcome.REFUSE), (0, Outcome.REFUSE)])
def test_as_long_as_wanted(minutes, outcome):
    assert judged(Run(NOW - timedelta(minutes=minutes), "c" * 40)).outcome is outcome


def test_the_refusal_says_since_when_and_from_when():
    verdict = judged(Run(NOW - timedelta(minutes=10), "c" * 40))
    assert (verdict.reason, verdict.summary) == (Reason.NOT_SOAKED, "staging has run it for 10 min")
    assert verdict.actual == "since 2026-01-02 11:50 UTC, commit cccccccccccc"
    assert verdict.hint == "promote it from 2026-01-02 12:20 UTC on"


def test_a_run_that_is_over_counts_as_long_as_it_was():
    short = Run(NOW - timedelta(days=2), "c" * 40, NOW - timedelta(days=2) + timedelta(minutes=5))
    assert judged(short).summary == "staging ran it for 5 min only"
    assert judged(Run(NOW - timedelta(days=2), "c" * 40, NOW - timedelta(days=1))).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "run",
    [
        Run(NOW + timedelta(hours=1), "c" * 40),
        Run(NOW - timedelta(days=1), "c" * 40, doubt="its date is before that of an older commit"),
        Run(NOW - timedelta(days=1), "c" * 40, NOW - timedelta(days=2)),
    ],
    ids=["future", "backdated", "ended before it began"],
)
def test_dates_that_cannot_be_believed_are_unknown(run):
    assert judged(run).outcome is Outcome.UNKNOWN


def test_a_clock_that_is_minutes_ahead_is_no_doubt():
    assert judged(Run(NOW + timedelta(minutes=5), "c" * 40)).summary == "staging has run it for 0 s"


@pytest.mark.parametrize("complete", [True, False])
def test_without_a_record_it_is_unknown(complete):
    verdict = judged(None, complete=complete)
    assert verdict.outcome is Outcome.UNKNOWN
    assert ("unshallow" in (verdict.hint or "")) != complete
