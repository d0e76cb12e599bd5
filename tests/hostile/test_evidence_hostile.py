"""One thing at a time is broken in evidence that real cosign made, or that a stranger could make."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.cosign_fixtures import (
    BUILD,
    BUNDLE,
    CERTIFICATE,
    CHAIN,
    ENVELOPE,
    PROMISE,
    SIGNATURE,
    SIMPLE_SIGNING,
    STAMP,
    TestKey,
    attested,
    b64,
    flipped,
    image,
    manifest_node,
    signed,
    simple_signing,
    statement,
    trust_of,
)
from support.evidence_mutations import signed_meaning

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.evidence import Findings, Flaw, Kind, Log
from promote.model.graph import Relation
from promote.model.policy import KeylessSigner, LogDemand, Trust

OTHER = Digest.of(b"another image")


def edited(*path: object, by: Callable) -> Callable[[dict, bytes], bytes]:
    """A change of one value inside a bundle."""

    def change(_annotations: dict, content: bytes) -> bytes:
        document = json.loads(content)
        at = document
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = by(at.get(path[-1]) if isinstance(at, dict) else at[path[-1]])
        return json.dumps(document).encode()

    return change


def promised(**values: object) -> Callable[[dict, bytes], bytes]:
    """A change of the log's promise in the annotations."""

    def change(annotations: dict, content: bytes) -> bytes:
        document = json.loads(annotations[PROMISE])
        for key, value in values.items():
            holder = document if key == "SignedEntryTimestamp" else document["Payload"]
            holder[key] = value(holder[key]) if callable(value) else value
        annotations[PROMISE] = json.dumps(document)
        return content

    return change


def noted(**values: object) -> Callable[[dict, bytes], bytes]:
    """A change of annotations by short name; None removes one."""
    names = {"signature": SIGNATURE, "certificate": CERTIFICATE, "chain": CHAIN, "promise": PROMISE, "stamp": STAMP}

    def change(annotations: dict, content: bytes) -> bytes:
        for name, value in values.items():
            key = names[name]
            new = value(annotations.get(key)) if callable(value) else value
            if new is None:
                annotations.pop(key, None)
            else:
                annotations[key] = new
        return content

    return change


def rejected(found: Findings, kind: Kind | None = None) -> set[Flaw]:
    """The words for what was refused; nothing of `kind` was accepted."""
    assert not [e for e in found.accepted if kind is None or e.kind is kind]
    return {r.flaw for r in found.rejected if kind is None or r.kind in (kind, None)}


def annotation(case: str, media_type: str, key: str) -> str:
    for node in image(case).graph.nodes:
        for layer in node.manifest.parsed.layers:
            if layer.media_type == media_type:
                return layer.annotations[key]
    raise AssertionError


MATERIAL = ("verificationMaterial",)
ENTRY = (*MATERIAL, "tlogEntries", 0)


@pytest.mark.parametrize("case", ["v3-keyless", "v3-keyless-rekor1", "v2-bundle-rekor1"])
@pytest.mark.parametrize(
    "change",
    [
        edited("dsseEnvelope", "payload", by=flipped),
        edited("dsseEnvelope", "payloadType", by=lambda _: "application/json"),
        edited("dsseEnvelope", "signatures", 0, "sig", by=flipped),
        edited("dsseEnvelope", "signatures", by=lambda s: s * 2),
        edited("dsseEnvelope", "signatures", by=lambda _: []),
        edited(*ENTRY, "inclusionProof", "hashes", by=lambda h: [flipped(h[0]), *h[1:]]),
        edited(*ENTRY, "inclusionProof", "hashes", by=lambda _: []),
        edited(*ENTRY, "inclusionProof", "rootHash", by=flipped),
        edited(*ENTRY, "inclusionProof", "checkpoint", "envelope", by=lambda e: e.replace("rekor", "rekoR")),
        edited(*ENTRY, "inclusionProof", by=lambda _: None),
        edited(*ENTRY, "canonicalizedBody", by=flipped),
        edited(*ENTRY, "logId", "keyId", by=flipped),
        edited(*ENTRY, "logId", "keyId", by=lambda k: flipped(k, 0)),
        edited(*MATERIAL, "tlogEntries", by=lambda e: e * 2),
        edited(*MATERIAL, "tlogEntries", by=lambda _: []),
        edited(*MATERIAL, "certificate", "rawBytes", by=flipped),
        edited(*MATERIAL, "publicKey", by=lambda _: {"hint": ""}),
        edited(*MATERIAL, "certificate", by=lambda _: None),
        edited("mediaType", by=lambda _: "application/json"),
        edited("verificationMaterial", by=lambda _: {}),
        edited("dsseEnvelope", by=lambda _: None),
        lambda _, content: content[:-1],
        lambda _, content: content[:-1] + b', "mediaType": "x"}',
        lambda _, content: b"\xef\xbb\xbf" + content,
        lambda _, content: b"[" * 100_000,
        lambda _, content: b"",
    ],
)
def test_a_broken_bundle_is_no_evidence(case: str, change: Callable[[dict, bytes], bytes]) -> None:
    assert rejected(image(case).altered(BUNDLE, change).findings()) <= {Flaw.INVALID, Flaw.MALFORMED, Flaw.UNLOGGED}


def test_a_bundle_whose_only_time_is_gone_is_no_evidence() -> None:
    stamps = (*MATERIAL, "timestampVerificationData")
    stamp = (*stamps, "rfc3161Timestamps", 0, "signedTimestamp")
    for change in (edited(*stamp, by=flipped), edited(*stamps, by=lambda _: {}), edited(*stamps, by=lambda _: None)):
        assert rejected(image("v3-keyless").altered(BUNDLE, change).findings()) <= {Flaw.INVALID, Flaw.MALFORMED}


@pytest.mark.parametrize("at", ["integratedTime", "logIndex"])
def test_a_promise_in_a_bundle_covers_time_and_index(at: str) -> None:
    change = edited(*ENTRY, at, by=lambda v: str(int(v) + 1))
    assert rejected(image("v3-keyless-rekor1").altered(BUNDLE, change).findings()) == {Flaw.INVALID}


def test_a_key_bundle_is_bound_to_its_log_entry() -> None:
    target = image("v3-key-rekor2")
    assert {e.log for e in target.findings().accepted} == {Log.PROOF}
    bodies: list[dict] = []
    target.altered(BUNDLE, lambda _, c: bodies.append(json.loads(c)) or c)
    swapped = edited(
        *MATERIAL,
        "tlogEntries",
        by=lambda e: [
            b["verificationMaterial"]["tlogEntries"][0] for b in bodies if b["verificationMaterial"]["tlogEntries"] != e
        ],
    )
    assert rejected(target.altered(BUNDLE, swapped).findings()) == {Flaw.INVALID}
    for change in (
        edited(*ENTRY, "inclusionProof", "hashes", by=lambda _: []),
        edited(*ENTRY, "canonicalizedBody", by=flipped),
        edited(*MATERIAL, "tlogEntries", by=lambda e: e * 2),
    ):
        assert rejected(target.altered(BUNDLE, change).findings()) <= {Flaw.INVALID, Flaw.MALFORMED}


def test_an_entry_of_an_unknown_log_is_worth_nothing_to_a_key() -> None:
    target = image("v3-key-rekor2").altered(BUNDLE, edited(*ENTRY, "logId", "keyId", by=flipped))
    assert {e.log for e in target.findings().accepted} == {Log.NONE}
    assert rejected(target.findings(log=LogDemand.PROOF)) == {Flaw.UNLOGGED}


@pytest.mark.parametrize("case", ["v2-keyless", "v2-keyless-tsa", "v3-keyless-legacy"])
@pytest.mark.parametrize(
    "change",
    [
        promised(SignedEntryTimestamp=flipped),
        promised(integratedTime=lambda t: t + 60),
        promised(integratedTime=lambda t: t + 0.5),
        promised(integratedTime=lambda t: str(t) + " "),
        promised(integratedTime=2**62),
        promised(logIndex=lambda i: i + 1),
        promised(logIndex=lambda i: -i),
        promised(logID="00" * 32),
        promised(logID="no hex"),
        promised(body=flipped),
        promised(extra="value"),
        noted(signature=flipped),
        noted(signature=None),
        noted(signature="no base64"),
        noted(promise="{}"),
        noted(promise="[]"),
        noted(promise=lambda p: p[:-1] + ', "Payload": {}}'),
        noted(promise=lambda p: p.replace('"Payload"', '"payload": {}, "Payload"')),
        noted(promise=None),
        noted(promise=""),
        noted(certificate=None),
        noted(certificate=""),
        noted(certificate="no certificate"),
        noted(certificate=lambda c: c + c),
        noted(certificate=lambda c: c.replace("M", "N", 1)),
        noted(certificate=lambda c: c[: len(c) // 2]),
        lambda _, content: content.replace(b"acme", b"evil"),
        lambda _, content: content + b" ",
    ],
)
def test_a_broken_signature_tag_is_no_signature(case: str, change: Callable[[dict, bytes], bytes]) -> None:
    found = image(case).altered(SIMPLE_SIGNING, change).findings()
    assert rejected(found, Kind.SIGNATURE) <= {Flaw.INVALID, Flaw.MALFORMED, Flaw.FOREIGN, Flaw.UNLOGGED}
    assert found.attestations() == image(case).findings().attestations()


@pytest.mark.parametrize("case", ["v2-keyless", "v2-keyless-intoto", "v2-keyless-tsa"])
@pytest.mark.parametrize(
    "change",
    [
        promised(SignedEntryTimestamp=flipped),
        promised(integratedTime=lambda t: t - 1),
        promised(body=flipped),
        noted(promise=None),
        noted(certificate=None),
        edited("payload", by=flipped),
        edited("payloadType", by=lambda _: "text/plain"),
        edited("signatures", 0, "sig", by=flipped),
        edited("signatures", by=lambda s: [*s, *s]),
        lambda _, content: content.replace(b'"payload"', b'"payload":"","payload"'),
        lambda _, content: json.dumps(json.loads(content), indent=1).encode(),
    ],
)
def test_a_broken_attestation_tag_is_no_attestation(case: str, change: Callable[[dict, bytes], bytes]) -> None:
    found = image(case).altered(ENVELOPE, change).findings()
    assert rejected(found, Kind.ATTESTATION) <= {Flaw.INVALID, Flaw.MALFORMED, Flaw.FOREIGN, Flaw.UNLOGGED}
    assert len(found.signatures()) == 1


def test_the_promise_and_certificate_of_another_signature_do_not_help() -> None:
    for key, name in ((PROMISE, "promise"), (CERTIFICATE, "certificate")):
        for case in ("v2-keyless", "v2-keyless-tsa"):
            value = annotation(case, ENVELOPE, key)
            found = image("v2-keyless").altered(SIMPLE_SIGNING, noted(**{name: value})).findings()
            assert rejected(found, Kind.SIGNATURE) == {Flaw.INVALID}


def test_the_annotations_of_another_repository_do_not_help() -> None:
    other = {
        n: annotation("v2-keyless-tsa", SIMPLE_SIGNING, k)
        for n, k in {"signature": SIGNATURE, "certificate": CERTIFICATE, "promise": PROMISE}.items()
    }
    assert rejected(image("v2-keyless").altered(SIMPLE_SIGNING, noted(**other)).findings(), Kind.SIGNATURE) == {
        Flaw.INVALID
    }


def test_the_chain_annotation_is_not_looked_at() -> None:
    for chain in (None, "", "nonsense", annotation("v2-keyless", SIMPLE_SIGNING, CERTIFICATE)):
        target = image("v2-keyless").altered(SIMPLE_SIGNING, noted(chain=chain))
        assert target.findings().rejected == ()
        assert len(target.findings().signatures()) == 1


def test_a_certificate_of_the_attackers_own_is_not_helped_by_its_chain() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    target = image("v2-keyless")
    payload = json.dumps(simple_signing(target.digest)).encode()
    leaf, ca = _attackers_pki(key)

    def change(annotations: dict, _content: bytes) -> bytes:
        annotations[SIGNATURE] = b64(key.sign(payload, ec.ECDSA(hashes.SHA256())))
        annotations[CERTIFICATE], annotations[CHAIN] = leaf, ca
        return payload

    assert rejected(target.altered(SIMPLE_SIGNING, change).findings(), Kind.SIGNATURE) == {Flaw.INVALID}


def _attackers_pki(key: ec.EllipticCurvePrivateKey) -> tuple[str, str]:
    """A leaf with the trusted identity, and the self-made authority that issued it."""
    authority = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fulcio intermediate")])
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    def certificate(subject: x509.Name, public: ec.EllipticCurvePublicKey, *extensions: tuple) -> str:
        builder = x509.CertificateBuilder(name, subject, public, 7, start, end)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    san = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(BUILD.identity)])
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    issuer = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1"), BUILD.issuer.encode())
    code = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
    leaf = certificate(x509.Name([]), key.public_key(), (san, True), (usage, True), (code, False), (issuer, False))
    root = certificate(name, authority.public_key(), (x509.BasicConstraints(True, None), True))
    return leaf, root


def test_a_bare_public_key_in_the_place_of_the_certificate_is_not_trusted() -> None:
    key = TestKey.make()
    pem = key.signer.pem.decode()
    target = image("v2-keyless")
    payload = json.dumps(simple_signing(target.digest)).encode()
    change = noted(signature=b64(key.sign(payload)), certificate=pem, promise=None)
    replaced = target.altered(SIMPLE_SIGNING, lambda notes, content: change(notes, content) and payload)
    for trust in (target.trust, Trust((*target.trust.signers, key.signer), target.trust.root)):
        found = replaced.findings(trust)
        assert rejected(found, Kind.SIGNATURE) == {Flaw.INVALID}
        assert "PUBLIC KEY" in next(r.actual or "" for r in found.rejected if r.kind is Kind.SIGNATURE)


def test_a_certificate_beside_a_key_signature_is_judged_as_a_certificate() -> None:
    certificate = annotation("v2-keyless", SIMPLE_SIGNING, CERTIFICATE)
    target = image("v2-key").altered(SIMPLE_SIGNING, noted(certificate=certificate))
    assert rejected(target.findings(Trust(target.trust.signers, trust_of("v2-keyless").root)), Kind.SIGNATURE) == {
        Flaw.INVALID
    }


@pytest.mark.parametrize("case", ["v2-keyless", "v3-keyless", "v3-keyless-rekor1"])
def test_certificates_are_foreign_where_only_keys_are_trusted(case: str) -> None:
    target = image(case)
    found = target.findings(Trust((TestKey.make().signer,), target.trust.root))
    assert rejected(found) == {Flaw.FOREIGN}
    assert all(BUILD.identity in (r.actual or "") for r in found.rejected)


@pytest.mark.parametrize("case", ["v2-key", "v3-key", "v2-key-referrers", "v3-key-rekor2"])
def test_keys_are_foreign_where_only_certificates_are_trusted(case: str) -> None:
    assert rejected(image(case).findings(Trust((BUILD,), None))) == {Flaw.FOREIGN}


@pytest.mark.parametrize("case", ["v2-key", "v3-key"])
def test_another_key_is_not_the_trusted_one(case: str) -> None:
    found = image(case).findings(Trust((TestKey.make().signer,), None))
    assert rejected(found) == {Flaw.FOREIGN if case == "v3-key" else Flaw.INVALID}


@pytest.mark.parametrize(
    "signer",
    [
        KeylessSigner(BUILD.issuer + "/hammer-time", BUILD.identity),
        KeylessSigner(BUILD.issuer[:-1], BUILD.identity),
        KeylessSigner("", BUILD.identity),
        KeylessSigner(".*", ".*"),
        KeylessSigner(BUILD.issuer, BUILD.identity[:-1]),
        KeylessSigner(BUILD.issuer, BUILD.identity + "x"),
        KeylessSigner(BUILD.issuer, BUILD.identity.replace("github.com", "githubXcom")),
        KeylessSigner(BUILD.issuer, BUILD.identity.replace("github.com", "GitHub.com")),
        KeylessSigner(BUILD.issuer, ""),
    ],
)
@pytest.mark.parametrize("case", ["v2-keyless", "v3-keyless"])
def test_issuer_and_identity_are_compared_whole(case: str, signer: KeylessSigner) -> None:
    target = image(case)
    assert rejected(target.findings(Trust((signer,), target.trust.root))) == {Flaw.FOREIGN}


def test_nobody_is_trusted_by_default() -> None:
    for case in ("v2-keyless", "v3-keyless", "v2-key", "v3-key"):
        target = image(case)
        assert rejected(target.findings(Trust((), target.trust.root))) == {Flaw.FOREIGN}


@pytest.mark.parametrize(
    "case", ["v3-key", "v3-keyless", "v2-key", "v2-keyless", "v2-key-referrers", "v3-keyless-index"]
)
def test_evidence_copied_to_another_image_names_the_wrong_one(case: str) -> None:
    victim, donor = image("v3-key" if "index" in case else "v3-keyless-index").bare(), image(case)
    moved = donor.donated_to(victim)
    found = moved.findings()
    assert rejected(found) == {Flaw.INVALID}
    assert {(r.summary, r.expected) for r in found.rejected} == {
        ("the signed payload names another image", str(victim.digest))
    }


@pytest.mark.parametrize("case", ["v3-keyless", "v3-key", "v2-keyless", "v2-key"])
def test_unsigned_annotations_change_nothing(case: str) -> None:
    lies = {
        "predicateType": "https://cyclonedx.org/bom",
        "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
        "dev.sigstore.bundle.content": "message-signature",
        "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
        "commit": "f" * 40,
    }
    target = image(case)
    before = target.findings()
    changed = target
    for media_type in (BUNDLE, ENVELOPE, SIMPLE_SIGNING):
        changed = changed.altered(media_type, lambda notes, content: notes.update(lies) or content)
    after = changed.findings()
    assert [(e.kind, e.predicate_type, dict(e.annotations), e.signed_by) for e in after.accepted] == [
        (e.kind, e.predicate_type, dict(e.annotations), e.signed_by) for e in before.accepted
    ]
    assert after.rejected == ()


def _narrowed(root: bytes, what: str, window: dict) -> bytes:
    document = json.loads(root)
    for item in document[what]:
        item.get("publicKey", item)["validFor"] = window
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "window",
    [
        {"start": "2026-01-01T00:00:00Z", "end": "2026-11-22T11:00:00Z"},
        {"start": "2026-11-22T12:30:00Z"},
    ],
)
@pytest.mark.parametrize(
    ("case", "what"),
    [
        ("v2-keyless", "tlogs"),
        ("v2-keyless", "ctlogs"),
        ("v2-keyless", "certificateAuthorities"),
        ("v3-keyless", "ctlogs"),
        ("v3-keyless", "certificateAuthorities"),
        ("v3-keyless", "timestampAuthorities"),
        ("v3-keyless-rekor1", "tlogs"),
        ("v2-keyless-tsa-nolog", "timestampAuthorities"),
        ("v2-key-rekor1", "tlogs"),
    ],
)
def test_nobody_is_believed_outside_the_window_of_the_trusted_root(case: str, what: str, window: dict) -> None:
    target = image(case)
    assert target.trust.root is not None
    trust = Trust(target.trust.signers, _narrowed(target.trust.root, what, window))
    assert rejected(target.findings(trust, LogDemand.NONE)) == {Flaw.INVALID}


@pytest.mark.parametrize("what", ["tlogs", "ctlogs", "certificateAuthorities"])
def test_a_root_without_them_vouches_for_nothing_in_the_tag_scheme(what: str) -> None:
    target = image("v2-keyless")
    document = json.loads(target.trust.root or b"")
    document[what] = []
    trust = Trust(target.trust.signers, json.dumps(document).encode())
    assert rejected(target.findings(trust)) == {Flaw.INVALID}


def test_a_time_stamp_of_something_else_proves_no_time() -> None:
    for media_type in (SIMPLE_SIGNING, ENVELOPE):
        other = annotation("v2-keyless-tsa", media_type, STAMP)
        kind = Kind.SIGNATURE if media_type == SIMPLE_SIGNING else Kind.ATTESTATION
        for stamp in (other, None, "{}", '{"SignedRFC3161Timestamp": "AAAA"}', "null"):
            target = image("v2-keyless-tsa-nolog").altered(media_type, noted(stamp=stamp))
            assert rejected(target.findings(log=LogDemand.NONE), kind) <= {Flaw.INVALID, Flaw.MALFORMED}


@pytest.mark.parametrize(
    "payload",
    [
        b"not JSON",
        b"[]",
        b"null",
        b"\xff\xfe",
        json.dumps({"_type": "https://in-toto.io/Statement/v1"}).encode(),
        json.dumps(statement(image("v2-key").digest) | {"predicateType": None}).encode(),
        json.dumps(statement(image("v2-key").digest) | {"subject": None}).encode(),
        json.dumps(simple_signing(image("v2-key").digest)).encode(),
    ],
)
def test_a_validly_signed_payload_that_says_nothing_is_not_evidence(payload: bytes) -> None:
    key = TestKey.make()
    assert rejected(attested(key.envelope(payload), key).findings()) <= {Flaw.MALFORMED, Flaw.INVALID}
    target = image("v3-key").bare()
    node = manifest_node(target, [(BUNDLE, key.bundle(payload), {})])
    found = target.with_nodes(node).findings(Trust((key.signer,)))
    assert rejected(found) <= {Flaw.MALFORMED, Flaw.INVALID}


def test_two_signatures_in_one_envelope_are_refused_though_one_is_good() -> None:
    key, stranger = TestKey.make(), TestKey.make()
    payload = json.dumps(statement(image("v2-key").digest)).encode()
    good, bad = (json.loads(k.envelope(payload)) for k in (key, stranger))
    assert len(attested(json.dumps(good).encode(), key).findings().accepted) == 1
    for pair in (good["signatures"] + bad["signatures"], bad["signatures"] + good["signatures"]):
        found = attested(json.dumps(good | {"signatures": pair}).encode(), key).findings()
        assert [(r.flaw, r.actual) for r in found.rejected] == [(Flaw.INVALID, "2")]
        assert found.accepted == ()


def test_a_payload_type_that_is_signed_and_wrong_is_refused() -> None:
    key, digest = TestKey.make(), image("v2-key").digest
    for payload in (simple_signing(digest), statement(digest)):
        for payload_type in (SIMPLE_SIGNING, "application/json"):
            envelope = key.envelope(json.dumps(payload).encode(), payload_type)
            found = attested(envelope, key).findings()
            assert rejected(found) <= {Flaw.INVALID, Flaw.MALFORMED}
            assert found.rejected[0].kind is not Kind.SIGNATURE


def test_a_statement_in_the_place_of_a_simple_signing_payload_is_no_signature() -> None:
    key, digest = TestKey.make(), image("v2-key").digest
    payload = statement(digest, predicateType="https://sigstore.dev/cosign/sign/v1")
    assert rejected(signed(json.dumps(payload).encode(), key).findings()) == {Flaw.MALFORMED}


def test_a_message_signature_bundle_names_no_image() -> None:
    key = TestKey.make()
    target = image("v3-key").bare()
    message = {"messageDigest": {"algorithm": "SHA2_256", "digest": ""}, "signature": b64(key.sign(b"x"))}
    node = manifest_node(target, [(BUNDLE, key.bundle(b"{}", messageSignature=message), {})])
    found = target.with_nodes(node).findings(Trust((key.signer,)))
    assert (found.accepted, [r.flaw for r in found.rejected]) == ((), [Flaw.UNSUPPORTED])


def test_an_attestation_alone_is_never_a_signature() -> None:
    found = image("bad-v3-attestation-only").findings()
    assert found.signatures() == ()
    assert len(found.attestations()) == 1


@pytest.mark.parametrize("case", ["v3-keyless", "v3-key", "v2-keyless", "v2-key"])
def test_a_network_failure_is_never_a_missing_signature(case: str) -> None:
    target = image(case)
    blobs = [b for n in target.graph.evidence for b in n.manifest.parsed.layers]
    for blob in blobs:
        kept = target.store.blobs.pop(blob.digest)
        with pytest.raises(Fault) as caught:
            target.findings()
        assert caught.value.exit_code == 3
        target.store.blobs[blob.digest] = kept
    assert target.findings().rejected == ()


def test_a_reason_has_no_control_characters_from_outside() -> None:
    key, digest = TestKey.make(), image("v2-key").digest
    document = statement(digest, _type="\x1b[31mred\x07\n")
    found = attested(key.envelope(json.dumps(document).encode()), key).findings()
    for text in (found.rejected[0].summary, found.rejected[0].actual or ""):
        assert text.isprintable()


BYTE = st.integers(min_value=0, max_value=10**6)
FUZZ = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(
    ("case", "media_type"),
    [
        ("v3-keyless", BUNDLE),
        ("v3-keyless-rekor1", BUNDLE),
        ("v3-key-rekor2", BUNDLE),
        ("v2-keyless", SIMPLE_SIGNING),
        ("v2-keyless-intoto", ENVELOPE),
        ("v2-key", ENVELOPE),
    ],
)
def test_no_changed_byte_of_a_blob_changes_what_is_accepted(case: str, media_type: str) -> None:
    target = image(case)
    good = set(signed_meaning(target.findings()))

    @FUZZ
    @given(at=BYTE, value=st.integers(min_value=1, max_value=255))
    def flips(at: int, value: int) -> None:
        def change(_notes: dict, content: bytes) -> bytes:
            raw = bytearray(content)
            raw[at % len(raw)] ^= value
            return bytes(raw)

        found = target.altered(media_type, change).findings()
        assert set(signed_meaning(found)) <= good

    flips()


@pytest.mark.parametrize(("case", "media_type"), [("v2-keyless", SIMPLE_SIGNING), ("v2-keyless-tsa", ENVELOPE)])
@pytest.mark.parametrize("name", [SIGNATURE, CERTIFICATE, PROMISE])
def test_no_changed_character_of_an_annotation_changes_what_is_accepted(case: str, media_type: str, name: str) -> None:
    target = image(case)
    good = set(signed_meaning(target.findings()))

    @FUZZ
    @given(at=BYTE, character=st.characters(min_codepoint=32, max_codepoint=126))
    def flips(at: int, character: str) -> None:
        def change(notes: dict, content: bytes) -> bytes:
            text = notes[name]
            if text:
                place = at % len(text)
                notes[name] = text[:place] + character + text[place + 1 :]
            return content

        assert set(signed_meaning(target.altered(media_type, change).findings())) <= good

    flips()


@FUZZ
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=8),
            lambda c: (
                st.lists(c, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "mediaType",
                            "verificationMaterial",
                            "dsseEnvelope",
                            "publicKey",
                            "certificate",
                            "payload",
                            "payloadType",
                            "signatures",
                            "sig",
                            "tlogEntries",
                            "critical",
                        ]
                    ),
                    c,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ).map(lambda v: json.dumps(v).encode()),
    )
)
def test_no_blob_at_all_breaks_the_verification(content: bytes) -> None:
    target = image("v3-key").bare()
    tag = f"{target.digest.tag}."
    nodes = [manifest_node(target, [(BUNDLE, content, {})])]
    for kind, ending in ((SIMPLE_SIGNING, "sig"), (ENVELOPE, "att")):
        notes = {SIGNATURE: content.hex(), CERTIFICATE: content.decode("latin-1"), PROMISE: content.decode("latin-1")}
        nodes.append(manifest_node(target, [(kind, content, notes)], relation=Relation.COSIGN_TAG, tag=tag + ending))
    trust = Trust((*target.trust.signers, BUILD), trust_of("v2-keyless").root)
    found = target.with_nodes(*nodes).findings(trust)
    assert found.accepted == ()
    assert len(found.rejected) == 3
    assert all(r.summary.isprintable() for r in found.rejected)
