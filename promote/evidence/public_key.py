"""Public keys, and what it means that one of them verifies a signature."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from promote.model.malformed import Malformed

SUPPORTED = "an ECDSA key on P-256, P-384 or P-521, an RSA key of 2048 bits or more, or an Ed25519 key"
MIN_RSA_BITS = 2048

Key = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

# The curve's own hash is what sigstore's algorithm registry pairs it with.  SHA-256 on every curve is what cosign
# hard-codes where it verifies with a key (pkg/signature/keys.go, LoadPublicKey).  One signature cannot mean
# two messages this way: that would take a SHA-384 value that is a SHA-256 value.
_CURVE_HASHES: dict[str, tuple[hashes.HashAlgorithm, ...]] = {
    "secp256r1": (hashes.SHA256(),),
    "secp384r1": (hashes.SHA384(), hashes.SHA256()),
    "secp521r1": (hashes.SHA512(), hashes.SHA256()),
}


@dataclass(frozen=True)
class PublicKey:
    """A key of a kind that promote verifies with; made by `from_pem`, `from_der` or `of`."""

    key: Key

    @classmethod
    def of(cls, key: object) -> PublicKey:
        """`key` when it is of a supported kind and size; raises `Malformed`."""
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < MIN_RSA_BITS:
            raise Malformed("public key", f"RSA of {key.key_size} bits", SUPPORTED)
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVE_HASHES:
            raise Malformed("public key", f"ECDSA on {key.curve.name}", SUPPORTED)
        if not isinstance(key, Key):
            raise Malformed("public key", type(key).__name__, SUPPORTED)
        return cls(key)

    @classmethod
    def from_pem(cls, pem: bytes) -> PublicKey:
        """The key of a PEM SubjectPublicKeyInfo; raises `Malformed`."""
        try:
            return cls.of(load_pem_public_key(pem))
        except (ValueError, UnsupportedAlgorithm) as problem:
            raise _unreadable(problem, "one PEM block of type PUBLIC KEY") from None

    @classmethod
    def from_der(cls, der: bytes) -> PublicKey:
        """The key of a DER SubjectPublicKeyInfo; raises `Malformed`."""
        try:
            return cls.of(load_der_public_key(der))
        except (ValueError, UnsupportedAlgorithm) as problem:
            raise _unreadable(problem, "a DER SubjectPublicKeyInfo") from None

    @cached_property
    def spki(self) -> bytes:
        """The DER SubjectPublicKeyInfo."""
        return self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @cached_property
    def spki_hash(self) -> bytes:
        """SHA-256 of `spki`: how RFC 6962 and Rekor v1 name a log."""
        return hashlib.sha256(self.spki).digest()

    @property
    def fingerprint(self) -> str:
        """``sha256:<hex>`` of the DER SubjectPublicKeyInfo."""
        return f"sha256:{self.spki_hash.hex()}"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is this key's signature of `message`."""
        key = self.key
        if isinstance(key, ec.EllipticCurvePublicKey):
            return any(_ecdsa(key, signature, message, h) for h in _CURVE_HASHES[key.curve.name])
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            else:
                key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def _ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    try:
        key.verify(signature, message, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def _unreadable(problem: Exception, expected: str) -> Malformed:
    return problem if isinstance(problem, Malformed) else Malformed("public key", str(problem), expected)
