"""Freezes: by cron in a time zone and by date; when they end, and when promotions are open again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from promote.gates import freeze
from promote.model.policy import CronFreeze, DatedFreeze
from promote.model.verdict import Outcome, Reason

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone=UTC) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def cron(text: str, hours: float, zone=UTC, reason=None) -> CronFreeze:
    return CronFreeze(text, timedelta(hours=hours), zone, reason)


WEEKEND = cron("0 16 * * FRI", 64, BERLIN, "nobody is there")
"""Friday 16:00 to Monday 08:00."""


def test_no_window_is_a_skip():
    assert freeze.judge((), "prod", at("2026-01-02")).outcome is Outcome.SKIP


@pytest.mark.parametrize(
    ("now", "is_frozen"),
    [
        ("2026-01-02T15:59:59", False),
        ("2026-01-02T16:00:00", True),
        ("2026-01-04T12:00:00", True),
        ("2026-01-05T07:59:59", True),
        ("2026-01-05T08:00:00", False),
        ("2026-01-07T16:00:00", False),
    ],
)
def test_a_weekend_by_the_clock_of_its_zone(now, is_frozen):
    verdict = freeze.judge((WEEKEND,), "prod", at(now, BERLIN))
    assert (verdict.outcome is Outcome.REFUSE) == is_frozen


def test_the_refusal_names_the_end_and_the_next_opening_and_why():
    verdict = freeze.judge((WEEKEND,), "prod", at("2026-01-03T12:00:00"))
    assert verdict.reason is Reason.FROZEN
    assert verdict.summary == "prod is frozen until 2026-01-05 08:00 CET: nobody is there"
    assert verdict.expected == "2026-01-05 08:00 CET or later"
    assert verdict.actual == "2026-01-03 13:00 CET"


def test_windows_that_meet_open_together():
    monday = cron("0 8 * * MON", 4, BERLIN)
    verdict = freeze.judge((WEEKEND, monday), "prod", at("2026-01-03T12:00:00"))
    assert "until 2026-01-05 08:00" in verdict.summary
    assert verdict.expected == "2026-01-05 12:00 CET or later"


def test_one_that_never_opens_says_so():
    always = cron("* * * * *", 1)
    assert freeze.opening((always,), at("2026-01-03T12:00:00")) is None
    verdict = freeze.judge((always,), "prod", at("2026-01-03T12:00:00"))
    assert verdict.summary == "prod is frozen"
    assert verdict.expected == "a time without a freeze, and none comes within a year"


def test_one_that_ends_in_years_says_when():
    dated = DatedFreeze(at("2026-01-01T00:00:00"), at("2099-01-01T00:00:00"), UTC, "stocktaking")
    verdict = freeze.judge((dated,), "prod", at("2026-01-03T12:00:00"))
    assert verdict.summary == "prod is frozen until 2099-01-01 00:00 UTC: stocktaking"
    assert verdict.expected == "a time without a freeze, and none comes within a year"


def test_one_that_begins_again_before_it_ends_lasts_from_the_newest():
    window = cron("*/30 * * * *", 1)
    assert freeze.end(window, at("2026-01-03T12:10:00")) == at("2026-01-03T13:00:00")


def test_over_the_night_in_which_clocks_change_it_lasts_as_long():
    night = cron("0 1 * * *", 3, BERLIN)
    assert freeze.end(night, at("2026-03-29T00:30:00")) == at("2026-03-29T03:00:00")  # 01:00 CET to 05:00 CEST
    assert freeze.end(night, at("2026-10-25T00:30:00")) == at("2026-10-25T02:00:00")  # 01:00 CEST to 03:00 CET


def test_a_dated_one_is_on_from_its_start_until_its_end():
    window = DatedFreeze(at("2026-12-24", BERLIN), at("2027-01-02", BERLIN), BERLIN, "holidays")
    assert freeze.end(window, at("2026-12-23T22:59:59")) is None
    assert freeze.end(window, at("2026-12-23T23:00:00")) == at("2027-01-01T23:00:00")
    assert freeze.end(window, at("2027-01-01T23:00:00")) is None
