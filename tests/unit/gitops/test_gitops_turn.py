"""Turns at one branch: who waits for whom, and that nobody waits for ever."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from promote.gitops import turn as turns
from promote.gitops.turn import turn

PLACE = "https://git.example/acme/deploy.git"


@pytest.fixture
def place(tmp_path):
    """Its own in each test: the names are the machine's, and tests run side by side."""
    return f"{PLACE}?{tmp_path}"


@pytest.fixture
def looks(monkeypatch):
    """The pauses of who waits, which take no time."""
    pauses: list[float] = []
    monkeypatch.setattr(turns.time, "sleep", pauses.append)
    return pauses


def test_a_turn_that_nobody_has_is_taken_at_once(place, looks):
    with turn(place, "main"):
        pass
    with turn(place, "main"):
        pass
    assert looks == []


def test_a_turn_is_waited_for_until_it_is_given_back(place, monkeypatch):
    mine = turn(place, "main")
    mine.__enter__()
    pauses: list[float] = []

    def given_back_at_the_third_look(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            mine.__exit__(None, None, None)

    monkeypatch.setattr(turns.time, "sleep", given_back_at_the_third_look)
    with turn(place, "main"):
        assert len(pauses) == 3


def test_after_a_while_nobody_is_waited_for(place, looks):
    with turn(place, "main"), turn(place, "main"):
        pass
    assert looks
    assert sum(looks) == pytest.approx(turns.LONGEST, abs=1)


@pytest.mark.parametrize(("other", "branch"), [("", "release"), ("/other", "main")])
def test_another_branch_and_another_place_have_turns_of_their_own(place, looks, other, branch):
    with turn(place, "main"), turn(place + other, branch):
        assert looks == []


def test_what_goes_wrong_in_a_turn_gives_it_back(place, looks):
    with pytest.raises(ValueError, match="mine"), turn(place, "main"):
        raise ValueError("mine")
    with turn(place, "main"):
        assert looks == []


def test_a_process_that_is_killed_gives_its_turn_back(place, looks):
    script = (
        "import sys, time\n"
        "from promote.gitops.turn import turn\n"
        "with turn(sys.argv[1], 'main'):\n"
        "    print('mine', flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, place], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"mine\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with turn(place, "main"):
        assert looks == []


def test_where_the_system_has_no_such_names_the_block_runs(place, looks, monkeypatch):
    class Nameless(socket.socket):
        def bind(self, address: object) -> None:
            raise OSError(errno.EINVAL, f"no name {address!r}")

    monkeypatch.setattr(turns.socket, "socket", Nameless)
    ran = []
    with turn(place, "main"), turn(place, "main"):
        ran.append(place)
    assert (ran, looks) == ([place], [])


def test_a_name_tells_nobody_where_the_branch_is(place):
    """Anybody on the machine can list them, and a URL may hold what is nobody's business."""
    with turn(place, "main"):
        listed = Path("/proc/net/unix").read_text("utf-8", "replace")
    assert "@promote-" in listed
    assert "git.example" not in listed


def test_a_place_of_any_characters_has_a_turn(looks):
    with turn("\udcff\x00é" * 500, "\U0001f600"):
        assert looks == []
