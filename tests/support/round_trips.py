"""Copies and promotions over a long link on which round trips are counted, see `support.lockstep`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.git_servers import git_over_http
from support.git_world import git
from support.gitops_repo import TAG, GitopsRepo, make, process_environment, serve
from support.lockstep import Lockstep
from support.registry_server import RegistryServer

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Far:
    """Two registries far away, staging with a fixture's image at ``acme/shop``, and the link to them."""

    link: Lockstep
    staging: RegistryServer
    prod: RegistryServer
    source: str
    target: str

    def copy(self) -> Lockstep:
        """The link, after promote's copy alone ran over it as a process of its own."""
        self.link.levels.clear()
        names = (f"{self.source}/acme/shop", f"{self.target}/acme/shop")
        _run(ROOT, sys.executable, "-m", "bench.copy_image", *names, TAG)
        return self.link


@contextmanager
def far(case: str, *, referrers: bool) -> Iterator[Far]:
    """Registries with the referrers API, or without, behind a link; over it `case` may be copied."""
    with (
        RegistryServer(referrers=referrers) as staging,
        RegistryServer(referrers=referrers) as prod,
        Lockstep() as link,
    ):
        serve(staging, case)
        yield Far(link, staging, prod, link.door(staging.address, "source"), link.door(prod.address, "target"))


@contextmanager
def far_repository(here: Far, home: Path, case: str) -> Iterator[GitopsRepo]:
    """A clone whose remote is behind the same link, with git over HTTP."""
    repo = make(home, case=case, staging=here.source, prod=here.target)
    assert repo.bare is not None
    git(repo.bare, "config", "http.receivepack", "true")
    with git_over_http(repo.bare.parent) as server:
        address = here.link.door(server.address, "git")
        git(repo.root, "remote", "set-url", "origin", f"http://{address}/{repo.bare.name}")
        yield repo


def promote_far(here: Far, repo: GitopsRepo) -> Lockstep:
    """The link, after a promotion ran over it as a process of its own."""
    here.link.levels.clear()
    _run(repo.root, str(Path(sys.executable).parent / "promote"), "staging->prod", TAG, "--quiet")
    return here.link


def _run(directory: Path, *command: str) -> None:
    environment = process_environment(PYTHONPATH=f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    done = subprocess.run(
        command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
