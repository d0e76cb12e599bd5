"""As many attestations as an image may have: each verified, each blob asked for once, and nothing imported in vain."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest
from support.cosign_fixtures import (
    BUNDLE,
    COMMIT,
    ENVELOPE,
    FIXTURES,
    SIGNATURE,
    Image,
    TestKey,
    image,
    manifest_node,
    statement,
)
from support.registry_server import RegistryServer, load_layout

from promote.evidence.signers import Conditions
from promote.evidence.verify import verify
from promote.model.graph import Node, Relation
from promote.model.policy import LogDemand, LogRule, Trust
from promote.model.reference import Repository
from promote.oci.graph import gather
from promote.oci.stores import Stores

MANY = 100
IMPORTS = """
import json, sys
sys.path.insert(0, "tests")
from support.cosign_fixtures import BUNDLE, Image, TestKey, Trust, image, manifest_node, statement
if sys.argv[1] == "keys":
    key, bare = TestKey.make(), image("v2-key").bare()
    payload = json.dumps(statement(bare.digest)).encode()
    nodes = [manifest_node(bare, [(BUNDLE, key.bundle(payload), {})]) for _ in range(int(sys.argv[2]))]
    target = Image(bare.with_nodes(*nodes).graph, bare.store, Trust((key.signer,)))
else:
    target = image(sys.argv[1])
accepted = target.findings().accepted
print(len(accepted), sorted({name.partition(".")[0] for name in sys.modules} & {"sigstore", "pydantic"}))
"""


def payload(target: Image, number: int) -> bytes:
    return json.dumps(statement(target.digest, predicate={"number": number})).encode()


def bundles(target: Image, key: TestKey) -> list[Node]:
    """One referrer for each attestation, as cosign v3 stores them."""
    return [
        manifest_node(target, [(BUNDLE, key.bundle(payload(target, n)), {})], artifact_type=BUNDLE) for n in range(MANY)
    ]


def layers(target: Image, key: TestKey) -> list[Node]:
    """One manifest under the `.att` tag with a layer for each attestation, as cosign v2 stores them."""
    contents = [(ENVELOPE, key.envelope(payload(target, n)), {SIGNATURE: ""}) for n in range(MANY)]
    return [manifest_node(target, contents, relation=Relation.COSIGN_TAG, tag=f"{target.digest.tag}.att")]


def attested(stored) -> Image:
    key, target = TestKey.make(), image("v2-key").bare()
    return Image(target.with_nodes(*stored(target, key)).graph, target.store, Trust((key.signer,)))


@pytest.mark.parametrize("stored", [bundles, layers])
def test_each_is_verified_and_each_blob_is_opened_once(stored) -> None:
    target = attested(stored)
    found = target.findings()
    assert found.rejected == ()
    assert sorted(e.predicate["number"] for e in found.attestations()) == list(range(MANY))
    blobs = [blob.digest for node in target.graph.evidence for blob in node.manifest.parsed.layers]
    assert Counter(target.store.asked) == Counter(blobs) == Counter(set(blobs))


@pytest.mark.parametrize("referrers", [True, False], ids=["api", "fallback"])
@pytest.mark.parametrize("stored", [bundles, layers])
def test_a_registry_is_asked_for_each_digest_once(tmp_path, stored, referrers) -> None:
    target = attested(stored)
    target.lay(tmp_path / "layout")
    with RegistryServer(referrers=referrers) as server, Stores({}, {"HOME": str(tmp_path)}) as stores:
        load_layout(tmp_path / "layout", server, "acme/shop")
        store = stores.open(Repository(server.address, "acme/shop"))
        graph = gather(store, store.manifest(store.resolve(f"sha-{COMMIT}").digest))
        found = verify(graph, store, target.trust, Conditions(LogRule(LogDemand.PROMISE)))
        asked = Counter(r.target for r in server.requests if r.method == "GET" and "/sha256:" in r.target)
    assert len(found.attestations()) == MANY
    nodes = target.graph.evidence
    assert {f"/v2/acme/shop/blobs/{b.digest}" for n in nodes for b in n.manifest.parsed.layers} <= set(asked)
    assert {what: times for what, times in asked.items() if times > 1} == {}


@pytest.mark.parametrize(
    ("case", "count", "imported"),
    [("keys", MANY, []), ("v3-keyless", 4, ["pydantic", "sigstore"])],
)
def test_sigstore_is_imported_only_for_a_certificate(case: str, count: int, imported: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, case, str(MANY)],
        capture_output=True,
        text=True,
        check=True,
        cwd=FIXTURES.parents[2],
    )
    assert (done.stdout, done.stderr) == (f"{count} {imported}\n", "")
