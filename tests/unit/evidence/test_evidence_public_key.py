"""Which keys are used, and what counts as their signature."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.cosign_fixtures import FIXTURES, TestKey, image, signed, simple_signing

from promote.errors import Misuse
from promote.evidence.public_key import PublicKey
from promote.model.malformed import Malformed
from promote.model.policy import KeySigner, Trust


def pem(key: object) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [
        (ec.SECP256R1(), hashes.SHA256()),
        (ec.SECP384R1(), hashes.SHA384()),
        (ec.SECP384R1(), hashes.SHA256()),
        (ec.SECP521R1(), hashes.SHA512()),
        (ec.SECP521R1(), hashes.SHA256()),
    ],
)
def test_ecdsa_counts_with_the_curves_hash_and_with_cosigns(
    curve: ec.EllipticCurve, algorithm: hashes.HashAlgorithm
) -> None:
    key = TestKey.make(curve)
    payload = json.dumps(simple_signing(image("v2-key").digest)).encode()
    assert len(signed(payload, key, signature=key.sign(payload, algorithm)).findings().accepted) == 1
    assert PublicKey.from_pem(key.signer.pem).verifies(key.sign(payload, algorithm), payload + b" ") is False


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_no_other_hash_counts(curve: ec.EllipticCurve) -> None:
    key = TestKey.make(curve)
    assert PublicKey.from_pem(key.signer.pem).verifies(key.sign(b"m", hashes.SHA512()), b"m") is False


def test_rsa_counts_with_pkcs1_padding_only() -> None:
    private = rsa.generate_private_key(65537, 2048)
    key = PublicKey.from_pem(pem(private.public_key()))
    assert key.verifies(private.sign(b"m", padding.PKCS1v15(), hashes.SHA256()), b"m")
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    assert not key.verifies(private.sign(b"m", pss, hashes.SHA256()), b"m")


def test_plain_ed25519_counts() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    key = PublicKey.from_pem(pem(private.public_key()))
    assert key.verifies(private.sign(b"m"), b"m")
    assert not key.verifies(private.sign(b"m"), b"n")


@pytest.mark.parametrize(
    "key",
    [
        pem(rsa.generate_private_key(65537, 1024).public_key()),
        pem(ec.generate_private_key(ec.SECP256K1()).public_key()),
        pem(dsa.generate_private_key(2048).public_key()),
        b"",
        b"not a key",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ],
)
def test_a_key_that_promote_does_not_use_is_a_mistake_in_the_configuration(key: bytes) -> None:
    with pytest.raises(Malformed):
        PublicKey.from_pem(key)
    with pytest.raises(Misuse, match=r"keys/cosign\.pub is no public key") as caught:
        image("v2-key").findings(Trust((KeySigner("keys/cosign.pub", key),)))
    assert (caught.value.code, caught.value.exit_code) == ("bad-key", 2)


def test_the_fingerprint_is_of_the_subject_public_key_info() -> None:
    key = PublicKey.from_pem((FIXTURES / "v3-key" / "key.pub").read_bytes())
    assert PublicKey.from_der(key.spki).fingerprint == key.fingerprint == f"sha256:{key.spki_hash.hex()}"


def test_any_of_several_keys_may_have_signed() -> None:
    target = image("v2-key")
    trusted = target.trust.signers[0]
    assert isinstance(trusted, KeySigner)
    found = target.findings(Trust((TestKey.make().signer, trusted)))
    assert len(found.accepted) == 5
    assert found.rejected == ()
