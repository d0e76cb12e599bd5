"""Soak, freeze and approvals as gates of a promotion: from the dates, the clock and the trailers of real commits."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support.git_world import git, isolate
from support.release_world import World, make_world, tag


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    return make_world(tmp_path, monkeypatch)


def demand(world: World, **gates: Any) -> None:
    world.pull()
    world.repo.config["environments"]["prod"]["gates"] = gates
    world.repo.configure()


def stage(world: World, number: int, ago: int) -> None:
    """Let staging run a release since `ago` seconds."""
    world.build(number)
    world.pull()
    world.tick(int(time.time()) - ago)
    world.repo.write("overlays/shop/staging/kustomization.yaml", world.overlay(number))
    world.repo.commit("stage")


HOUR = 3600


@pytest.mark.parametrize(("ago", "code"), [(2 * HOUR, 0), (HOUR // 2, 10)])
def test_a_release_soaks_in_the_source(world, ago, code):
    demand(world, soak="1h")
    stage(world, 1, ago)
    ran = world.promote(tag(1))
    assert (ran.code, ran.refused_by) == (code, "soak" if code else None), ran.out
    assert ("1 h" in ran.gate("soak")["summary"]) == (code == 0)


def test_a_short_run_that_is_over_was_no_soak(world):
    demand(world, soak="1h")
    stage(world, 1, 3 * HOUR)
    stage(world, 2, 3 * HOUR - 600)
    ran = world.promote(tag(1))
    assert (ran.refused_by, ran.gate("soak")["summary"]) == ("soak", "staging ran it for 10 min only")
    assert world.promote(tag(2)).code == 0


@pytest.mark.parametrize("ago", [-5 * HOUR, 900 * 24 * HOUR], ids=["in the future", "before an older commit"])
def test_a_date_that_cannot_be_believed_is_unknown(world, ago):
    stage(world, 1, 9 * HOUR)
    world.tick(int(time.time()) - 8 * HOUR)
    demand(world, soak="1h")
    stage(world, 2, ago)
    ran = world.promote(tag(2))
    assert (ran.code, ran.gate("soak")["verdict"]) == (3, "unknown"), ran.out


def test_a_shallow_clone_does_not_know_since_when(world, tmp_path):
    demand(world, soak="1m")
    stage(world, 1, HOUR)
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{world.repo.bare}", str(tmp_path / "shallow"))
    ran = world.promote(tag(1), "--repo", str(tmp_path / "shallow"))
    assert (ran.code, ran.gate("soak")["verdict"]) == (3, "unknown"), ran.out


def test_a_freeze_refuses_at_once_and_a_rollback_passes(world):
    for number in (1, 2):
        world.stage(number)
        world.promoted(number)
    world.stage(3)
    demand(world, freeze=[{"cron": "* * * * *", "for": "1h", "tz": "Europe/Berlin", "reason": "holidays"}])
    before = world.repo.everything()
    ran = world.promote(tag(3))
    assert (ran.code, ran.refused_by, ran.json["error"]["code"]) == (10, "freeze", "frozen"), ran.out
    assert "holidays" in ran.gate("freeze")["summary"]
    assert ran.gate("source")["code"] == "not-judged"
    assert world.repo.everything() == before
    assert [world.rollback("prod").code, world.runs()] == [0, 1]


def test_windows_that_are_over_or_to_come_are_none(world):
    world.stage(1)
    windows = [{"from": "2001-12-24", "to": "2002-01-02"}, {"from": "2999-12-24T18:00:00+01:00", "to": "2999-12-25"}]
    demand(world, freeze=windows)
    assert world.promote(tag(1)).code == 0


def test_an_environment_cannot_open_what_the_file_freezes(world):
    world.stage(1)
    demand(world, freeze=[{"from": "2001-12-24", "to": "2002-01-02"}])
    world.repo.configure(gates={**world.repo.config["gates"], "freeze": [{"from": "2001-01-01", "to": "2999-01-01"}]})
    assert world.promote(tag(1)).json["error"]["code"] == "frozen"


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ({"cron": "0 0 30 2 *", "for": "1h"}, "cron"),
        ({"cron": "0 0 * * * *", "for": "1h"}, "five fields"),
        ({"cron": "0 0 * * *"}, "one of the two pairs"),
        ({"cron": "0 0 * * *", "for": "1h", "from": "2026-01-01"}, "one of the two pairs"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "not after"),
        ({"from": "Christmas", "to": "2026-01-01"}, "expected a day or a time"),
        ({"cron": "0 0 * * *", "for": "1h", "tz": "Mars/Base"}, "time zone"),
        ({"cron": "0 0 * * *", "for": "1h", "tz": "../../etc/passwd"}, "time zone"),
        ({}, "one of the two pairs"),
    ],
    ids=str,
)
def test_a_window_that_is_none_is_a_mistake(world, window, said):
    demand(world, freeze=[window])
    ran = world.promote(tag(1))
    assert (ran.code, ran.json["error"]["code"]) == (2, "configuration-invalid"), ran.out
    assert said in ran.json["error"]["message"]


def approve(world: World, who: str, text: str) -> None:
    """An empty commit by `who` that approves."""
    world.pull()
    world.tick()
    author = f"--author={who} <{who}@example.com>"
    git(world.repo.root, "commit", "-q", "--allow-empty", author, "-m", f"Fine\n\nPromote-Approve: {text}")
    git(world.repo.root, "push", "-q", "origin", "main")


def test_two_people_approve_by_trailers(world):
    demand(world, approvals={"count": 2})
    approve(world, "early", f"shop {tag(1)} prod")  # before staging ran it
    world.stage(1)
    assert world.promote(tag(1)).json["error"]["code"] == "not-approved"
    approve(world, "one", f"shop {tag(1)} prod")
    approve(world, "one", f"shop {world.digests['shop', 1]} prod")
    approve(world, "two", f"shop {tag(1)} staging")
    approve(world, "test", f"shop {tag(1)} prod")  # who promotes
    ran = world.promote(tag(1))
    assert (ran.code, ran.refused_by) == (10, "approvals"), ran.out
    assert ran.gate("approvals")["summary"].startswith("1 of 2 approvals")
    approve(world, "two", f"shop {tag(1)} prod")
    ran = world.promote(tag(1))
    assert ran.code == 0, ran.out
    assert all(f"{who}@example.com" in ran.gate("approvals")["summary"] for who in ("one", "two"))


def test_a_commit_without_a_signature_is_no_signed_approval(world):
    demand(world, approvals={"count": 1, "signed": True, "by": ["one@example.com"]})
    world.stage(1)
    approve(world, "one", f"shop {tag(1)} prod")
    ran = world.promote(tag(1))
    assert (ran.code, ran.refused_by) == (10, "approvals"), ran.out
    assert "no signature" in ran.gate("approvals")["actual"]


def test_approvals_that_nobody_can_give_are_a_mistake(world):
    demand(world, approvals={"count": 2, "by": ["one@example.com", "ONE@example.com"]})
    assert world.promote(tag(1)).json["error"]["code"] == "configuration-invalid"
