"""Scenes of images that are damaged or odd, most of them in directories that stand for registries."""

from __future__ import annotations

import json
from typing import Any

from support.cosign_fixtures import Image, MemoryStore, trust_of
from support.gitops_repo import DIGEST, TAG, digest_of_case
from support.refusal_scenes_gates import crowd
from support.refusal_world import SPDX, Scene, World
from support.scene_makers import LAYOUT, PROMOTE, REF_NAME, ROOT, SBOM, case, change_index, written

from promote.model.manifest import OCI_MANIFEST, RawManifest
from promote.oci.graph import Graph, Node, Relation
from promote.oci.layout import MAX_INDEX_BYTES

CONFIG, LAYER = "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar"


def built(config: bytes, *layers: bytes, **more: Any) -> Image:
    """An image of one's own, unsigned."""
    store = MemoryStore()
    described = [
        {"mediaType": kind, "digest": str(store.put(content)), "size": len(content)}
        for kind, content in [(CONFIG, config), *((LAYER, layer) for layer in layers)]
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described[0], "layers": described[1:]} | more
    root = RawManifest(json.dumps(document).encode(), OCI_MANIFEST)
    return Image(Graph((Node(root, Relation.ROOT),)), store, trust_of("v3-key"))


def _blob(digest: str, content: bytes | None) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        path = world.make().layout("staging") / "blobs/sha256" / digest.removeprefix("sha256:")
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        return PROMOTE

    return scene


def _sparse(world: World) -> tuple[str, ...]:
    repo = world.make("v3-keyless-index")
    blobs = repo.layout("staging") / "blobs/sha256"
    index = json.loads((blobs / digest_of_case("v3-keyless-index").removeprefix("sha256:")).read_bytes())
    (blobs / index["manifests"][0]["digest"].removeprefix("sha256:")).unlink()
    return PROMOTE


def _tag_twice(world: World) -> tuple[str, ...]:
    world.make()

    def twice(index: dict[str, Any]) -> None:
        tagged = next(d for d in index["manifests"] if d.get("annotations", {}).get(REF_NAME) == TAG)
        other = next(d for d in index["manifests"] if d["digest"] != tagged["digest"])
        index["manifests"].append(other | {"annotations": {REF_NAME: TAG}})

    change_index(world, twice)
    return PROMOTE


def _oneself(image: Image) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        world.signed((SPDX, SBOM), built=image, staging_runs=None, gates={"deployed": "off"})
        return PROMOTE

    return scene


def _crowd_proposed(world: World) -> tuple[str, ...]:
    crowd(world)
    return ("init", "--from", f"{LAYOUT}:{TAG}", "--dry-run")


def _padded(world: World) -> tuple[str, ...]:
    path = world.make().layout("staging") / "index.json"
    path.write_bytes(path.read_bytes() + b" " * MAX_INDEX_BYTES)
    return PROMOTE


def _linked(world: World) -> tuple[str, ...]:
    blob = world.make().layout("staging") / "blobs/sha256" / DIGEST.removeprefix("sha256:")
    elsewhere = blob.rename(world.home / "elsewhere")
    blob.symlink_to(elsewhere)
    return PROMOTE


SCENES: dict[str, Scene] = {
    "content-mismatch": _blob(DIGEST, b"{}"),
    "content-absent": _blob(DIGEST, None),
    "index-sparse": _sparse,
    "tag-ambiguous": _tag_twice,
    "layout-malformed": written("../registries/staging/acme/shop/index.json", "{"),
    "no-such-image": case("v3-keyless", "init", "--from", f"{LAYOUT}:sha-9999999", "--trusted-root", ROOT, "--dry-run"),
    "layout-not-plain": _linked,
    "too-much-evidence": _crowd_proposed,
    "content-too-large": _padded,
    "manifest-malformed": _oneself(built(b"{}", layers="none")),
    "config-malformed": _oneself(built(b"<html>", b"layer")),
}
"""Each code that an image can end a run with, and how."""
