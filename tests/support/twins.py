"""Two builds of one commit, signed by a key of the test, and a registry that has both."""

from __future__ import annotations

import json
from pathlib import Path

from support.cosign_fixtures import BUNDLE, Image, TestKey, image, manifest_node, statement
from support.gitops_repo import COMMIT, GitopsRepo, make
from support.registry_server import RegistryServer

from promote.model.digest import Digest

KEY = TestKey.make()
SIGN, SPDX = "https://sigstore.dev/cosign/sign/v1", "https://spdx.dev/Document"
SBOM = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "SPDXID": "SPDXRef-a", "versionInfo": "1"}]}
WHOLE, SHORT, LONGER = (f"sha-{COMMIT[:n]}" for n in (40, 7, 12))


def signed(case: str, commit: str | None = COMMIT, key: TestKey = KEY) -> Image:
    """The bare image of `case`, with a signature that names `commit` and an SBOM, both by `key`."""
    target = image(case).bare()
    annotated = {"digest": {"sha256": target.digest.hex}, "annotations": {"commit": commit} if commit else {}}
    payloads = (
        statement(target.digest, predicateType=SIGN, subject=[annotated]),
        statement(target.digest, predicateType=SPDX, predicate=SBOM),
    )
    nodes = (manifest_node(target, [(BUNDLE, key.bundle(json.dumps(p).encode()), {})]) for p in payloads)
    return target.with_nodes(*nodes)


def push(server: RegistryServer, what: Image, tag: str) -> Digest:
    """Put an image with its evidence into the registry, without a request."""
    there = server.repository("acme/shop")
    for content in what.store.blobs.values():
        there.add_blob(content)
    for node in what.graph.nodes:
        there.add_manifest(node.manifest.content, node.manifest.media_type, node.tag)
    there.tags[tag] = str(what.digest)
    return what.digest


def world(home: Path, server: RegistryServer, key: TestKey = KEY) -> GitopsRepo:
    """A GitOps repository that promotes from `server` and trusts `key`."""
    repo = make(home, case="v3-key", staging=f"{server.address}", remote=False, pinned=False)
    repo.write("trust/test.pub", key.signer.pem)
    repo.configure(trust={"signers": [{"key": "trust/test.pub"}]}, gates={"deployed": "off"})
    return repo
