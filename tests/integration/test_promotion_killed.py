"""A promotion that is killed between any two of its steps is finished by running it again."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.git_world import git, isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, make
from support.promote_process import Nursery
from support.registry_server import RegistryServer

COMMAND = ["staging->prod", TAG, "--jobs", "1", "--format", "json"]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as started:
        yield started


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@dataclass
class World:
    """A repository and the registry it promotes to, which is a layout or a server."""

    repo: GitopsRepo
    server: RegistryServer | None

    def tags(self) -> dict[str, str]:
        return self.server.repository("acme/shop").tags if self.server else self.repo.tags()

    def content(self) -> object:
        """Everything that is at the target, whoever asks."""
        if self.server:
            there = self.server.repository("acme/shop")
            return there.tags, set(there.manifests), set(there.blobs)
        layout = self.repo.layout("prod")
        listed = json.loads((layout / "index.json").read_bytes())["manifests"]
        blobs = {p.name: p.read_bytes() for p in (layout / "blobs").rglob("*") if p.is_file()}
        return sorted(json.dumps(d, sort_keys=True) for d in listed), blobs

    def end(self) -> object:
        """What must be the same whether and wherever the first run was killed."""
        repo = self.repo
        where = repo.bare or repo.root
        overlay = repo.overlay().decode()
        return (
            self.content(),
            overlay.replace(self.server.address, "REGISTRY") if self.server else overlay,
            git(where, "diff", "--numstat", "main^", "main"),
            repo.commits(),
            git(repo.root, "status", "--porcelain"),
            git(repo.root, "rev-parse", "HEAD") == git(where, "rev-parse", "main"),
            git(repo.root, "for-each-ref", "--format=%(refname)", "refs/heads"),
        )


@contextlib.contextmanager
def world(home: Path, target: str, case: str, *, remote: bool = True) -> Iterator[World]:
    home.mkdir()
    if target == "layout":
        yield World(make(home, case=case, remote=remote), None)
    else:
        with RegistryServer(referrers=target == "registry") as server:
            yield World(make(home, case=case, prod=server.address, remote=remote), server)


def reference(nursery: Nursery, home: Path, target: str, case: str, *, remote: bool) -> tuple[tuple[str, ...], object]:
    """The steps of a run that nobody disturbs, and where it ends."""
    with world(home, target, case, remote=remote) as undisturbed:
        ended = nursery.start(undisturbed.repo.root, COMMAND).wait()
        assert ended.code == 0, ended.out
        return ended.steps, undisturbed.end()


def every(steps: tuple[str, ...]) -> list[int]:
    """The number of each step."""
    return list(range(len(steps)))


def turning(steps: tuple[str, ...]) -> list[int]:
    """The first and the last of each run of equal steps."""
    last = len(steps) - 1
    return [n for n in range(len(steps)) if n in (0, last) or steps[n - 1] != steps[n] or steps[n] != steps[n + 1]]


@pytest.mark.parametrize(
    ("target", "case", "remote", "chosen"),
    [
        pytest.param("registry", "v3-keyless-rekor1", True, every, marks=pytest.mark.exhaustive),
        ("layout", "v2-key", False, turning),
        pytest.param("layout", "v3-keyless-rekor1", True, every, marks=pytest.mark.exhaustive),
        pytest.param("registry without referrers", "v3-keyless-index", True, turning, marks=pytest.mark.exhaustive),
        pytest.param("registry", "v2-keyless", True, turning, marks=pytest.mark.exhaustive),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_killed_at_any_step_the_same_command_again_ends_in_the_same_state(
    tmp_path, nursery, target, case, remote, chosen
):
    steps, end = reference(nursery, tmp_path / "whole", target, case, remote=remote)
    assert {"blob", "manifest", "tag", "commit"} <= set(steps)
    assert steps.index("tag") < steps.index("commit")
    for number in chosen(steps):
        step = steps[number]
        with world(tmp_path / str(number), target, case, remote=remote) as disturbed:
            repo = disturbed.repo
            killed = nursery.start(repo.root, COMMAND, kill_at=number).wait()
            assert (killed.signal, killed.steps) == (signal.SIGKILL, steps[: number + 1])
            where = f"killed before step {number}, {step}"
            assert (TAG in disturbed.tags()) == (number > steps.index("tag")), where
            landed = "push" if remote else "working-copy"
            assert len(repo.promotions()) == int(number > steps.index(landed)), where
            again = repo.run(*COMMAND)
            assert again.code == 0, f"{where}: {again.out}"
            assert disturbed.end() == end, where
            assert len(repo.promotions()) == 1
            assert again.json["releases"][0]["digest"] in str(disturbed.tags()[TAG])


def test_killed_with_many_threads_at_work_nothing_is_half_visible(tmp_path, nursery):
    with world(tmp_path / "w", "registry", "v3-keyless-index") as disturbed:
        for number in (5, 3, 1, 0):
            killed = nursery.start(disturbed.repo.root, ["staging->prod", TAG], kill_at=number).wait()
            assert killed.signal == signal.SIGKILL
            assert (disturbed.tags().get(TAG), disturbed.repo.promotions()) == (None, [])
        assert disturbed.repo.promote(TAG).code == 0
        assert len(disturbed.repo.promotions()) == 1


@pytest.mark.parametrize("step", ["blob", "commit"])
def test_ctrl_c_is_130_says_what_to_do_and_leaves_nothing_half_done(tmp_path, nursery, step):
    steps, end = reference(nursery, tmp_path / "whole", "layout", "v3-keyless", remote=True)
    with world(tmp_path / "w", "layout", "v3-keyless") as disturbed:
        ended = nursery.start(disturbed.repo.root, COMMAND, interrupt_at=steps.index(step)).wait()
        assert ended.code == 130
        assert "run the same command again" in ended.err
        assert "Traceback" not in ended.err
        assert disturbed.repo.promotions() == []
        assert nursery.start(disturbed.repo.root, COMMAND).wait().code == 0
        assert disturbed.end() == end


@pytest.mark.exhaustive
def test_a_killed_promotion_to_two_places_commits_only_when_both_have_the_image(tmp_path, nursery):
    with RegistryServer() as eu, RegistryServer() as us:
        repo = make(tmp_path)
        places = [{"registry": s.address, "overlays": ["overlays/{app}/prod"]} for s in (eu, us)]
        places[1]["overlays"] = []
        repo.config["environments"]["prod"] = {"from": ["staging"], "places": places}
        repo.configure()
        steps = nursery.start(repo.root, [*COMMAND, "--dry-run"]).wait().steps
        assert steps == ()
        whole = 0
        for number in range(60):
            killed = nursery.start(repo.root, COMMAND, kill_at=number).wait()
            if killed.signal != signal.SIGKILL:
                whole = number
                break
            have = [TAG in s.repository("acme/shop").tags for s in (eu, us)]
            assert not repo.promotions() or have == [True, True]
        assert whole
        assert [s.repository("acme/shop").tags[TAG] for s in (eu, us)] == [DIGEST, DIGEST]
        assert len(repo.promotions()) == 1
