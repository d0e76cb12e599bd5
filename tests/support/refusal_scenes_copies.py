"""Scenes of the copy: a target that takes less than it is sent, and what it makes of evidence."""

from __future__ import annotations

import json
import shutil
from itertools import count
from typing import Any

import stamina
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.cosign_fixtures import ENVELOPE, SIGNATURE, Image, image, manifest_node, simple_signing, statement
from support.cosign_fixtures import signed as with_signature
from support.git_world import git
from support.gitops_repo import DIGEST, TAG, digest_of_case
from support.refusal_scenes_images import built
from support.refusal_world import KEY, SPDX, Scene, World
from support.registry_profiles import digest_tags_always
from support.registry_profiles import error as answer
from support.registry_server import Answer, Drop, Request, Tamper, when
from support.scene_makers import PROMOTE, SBOM, VULN, from_server, scan, to_server

from promote.model.digest import Digest
from promote.model.manifest import MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST
from promote.oci.graph import Relation

LIST = f"/manifests/{DIGEST.replace(':', '-')}"
EMPTY = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
PLAIN = KEY.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _listed(content: bytes, media_type: str) -> Scene:
    """Prod has no referrers API, and something under the tag where the list of signatures belongs."""

    def scene(world: World) -> tuple[str, ...]:
        server = world.server(referrers=False)
        server.repository("acme/shop").add_manifest(content, media_type, DIGEST.replace(":", "-"))
        world.make(prod=server.address)
        return PROMOTE

    return scene


def _taken_for_the_image(world: World) -> tuple[str, ...]:
    server = world.server(referrers=False)
    server.faults.append(digest_tags_always(server))
    world.make(prod=server.address)
    return PROMOTE


def _written_by_others(world: World) -> tuple[str, ...]:
    world.stack.enter_context(stamina.set_testing(True, attempts=8, cap=True))
    server = world.server(referrers=False)

    def theirs(request: Request) -> Answer | None:
        headers = {"Content-Type": OCI_INDEX, "Docker-Content-Digest": str(Digest.of(EMPTY))}
        return Answer(200, headers, EMPTY) if request.method in {"GET", "HEAD"} and LIST in request.target else None

    server.faults.append(theirs)
    world.make(prod=server.address)
    return PROMOTE


def _huge_chunks(world: World) -> tuple[str, ...]:
    def too_large(request: Request) -> Answer | None:
        large = request.method == "PUT" and int(request.headers.get("content-length", "0")) > 300_000
        return Answer(413, {}, b"") if large else None

    least = when("POST", "/blobs/uploads/", Tamper(headers={"OCI-Chunk-Min-Length": "1073741824"}))
    server = world.server(faults=(too_large, least))
    large = built(b"{}", b"x" * 600_000)
    world.signed((SPDX, SBOM), built=large, prod=server.address, staging_runs=None, gates={"deployed": "off"})
    return PROMOTE


def _others_signatures(world: World) -> tuple[str, ...]:
    repo = world.make("v2-key")
    payload = simple_signing(Digest.parse(digest_of_case("v2-key")), optional={"by": "production"})
    with_signature(json.dumps(payload).encode(), KEY).lay(repo.layout("prod"))
    return PROMOTE


def _scanned_there(world: World) -> tuple[str, ...]:
    repo = world.make("v2-key", gates={"vulnerabilities": {}})
    repo.write("trust/test.pub", KEY.signer.pem)
    repo.configure(trust={"signers": [{"key": "trust/test.pub"}]})
    attested = ((SPDX, SBOM), (VULN, scan()))
    later = (VULN, scan("CRITICAL", at="2026-01-02T00:00:00Z"))
    for env, statements in (("staging", attested), ("prod", (*attested, later))):
        shutil.rmtree(repo.layout(env), ignore_errors=True)
        _by_tags(*statements).lay(repo.layout(env))
    return PROMOTE


def _by_tags(*statements: tuple[str, Any]) -> Image:
    """An image with its signature and these statements under cosign's tags."""
    signed = with_signature(json.dumps(simple_signing(image("v2-key").digest)).encode(), KEY)
    payloads = (statement(signed.digest, predicateType=kind, predicate=body) for kind, body in statements)
    layers = [(ENVELOPE, KEY.envelope(json.dumps(payload).encode()), {SIGNATURE: ""}) for payload in payloads]
    tag = f"{signed.digest.tag}.att"
    return signed.with_nodes(manifest_node(signed, layers, relation=Relation.COSIGN_TAG, tag=tag))


def _verdict_lost(world: World) -> tuple[str, ...]:
    server = world.server()
    repo = world.make(prod=server.address)
    assert repo.promote(TAG, "--no-push").code == 0
    git(repo.root, "fetch", "-q", "origin")
    git(repo.root, "reset", "-q", "--hard", "origin/main")
    server.faults.append(when("PUT", "/manifests/", Answer(201, {"OCI-Subject": DIGEST})))
    repo.write("keys/promote.key", PLAIN)
    environments = repo.config["environments"]
    attest = {"attest": {"key": "keys/promote.key"}}
    repo.configure(environments=environments | {"prod": environments["prod"] | attest})
    return PROMOTE


def _creeping(world: World) -> tuple[str, ...]:
    scene = from_server()
    seconds = count(0, 61)
    world.patch.setattr("promote.oci.patience.SystemClock.now", lambda _clock: float(next(seconds)))
    return scene(world)


SCENES: dict[str, Scene] = {
    "repository-missing": to_server(create_on_push=False),
    "upload-too-large": to_server(when("PUT", "/blobs/uploads/", Answer(413, {}, b""))),
    "upload-broken": to_server(when("PUT", "/blobs/uploads/", Drop())),
    "chunk-too-large": _huge_chunks,
    "stalled": _creeping,
    "tag-not-moved": to_server(referrers=False, immutable=answer(405, "TAG_IMMUTABLE")),
    "evidence-tag-differs": _others_signatures,
    "not-arrived": to_server(when("GET", "/referrers/", Tamper(body=lambda _: EMPTY))),
    "arrival-unverified": _scanned_there,
    "attestation-unverified": _verdict_lost,
    "fallback-tag-unusable": _taken_for_the_image,
    "fallback-tag-contended": _written_by_others,
    "fallback-tag-full": _listed(
        json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": OCI_INDEX,
                "manifests": [],
                "annotations": {"note": "x" * (MAX_MANIFEST_BYTES - 200)},
            }
        ).encode(),
        OCI_INDEX,
    ),
    "fallback-tag-taken": _listed(
        json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": []}).encode(), OCI_MANIFEST
    ),
}
"""Each code that a copy can end a run with, and how."""
