"""release.yml, run by nektos/act: the image built by buildah, signed keyless, promoted by promote; the wheel signed.

The workflow is as it stands but for its registry, which is one here.  The commands are the real ones with what they
need on this machine: buildah a chroot and the Debian of these tests, cosign the throw-away Sigstore and the token that
GitHub would give to this workflow.  podman is buildah too, and gh keeps what it is told.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import pytest
import yaml
from harness.actrun import TREE, Act, Workflow
from harness.containers import Base, Buildah
from harness.gitops import GIT_ENV
from harness.images import Images
from harness.process import run
from harness.promote import nobody
from harness.sigstore.github_oidc import ISSUER
from harness.sigstore.stack import Sigstore

from promote import __version__

RELEASE = ".github/workflows/release.yml"
SOURCE = "acme/promote"
IDENTITY = f"https://github.com/{SOURCE}/{RELEASE}@refs/heads/main"
VERSION = f"v{__version__}"
TREE_OF_A_RELEASE = (
    ".containerignore", ".github", "Containerfile", "LICENSE", "README.md", "action", "action.yml", "examples/overlays",
    "promote", "pyproject.toml", "requirements",
)  # fmt: skip

BUILDAH = """#!/bin/bash
set -euo pipefail
verb=$1; shift
case $verb in
  build) given=(@BUILD@) ;;
  login) given=(--tls-verify=false) ;;
  *) given=() ;;
esac
exec @BUILDAH@ "$verb" "${given[@]}" "$@"
"""
SKOPEO = """#!/bin/bash
set -euo pipefail
verb=$1; shift
case $verb in
  copy) set -- --src-tls-verify=false --dest-tls-verify=false "$@" ;;
  *) set -- --tls-verify=false "$@" ;;
esac
exec @SKOPEO@ "$verb" "$@"
"""
COSIGN = """#!/bin/bash
set -euo pipefail
verb=$1; shift
[ "$verb" != version ] || exec @COSIGN@ version
exec @COSIGN@ "$verb" @SIGNING@ "$@"
"""
PODMAN = """#!/bin/bash
set -euo pipefail
[ "$1" = run ]; shift
entrypoint=/opt/promote/bin/promote
while [ "${1#--}" != "$1" ]; do
  case $1 in
    --network) [ "$2" = none ]; shift ;;
    --entrypoint) entrypoint=$2; shift ;;
    --rm | --read-only | --interactive) ;;
    *) exit 125 ;;
  esac
  shift
done
container=$(@BUILDAH@ from "docker://$1"); shift
trap '@BUILDAH@ rm "$container" >&2' EXIT
@BUILDAH@ run --isolation=chroot "$container" -- "$entrypoint" "$@"
"""
GH = """#!/bin/bash
set -euo pipefail
printf '%s\\n' "$@" > @KEPT@/arguments
cp dist/* @KEPT@/
"""


@dataclass(frozen=True)
class World:
    """promote's repository on GitHub with one commit on main, and what its workflow is run with."""

    act: Act
    project: Path
    registry: str
    path: str
    kept: Path

    def run(self, ref: str, code: int = 0) -> Workflow:
        """The workflow for a push of what is checked out in `project` to `ref`."""
        variables = {
            "GITOPS": str(self.project),
            "CHECKED_OUT": "main",
            "CONTAINERS_REGISTRIES_CONF": str(self.act.directory / "registries.conf"),
        }
        workflow = self.project / RELEASE
        event = {"ref": ref}
        return self.act.run(
            workflow, "push", event, variables, project=self.project, path=self.path, token="t0ken", code=code
        )

    def git(self, *arguments: str) -> str:
        """git in the repository."""
        return run(["git", *arguments], cwd=self.project, env=GIT_ENV)

    @property
    def staging(self) -> str:
        """Where main's images go."""
        return f"{self.registry}/acme/staging/promote"

    @property
    def prod(self) -> str:
        """Where people pull from."""
        return f"{self.registry}/acme/promote"


@pytest.fixture(scope="module")
def world(
    tools: Mapping[str, Path],
    sigstore: Sigstore,
    registries: Mapping[str, str],
    buildah: Buildah,
    base: Base,
    tmp_path_factory: pytest.TempPathFactory,
) -> World:
    directory, registry = tmp_path_factory.mktemp("release"), registries["distribution3"]
    project = _project(directory / "source", registry, sigstore)
    commit = run(["git", "rev-parse", "HEAD"], cwd=project)
    (directory / "registries.conf").write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    kept = directory / "released"
    kept.mkdir()
    signing = {
        "identity-token": sigstore.token(SOURCE, commit, workflow="release.yml"),
        "signing-config": sigstore.signing_config,
        "trusted-root": sigstore.trusted_root,
    }
    building = buildah.options({"BASE_NAME": base.name, "BASE_DIGEST": base.digest})
    replaced = {
        "BUILDAH": " ".join(map(str, buildah.command)),
        "BUILD": " ".join(building),
        "COSIGN": str(tools["cosign"]),
        "SIGNING": " ".join(f"--{name}={value}" for name, value in signing.items()),
        "SKOPEO": str(tools["skopeo"]),
        "KEPT": str(kept),
    }
    commands = directory / "commands"
    commands.mkdir()
    for name, script in {"buildah": BUILDAH, "cosign": COSIGN, "podman": PODMAN, "gh": GH, "skopeo": SKOPEO}.items():
        (commands / name).write_text(reduce(lambda text, at: text.replace(f"@{at}@", replaced[at]), replaced, script))
        (commands / name).chmod(0o755)
    return World(Act(tools["act"], directory), project, registry, str(commands), kept)


def _project(project: Path, registry: str, sigstore: Sigstore) -> Path:
    """What of this tree a release is made of, as a commit on main, with `registry` in place of ghcr.io."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *TREE_OF_A_RELEASE], cwd=TREE)
    for name in filter(None, listed.split("\0")):
        if (TREE / name).is_file():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TREE / name, project / name)
    for name in (RELEASE, ".github/promote.yaml"):
        (project / name).write_text((project / name).read_text().replace("ghcr.io", registry))
    configuration = yaml.safe_load((project / ".github/promote.yaml").read_text())
    configuration["trust"]["root"] = "trusted_root.json"
    (project / ".github/promote.yaml").write_text(yaml.safe_dump(configuration, sort_keys=False))
    shutil.copy(sigstore.trusted_root, project / ".github/trusted_root.json")
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["remote", "add", "origin", f"https://github.com/{SOURCE}"],
        ["add", "--all"],
        ["commit", "--quiet", "--message=Release"],
    ):
        run(["git", *arguments], cwd=project, env=GIT_ENV)
    return project


@pytest.fixture(scope="module")
def built(world: World, images: Images) -> str:
    """The digest of the image that a push to main has built, signed and described."""
    world.run("refs/heads/main")
    return images.digest(f"{world.staging}:sha-{world.git('rev-parse', 'HEAD')}")


@pytest.fixture(scope="module")
def released(world: World, built: str) -> Workflow:
    """What a push of the version's tag to that commit says."""
    return world.run(f"refs/tags/{VERSION}")


def cosign(tools: Mapping[str, Path], sigstore: Sigstore, verb: str, *arguments: str | Path) -> str:
    """What cosign says of something that release.yml on main has signed."""
    expected = [f"--certificate-identity={IDENTITY}", f"--certificate-oidc-issuer={ISSUER}"]
    options = [*expected, f"--trusted-root={sigstore.trusted_root}"]
    return run([tools["cosign"], verb, *options, *arguments], env=nobody(TREE / "absent"))


def test_main_builds_signs_and_describes_the_image(world, built, tools, sigstore):
    cosign(tools, sigstore, "verify", f"{world.staging}@{built}")
    cosign(tools, sigstore, "verify-attestation", "--type=cyclonedx", f"{world.staging}@{built}")


def test_a_second_run_of_the_commit_builds_nothing(world, built, images):
    again = world.run("refs/heads/main")
    assert "STEP 1" not in again.log
    assert images.digest(f"{world.staging}:sha-{world.git('rev-parse', 'HEAD')}") == built


def test_the_tag_promotes_what_main_has_built(world, built, released, images, tools, sigstore):
    commit = world.git("rev-parse", "HEAD")
    assert "**Promoted**" in released.summary
    assert built in released.summary
    assert images.digest(f"{world.prod}:sha-{commit}") == built
    assert images.digest(f"{world.prod}:{__version__}") == built
    cosign(tools, sigstore, "verify", f"{world.prod}:{__version__}")
    cosign(tools, sigstore, "verify-attestation", "--type=cyclonedx", f"{world.prod}:{__version__}")


def test_the_wheel_and_the_sdist_are_published_with_their_signatures(world, released, tools, sigstore):
    told = (world.kept / "arguments").read_text().splitlines()
    assert told[:5] == ["release", "create", VERSION, "--verify-tag", "--generate-notes"]
    files = sorted(path for path in world.kept.iterdir() if path.suffix in (".whl", ".gz"))
    assert [path.suffix for path in files] == [".whl", ".gz"]
    assert {Path(name).name for name in told[5:]} == {
        name for path in files for name in (path.name, f"{path.name}.sigstore.json")
    }
    for path in files:
        cosign(tools, sigstore, "verify-blob", f"--bundle={path}.sigstore.json", path)


def test_a_tag_on_a_commit_that_main_never_built_is_refused_and_publishes_nothing(world, released):
    for path in world.kept.iterdir():
        path.unlink()
    head = world.git("rev-parse", "HEAD")
    world.git("commit", "--quiet", "--allow-empty", "--message=Never on main")
    try:
        refused = world.run(f"refs/tags/{VERSION}", code=1)
    finally:
        world.git("reset", "--quiet", "--hard", head)
    assert "**Refused (exit 10" in refused.summary
    assert list(world.kept.iterdir()) == []
