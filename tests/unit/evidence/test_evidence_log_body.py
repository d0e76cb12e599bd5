"""A log entry is about this payload, this signature and this signer, or it is worth nothing."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from support.cosign_fixtures import IN_TOTO, TestKey, b64

from promote.evidence.flawed import Flawed
from promote.evidence.log_body import bind
from promote.evidence.public_key import PublicKey
from promote.evidence.signed import Signed, envelope_signed, simple_signed
from promote.model.evidence import Flaw
from promote.model.malformed import Malformed

KEY, STRANGER = TestKey.make(), TestKey.make()
DER = PublicKey.from_pem(KEY.signer.pem).spki
ENVELOPE = KEY.envelope(b'{"a": 1}')
SIGNED = envelope_signed(json.loads(ENVELOPE), ENVELOPE)
PEM = b64(KEY.signer.pem)


def sha(content: bytes, algorithm: str = "sha256") -> dict:
    return {"algorithm": algorithm, "value": hashlib.new(algorithm, content).hexdigest()}


def hashedrekord_1(signed: Signed, pem: str = PEM, algorithm: str = "sha256") -> dict:
    signature = {"content": b64(signed.signature), "publicKey": {"content": pem}}
    return {"data": {"hash": sha(signed.message, algorithm)}, "signature": signature}


def rekord(signed: Signed, form: str = "x509") -> dict:
    spec = hashedrekord_1(signed)
    return spec | {"signature": spec["signature"] | {"format": form}}


def hashedrekord_2(signed: Signed, der: bytes = DER) -> dict:
    data = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(signed.message).digest())}
    verifier = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "publicKey": {"rawBytes": b64(der)}}
    signature = {"content": b64(signed.signature), "verifier": verifier}
    return {"hashedRekordV002": {"data": data, "signature": signature}}


def dsse(signed: Signed, pem: str = PEM) -> dict:
    one = {"signature": b64(signed.signature), "verifier": pem}
    return {"envelopeHash": sha(signed.envelope or b""), "payloadHash": sha(signed.payload), "signatures": [one]}


def intoto_1(signed: Signed, pem: str = PEM) -> dict:
    return {"content": {"hash": sha(signed.envelope or b""), "payloadHash": sha(signed.payload)}, "publicKey": pem}


def intoto_2(signed: Signed, pem: str = PEM) -> dict:
    one = {"sig": b64(base64.b64encode(signed.signature)), "publicKey": pem}
    envelope = {"payloadType": IN_TOTO, "signatures": [one]}
    return {"content": {"envelope": envelope, "hash": sha(b"anything"), "payloadHash": sha(signed.payload)}}


KINDS = {
    ("hashedrekord", "0.0.1"): hashedrekord_1,
    ("rekord", "0.0.1"): rekord,
    ("hashedrekord", "0.0.2"): hashedrekord_2,
    ("dsse", "0.0.1"): dsse,
    ("intoto", "0.0.1"): intoto_1,
    ("intoto", "0.0.2"): intoto_2,
}


def entry(kind: tuple[str, str], spec: object) -> bytes:
    return json.dumps({"kind": kind[0], "apiVersion": kind[1], "spec": spec}).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_about_this_is_bound(kind: tuple[str, str]) -> None:
    bind(entry(kind, KINDS[kind](SIGNED)), SIGNED, DER)


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_about_another_payload_signature_or_signer_is_not(kind: tuple[str, str]) -> None:
    good = KINDS[kind](SIGNED)
    other_payload = KEY.envelope(b'{"a": 2}')
    for change in ({"payload": b"other", "message": b"other"}, {"signature": b"other", "envelope": b"other"}):
        fields = {
            name: getattr(SIGNED, name) for name in ("payload_type", "payload", "message", "signature", "envelope")
        }
        with pytest.raises(Flawed) as caught:
            bind(entry(kind, good), Signed(**(fields | change)), DER)
        assert caught.value.flaw is Flaw.INVALID
    with pytest.raises(Flawed):
        bind(entry(kind, good), envelope_signed(json.loads(other_payload), other_payload), DER)
    with pytest.raises(Flawed, match="signer"):
        bind(entry(kind, good), SIGNED, PublicKey.from_pem(STRANGER.signer.pem).spki)


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_a_curve_with_a_longer_hash_is_logged_with_it(algorithm: str) -> None:
    signed = simple_signed(b"payload", b"signature")
    bind(entry(("hashedrekord", "0.0.1"), hashedrekord_1(signed, algorithm=algorithm)), signed, DER)


def test_a_weak_hash_binds_nothing() -> None:
    signed = simple_signed(b"payload", b"signature")
    with pytest.raises(Flawed, match="unknown algorithm"):
        bind(entry(("hashedrekord", "0.0.1"), hashedrekord_1(signed, algorithm="sha1")), signed, DER)


def test_a_signature_of_pgp_is_not_bound_by_its_bytes() -> None:
    with pytest.raises(Flawed, match="another kind"):
        bind(entry(("rekord", "0.0.1"), rekord(SIGNED, "pgp")), SIGNED, DER)


def test_an_entry_without_a_signature_needs_the_stored_envelope() -> None:
    bare = envelope_signed(json.loads(ENVELOPE))
    with pytest.raises(Flawed) as caught:
        bind(entry(("intoto", "0.0.1"), intoto_1(SIGNED)), bare, DER)
    assert caught.value.flaw is Flaw.UNSUPPORTED


@pytest.mark.parametrize("kind", [("rekord", "0.0.2"), ("dsse", "0.0.2"), ("alpine", "0.0.1"), (None, None)])
def test_any_other_kind_is_named_as_unsupported(kind: tuple) -> None:
    with pytest.raises(Flawed) as caught:
        bind(entry(kind, {}), SIGNED, DER)
    assert caught.value.flaw is Flaw.UNSUPPORTED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spec", [{}, None, [], {"content": {}}, {"data": 1}, {"hashedRekordV002": {"data": None}}])
def test_an_entry_with_holes_is_malformed(kind: tuple[str, str], spec: object) -> None:
    with pytest.raises(Malformed):
        bind(entry(kind, spec), SIGNED, DER)


def test_two_signatures_in_an_entry_are_refused() -> None:
    spec = dsse(SIGNED)
    spec["signatures"] *= 2
    with pytest.raises(Flawed, match="2 signatures"):
        bind(entry(("dsse", "0.0.1"), spec), SIGNED, DER)


def test_two_kinds_of_signer_in_an_entry_are_refused() -> None:
    spec = hashedrekord_2(SIGNED)
    spec["hashedRekordV002"]["signature"]["verifier"]["x509Certificate"] = {"rawBytes": ""}
    with pytest.raises(Malformed):
        bind(entry(("hashedrekord", "0.0.2"), spec), SIGNED, DER)
