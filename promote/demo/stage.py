"""The stage of the demo: two registries that are directories, a GitOps repository, and the bare one it pushes to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from promote.errors import Fault, Misuse
from promote.model.manifest import RawManifest
from promote.model.reference import Repository
from promote.oci.layout import LayoutStore

HERE = Path(__file__).parent
SHIPPED = HERE / "overlays"
CHECKOUT = HERE.parent.parent / "examples" / "overlays"
IDENTITY = {
    "GIT_AUTHOR_NAME": "promote demo",
    "GIT_AUTHOR_EMAIL": "demo@localhost",
    "GIT_COMMITTER_NAME": "promote demo",
    "GIT_COMMITTER_EMAIL": "demo@localhost",
}


@dataclass(frozen=True)
class Stage:
    """Where everything is.  `gitops` is the working copy with promote.yaml, `origin` the repository it pushes to."""

    directory: Path

    @property
    def gitops(self) -> Path:
        """The working copy."""
        return self.directory / "gitops"

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.directory / "origin.git"

    @property
    def staging(self) -> LayoutStore:
        """The staging registry's repository of the image."""
        return LayoutStore(Repository(f"oci:{self.gitops / 'registries' / 'staging'}", "acme/shop"))

    def git(self, *arguments: str) -> str:
        """What git prints, run in the working copy; raises `Fault`."""
        return _git(self.gitops, arguments)

    @contextmanager
    def rebuilt(self, tag: str) -> Iterator[None]:
        """While this lasts the staging registry's `tag` names another build of the image."""
        store = self.staging
        signed = store.resolve(tag)
        if signed is None:
            raise Fault("demo-broken", f"got no {tag} in the demo's staging registry, expected the shipped image")
        manifest = {**json.loads(signed.content), "annotations": {"org.opencontainers.image.title": "another build"}}
        other = RawManifest(json.dumps(manifest).encode(), signed.media_type)
        store.put_tag(tag, other)
        try:
            yield
        finally:
            store.put_tag(tag, signed)


def build(directory: Path) -> Stage:
    """Make the stage in `directory`; raises `Misuse` when it exists, `Fault` when it cannot be made."""
    if directory.exists():
        raise Misuse(
            "demo-exists",
            f"got {directory}, which exists, expected a directory that the demo can make",
            hint=f"rm -r {directory}, or name another directory: promote demo DIR",
        )
    stage = Stage(directory.absolute())
    try:
        shutil.copytree(SHIPPED if SHIPPED.is_dir() else CHECKOUT, stage.gitops)
        shutil.copytree(HERE / "signed" / "shop", stage.gitops / "registries" / "staging" / "acme" / "shop")
        shutil.copy(HERE / "signed" / "trusted_root.json", stage.gitops)
    except OSError as problem:
        raise Fault("disk", f"cannot make {directory}: {problem.strerror}", hint="promote demo DIR") from None
    _git(stage.directory, ("init", "--quiet", "--bare", "--initial-branch=main", str(stage.origin)))
    stage.git("init", "--quiet", "--initial-branch=main")
    # The registries stand in for servers: they are no part of what the GitOps repository records.
    (stage.gitops / ".git" / "info").mkdir(exist_ok=True)
    (stage.gitops / ".git" / "info" / "exclude").write_text("/registries/\n")
    stage.git("add", "--all")
    stage.git("commit", "--quiet", "--message", "Deploy shop")
    stage.git("remote", "add", "origin", str(stage.origin))
    stage.git("push", "--quiet", "--set-upstream", "origin", "main")
    return stage


def environment() -> Mapping[str, str]:
    """The environment for git and promote: this process's, with an identity of the demo's own."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return {**inherited, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def _git(directory: Path, arguments: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", *arguments],  # noqa: S607 - the git on PATH, as everywhere
            cwd=directory,
            env=dict(environment()),
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise Misuse("git-missing", "git is not installed, or not on PATH", hint="install git 2.31 or newer") from None
    if done.returncode:
        raise Fault("demo-broken", f"git {arguments[0]} failed: {done.stderr.strip()[-200:]}")
    return done.stdout
