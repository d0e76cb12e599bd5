"""A release that was rolled back from is held: read from the diffs of the branch, whatever its messages claim."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.git_world import git, isolate
from support.promote_process import Nursery
from support.release_world import World, make_world, tag


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as started:
        yield started


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    """Prod ran 1, and runs 2."""
    made = make_world(tmp_path, monkeypatch)
    for number in (1, 2):
        made.stage(number)
        made.promoted(number)
    return made


def push(world: World) -> None:
    git(world.repo.root, "push", "-q", "origin", "+main")


def test_the_bot_is_refused_and_a_newer_release_passes(world):
    assert world.rollback("prod", "--reason", "500s at checkout").code == 0
    again = world.promote()  # whatever staging runs, as a bot does it: release 2
    assert (again.code, again.refused_by, again.json["error"]["code"]) == (10, "held", "held"), again.out
    said = again.gate("held")
    for part in (world.head()[:12], "Test <test@example.com>", "2026-01-0", "500s at checkout"):
        assert part in said["summary"], part
    assert "--lift" in said["hint"]
    assert world.runs() == 1
    world.stage(3)
    assert [world.promote().code, world.runs()] == [0, 3]
    assert world.promote(tag(2)).json["error"]["code"] == "held"  # a newer one has not lifted it


def test_a_lift_needs_a_reason_and_passes(world):
    assert world.rollback("prod").code == 0
    assert world.promote(tag(2), "--lift", " ").code == 2
    lifted = world.promote(tag(2), "--lift", "it was the database")
    assert (lifted.code, world.runs()) == (0, 2), lifted.out
    assert "lifted: it was the database" in lifted.gate("held")["summary"]
    assert f"Promote-Lift: {world.digests['shop', 2]} it was the database" in world.message().splitlines()
    assert world.promote(tag(2)).code == 0
    assert world.rollback("prod").code == 0  # and may be gone back from again
    assert (world.runs(), world.promote(tag(2)).code) == (1, 10)


def test_a_lift_of_nothing_is_not_recorded(world):
    world.stage(3)
    assert world.promote(tag(3), "--lift", "just in case").code == 0
    assert "Promote-Lift" not in world.message()


def test_a_hold_is_of_one_environment(world):
    world.rollback("prod")
    world.pull()
    environments = world.repo.config["environments"]
    environments["canary"] = {**environments["prod"], "registry": "oci:../registries/canary", "pull": "canary.example"}
    environments["canary"]["overlays"] = ["overlays/{app}/canary"]
    world.repo.write("overlays/shop/canary/kustomization.yaml", world.overlay(1))
    world.repo.configure()
    ran = world.repo.run("staging->canary", tag(2), "--format", "json", "-q")
    assert ran.code == 0, ran.out


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["revert", "hand"])
def test_whoever_brings_it_back_by_hand_has_lifted_the_hold(world, how):
    world.rollback("prod")
    world.tick()
    world.pull()
    if how == "revert":
        git(world.repo.root, "revert", "--no-edit", "HEAD")
        push(world)
    else:
        world.set("prod", 2)
    world.set("prod", 1)
    assert [world.promote(tag(2)).code, world.runs()] == [0, 2]


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["squash", "rebase", "merge"])
def test_a_hold_survives_the_way_that_it_was_merged(world, how):
    world.pull()
    base = git(world.repo.root, "rev-parse", "HEAD")
    assert world.rollback("prod", "--no-push").code == 0
    rolled_back = git(world.repo.root, "rev-parse", "HEAD")
    git(world.repo.root, "reset", "-q", "--hard", base)
    world.tick()
    world.repo.write("notes.txt", "meanwhile\n")
    world.repo.commit("meanwhile")
    world.tick()
    if how == "rebase":
        git(world.repo.root, "cherry-pick", rolled_back)
    elif how == "merge":
        git(world.repo.root, "merge", "-q", "--no-ff", "-m", "Merge pull request 7", rolled_back)
    else:
        text = git(world.repo.root, "log", "-1", "--format=%B", rolled_back)
        git(world.repo.root, "merge", "-q", "--squash", rolled_back)
        git(world.repo.root, "commit", "-q", "-m", f"Back (#7)\n\n* {text}\n\nCo-authored-by: A <a@example.com>")
    push(world)
    assert world.runs() == 1
    ran = world.promote(tag(2))
    assert (ran.code, ran.refused_by) == (10, "held"), ran.out


def forged(world: World, number: int, **changes: str) -> str:
    said = {
        "Promote-Id": "0123456789abcdef",
        "Promote-Kind": "rollback",
        "Promote-Env": "prod",
        "Promote-App": "shop",
        "Promote-Image": f"acme/shop:{tag(1)}@{world.digests['shop', 1]}",
        "Promote-Hold": world.digests["shop", number],
    } | changes
    return "notes\n\n" + "\n".join(f"{name}: {value}" for name, value in said.items())


def test_a_claim_in_a_commit_that_changes_nothing_there_holds_nothing(world):
    world.stage(3)
    for number in (2, 3):
        world.pull()
        world.tick()
        world.repo.write("notes.txt", f"{number}\n")
        world.repo.commit(forged(world, number))
    assert [world.promote(tag(3)).code, world.runs()] == [0, 3]
    assert [world.promote(tag(2)).code, world.runs()] == [0, 2]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "changes",
    [
        {"Promote-Env": "staging"},
        {"Promote-App": "other"},
        {"Promote-Kind": "promote"},
        {"Promote-Image": "acme/shop:x"},
    ],
    ids=str,
)
def test_a_claim_about_something_else_holds_nothing(world, changes):
    world.set("prod", 1, message=forged(world, 2, **changes))
    assert [world.promote(tag(2)).code, world.runs()] == [0, 2]


def test_a_digest_that_was_not_taken_out_is_not_held(world):
    world.stage(3)
    world.set("prod", 1, message=forged(world, 3))
    assert [world.promote(tag(3)).code, world.runs()] == [0, 3]


def test_what_is_no_digest_is_no_hold(world):
    world.set("prod", 1, message=forged(world, 2, **{"Promote-Hold": "sha256:\x1b[31mnonsense"}))
    assert world.promote(tag(2)).code == 0


def test_a_shallow_clone_says_what_it_cannot_see(world, tmp_path):
    world.rollback("prod")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{world.repo.bare}", str(tmp_path / "one"))
    ran = world.promote(tag(2), "--repo", str(tmp_path / "one"))
    assert (ran.code, ran.gate("held")["verdict"]) == (3, "unknown"), ran.out
    assert "unshallow" in ran.gate("held")["hint"]
    world.set("staging", 2, message="nothing new")
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{world.repo.bare}", str(tmp_path / "two"))
    world.stage(3)
    git(tmp_path / "two", "pull", "-q", "--ff-only")
    ran = world.promote(tag(3), "--repo", str(tmp_path / "two"))
    assert (ran.code, ran.gate("held")["verdict"]) == (0, "skip"), ran.out
    assert "shallow" in ran.gate("held")["summary"]


def test_a_rollback_that_loses_to_a_promotion_is_exit_5_and_the_other_way_round(world, nursery):
    """Whoever pushes second finds another release than it set out from."""
    world.stage(3)
    world.pull()
    clones = [world.repo.clone(name) for name in ("first", "second")]
    lines = (["rollback", "prod"], ["staging->prod", tag(3)])
    started = [
        nursery.start(clone.root, [*line, "--format", "json", "-q"]) for clone, line in zip(clones, lines, strict=True)
    ]
    ended = [s.wait() for s in started]
    codes = [e.code for e in ended]
    # One after the other is as good: then the rollback went back from 3 to 2, or 3 came after the rollback.
    assert codes in ([0, 5], [5, 0], [0, 0]), [e.out + e.err for e in ended]
    kinds = [record["kind"] for record in world.history()[:2]]
    assert ("rollback" in kinds, "promote" in kinds[: codes.count(0)]) != (False, False)
    assert git(world.repo.bare, "rev-list", "--merges", "main") == ""


def test_a_rollback_that_lands_meanwhile_holds_for_the_promotion_under_way(world, monkeypatch):
    """The branch moves between the plan and the push: back to 1, forward to 2 by nobody, so that 2 is held."""
    from promote.promotion import apply

    copied = apply.in_parallel

    def meanwhile(*arguments, **more):
        monkeypatch.setattr(apply, "in_parallel", copied)
        done = copied(*arguments, **more)
        other = world.repo.clone("other")
        for words in (["staging->prod", tag(2)], ["rollback", "prod"]):
            ran = other.run(*words, "--format", "json", "-q")
            assert ran.code == 0, ran.out
        return done

    world.set("prod", 1)
    monkeypatch.setattr(apply, "in_parallel", meanwhile)
    ran = world.promote(tag(2))
    assert (ran.code, ran.json["error"]["code"]) == (5, "superseded"), ran.out
    assert "rolled back from" in ran.json["error"]["message"]
    assert world.runs() == 1
