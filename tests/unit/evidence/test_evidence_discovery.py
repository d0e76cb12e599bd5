"""Where evidence is looked for, and what is reported without being read."""

from __future__ import annotations

import json

import pytest
from support.cosign_fixtures import BUNDLE, ENVELOPE, IN_TOTO, SIMPLE_SIGNING, TestKey, image, manifest_node, signed
from support.cosign_fixtures import simple_signing as payload_about

from promote.errors import Refusal
from promote.evidence.discovery import MAX_BLOB_BYTES, MAX_CANDIDATES, Discovery, Form, discover
from promote.model.digest import Digest
from promote.model.evidence import Flaw, Kind, Storage
from promote.model.graph import Graph, Node, Relation
from promote.model.manifest import OCI_INDEX, RawManifest


def found(*nodes_of: dict) -> Discovery:
    target = image("v3-key").bare()
    return discover(target.with_nodes(*(manifest_node(target, **n) for n in nodes_of)).graph)


@pytest.mark.parametrize(
    "kind",
    [
        BUNDLE,
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle.v0.4+json",
    ],
)
def test_every_bundle_media_type_is_a_bundle(kind: str) -> None:
    for where in ({"layers": [(kind, b"x", {})]}, {"layers": [("a/b", b"x", {})], "artifact_type": kind}):
        result = found(where)
        assert [(c.form, c.storage) for c in result.candidates] == [(Form.BUNDLE, Storage.BUNDLE)]
        assert result.rejected == ()


@pytest.mark.parametrize("count", [0, 2])
def test_a_bundle_manifest_has_exactly_one_layer(count: int) -> None:
    result = found({"layers": [(BUNDLE, b"x%d" % n, {}) for n in range(count)], "artifact_type": BUNDLE})
    assert result.candidates == ()
    assert [(r.flaw, r.actual) for r in result.rejected] == [(Flaw.MALFORMED, f"{count} layers")]


def test_signature_and_attestation_referrers_are_read_layer_by_layer() -> None:
    result = found(
        {"layers": [(SIMPLE_SIGNING, b"a", {}), (SIMPLE_SIGNING, b"b", {})]},
        {"layers": [(ENVELOPE, b"c", {}), (ENVELOPE, b"d", {})]},
    )
    assert [c.storage for c in result.candidates] == [Storage.SIGNATURE_REFERRER] * 2 + [
        Storage.ATTESTATION_REFERRER
    ] * 2


def test_a_notary_signature_is_reported_as_not_supported() -> None:
    kind = "application/vnd.cncf.notary.signature"
    for where in ({"artifact_type": kind}, {"config_type": kind}):
        result = found({"layers": [("application/jose+json", b"x", {})]} | where)
        assert [(r.flaw, r.kind, r.summary) for r in result.rejected] == [
            (Flaw.UNSUPPORTED, Kind.SIGNATURE, "a Notary signature, not supported")
        ]


@pytest.mark.parametrize(
    ("media_type", "predicate_type"),
    [
        ("text/spdx+json", "https://spdx.dev/Document"),
        ("application/spdx+json", "https://spdx.dev/Document"),
        ("application/vnd.cyclonedx+json", "https://cyclonedx.org/bom"),
    ],
)
def test_an_sbom_that_nobody_signed_is_reported(media_type: str, predicate_type: str) -> None:
    tag = f"{image('v3-key').digest.tag}.sbom"
    for where in ({"relation": Relation.COSIGN_TAG, "tag": tag}, {"artifact_type": media_type}):
        result = found({"layers": [(media_type, b"{}", {})]} | where)
        assert result.candidates == ()
        assert [(r.flaw, r.kind, r.predicate_type) for r in result.rejected] == [
            (Flaw.UNSIGNED, Kind.ATTESTATION, predicate_type)
        ]
        assert result.rejected[0].summary == f"an SBOM ({predicate_type}) is there, unsigned"


def test_a_buildkit_statement_inside_the_index_is_unsigned() -> None:
    target = image("v3-keyless-index").bare()
    layer = (IN_TOTO, b"{}", {"in-toto.io/predicate-type": "https://spdx.dev/Document"})
    result = discover(target.with_nodes(manifest_node(target, [layer], relation=Relation.CHILD)).graph)
    assert result.candidates == ()
    assert [(r.flaw, r.predicate_type) for r in result.rejected] == [(Flaw.UNSIGNED, "https://spdx.dev/Document")]
    assert result.rejected[0].summary == (
        "an SBOM (https://spdx.dev/Document) is there, BuildKit put it into the index, unsigned"
    )


def test_an_sbom_tag_of_an_unknown_kind_is_still_called_an_sbom() -> None:
    tag = f"{image('v3-key').digest.tag}.sbom"
    result = found({"layers": [("text/x", b"", {})], "relation": Relation.COSIGN_TAG, "tag": tag})
    assert [(r.flaw, r.summary) for r in result.rejected] == [(Flaw.UNSIGNED, "an SBOM is there, unsigned")]


def test_a_referrer_of_another_subject_is_reported_and_not_read() -> None:
    result = found({"layers": [(BUNDLE, b"x", {})], "subject": Digest.of(b"another")})
    assert result.candidates == ()
    assert [(r.flaw, r.actual) for r in result.rejected] == [(Flaw.INVALID, str(Digest.of(b"another")))]


def test_a_tag_of_another_digest_is_reported_and_not_read() -> None:
    tag = f"{Digest.of(b'another').tag}.sig"
    result = found({"layers": [(SIMPLE_SIGNING, b"x", {})], "relation": Relation.COSIGN_TAG, "tag": tag})
    assert result.candidates == ()
    assert [r.flaw for r in result.rejected] == [Flaw.INVALID]


def test_a_layer_of_another_type_under_a_signature_tag_is_reported() -> None:
    tag = f"{image('v3-key').digest.tag}.sig"
    result = found({"layers": [("text/plain", b"x", {})], "relation": Relation.COSIGN_TAG, "tag": tag})
    assert [(r.flaw, r.kind) for r in result.rejected] == [(Flaw.UNSUPPORTED, Kind.SIGNATURE)]


def test_an_index_under_a_signature_tag_is_reported() -> None:
    target = image("v3-key").bare()
    index = RawManifest(json.dumps({"schemaVersion": 2, "manifests": []}).encode(), OCI_INDEX)
    node = Node(index, Relation.COSIGN_TAG, target.digest, f"{target.digest.tag}.sig")
    assert [r.flaw for r in discover(target.with_nodes(node).graph).rejected] == [Flaw.UNSUPPORTED]


def test_a_manifest_that_cannot_be_read_is_reported() -> None:
    target = image("v3-key").bare()
    node = Node(RawManifest(b"not JSON", OCI_INDEX), Relation.REFERRER, target.digest)
    assert [r.flaw for r in discover(target.with_nodes(node).graph).rejected] == [Flaw.MALFORMED]


def test_artifacts_of_other_kinds_are_not_evidence() -> None:
    result = found({"layers": [("application/vnd.acme.report", b"x", {})], "artifact_type": "application/vnd.acme"})
    assert result == Discovery((), ())


def test_evidence_about_evidence_says_nothing_about_the_image() -> None:
    target = image("v3-key")
    bundle = next(n for n in target.graph.nodes if n.relation is Relation.REFERRER)
    layers = [(BUNDLE, b"x", {})]
    node = manifest_node(target, layers, subject=bundle.digest)
    more = target.with_nodes(Node(node.manifest, Relation.REFERRER, bundle.digest))
    assert discover(more.graph) == discover(target.graph)


def test_evidence_reached_in_two_ways_counts_once() -> None:
    target = image("v3-key")
    twice = Graph((*target.graph.nodes, *target.graph.evidence))
    assert discover(twice) == discover(target.graph)
    key = TestKey.make()
    one = signed(json.dumps(payload_about(image("v2-key").digest)).encode(), key)
    layer = one.graph.nodes[-1].manifest.parsed.layers[0]
    copy = manifest_node(one, [(SIMPLE_SIGNING, one.store.blobs[layer.digest], dict(layer.annotations))])
    assert len(one.with_nodes(copy).findings().accepted) == 1


def test_two_signatures_of_one_payload_are_two() -> None:
    first, second = TestKey.make(), TestKey.make()
    payload = json.dumps(payload_about(image("v2-key").digest)).encode()
    one, two = signed(payload, first), signed(payload, second)
    both = one.with_nodes(two.graph.nodes[-1])
    assert len(discover(both.graph).candidates) == 2


def test_one_candidate_too_many_is_a_refusal_and_nothing_is_fetched() -> None:
    target = image("v3-key").bare()
    layers = [(SIMPLE_SIGNING, b"%d" % n, {}) for n in range(MAX_CANDIDATES + 1)]
    enough = target.with_nodes(manifest_node(target, layers[:-1]))
    assert len(enough.findings().rejected) == MAX_CANDIDATES
    target.store.asked.clear()
    with pytest.raises(Refusal) as caught:
        target.with_nodes(manifest_node(target, layers)).findings()
    assert (caught.value.code, caught.value.exit_code, caught.value.actual) == ("too-much-evidence", 12, "101")
    assert target.store.asked == []


def test_a_blob_over_the_cap_is_a_refusal_and_nothing_is_fetched() -> None:
    target = image("v3-key").bare()
    node = manifest_node(target, [(BUNDLE, b"x", {})])
    content = node.manifest.content.replace(b'"size": 1,', b'"size": %d,' % (MAX_BLOB_BYTES + 1))
    large = Node(RawManifest(content, node.manifest.media_type), Relation.REFERRER, target.digest)
    assert content != node.manifest.content
    with pytest.raises(Refusal) as caught:
        target.with_nodes(large).findings()
    assert (caught.value.code, caught.value.exit_code) == ("too-much-evidence", 12)
    assert target.store.asked == []


def test_an_image_with_nothing_beside_it_asks_for_nothing() -> None:
    target = image("v3-key").bare()
    result = target.findings()
    assert (result.accepted, result.rejected, target.store.asked) == ((), (), [])
