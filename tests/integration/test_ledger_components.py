"""What staging ran is known, and a rebuilt tag is refused, where the pin stands in a component, and where it moved."""

from __future__ import annotations

import pytest
from support.git_world import git, isolate
from support.release_world import World, make_world, tag

STAGING = "overlays/shop/staging/kustomization.yaml"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    """Staging takes its pin from a component."""
    made = make_world(tmp_path, monkeypatch)
    made.repo.write(STAGING, "resources: [../base]\ncomponents: [../../../components/staging]\n")
    return made


def pin(world: World, number: int, digest: str | None = None, directory: str = "components/staging") -> None:
    """Let staging run a release by way of the component."""
    image = f'  - name: shop\n    newTag: "{tag(number)}"\n    digest: {digest or world.build(number)}\n'
    world.tick()
    world.pull()
    world.repo.write(f"{directory}/kustomization.yaml", f"kind: Component\nimages:\n{image}")
    world.repo.commit(f"staging runs {number}")


def test_a_release_that_ran_by_way_of_a_component_is_known(world):
    pin(world, 1)
    pin(world, 2)
    ran = world.promote(tag(1))
    assert (ran.code, world.runs()) == (0, 1), ran.out
    assert "staging ran it" in ran.gate("deployed")["summary"]


def test_a_tag_that_a_component_recorded_with_another_digest_is_refused_as_rebuilt(world):
    pin(world, 1, "sha256:" + "9" * 64)
    pin(world, 2)
    pin(world, 1)
    ran = world.promote(tag(1))
    assert (ran.code, ran.refused_by) == (15, "ledger"), ran.out
    assert "components/staging/kustomization.yaml" in ran.gate("ledger")["summary"]


def test_a_release_that_ran_before_the_component_was_renamed_is_known(world):
    pin(world, 1)
    pin(world, 2)
    git(world.repo.root, "mv", "components/staging", "components/image")
    world.repo.write(STAGING, "resources: [../base]\ncomponents: [../../../components/image]\n")
    world.repo.commit("rename")
    ran = world.promote(tag(1))
    assert (ran.code, world.runs()) == (0, 1), ran.out
    assert "staging ran it" in ran.gate("deployed")["summary"]


def test_a_release_that_ran_before_the_overlay_was_renamed_is_known(tmp_path, monkeypatch):
    world = make_world(tmp_path, monkeypatch)
    world.stage(1)
    world.stage(2)
    world.pull()
    git(world.repo.root, "mv", "overlays/shop/staging", "overlays/shop/test")
    world.repo.config["environments"]["staging"]["overlays"] = ["overlays/{app}/test"]
    world.repo.configure()
    ran = world.promote(tag(1))
    assert (ran.code, world.runs()) == (0, 1), ran.out
    never = world.promote("sha-" + "ab" * 20)
    assert (never.code, never.json["error"]["code"]) == (10, "no-such-tag"), never.out
    world.build(9)
    never = world.promote(tag(9))
    assert (never.code, never.json["error"]["code"]) == (10, "not-deployed"), never.out
