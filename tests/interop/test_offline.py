"""Every fixture of the lab has the same verdict in a network namespace that is empty, loopback included."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness.gitops import GIT_ENV
from harness.promote import nobody
from support.cosign_fixtures import CASES
from support.gitops_repo import TAG, GitopsRepo, make

SECONDS = 60


@pytest.fixture(scope="module")
def alone() -> list[str]:
    """What runs a command without any network; root needs no user namespace for it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.fail("unshare (util-linux) is not installed", pytrace=False)
    command = [unshare, "-n"] if os.geteuid() == 0 else [unshare, "-rn"]
    names = "import socket; print(*(name for _, name in socket.if_nameindex()))"
    up = "import socket; s = socket.socket(); s.settimeout(5); print(s.connect_ex(('127.0.0.1', 9)))"
    seen = [_run([*command, sys.executable, "-c", code], Path.cwd(), {}) for code in (names, up)]
    # ENETUNREACH: not even the loopback is up.
    assert [(done.returncode, done.stdout) for done in seen] == [(0, "lo\n"), (0, "101\n")], seen
    return command


@pytest.mark.parametrize("case", CASES)
def test_the_verdict_of_a_layout_needs_no_network(tmp_path, monkeypatch, alone, case):
    for name, value in GIT_ENV.items():
        monkeypatch.setenv(name, value)
    repo = make(tmp_path, case=case)
    outside, inside = (_verify(repo, command) for command in ([], alone))
    assert inside == outside
    # Judged, and not broken in the same way twice.
    assert outside[0] in {0, 11, 12, 13, 15}


def _verify(repo: GitopsRepo, command: list[str]) -> tuple[int, dict, str]:
    """Exit code, result and standard error of `promote verify`; the caches of each run are its own."""
    home = repo.home / ("alone" if command else "outside")
    home.mkdir()
    reference = f"oci:../registries/staging/acme/shop:{TAG}"
    done = _run(
        [*command, sys.executable, "-m", "promote", "verify", reference, "--format=json", "--quiet"],
        repo.root,
        nobody(home),
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def _run(argv: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
