"""Known attacks on signature verification, each through the real command: its exit code, nothing copied, no commit.

The numbers A1 to A35 are those of the project's list of attacks, and every one of them is here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest
from support.cosign_fixtures import (
    BUNDLE,
    CERTIFICATE,
    ENVELOPE,
    PROMISE,
    SIGNATURE,
    SIMPLE_SIGNING,
    Image,
    TestKey,
    attested,
    b64,
    flipped,
    image,
    manifest_node,
    signed,
    simple_signing,
    statement,
)
from support.git_world import isolate
from support.github_root import PrivateSigstore
from support.gitops_repo import BUILD, DIGEST, TAG, Ran, make, serve
from support.registry_server import OCI_INDEX, Answer, RegistryServer, Request, Tamper

from promote.evidence import discovery
from promote.model.digest import Digest
from promote.model.graph import Graph, Node, Relation
from promote.model.manifest import OCI_MANIFEST, RawManifest

SBOM = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "SPDXID": "SPDXRef-a", "versionInfo": "1"}]}
KEY = TestKey.make()
SIGN = "https://sigstore.dev/cosign/sign/v1"
SPDX, CYCLONEDX = "https://spdx.dev/Document", "https://cyclonedx.org/bom"
BOM = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library", "name": "a", "version": "1"}]}
IN_ANOTHER_LAYER = {"type": "library", "name": "a", "version": "1"} | {
    "properties": [{"name": "syft:location:0:layerID", "value": str(Digest.of(b"another layer"))}]
}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def attack(tmp_path, target: Image, case: str = "v3-keyless", signers: list | None = None, **gates) -> Ran:
    """Promote `target` with the root of `case` and these signers; nothing may be changed by it."""
    repo = make(tmp_path, case=case, remote=False, pinned=False)
    shutil.rmtree(repo.layout("staging"))
    target.lay(repo.layout("staging"))
    repo.write("trust/test.pub", KEY.signer.pem)
    trust = dict(repo.config["trust"]) | ({"signers": signers} if signers is not None else {})
    repo.configure(trust=trust, **({"gates": gates} if gates else {}))
    before, head = repo.tags(), repo.commits()
    ran = repo.promote(TAG)
    assert ran.code in range(10, 17), ran.out
    assert (repo.tags(), repo.commits(), repo.promotions()) == (before, head, [])
    assert not repo.layout("prod").exists()
    return ran


def said(ran: Ran) -> tuple[int, str | None, str]:
    return ran.code, ran.refused_by, ran.json["error"]["code"]


def by_key(*payloads: dict | bytes, base: str = "v3-key") -> Image:
    """A bare image with one key-signed bundle for each payload."""
    target = image(base).bare()
    for payload in payloads:
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        target = target.with_nodes(manifest_node(target, [(BUNDLE, KEY.bundle(content), {})]))
    return target


def here(**more: object) -> dict:
    return statement(image("v3-key").digest, **more)


def about(**root: object) -> dict:
    """A CycloneDX document about an image that `root` names."""
    return BOM | {"metadata": {"component": {"type": "container", "name": "shop", **root}}}


OUR_KEY = [{"key": "trust/test.pub"}]
GOOD = (here(predicateType=SIGN), here(predicateType=SPDX, predicate=SBOM))


def test_what_the_attacks_start_from_passes(tmp_path):
    repo = make(tmp_path, case="v3-key")
    shutil.rmtree(repo.layout("staging"))
    by_key(*GOOD).lay(repo.layout("staging"))
    repo.write("trust/test.pub", KEY.signer.pem)
    repo.configure(trust={"signers": OUR_KEY})
    assert repo.promote(TAG).code == 0


@pytest.mark.parametrize("donor", ["v2-keyless", "v2-key", "v3-keyless", "v3-key", "v2-key-referrers"])
def test_a1_a2_evidence_of_another_image_is_none(tmp_path, donor):
    victim = image("v3-keyless-index")
    ran = attack(tmp_path, image(donor).donated_to(victim), donor)
    assert said(ran) == (12, "signature", "signature-invalid")
    assert str(victim.digest) in ran.json["error"]["expected"]


def test_a3_another_predicate_is_not_the_one_that_is_demanded(tmp_path):
    assert said(attack(tmp_path, image("bad-v3-no-sbom"))) == (13, "sbom", "no-sbom")


@pytest.mark.parametrize("payload", [b"no JSON", b"[]", b"{}", json.dumps(here(predicateType=None)).encode()])
def test_a4_a_validly_signed_payload_that_says_nothing_is_no_signature(tmp_path, payload):
    ran = attack(tmp_path, by_key(payload), "v3-key", OUR_KEY)
    assert (ran.code, ran.refused_by) in {(11, "signature"), (12, "signature")}


def _annotation(case: str, media_type: str, key: str) -> str:
    layers = (layer for node in image(case).graph.nodes for layer in node.manifest.parsed.layers)
    return next(layer.annotations[key] for layer in layers if layer.media_type == media_type)


@pytest.mark.parametrize("key", [PROMISE, CERTIFICATE])
def test_a5_a_log_entry_or_certificate_of_something_else_lends_nothing(tmp_path, key):
    other = _annotation("v2-keyless", ENVELOPE, key)

    def swap(notes: dict, content: bytes) -> bytes:
        notes[key] = other
        return content

    target = image("v2-keyless").altered(SIMPLE_SIGNING, swap)
    assert said(attack(tmp_path, target, "v2-keyless")) == (12, "signature", "signature-invalid")


@pytest.mark.parametrize("case", ["v3-keyless", "v3-keyless-rekor1"])
def test_a5_the_log_entries_of_two_bundles_cannot_be_exchanged(tmp_path, case):
    entries: list[list] = []

    def look(_notes: dict, content: bytes) -> bytes:
        entries.append(json.loads(content)["verificationMaterial"]["tlogEntries"])
        return content

    def swap(_notes: dict, content: bytes) -> bytes:
        document = json.loads(content)
        material = document["verificationMaterial"]
        material["tlogEntries"] = next(e for e in entries if e != material["tlogEntries"])
        return json.dumps(document).encode()

    target = image(case)
    target.altered(BUNDLE, look)
    assert said(attack(tmp_path, target.altered(BUNDLE, swap), case)) == (12, "signature", "signature-invalid")


def test_a6_a_public_key_in_the_place_of_the_certificate_is_not_believed(tmp_path):
    target = image("v2-keyless")
    payload = json.dumps(simple_signing(target.digest)).encode()

    def change(notes: dict, _content: bytes) -> bytes:
        notes.pop(PROMISE)
        notes[SIGNATURE], notes[CERTIFICATE] = b64(KEY.sign(payload)), KEY.signer.pem.decode()
        return payload

    for signers in ([BUILD], [BUILD, *OUR_KEY]):
        home = tmp_path / str(len(signers))
        home.mkdir()
        ran = attack(home, target.altered(SIMPLE_SIGNING, change), "v2-keyless", signers)
        assert said(ran) == (12, "signature", "signature-invalid")


def test_a7_more_evidence_than_anybody_has_is_a_refusal_that_says_so(tmp_path):
    target = image("v3-key").bare()
    layers = [
        (SIMPLE_SIGNING, json.dumps(simple_signing(target.digest, optional={"n": str(n)})).encode(), {})
        for n in range(discovery.MAX_CANDIDATES + 1)
    ]
    node = manifest_node(target, layers, relation=Relation.COSIGN_TAG, tag=f"{target.digest.tag}.sig")
    ran = attack(tmp_path, target.with_nodes(node), "v3-key", OUR_KEY)
    assert said(ran) == (12, "signature", "evidence-refused")
    assert (ran.json["error"]["expected"], ran.json["error"]["actual"]) == ("at most 100", "101")


def test_a7_more_manifests_than_are_followed_is_a_refusal_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("promote.oci.graph.MAX_MANIFESTS", 4)
    ran = attack(tmp_path, by_key(*GOOD, *(here(predicate={"n": n}) for n in range(3))), "v3-key", OUR_KEY)
    assert said(ran) == (12, "signature", "evidence-refused")
    assert ran.json["error"]["expected"] == "at most 4 manifests"


def test_a7_an_evidence_blob_without_end_is_not_read(tmp_path):
    def grown(node: Node) -> Node:
        document = json.loads(node.manifest.content)
        if document.get("layers") and document["layers"][0]["mediaType"] == BUNDLE:
            document["layers"][0]["size"] = 2 * 1024**3
        return Node(RawManifest(json.dumps(document).encode(), node.manifest.media_type), node.relation, node.parent)

    target = image("v3-keyless")
    images = {n.digest for n in target.graph.images}
    nodes = tuple(n if n.digest in images else grown(n) for n in target.graph.nodes)
    ran = attack(tmp_path, Image(Graph(nodes), target.store, target.trust))
    assert said(ran) == (12, "signature", "evidence-refused")
    assert "2147483648 bytes" in ran.json["error"]["message"]


def test_a7_a_certificate_annotation_of_a_mebibyte_is_no_certificate(tmp_path):
    def change(notes: dict, content: bytes) -> bytes:
        notes[CERTIFICATE] = notes[CERTIFICATE] * 700
        return content

    target = image("v2-keyless").altered(SIMPLE_SIGNING, change)
    assert said(attack(tmp_path, target, "v2-keyless")) == (12, "signature", "signature-invalid")


def test_a7_a_statement_with_more_subjects_than_any_build_has_is_refused(tmp_path):
    subjects = [{"digest": {"sha256": image("v3-key").digest.hex}}] * 1025
    ran = attack(tmp_path, by_key(here(predicateType=SIGN, subject=subjects)), "v3-key", OUR_KEY)
    assert (ran.code, ran.refused_by) == (12, "signature")
    assert "1025 subjects" in ran.json["error"]["message"]


@pytest.mark.parametrize(
    "signer",
    [
        {"issuer": f"{BUILD['issuer']}/hammer-time", "identity": BUILD["identity"]},
        {"issuer": BUILD["issuer"], "identity": BUILD["identity"].replace("acme/shop", "acme/shop-evil")},
        {"issuer": BUILD["issuer"], "identity": BUILD["identity"].replace("github.com", "githubXcom")},
        {"issuer": BUILD["issuer"], "identity_pattern": "https://github.com/acme/*@refs/heads/main"},
        {"issuer": BUILD["issuer"], "identity_pattern": "https://github.com/acme/sho*"},
    ],
)
@pytest.mark.parametrize("case", ["v3-keyless", "v2-keyless"])
def test_a9_an_identity_is_compared_whole(tmp_path, case, signer):
    assert said(attack(tmp_path, image(case), case, [signer])) == (12, "signature", "signature-foreign")


def test_a10_nothing_found_is_no_success(tmp_path):
    assert said(attack(tmp_path, image("v3-keyless").bare())) == (11, "signature", "no-signature")


LANES = {
    "v3-keyless": "promote.evidence.keyless_bundle.verify",
    "v3-key": "promote.evidence.key_bundle.verify",
    "v2-keyless": "promote.evidence.tag_scheme.verify_simple_signing",
    "v2-key": "promote.evidence.claims.check",
}


@pytest.mark.parametrize("case", LANES)
def test_a10_a34_a_crash_in_any_lane_is_no_success(tmp_path, monkeypatch, case):
    def crash(*_arguments: object, **_more: object) -> None:
        raise MemoryError("out of hand\x1b[31m")

    __import__("promote.evidence.keyless_bundle")
    monkeypatch.setattr(LANES[case], crash)
    ran = attack(tmp_path, image(case), case)
    assert said(ran) == (12, "signature", "signature-invalid")
    assert "MemoryError" in ran.json["error"]["message"]
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("count", [1, 3])
def test_a11_a_threshold_of_two_is_not_met_by_one_signer(tmp_path, count):
    target = by_key(*GOOD, *(here(predicateType=SIGN, predicate={"n": n}) for n in range(count)))
    signers = [*OUR_KEY, {"key": "trust/key.pub"}]
    ran = attack(tmp_path, target, "v3-key", signers, signature={"threshold": 2})
    assert said(ran) == (12, "signature", "signature-threshold")
    assert ran.json["error"]["actual"].startswith("1: ")


def test_a11_the_same_key_named_twice_is_one_signer(tmp_path):
    signers = [{"key": "trust/test.pub", "name": "a"}, {"key": "./trust/test.pub", "name": "b"}]
    ran = attack(tmp_path, by_key(*GOOD), "v3-key", signers, signature={"threshold": 2})
    assert said(ran) == (12, "signature", "signature-threshold")


@pytest.mark.parametrize("what", ["tlogs", "ctlogs", "certificateAuthorities"])
def test_a11_nothing_is_believed_outside_its_window(tmp_path, what):
    target = image("v2-keyless")
    document = json.loads(target.trust.root or b"")
    for item in document[what]:
        item.get("publicKey", item)["validFor"] = {"start": "2020-01-01T00:00:00Z", "end": "2020-02-01T00:00:00Z"}
    repo = make(tmp_path, case="v2-keyless")
    repo.write("trust/trusted_root.json", json.dumps(document))
    repo.commit("narrow the root")
    ran = repo.promote(TAG)
    assert said(ran) == (12, "signature", "signature-invalid")
    assert (repo.tags(), repo.promotions()) == ({}, [])


def test_a12_an_unsigned_annotation_makes_no_signature(tmp_path):
    lies = {"dev.sigstore.bundle.predicateType": SIGN, "predicateType": SIGN}
    target = image("bad-v3-attestation-only").altered(BUNDLE, lambda notes, content: notes.update(lies) or content)
    assert said(attack(tmp_path, target)) == (11, "signature", "no-signature")


def test_a13_a_root_that_comes_with_the_evidence_is_not_believed(tmp_path):
    stranger, target = PrivateSigstore(), image("v3-keyless").bare()
    payload = json.dumps(statement(target.digest, predicateType=SIGN)).encode()
    document = json.loads(stranger.bundle(payload))
    leaf = document["verificationMaterial"].pop("certificate")
    chain = [leaf, {"rawBytes": b64(stranger.ca.der)}]
    document["verificationMaterial"]["x509CertificateChain"] = {"certificates": chain}
    node = manifest_node(target, [(BUNDLE, json.dumps(document).encode(), {})])
    assert said(attack(tmp_path, target.with_nodes(node))) == (12, "signature", "signature-invalid")


@pytest.mark.parametrize(
    ("case", "source", "exit_code"),
    [
        ("bad-v3-other-repo", {}, 12),
        ("v3-keyless", {"repository": "https://github.com/acme/other"}, 12),
        ("v3-keyless", {"ref": "refs/tags/*"}, 12),
        ("v3-keyless", {"trigger": "release"}, 12),
        ("v2-keyless", {"triggers": ["release", "schedule"]}, 12),
        ("v3-keyless", {"workflow": ".github/workflows/release.yml"}, 12),
        ("v3-keyless", {"runner": "self-hosted"}, 12),
    ],
)
def test_a14_a22_a24_a_build_from_elsewhere_is_foreign(tmp_path, case, source, exit_code):
    ran = attack(tmp_path, image(case), case, [BUILD | ({"source": source} if source else {})])
    assert said(ran) == (exit_code, "signature", "signature-foreign")


def test_a15_an_attestation_alone_is_no_signature(tmp_path):
    assert said(attack(tmp_path, image("bad-v3-attestation-only"))) == (11, "signature", "no-signature")


HEX = image("v3-key").digest.hex


@pytest.mark.parametrize(
    "subjects",
    [
        None,
        [{"digest": {"sha256": HEX.upper()}}],
        [{"digest": {"sha256": f"sha256:{HEX}"}}],
        [{"name": f"r.example/web@sha256:{HEX}", "digest": {"sha256": "0" * 64}}],
    ],
)
def test_a16_a_subject_is_this_digest_exactly(tmp_path, subjects):
    ran = attack(tmp_path, by_key(here(predicateType=SIGN, subject=subjects)), "v3-key", OUR_KEY)
    assert said(ran) == (12, "signature", "signature-invalid")


@pytest.mark.parametrize(
    "target",
    [
        lambda: attested(KEY.envelope(json.dumps(simple_signing(image("v2-key").digest)).encode(), "text/x"), KEY),
        lambda: signed(json.dumps(statement(image("v2-key").digest, predicateType=SIGN)).encode(), KEY),
        lambda: by_key(here(predicateType=SIGN, _type="https://in-toto.io/Statement/v9")),
    ],
    ids=["simple signing in an envelope", "a statement as simple signing", "an unknown statement"],
)
def test_a17_a_payload_of_another_type_is_no_signature(tmp_path, target: Callable[[], Image]):
    ran = attack(tmp_path, target(), "v3-key", OUR_KEY)
    assert (ran.code, ran.refused_by) in {(11, "signature"), (12, "signature")}


@pytest.mark.parametrize(
    "twist",
    [
        lambda p: p.replace(b'"image"', b'"Image": {}, "image"'),
        lambda p: p.replace(b'"docker-manifest-digest"', b'"Docker-manifest-digest": "x", "docker-manifest-digest"'),
        lambda p: p.replace(b'"optional": {', b'"optional": {"n": NaN, '),
        lambda p: p.replace(b'"optional": {', b'"optional": {"n": ' + b"[" * 99 + b"]" * 99 + b", "),
    ],
)
def test_a18_a_payload_with_two_meanings_is_none(tmp_path, twist):
    payload = twist(json.dumps(simple_signing(image("v2-key").digest)).encode())
    assert said(attack(tmp_path, signed(payload, KEY), "v3-key", OUR_KEY)) == (12, "signature", "signature-invalid")


def test_a19_a_weaker_signature_does_not_stand_in_for_a_hidden_one(tmp_path):
    ran = attack(tmp_path, image("v2-keyless"), "v2-keyless", signature={"log": "proof"})
    error = ran.json["error"]
    assert said(ran) == (12, "signature", "signature-unlogged")
    assert (error["expected"], error["actual"]) == ("log: proof", "log: promise")


def test_a20_a_statement_of_buildkit_is_no_sbom(tmp_path):
    target = by_key(GOOD[0])
    node = manifest_node(target, [("application/vnd.in-toto+json", b"{}", {"in-toto.io/predicate-type": SPDX})])
    ran = attack(tmp_path, target.with_nodes(node), "v3-key", OUR_KEY)
    assert said(ran) == (13, "sbom", "sbom-unsigned")
    assert "unsigned" in ran.json["error"]["message"]


def test_s3_s10_what_is_there_and_does_not_count_is_said_by_name(tmp_path):
    target = image("v3-key").bare()
    sbom = manifest_node(
        target, [("text/spdx+json", b"{}", {})], relation=Relation.COSIGN_TAG, tag=f"{target.digest.tag}.sbom"
    )
    notary = manifest_node(
        target, [("application/jose+json", b"{}", {})], artifact_type="application/vnd.cncf.notary.signature"
    )
    ran = attack(tmp_path, target.with_nodes(sbom, notary), "v3-key", OUR_KEY)
    actual = ran.json["error"]["actual"]
    assert said(ran) == (11, "signature", "no-signature")
    assert "an SBOM (https://spdx.dev/Document) is there, unsigned" in actual
    assert "a Notary signature, not supported" in actual


@pytest.mark.parametrize("case", ["v3-keyless", "v3-keyless-rekor1", "v2-keyless"])
def test_a21_another_instance_of_sigstore_is_nobody(tmp_path, case):
    repo = make(tmp_path, case=case)
    repo.configure(trust={"signers": [BUILD]})
    assert said(repo.promote(TAG)) == (12, "signature", "signature-invalid")
    assert (repo.tags(), repo.promotions()) == ({}, [])


def test_a23_an_old_image_under_a_new_tag_is_a_rebuilt_one(tmp_path):
    ran = attack(tmp_path, image("bad-v3-other-commit"))
    assert said(ran) == (15, "commit", "commit-disagrees")
    assert {ran.json["error"]["expected"], ran.json["error"]["actual"]} == {TAG.removeprefix("sha-"), "f" * 40}


@pytest.mark.parametrize(
    "node",
    [
        lambda t: manifest_node(t, [(BUNDLE, KEY.bundle(json.dumps(GOOD[0]).encode()), {})] * 2),
        lambda t: manifest_node(
            t, [(BUNDLE, KEY.bundle(json.dumps(GOOD[0]).encode()), {})], subject=Digest.of(b"another")
        ),
    ],
    ids=["two layers", "another subject"],
)
def test_a25_a_listed_manifest_that_is_not_one_bundle_of_this_image_is_not_read(tmp_path, node):
    target = image("v3-key").bare()
    assert said(attack(tmp_path, target.with_nodes(node(target)), "v3-key", OUR_KEY)) == (
        11,
        "signature",
        "no-signature",
    )


def test_a26_evidence_that_is_not_what_its_digest_says_is_never_parsed(tmp_path):
    repo = make(tmp_path, case="v3-key")
    blobs = repo.layout("staging") / "blobs" / "sha256"
    for node in image("v3-key").graph.evidence:
        for layer in node.manifest.parsed.layers:
            content = (blobs / layer.digest.hex).read_bytes()
            (blobs / layer.digest.hex).write_bytes(content.replace(b"a", b"b", 1))
    ran = repo.promote(TAG)
    assert ran.code == 3
    assert (repo.tags(), repo.promotions()) == ({}, [])


OTHER_DIGEST = str(Digest.of(b"another image"))


@pytest.mark.parametrize(
    ("predicate_type", "sbom", "code"),
    [
        (SPDX, SBOM | {"packages": []}, "sbom-empty"),
        (SPDX, {"spdxVersion": "SPDX-2.3"}, "sbom-empty"),
        (SPDX, {}, "sbom-invalid"),
        (SPDX, None, "sbom-invalid"),
        (CYCLONEDX, BOM | {"components": []}, "sbom-empty"),
        (
            CYCLONEDX,
            BOM | {"metadata": {"component": {"type": "container", "name": "shop"}}, "components": []},
            "sbom-empty",
        ),
        (CYCLONEDX, about(version=OTHER_DIGEST), "sbom-of-another-image"),
        (CYCLONEDX, about(purl=f"pkg:oci/shop@{OTHER_DIGEST.replace(':', '%3A')}"), "sbom-of-another-image"),
        (CYCLONEDX, about(hashes=[{"alg": "SHA-256", "content": OTHER_DIGEST[7:]}]), "sbom-of-another-image"),
        (CYCLONEDX, BOM | {"components": [IN_ANOTHER_LAYER]}, "sbom-of-another-image"),
    ],
)
def test_a27_an_sbom_of_another_image_or_of_nothing_is_none(tmp_path, predicate_type, sbom, code):
    target = by_key(GOOD[0], here(predicateType=predicate_type, predicate=sbom))
    assert said(attack(tmp_path, target, "v3-key", OUR_KEY)) == (13, "sbom", code)


def test_a27_an_sbom_of_another_image_is_not_outvoted_by_a_good_one(tmp_path):
    ran = attack(
        tmp_path, by_key(*GOOD, here(predicateType=CYCLONEDX, predicate=about(version=OTHER_DIGEST))), "v3-key", OUR_KEY
    )
    assert said(ran) == (13, "sbom", "sbom-of-another-image")
    assert ran.json["error"]["actual"] == OTHER_DIGEST


def _made(created: str) -> Image:
    """The bare image of a fixture, its config saying when it was made."""
    bare = image("v3-key").bare()
    (root,) = bare.graph.nodes
    document = json.loads(root.manifest.content)
    config = json.loads(bare.store.blobs[Digest.parse(document["config"]["digest"])]) | {"created": created}
    content = json.dumps(config).encode()
    document["config"] |= {"digest": str(bare.store.put(content)), "size": len(content)}
    manifest = RawManifest(json.dumps(document).encode(), root.manifest.media_type)
    return Image(Graph((Node(manifest, root.relation, root.parent),)), bare.store, bare.trust)


def test_a27_an_sbom_of_an_earlier_build_is_not_this_ones(tmp_path):
    early, began, made = "2026-01-02T03:04:05Z", "2026-03-04T05:06:07Z", "2026-03-04T06:00:00Z"
    target = _made(made)
    payloads = (
        statement(target.digest, predicateType=SIGN),
        statement(target.digest, predicateType=SPDX, predicate=SBOM | {"creationInfo": {"created": early}}),
        statement(target.digest, predicate={"runDetails": {"metadata": {"startedOn": began}}}),
    )
    for payload in payloads:
        bundle = KEY.bundle(json.dumps(payload).encode())
        target = target.with_nodes(manifest_node(target, [(BUNDLE, bundle, {})]))
    ran = attack(tmp_path, target, "v3-key", OUR_KEY)
    error = ran.json["error"]
    assert said(ran) == (13, "sbom", "sbom-time")
    assert (error["expected"], error["actual"]) == ("after 2026-03-04 05:06:07 UTC", "2026-01-02 03:04:05 UTC")


@pytest.mark.parametrize(
    "stranger_says",
    [
        Answer(200, {}, b"{}"),
        Answer(401, {"WWW-Authenticate": 'Basic realm="stranger"'}),
        Answer(401, {"WWW-Authenticate": 'Bearer realm="STRANGER/token",service="registry"'}),
        Answer(307, {"Location": "STRANGER/v2/again"}),
    ],
    ids=["junk", "basic", "bearer", "once more"],
)
@pytest.mark.parametrize(
    ("part", "followed", "code"),
    [("/blobs/", True, 3), ("/manifests/sha256:", True, 3), ("/referrers/", False, 11)],
    ids=["blobs", "manifests", "referrers"],
)
def test_a28_who_evidence_is_fetched_from_gets_no_credentials(
    tmp_path, monkeypatch, stranger_says, part, followed, code
):
    """Nobody else is asked at all: there is no log or root to fetch (see interop/test_offline.py)."""
    with RegistryServer() as stranger, RegistryServer(auth="basic", password="canary-Pa55word") as staging:
        login = {"username": staging.username, "password": staging.password}
        (tmp_path / "config.json").write_text(json.dumps({"auths": {staging.address: login}}))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        repo = make(tmp_path, staging=serve(staging), remote=False)
        evidence = {str(layer.digest) for n in image("v3-keyless").graph.evidence for layer in n.manifest.parsed.layers}
        evidence |= {str(n.digest) for n in image("v3-keyless").graph.evidence} | {DIGEST}
        headers = {k: v.replace("STRANGER", stranger.url) for k, v in stranger_says.headers.items()}
        stranger.faults.append(lambda _: Answer(stranger_says.status, headers, stranger_says.body))

        def elsewhere(request: Request) -> Answer | None:
            if (
                part in request.path
                and request.path.rpartition("/")[2] in evidence
                and "authorization" in request.headers
            ):
                return Answer(307, {"Location": f"{stranger.url}{request.target}"})
            return None

        staging.faults.append(elsewhere)
        head, tree = repo.commits(), repo.everything()
        ran = repo.promote(TAG)
        assert (ran.code, repo.tags(), repo.commits()) == (code, {}, head), ran.out
        assert not repo.layout("prod").exists()
        assert bool(stranger.requests) is followed
        secrets = (staging.password, b64(f"{staging.username}:{staging.password}".encode()))
        for request in stranger.requests:
            assert "authorization" not in request.headers
            assert not any(secret in f"{request.target} {dict(request.headers)}" for secret in secrets)
        assert not any(secret in ran.out + ran.err for secret in secrets)
        assert {k for k, v in repo.everything().items() if tree.get(k) != v and ".git/" not in k} == set()


TRICKS = [
    "sha256:../../../../trust/test.pub",
    "sha256:" + "../" * 20 + "etc/passwd",
    "../x",
    f"sha256:{'A' * 64}",
    "sha256:",
]


@pytest.mark.parametrize("name", TRICKS)
@pytest.mark.parametrize("where", ["layer", "subject", "list", "header"])
def test_a29_a_remote_name_is_no_path(tmp_path, name, where):
    with RegistryServer() as staging:
        repo = make(tmp_path, staging=serve(staging), remote=False)
        there = staging.repository("acme/shop")
        layer = {"mediaType": BUNDLE, "digest": name if where == "layer" else there.add_blob(b"{}"), "size": 2}
        subject = {"mediaType": OCI_MANIFEST, "digest": name if where == "subject" else DIGEST, "size": 2}
        config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": there.add_blob(b"{}"), "size": 2}
        parts = {"config": config, "layers": [layer], "subject": subject}
        evil = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": BUNDLE, **parts}).encode()
        listed = {"mediaType": OCI_MANIFEST, "artifactType": BUNDLE, "size": len(evil)}
        listed["digest"] = name if where == "list" else there.add_manifest(evil, OCI_MANIFEST)
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [listed]}

        def lie(request: Request) -> Answer | Tamper | None:
            if "/referrers/" in request.path and where in ("list", "subject"):
                return Answer(200, {"Content-Type": OCI_INDEX}, json.dumps(index).encode())
            if where == "header" and "/manifests/" in request.path:
                return Tamper({"Docker-Content-Digest": name})
            return None

        staging.faults.append(lie)
        head, tree = repo.commits(), repo.everything()
        ran = repo.promote(TAG)
        assert (ran.code, ran.json["error"]["code"]) in {(3, "manifest-malformed"), (3, "answer-malformed")}, ran.out
        assert (repo.tags(), repo.commits()) == ({}, head)
        assert {k for k, v in repo.everything().items() if tree.get(k) != v and ".git/" not in k} == set()
        assert not [r for r in staging.requests if ".." in r.target]


def test_a30_a_provenance_must_name_the_repository_of_its_certificate(tmp_path):
    ours, target = PrivateSigstore(), image("v3-keyless").bare()
    source = {"uri": "git+https://github.com/acme/other@refs/heads/main"}
    source |= {"digest": {"gitCommit": TAG.removeprefix("sha-")}}
    provenance = {"buildDefinition": {"resolvedDependencies": [source]}}
    payloads = (
        statement(target.digest, predicateType=SIGN),
        statement(target.digest, predicateType=SPDX, predicate=SBOM),
        statement(target.digest, predicate=provenance),
    )
    for payload in payloads:
        bundle = ours.bundle(json.dumps(payload).encode())
        target = target.with_nodes(manifest_node(target, [(BUNDLE, bundle, {})]))
    repo = make(tmp_path)
    shutil.rmtree(repo.layout("staging"))
    target.lay(repo.layout("staging"))
    repo.write("trust/github.json", ours.trusted_root())
    repo.config["apps"]["shop"].pop("source")
    root = {"profile": "github", "file": "trust/github.json"}
    repo.configure(trust={"root": root, "signers": [BUILD]})
    ran = repo.promote(TAG)
    assert said(ran) == (15, "commit", "source-disagrees")
    assert (ran.json["error"]["expected"], ran.json["error"]["actual"]) == (
        "https://github.com/acme/shop",
        "https://github.com/acme/other",
    )
    assert (repo.tags(), repo.promotions()) == ({}, [])


def test_a31_what_a_stranger_wrote_cannot_move_the_cursor(tmp_path):
    evil = "\x1b[2J\x1b]0;owned\x07\r\n"
    target = by_key(GOOD[0], here(predicateType=f"https://x.example/{evil}"))
    ran = attack(tmp_path, target, "v3-key", OUR_KEY)
    assert not {"\x1b", "\x07", "\r"} & set(ran.out)
    text = json.loads(ran.out)["error"]
    assert all(value is None or str(value).isprintable() for value in text.values())


def test_a32_two_signatures_in_one_envelope_are_refused(tmp_path):
    document = json.loads(KEY.bundle(json.dumps(GOOD[0]).encode()))
    document["dsseEnvelope"]["signatures"] *= 2
    target = by_key()
    node = manifest_node(target, [(BUNDLE, json.dumps(document).encode(), {})])
    assert said(attack(tmp_path, target.with_nodes(node), "v3-key", OUR_KEY)) == (12, "signature", "signature-invalid")


def test_a33_a_failure_is_not_hidden_behind_a_success(tmp_path):
    kind = "https://in-toto.io/attestation/test-result/v0.1"
    results = [here(predicateType=kind, predicate={"result": r}) for r in ("PASSED", "FAILED")]
    for order in (results, results[::-1]):
        home = tmp_path / order[0]["predicate"]["result"]
        home.mkdir()
        target = by_key(*GOOD, *order)
        ran = attack(home, target, "v3-key", OUR_KEY, attestations=[{"type": "test-result"}])
        assert said(ran) == (13, "attestations", "attestation-content")


@pytest.mark.parametrize("case", ["v3-keyless", "v3-keyless-rekor1"])
def test_a34_a_malformed_checkpoint_or_stamp_is_malformed_evidence(tmp_path, case):
    def change(_notes: dict, content: bytes) -> bytes:
        document = json.loads(content)
        entry = document["verificationMaterial"]["tlogEntries"][0]
        entry["inclusionProof"]["checkpoint"]["envelope"] = "x\n1\nAA==\n\n\N{EM DASH} x !\n"
        return json.dumps(document).encode()

    assert said(attack(tmp_path, image(case).altered(BUNDLE, change), case)) == (12, "signature", "signature-invalid")


@pytest.mark.parametrize("media_type", [SIMPLE_SIGNING, ENVELOPE])
def test_a_flipped_bit_in_the_signed_bytes_is_seen(tmp_path, media_type):
    def change(notes: dict, content: bytes) -> bytes:
        if media_type == SIMPLE_SIGNING:
            notes[SIGNATURE] = flipped(notes[SIGNATURE])
            return content
        document = json.loads(content)
        document["payload"] = flipped(document["payload"])
        return json.dumps(document).encode()

    ran = attack(tmp_path, image("v2-keyless").altered(media_type, change), "v2-keyless")
    assert (ran.code, ran.refused_by) == ((12, "signature") if media_type == SIMPLE_SIGNING else (13, "sbom"))


def test_a8_a_tag_that_is_moved_while_promote_looks_moves_nothing(tmp_path):
    with RegistryServer() as source:
        repo = make(tmp_path, staging=serve(source), remote=False)
        there = source.repository("acme/shop")
        evil = there.add_manifest(b'{"schemaVersion":2,"config":{},"layers":[]}', OCI_MANIFEST)
        asked: list[str] = []

        def move(request: Request) -> None:
            if request.path.endswith(f"/manifests/{TAG}"):
                asked.append(request.method)
            elif asked:
                there.tags[TAG] = evil

        source.faults.append(move)
        ran = repo.promote(TAG)
        assert ran.code == 0, ran.out
        assert there.tags[TAG] == evil
        assert (asked, repo.tags()) == (["GET"], {TAG: DIGEST})
        assert DIGEST.encode() in repo.overlay()


def test_a35_evidence_that_is_lost_on_the_way_is_no_promotion(tmp_path):
    with RegistryServer() as target:
        repo = make(tmp_path, case="v2-keyless", prod=target.address, remote=False)

        def lose(request: Request) -> Answer | None:
            if request.method == "PUT" and request.path.endswith((".sig", ".att")):
                return Answer(201, {"Docker-Content-Digest": DIGEST})
            return None

        target.faults.append(lose)
        ran = repo.promote(TAG)
        assert ran.code == 3, ran.out
        assert repo.promotions() == []
