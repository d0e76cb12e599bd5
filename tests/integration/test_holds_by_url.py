"""A hold that is older than what `--repo URL` fetches at first is found, or nobody says that there is none."""

from __future__ import annotations

import json

import pytest
from support.git_monorepo import grow
from support.git_world import git, isolate
from support.gitops_repo import Ran
from support.release_world import World, make_world, tag

from promote.gitops.scratch import RECENT


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def by_url(home, monkeypatch, apps=("shop",)) -> World:
    """Prod ran 1, and runs 2; registries are where a temporary clone finds them."""
    world = make_world(home, monkeypatch, apps=apps)
    for name, environment in world.repo.config["environments"].items():
        environment["registry"] = f"oci:{world.repo.home}/registries/{name}"
    world.repo.configure()
    git(world.repo.bare, "config", "uploadpack.allowFilter", "true")
    for number in (1, 2):
        for app in apps:
            world.stage(number, app)
            world.promoted(number, app)
    return world


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    return by_url(tmp_path, monkeypatch)


def bury(world: World) -> None:
    """Let more commits follow than are fetched at first."""
    grow(world.repo.bare, kustomizations=3, commits=RECENT + 20)
    world.pull()


def run(world: World, *words: str) -> Ran:
    return world.repo.run(*words, "--format", "json", "-q", "--repo", f"file://{world.repo.bare}")


def test_a_rollback_of_long_ago_still_holds_what_staging_runs(world):
    assert world.rollback("prod", "--reason", "500s at checkout").code == 0
    commit = world.head()
    bury(world)
    ran = run(world, "staging->prod")
    assert (ran.code, ran.refused_by, world.runs()) == (10, "held", 1), ran.out
    for part in (commit[:12], "500s at checkout"):
        assert part in ran.gate("held")["summary"]
    assert run(world, "staging->prod", "--lift", "it was the database").code == 0


@pytest.mark.exhaustive
def test_a_hold_is_seen_where_another_gate_brought_older_history(world):
    world.rollback("prod")
    world.stage(3)
    bury(world)
    ran = run(world, "staging->prod", tag(2))  # which staging ran before all that
    assert (ran.code, ran.refused_by) == (10, "held"), ran.out


@pytest.mark.exhaustive
def test_a_hold_that_was_ended_long_ago_holds_no_more(world):
    world.rollback("prod")
    assert world.promote(tag(2), "--lift", "it was the database").code == 0
    world.stage(3)
    world.promoted(3)
    bury(world)
    ran = run(world, "staging->prod", tag(2))
    assert (ran.code, ran.gate("held")["verdict"]) == (0, "pass"), ran.out


@pytest.mark.exhaustive
def test_what_never_arrived_is_no_reason_to_fetch_all_of_history(world):
    bury(world)
    world.stage(3)
    ran = run(world, "staging->prod")
    assert (ran.code, world.runs(), ran.gate("held")["verdict"]) == (0, 3, "skip"), ran.out
    assert "older rollbacks of shop were not seen" in ran.gate("held")["summary"]
    assert "shallow" in ran.gate("ledger")["summary"]  # so it was not


@pytest.mark.exhaustive
def test_what_runs_there_now_is_not_held_whatever_history_says(world):
    bury(world)
    ran = run(world, "staging->prod")
    assert (ran.code, ran.json["commit"], ran.gate("held")["verdict"]) == (0, None, "pass"), ran.out
    assert "shallow" in ran.gate("ledger")["summary"]


@pytest.mark.exhaustive
def test_a_rollback_goes_back_to_what_ran_before_recent_history(world):
    bury(world)
    ran = run(world, "rollback", "prod")
    assert (ran.code, world.runs(), ran.gate("held")["verdict"]) == (0, 1, "pass"), ran.out


@pytest.mark.exhaustive
def test_a_rollback_passes_over_what_was_held_long_ago(world):
    world.stage(3)
    world.promoted(3)
    world.rollback("prod")
    bury(world)
    world.stage(4)
    world.promoted(4)
    ran = run(world, "rollback", "prod")
    assert (ran.code, world.runs()) == (0, 2), ran.out


def test_status_and_history_say_since_when_of_long_ago(world):
    commit = world.head()
    bury(world)
    (row,) = json.loads(run(world, "status", "prod").out)["rows"]
    assert (row["commit"], row["by"]) == (commit, "Test <test@example.com>")


@pytest.mark.exhaustive
def test_several_apps_find_what_ran_long_ago_though_one_of_them_brought_it(tmp_path, monkeypatch):
    world = by_url(tmp_path, monkeypatch, apps=("one", "two", "three"))
    for app in world.repo.apps:
        world.rollback("prod", app)
        world.stage(3, app)
    bury(world)
    ran = run(world, "staging->prod", *(f"{app}={tag(2)}" for app in world.repo.apps))
    assert ran.code == 10, ran.out
    for number in range(3):
        assert (ran.gate("deployed", number)["verdict"], ran.gate("held", number)["code"]) == ("pass", "held"), ran.out


def test_a_shallow_checkout_is_unknown_where_promote_yaml_asks_for_all_of_history(world, tmp_path):
    world.pull()
    world.repo.configure(git={"history": "whole"})
    world.stage(3)
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{world.repo.bare}", str(tmp_path / "one"))
    ran = world.promote(tag(3), "--repo", str(tmp_path / "one"))
    assert (ran.code, ran.gate("held")["verdict"]) == (3, "unknown"), ran.out
    assert "unshallow" in ran.gate("held")["hint"]
