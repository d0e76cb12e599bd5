"""The checks of `promote doctor` that are decided without asking anybody: clocks, roots, versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from promote.evidence.root_state import RootState, root_state
from promote.evidence.trust_root import TrustRoot, public_good
from promote.model.checkup import Check, CheckupResult, Health
from promote.model.policy import RootProfile
from promote.oci.probe import Probe, skew
from promote.promotion.checkup import judged_pins, judged_root
from promote.promotion.registry_checks import judged_clock, judged_referrers
from promote.promotion.tools import version_of

NOON = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Mon, 01 Jun 2026 12:00:00 GMT", 0),
        ("Mon, 01 Jun 2026 12:00:02 GMT", 0),
        ("Mon, 01 Jun 2026 11:59:59 GMT", 0),
        ("Mon, 01 Jun 2026 12:02:03 GMT", 121),
        ("Mon, 01 Jun 2026 11:58:59 GMT", -60),
        ("Mon, 01 Jun 2026 14:00:00 +0200", 0),
    ],
)
def test_the_skew_is_what_whole_seconds_and_the_request_leave_no_room_for(date, seconds):
    assert skew(date, NOON.timestamp(), NOON.timestamp() + 2) == timedelta(seconds=seconds)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Jun 2026 12:00:00 GMT", "0", "\x00"])
def test_what_is_no_date_has_no_skew(date):
    assert skew(date, 0, 1) is None


@pytest.mark.parametrize(
    ("seconds", "health"),
    [(None, Health.NOTE), (0, Health.GOOD), (60, Health.GOOD), (61, Health.BAD), (-61, Health.BAD)],
)
def test_clocks_may_be_a_minute_apart(seconds, health):
    check = judged_clock("r.example", None if seconds is None else timedelta(seconds=seconds))
    assert check.health is health
    assert (check.exit_code, bool(check.fix)) == ((3, True) if health is Health.BAD else (0, False))


@pytest.mark.parametrize(("found", "health"), [(True, Health.GOOD), (False, Health.NOTE), (None, Health.NOTE)])
def test_no_referrers_api_is_something_to_know(found, health):
    assert judged_referrers("r.example", Probe(None, found)).health is health


def test_the_root_that_came_with_promote_counts():
    state = root_state(TrustRoot.parse(public_good()), NOON)
    assert (state.lacks, state.authorities > 0, state.logs > 0, state.ct_logs > 0) == ((), True, True, True)
    assert judged_root(state, NOON, embedded=True).health is Health.GOOD


def test_a_root_whose_time_has_not_come_or_is_over_lacks_everything():
    root = TrustRoot.parse(public_good())
    for year in (1990, 2200):
        state = root_state(root, datetime(year, 1, 1, tzinfo=UTC))
        assert "certificate authority" in state.lacks
        check = judged_root(state, NOON, embedded=True)
        assert (check.health, check.code, check.exit_code) == (Health.BAD, "trust-root-ended", 3)


def test_a_root_of_githubs_kind_needs_time_stamps_and_no_log():
    root = TrustRoot.parse(public_good())
    bare = TrustRoot(root.content, RootProfile.GITHUB, (), (), root.certificate_authorities, ())
    assert root_state(bare, NOON).lacks == ("time stamp authority",)


def test_a_root_that_ends_soon_is_a_note_with_a_fix():
    state = RootState(1, 1, 1, 0, NOON - timedelta(days=3), NOON + timedelta(days=3), ())
    check = judged_root(state, NOON, embedded=False)
    assert (check.health, "2026-06-04" in check.message, bool(check.fix)) == (Health.NOTE, True, True)
    later = RootState(1, 1, 1, 0, NOON - timedelta(days=3), NOON + timedelta(days=300), ())
    assert "3 days old" in judged_root(later, NOON, embedded=False).message


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("git version 2.43.0", (2, 43, 0)),
        ("git version 2.39.3 (Apple Git-146)", (2, 39, 3)),
        ("{Version:kustomize/v4.5.7 GitCommit:x}", (4, 5, 7)),
        ("v5.4", (5, 4)),
        ("none", ()),
    ],
)
def test_versions_are_read_as_programs_print_them(text, version):
    assert version_of(text) == version


def test_the_first_that_stops_decides_and_a_note_never_does():
    good, note = Check("a", "b", Health.GOOD, "m"), judged_pins("a", "o", 0)
    bad = Check("a", "b", Health.BAD, "m", "bad-key", "f", 2)
    unknown = Check("a", "b", Health.UNKNOWN, "m", "registry-busy", "f", 3)
    assert CheckupResult.of((good, note)).exit_code == 0
    assert CheckupResult.of((good, unknown, bad)).exit_code == 3
    result = CheckupResult.of((bad, unknown))
    assert (result.exit_code, result.error and result.error.code) == (2, "bad-key")
