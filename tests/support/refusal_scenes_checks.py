"""Scenes of what looks and changes nothing: `lint`, `doctor` and `status --check`."""

from __future__ import annotations

import json
import shutil
from typing import Any

from support.gitops_repo import DIGEST, FIXTURES, TAG
from support.refusal_world import Scene, World
from support.registry_server import load_layout
from support.scene_makers import ROOT, checkout

PINNED = f"{{name: shop, newTag: {TAG}, digest: '{DIGEST}'}}"


def _gone(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.promote(TAG).code == 0
    shutil.rmtree(repo.layout("prod"))
    return ("status", "prod", "--check")


def _moved(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.promote(TAG).code == 0
    shutil.rmtree(repo.layout("prod"))
    shutil.copytree(FIXTURES / "v3-keyless-index" / "layout", repo.layout("prod"))
    return ("status", "prod", "--check")


def _unknown_registry(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.promote(TAG).code == 0
    (repo.layout("prod") / "index.json").write_text("{")
    return ("status", "prod", "--check")


def _link(world: World) -> tuple[str, ...]:
    repo = world.make()
    path = repo.root / "overlays/shop/prod/kustomization.yaml"
    path.unlink()
    path.symlink_to("../staging/kustomization.yaml")
    repo.commit()
    return ("status", "prod", "--check")


def linted(entry: str, *arguments: str) -> Scene:
    """`promote lint` of an overlay whose images are `entry`."""

    def scene(world: World) -> tuple[str, ...]:
        repo = world.make()
        repo.set_overlay("prod", f"resources: [../base]\nimages:\n  - {entry}\n")
        return ("lint", *arguments)

    return scene


def _no_tag(world: World) -> tuple[str, ...]:
    world.make().set_overlay("prod", "resources: [../base]\n")
    return ("lint",)


def _remote_base(world: World) -> tuple[str, ...]:
    overlay = "resources: ['https://github.com/acme/base//shop?ref=v1']\n"
    world.make().set_overlay("prod", overlay)
    return ("lint", "--strict")


def _wrong_clock(world: World) -> tuple[str, ...]:
    date = "Sat, 01 Jan 2000 00:00:00 GMT"
    world.patch.setattr("support.registry_server._Handler.date_time_string", lambda *_: date)
    server = world.server()
    load_layout(FIXTURES / "v3-keyless" / "layout", server, "acme/shop")
    world.make(staging=server.address)
    return ("doctor",)


def _ended(world: World) -> tuple[str, ...]:
    repo = world.make()
    root = json.loads((repo.root / ROOT).read_bytes())

    def end(value: Any) -> None:
        for inner in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            end(inner)
        if isinstance(value, dict) and "start" in value:
            value["end"] = "2026-01-01T00:00:00Z"

    end(root)
    repo.write(ROOT, json.dumps(root))
    return ("doctor",)


def _old_git(world: World) -> tuple[str, ...]:
    world.make()
    world.program("git", 'case "$*" in *version) echo "git version 2.25.1"; exit;; esac')
    return ("doctor",)


def _not_a_directory(world: World) -> tuple[str, ...]:
    repo = world.make()
    shutil.rmtree(repo.layout("staging").parents[1])
    (world.home / "registries" / "staging").write_text("")
    return ("doctor",)


SCENES: dict[str, Scene] = {
    "registry-missing": _gone,
    "registry-moved": _moved,
    "registry-unknown": _unknown_registry,
    "overlay-unreadable": _link,
    "tag-missing": _no_tag,
    "digest-missing": checkout(lambda _repo: None, "lint"),
    "digest-malformed": linted("{name: shop, newTag: sha-4f2a91c, digest: 'sha256:4f2a91c'}"),
    "floating-tag-pinned": linted(f"{PINNED}\n  - {{name: proxy, newTag: latest, digest: '{DIGEST}'}}", "--strict"),
    "digest-only": linted(f"{{name: shop, digest: '{DIGEST}'}}", "--strict"),
    "image-unresolved": linted("{name: shop, newTag: '${TAG}'}", "--strict"),
    "overlay-unseen": _remote_base,
    "clock-skew": _wrong_clock,
    "trust-root-ended": _ended,
    "git-old": _old_git,
    "layout-unusable": _not_a_directory,
}
"""Each code that a check can end a run with, and how."""
