"""Held: what a hold, a lift and a shallow history lead to."""

from __future__ import annotations

from datetime import UTC, datetime

from promote.gates import held
from promote.model.digest import Digest
from promote.model.environment import App
from promote.model.record import Hold, Kind, Record
from promote.model.release import Release
from promote.model.verdict import Outcome, Reason
from promote.promotion.holds import told

ONE, TWO = Digest.of(b"1"), Digest.of(b"2")
RELEASE = Release(App("web", "acme/web"), "sha-" + "0" * 40, TWO)
WHEN = datetime(2026, 1, 2, tzinfo=UTC)
HOLD = Hold("c" * 40, "A <a@example.com>", WHEN, "500s\x1b[31m")


def test_a_hold_is_refused_with_everything_that_is_known_of_it():
    verdict = held.judge(RELEASE, "prod", HOLD, None, history_complete=True)
    assert (verdict.outcome, verdict.reason) == (Outcome.REFUSE, Reason.HELD)
    for part in ("cccccccccccc", "2026-01-02", "A <a@example.com>", "500s"):
        assert part in verdict.summary
    assert "\x1b" not in verdict.summary
    assert "--lift" in (verdict.hint or "")


def test_a_lift_passes_and_is_told():
    verdict = held.judge(RELEASE, "prod", HOLD, "it was DNS", history_complete=True)
    assert (verdict.outcome, "it was DNS" in verdict.summary) == (Outcome.PASS, True)


def test_no_hold_passes_where_history_is_whole_and_is_skipped_where_it_is_not():
    assert held.judge(RELEASE, "prod", None, None, history_complete=True).outcome is Outcome.PASS
    shallow = held.judge(RELEASE, "prod", None, None, history_complete=False)
    assert (shallow.outcome, shallow.code, "shallow" in shallow.summary) == (Outcome.SKIP, "unreadable", True)
    assert held.unconfirmed(RELEASE, "prod").outcome is Outcome.UNKNOWN


def record(kind: Kind, digest: Digest, *holds: Digest) -> Record:
    return Record("web", "prod", kind, "t", digest, None, None, WHEN, "A", "c" * 40, holds=holds)


def test_the_newest_record_about_the_digest_decides():
    back = record(Kind.ROLLBACK, ONE, TWO)
    assert told([back], TWO) == Hold("c" * 40, "A", WHEN)
    assert told([back], ONE) is None
    assert told([record(Kind.EDIT, TWO), back], TWO) is None
    assert told([back, record(Kind.EDIT, TWO), back], TWO) is not None
    assert told([record(Kind.PROMOTE, ONE, TWO)], TWO) is None
    assert told([], TWO) is None
