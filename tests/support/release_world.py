"""A GitOps repository with several releases of one app, staging and prod, in which the gates of evidence are off.

world = make_world(tmp_path)
world.stage(1)                       # builds release 1, pushes it to staging's registry, lets staging run it
world.promoted(1)                    # promote staging->prod, which succeeds
ran = world.rollback("prod")         # promote rollback prod --format json

Every commit that promote or a test makes is a minute after the one before, so that histories read alike everywhere.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.git_world import git
from support.gitops_repo import GitopsRepo, Ran, make, staging_overlay
from support.image_builder import put_image

from promote.model.reference import Repository
from promote.oci.layout import LayoutStore

START = 1_767_323_045


def tag(number: int) -> str:
    """The tag of a release."""
    return "sha-" + f"{number:02x}" * 20


@dataclass
class World:
    """The repository, and the digests of the releases that were built, by app and number."""

    repo: GitopsRepo
    patch: pytest.MonkeyPatch
    digests: dict[tuple[str, int], str] = field(default_factory=dict)
    clock: Iterator[int] = field(default_factory=lambda: itertools.count(START, 60))

    def tick(self, at: int | None = None) -> None:
        """Let the next commits be a minute later, or at `at` seconds."""
        date = f"{next(self.clock) if at is None else at} +0000"
        for role in ("AUTHOR", "COMMITTER"):
            self.patch.setenv(f"GIT_{role}_DATE", date)

    def build(self, number: int, app: str = "shop", env: str = "staging") -> str:
        """Put release `number` into the registry of `env`; its digest."""
        store = LayoutStore(Repository(f"oci:{self.repo.layout(env, app).parent.parent}", f"acme/{app}"))
        digest = str(put_image(store, b"release %d of %s" % (number, app.encode()), tag=tag(number)).digest)
        self.digests[app, number] = digest
        return digest

    def stage(self, number: int, app: str = "shop") -> str:
        """Build a release and let staging run it; its digest."""
        digest = self.build(number, app)
        self.set("staging", number, app)
        return digest

    def set(self, env: str, number: int, app: str = "shop", message: str | None = None) -> str:
        """Let the overlay of `env` run a release, by hand; the commit."""
        self.tick()
        self.pull()
        self.repo.write(f"overlays/{app}/{env}/kustomization.yaml", self.overlay(number, app))
        return self.repo.commit(message or f"set {env}")

    def overlay(self, number: int, app: str = "shop") -> str:
        """An overlay that runs a release."""
        return staging_overlay(app, tag(number), self.digests[app, number])

    def promoted(self, number: int, app: str = "shop") -> Ran:
        """Promote a release from staging to prod, which succeeds."""
        ran = self.promote(f"{app}={tag(number)}")
        assert ran.code == 0, ran.out
        return ran

    def promote(self, *words: str) -> Ran:
        """``promote staging->prod WORDS --format json``."""
        self.tick()
        return self.repo.promote(*words)

    def rollback(self, *words: str) -> Ran:
        """``promote rollback WORDS --format json``."""
        self.tick()
        return self.repo.run("rollback", *words, "--format", "json", "--quiet")

    def runs(self, env: str = "prod", app: str = "shop") -> int | None:
        """The number of the release that the branch declares for an environment; None for any other."""
        content = self.repo.overlay(env, app).decode()
        return next((n for (a, n), d in self.digests.items() if a == app and d in content and tag(n) in content), None)

    def message(self) -> str:
        """The message of the newest commit of the branch, where it counts."""
        return git(self.repo.bare or self.repo.root, "log", "-1", "--format=%B", "main")

    def head(self) -> str:
        """The newest commit of the branch, where it counts."""
        return git(self.repo.bare or self.repo.root, "rev-parse", "main")

    def pull(self) -> None:
        """Let the clone follow the remote."""
        if self.repo.bare:
            git(self.repo.root, "pull", "-q", "--ff-only", "origin", "main")

    def history(self, env: str = "prod") -> list[dict[str, Any]]:
        """The records of ``promote history ENV``, newest first."""
        self.pull()
        ran = self.repo.run("history", env, "--format", "json")
        assert ran.code == 0, ran.out
        return list(json.loads(ran.out)["records"])


def make_world(home: Path, patch: pytest.MonkeyPatch, *, gates: dict[str, Any] | None = None, **options: Any) -> World:
    """Build it; `gates` are those of prod, `options` as `gitops_repo.make` has them; `patch` sets the clock of git."""
    world = World(make(home, gates={"signature": "off", "sbom": "off"}, **options), patch)
    world.repo.config["environments"]["prod"]["gates"] = gates or {}
    world.tick()
    world.repo.configure()
    return world
