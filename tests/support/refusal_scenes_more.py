"""More scenes: servers that misbehave, checkouts that are odd, evidence that is there and does not count."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from support.git_world import executable, git
from support.gitops_repo import FIXTURES, TAG, GitopsRepo
from support.refusal_world import SPDX, Scene, World
from support.registry_server import Answer, Tamper, load_layout, when

PROMOTE = ("staging->prod", TAG)
SBOM = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "SPDXID": "SPDXRef-a", "versionInfo": "1"}]}
CYCLONEDX = "https://cyclonedx.org/bom"
OTHER = "sha256:" + "0123456789abcdef" * 4


def from_server(*faults: Any, **options: Any) -> Scene:
    """Staging is a registry with these faults."""

    def scene(world: World) -> tuple[str, ...]:
        server = world.server(**options)
        load_layout(FIXTURES / "v3-keyless" / "layout", server, "acme/shop")
        server.faults += faults
        world.make(staging=server.address)
        return PROMOTE

    return scene


def to_server(*faults: Any, **options: Any) -> Scene:
    """Prod is a registry with these faults."""

    def scene(world: World) -> tuple[str, ...]:
        server = world.server(**options)
        server.faults += faults
        world.make(prod=server.address)
        return PROMOTE

    return scene


def checkout(change: Callable[[GitopsRepo], object], *arguments: str, **more: Any) -> Scene:
    """The checkout is changed before promote runs in it."""

    def scene(world: World) -> tuple[str, ...]:
        change(world.make(**more))
        return arguments or PROMOTE

    return scene


def described(kind: str, body: dict[str, Any], **demands: Any) -> Scene:
    """The image has a signature and one SBOM."""

    def scene(world: World) -> tuple[str, ...]:
        world.signed((kind, body), gates=demands)
        return PROMOTE

    return scene


def _gpg(repo: GitopsRepo) -> None:
    executable(repo.home / "gpg", "echo 'gpg: signing failed: No secret key' >&2\nexit 2")
    git(repo.root, "config", "commit.gpgSign", "true")
    git(repo.root, "config", "gpg.program", str(repo.home / "gpg"))


def _filtered(repo: GitopsRepo) -> None:
    repo.write(".gitattributes", "*.yaml filter=indent\n")
    repo.commit()
    git(repo.root, "config", "filter.indent.smudge", "cat")


def _other_tree(repo: GitopsRepo) -> None:
    git(repo.root, "checkout", "-q", "-b", "work")
    git(repo.root, "worktree", "add", "-q", str(repo.home / "other"), "main")


def _no_git(world: World) -> tuple[str, ...]:
    world.make(remote=False)
    (world.home / "empty").mkdir()
    world.patch.setenv("PATH", str(world.home / "empty"))
    return PROMOTE


def _without_overlays(repo: GitopsRepo) -> None:
    prod = {k: v for k, v in repo.config["environments"]["prod"].items() if k != "overlays"}
    repo.configure(environments=repo.config["environments"] | {"prod": prod})


def _helper(world: World) -> tuple[str, ...]:
    server = world.server(auth="basic")
    world.make(staging=server.address)
    (world.home / "docker").mkdir()
    (world.home / "docker" / "config.json").write_text(json.dumps({"credHelpers": {server.address: "gone"}}))
    world.patch.setenv("DOCKER_CONFIG", str(world.home / "docker"))
    return PROMOTE


def _nothing_here(world: World) -> tuple[str, ...]:
    world.make(remote=False)
    world.where = world.home / "elsewhere"
    world.where.mkdir()
    return ("init",)


def _unsigned_sbom(world: World) -> tuple[str, ...]:
    world.signed(unsigned=json.dumps(SBOM).encode())
    return PROMOTE


def _crowd(world: World) -> tuple[str, ...]:
    world.signed(*((SPDX, SBOM | {"name": f"document {number}"}) for number in range(101)))
    return PROMOTE


def _sibling(world: World) -> tuple[str, ...]:
    repo = world.make()
    path = "overlays/shop/base/deployment.yaml"
    text = (repo.root / path).read_text().replace("image: shop", "image: registry.prod.example/acme/shop:1")
    repo.write(path, text + "        - {name: mirror, image: 'registry-prod.example/acme/shop:1'}\n")
    repo.set_overlay("prod", "resources: [../base]\nimages: [{name: registry.prod.example/acme/shop, newTag: x}]\n")
    return PROMOTE


BLOBS = "/blobs/sha256:"
SCENES: dict[str, Scene] = {
    "sbom-unsigned": _unsigned_sbom,
    "evidence-refused": _crowd,
    "too-much-effect": _sibling,
    "sbom-of-another-image": described(
        CYCLONEDX,
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "metadata": {"component": {"type": "container", "name": "shop", "version": OTHER, "bom-ref": "shop"}},
            "components": [{"type": "library", "name": "a", "version": "1", "bom-ref": "a"}],
        },
    ),
    "sbom-time": described(SPDX, SBOM | {"creationInfo": {"created": "2999-01-01T00:00:00Z"}}),
    "too-many-redirects": from_server(
        when("GET", "/manifests/", Answer(307, {"Location": "/v2/loop/manifests/x"}, b""))
    ),
    "unsafe-token-realm": from_server(auth="token", realm="http://login.example/token"),
    "token-malformed": from_server(when("GET", "/token", Answer(200, {}, b"<html>")), auth="token"),
    "answer-too-large": from_server(when("GET", "/manifests/", Tamper(body=lambda body: body + b" " * 9_000_000))),
    "blob-missing": from_server(when("GET", BLOBS, Answer(404, {}, b""))),
    "content-encoding": from_server(when("GET", BLOBS, Tamper(headers={"Content-Encoding": "gzip"}))),
    "repository-missing": to_server(create_on_push=False),
    "upload-too-large": to_server(when("PUT", "/blobs/uploads/", Answer(413, {}, b""))),
    "credential-helper-failed": _helper,
    "signing-failed": checkout(_gpg),
    "working-copy-filtered": checkout(_filtered, remote=False),
    "branch-checked-out": checkout(_other_tree, remote=False, git={"branch": "main"}),
    "git-missing": _no_git,
    "git-protocol": checkout(lambda repo: git(repo.root, "remote", "set-url", "origin", "ext::sh -c x")),
    "file-too-large": checkout(lambda repo: repo.write("promote.yaml", "#" * 20_000_000)),
    "no-overlays": checkout(_without_overlays, "rollback", "prod"),
    "no-overlays-found": _nothing_here,
}
"""Each code that a run can be made to end with, and how."""
