"""A rollback is finished by the same command, wherever it was killed, whether it names its release or not."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.git_world import git, isolate
from support.promote_process import Nursery
from support.release_world import World, make_world, tag

UNNAMED = ["rollback", "prod", "--jobs", "1", "--format", "json"]
NAMED = [*UNNAMED, "--to", tag(1)]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as started:
        yield started


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def world(home: Path, monkeypatch) -> World:
    """Prod ran 0 and 1 and runs 2; its registry has lost them, so that there is something to copy."""
    home.mkdir()
    made = make_world(home, monkeypatch)
    for number in (0, 1, 2):
        made.stage(number)
        made.promoted(number)
    shutil.rmtree(made.repo.layout("prod"))
    made.tick()
    return made


def test_killed_after_the_push_it_is_not_one_step_further_back(tmp_path, monkeypatch, nursery):
    whole = world(tmp_path / "whole", monkeypatch)
    steps = nursery.start(whole.repo.root, UNNAMED).wait().steps
    disturbed = world(tmp_path / "disturbed", monkeypatch)
    killed = nursery.start(disturbed.repo.root, UNNAMED, kill_at=len(steps) - 1).wait()
    assert (killed.signal, disturbed.runs(), steps[-1]) == (signal.SIGKILL, 1, "working-copy")
    ran = disturbed.repo.run(*UNNAMED)
    assert (ran.code, disturbed.runs(), ran.json["releases"][0]["changed"]) == (0, 1, False), ran.out
    assert ran.json["releases"][0]["since"]["further"] == tag(0)


@pytest.mark.exhaustive
@pytest.mark.parametrize("command", [NAMED, UNNAMED], ids=["named", "unnamed"])
def test_killed_at_any_turn(tmp_path, monkeypatch, nursery, command):
    whole = world(tmp_path / "whole", monkeypatch)
    ended = nursery.start(whole.repo.root, command).wait()
    assert ended.code == 0, ended.out
    assert ended.steps.index("tag") < ended.steps.index("commit")
    turns = [n for n in range(len(ended.steps)) if n == 0 or ended.steps[n - 1] != ended.steps[n]]
    for number in turns:
        disturbed = world(tmp_path / str(number), monkeypatch)
        before = disturbed.head()
        killed = nursery.start(disturbed.repo.root, command, kill_at=number).wait()
        assert killed.signal == signal.SIGKILL
        ran = disturbed.repo.run(*command)
        assert ran.code == 0, f"before {ended.steps[number]}: {ran.out}"
        assert (disturbed.runs(), disturbed.repo.tags()) == (1, whole.repo.tags())
        assert len(git(disturbed.repo.bare, "rev-list", f"{before}..main").split()) == 1
        assert disturbed.message() == whole.message()
        assert disturbed.promote(tag(2)).json["error"]["code"] == "held"
