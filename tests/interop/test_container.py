"""The container image: built by buildah on a real Debian, run as it will be, signed by cosign and promoted by itself.

The image that the Containerfile names cannot be had without its registry: what debootstrap makes of the same Debian is
pushed to a registry here, and named by its digest in its place.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness.containers import COMMIT, Container
from harness.gitops import GIT_ENV
from harness.process import CommandFailed, run
from harness.promote import nobody
from harness.signing import COSIGN_ENV, Key, Signer
from harness.tools import DEBIAN

from promote import __version__

ROOT = Path(__file__).parents[2]
SOURCE = "acme/promote"
TAG = f"sha-{COMMIT}"
NOBODY = 65532
PYTHON = "/opt/promote/bin/python"
PROMOTE = "/opt/promote/bin/promote"
LABEL = "org.opencontainers.image."


@dataclass(frozen=True, slots=True)
class Pushed:
    """The image in its first registry, ``host:port/staging/promote``, and a working copy with what promotes it."""

    repository: str
    digest: str
    directory: Path

    @property
    def pinned(self) -> str:
        """The image by digest."""
        return f"{self.repository}@{self.digest}"


@pytest.fixture(scope="module")
def pushed(tools, buildah, image, registries, tmp_path_factory) -> Pushed:
    """What the release workflow does: push, sign, describe, and have .github/promote.yaml with these registries."""
    staging, prod = registries["distribution3"], registries["ggcr"]
    directory = tmp_path_factory.mktemp("release")
    digest = buildah.push(image, f"{staging}/staging/promote:{TAG}")
    signed = Pushed(f"{staging}/staging/promote", digest, directory)
    sbom = directory / "sbom.cdx.json"
    with buildah.container(image) as started:
        sbom.write_text(started.run(PYTHON, "-I", "/sbom/image_sbom.py", COMMIT, volumes={ROOT / ".github": "/sbom"}))
    signer = Key.generate(tools, tmp_path_factory.mktemp("key") / "pair")
    cosign(tools, signer, "sign", "-a", f"repo={SOURCE}", "-a", f"commit={COMMIT}", signed.pinned)
    cosign(tools, signer, "attest", "--type=cyclonedx", f"--predicate={sbom}", signed.pinned)
    configuration = yaml.safe_load((ROOT / ".github/promote.yaml").read_bytes())
    configuration["environments"]["staging"]["registry"] = f"{staging}/staging"
    configuration["environments"]["prod"]["registry"] = prod
    configuration["trust"] = signer.trust(SOURCE)
    for name, content in {"promote.yaml": yaml.safe_dump(configuration).encode(), **signer.trust_files()}.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=directory, env=GIT_ENV)
    given_to(NOBODY, directory)
    return signed


def test_linter_finds_nothing_in_the_workflows(tools):
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    assert [path.name for path in workflows] == ["ci.yml", "release.yml"]
    assert run([tools["actionlint"], *workflows], env={"HOME": "/nonexistent"}) == ""


def test_the_image_says_what_it_is_and_runs_as_nobody(buildah, image, base):
    configuration = buildah.image(image)["config"]
    assert configuration["User"] == f"{NOBODY}:{NOBODY}"
    assert configuration["Entrypoint"] == [PROMOTE]
    assert configuration["WorkingDir"] == "/repo"
    labels = {name.removeprefix(LABEL): value for name, value in configuration["Labels"].items() if LABEL in name}
    assert labels.pop("description")
    assert labels == {
        "title": "promote",
        "licenses": "Apache-2.0",
        "source": f"https://github.com/{SOURCE}",
        "revision": COMMIT,
        "base.name": base.name,
        "base.digest": base.digest,
    }


def test_promote_runs_in_it(container):
    assert container.run(PROMOTE, "--version") == f"promote {__version__}"
    shown = container.run(PROMOTE, "demo", "/tmp/demo")
    assert re.findall(r"\(exit code (\d+)\)", shown) == ["14", "15", "0"]


def test_it_has_nothing_to_install_with_and_nothing_to_become_root_with(container):
    root = container.root()
    binaries = {path.name for path in (root / "opt/promote/bin").iterdir()}
    assert {name for name in binaries if not name.startswith("python")} == {"promote"}
    packages = [path.name for path in (root / "opt/promote/lib").glob("*/site-packages/*")]
    assert "promote" in packages
    assert [name for name in packages if name.startswith(("pip", "hatchling", "setuptools"))] == []
    files = [path for path in tree(root) if stat.S_ISREG(path.lstat().st_mode)]
    assert [path for path in files if path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)] == []
    assert [path for path in files if path.lstat().st_uid == NOBODY and root / "home" not in path.parents] == []
    assert not (root / "etc/pip.conf").exists()


def test_only_the_directory_of_the_work_is_written(container, tmp_path):
    """The whole demo with a root that is mounted read-only, and no /tmp."""
    root, work = container.root(), tmp_path / "work"
    work.mkdir()
    given_to(NOBODY, work)
    script = """
        mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
        mount --bind "$2" "$1/repo" && mount --rbind /dev "$1/dev"
        exec chroot --userspec="$3:$3" "$1" /usr/bin/env -i PATH=/opt/promote/bin:/usr/bin:/bin HOME=/home/promote \\
            sh -c 'cd /repo && ! touch /tmp/kept 2> touched && promote demo demo && cat touched'
    """
    said = run(["unshare", "--mount", "sh", "-euc", script, "sh", root, work, str(NOBODY)])
    assert re.findall(r"\(exit code (\d+)\)", said) == ["14", "15", "0"]
    assert "Read-only file system" in said
    assert {path.name for path in work.iterdir()} == {"demo", "touched"}


def test_a_checkout_of_another_user_is_refused_until_it_is_declared_safe(container, tmp_path):
    """What docs/howto/container.md says of a CI whose checkout belongs to root."""
    directory = tmp_path / "checkout"
    directory.mkdir()
    (directory / "promote.yaml").write_bytes((ROOT / ".github/promote.yaml").read_bytes())
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=Say what is promoted"]):
        run(["git", *arguments], cwd=directory, env=GIT_ENV)
    refused = container.run(PROMOTE, "status", "--format=json", volumes={directory: "/repo"}, code=2)
    assert json.loads(refused)["error"]["code"] == "unsafe-repository"
    script = 'export HOME=/tmp && git config --global --add safe.directory "$PWD" && promote status'
    container.run("sh", "-c", script, volumes={directory: "/repo"})


def test_no_image_without_a_commit_or_a_digest_of_its_base(buildah, base, image):
    pinned = {"BASE_NAME": base.name, "BASE_DIGEST": base.digest}
    with pytest.raises(CommandFailed, match="got REVISION='v1', expected a whole commit id"):
        buildah.build(ROOT, "nothing", {**pinned, "REVISION": "v1"})
    with pytest.raises(CommandFailed, match="invalid reference format"):
        buildah.build(ROOT, "nothing", {**pinned, "REVISION": COMMIT, "BASE_DIGEST": ""})


def test_the_base_is_pinned_and_is_the_debian_of_these_tests():
    words = (ROOT / "Containerfile").read_text()
    assert re.search(r"^ARG BASE_DIGEST=sha256:[0-9a-f]{64}$", words, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", words, re.MULTILINE) == ["${BASE_NAME}@${BASE_DIGEST}"] * 2
    assert re.search(r"^ARG BASE_NAME=docker\.io/library/debian:13\.\d+-slim$", words, re.MULTILINE)
    assert DEBIAN == "trixie"


def test_the_image_is_promoted_by_itself(container, pushed, registries, images):
    promoted = released(container, pushed, "staging->prod", TAG)
    (release,) = promoted["releases"]
    assert (release["digest"], release["changed"]) == (pushed.digest, True)
    verdicts = {gate["gate"]: gate["verdict"] for gate in release["gates"]}
    assert {name: verdicts[name] for name in ("tag", "labels", "signature", "commit", "sbom")} == dict.fromkeys(
        ("tag", "labels", "signature", "commit", "sbom"), "pass"
    )
    target = f"{registries['ggcr']}/promote"
    assert images.digest(f"{target}:{TAG}") == pushed.digest
    assert images.manifest(f"{target}@{pushed.digest}") == images.manifest(pushed.pinned)
    evidence = [found for copy in release["copies"] for found in copy["evidence"]]
    assert len(evidence) == 2  # the signature and the SBOM
    again = released(container, pushed, "staging->prod", TAG)
    assert again["releases"][0]["changed"] is False


def test_the_image_under_the_tag_of_another_commit_is_refused(container, pushed, images):
    other = f"sha-{'0' * 40}"
    images.tag(pushed.pinned, other)
    refused = released(container, pushed, "staging->prod", other, code=15)
    assert refused["ok"] is False


def test_its_sbom_has_debians_packages_and_every_locked_distribution(pushed):
    components = json.loads((pushed.directory / "sbom.cdx.json").read_bytes())["components"]
    python = {
        part["name"].lower().replace("_", "-").replace(".", "-") for part in components if "pkg:pypi/" in part["purl"]
    }
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE))
    assert python == {*locked, "promote-by-digest"}
    debian = {part["name"] for part in components if part["purl"].startswith("pkg:deb/debian/")}
    assert {"ca-certificates", "git", "libc6", "openssh-client", "python3.13"} < debian


def released(container: Container, pushed: Pushed, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The result of the container's promote on the working copy, with the configuration of the release."""
    told = container.run(PROMOTE, *arguments, "--format=json", volumes={pushed.directory: "/repo"}, code=code)
    result: dict[str, Any] = json.loads(told)
    return result


def cosign(tools: Mapping[str, Path], signer: Signer, verb: str, *arguments: str) -> None:
    """`cosign sign` or `cosign attest` of a commit of promote, without anybody's credentials."""
    options = {"sign": signer.sign_options, "attest": signer.attest_options}[verb](SOURCE, COMMIT)
    environment = {**COSIGN_ENV, **signer.environment, **nobody(ROOT / "absent")}
    run([tools[signer.cosign], verb, "--yes", *options, *arguments], env=environment)


def given_to(user: int, directory: Path) -> None:
    """Let `user` own a directory and all that is in it."""
    for path in (directory, *tree(directory)):
        os.chown(path, user, user, follow_symlinks=False)


def tree(directory: Path) -> Iterator[Path]:
    """Everything below a directory; no symbolic link is followed."""
    for here, directories, files in os.walk(directory):
        yield from (Path(here, name) for name in (*directories, *files))
