"""Signing with a private key from a file, without a log: what a company without Sigstore has."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from promote.errors import CredentialsFault, Misuse
from promote.evidence.cosign_key import CosignKey
from promote.evidence.public_key import PublicKey
from promote.evidence.signed import IN_TOTO, pae
from promote.evidence.signed_bundle import BUNDLE_TYPE, SignedBundle
from promote.model.attestor import KeyAttestor
from promote.model.malformed import Malformed, shown
from promote.model.policy import KeySigner, Trust

PASSWORD = "PROMOTE_KEY_PASSWORD"  # noqa: S105 - the name of a variable
MAX_KEY_BYTES = 64 * 1024
COSIGN_PASSWORD = "COSIGN_PASSWORD"  # noqa: S105 - the name of a variable
"""Where cosign itself looks for the password of a key in its own form."""
SUPPORTED = (
    "a PKCS#8 PEM, or cosign's encrypted form of it, with an ECDSA key on P-256, P-384 or P-521, "
    "or an RSA key of 2048 bits or more"
)

_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class KeySignatory:
    """A `promote.evidence.signatory.Signatory` by key."""

    attestor: KeyAttestor
    environ: Mapping[str, str]

    def check(self) -> None:
        """Read the key; raises `Misuse` for one that cannot be used, `CredentialsFault` for a wrong password."""
        _ = self._key

    def trust(self) -> Trust:
        """Trust in this key alone."""
        return Trust((self._signer,))

    def sign(self, statement: bytes) -> SignedBundle:
        """A bundle as `cosign attest --key` writes it, without a log entry."""
        signature = _signature(self._key, pae(IN_TOTO, statement))
        document = {
            "mediaType": BUNDLE_TYPE,
            "verificationMaterial": {"publicKey": {"hint": _b64(self._public.spki_hash)}},
            "dsseEnvelope": {
                "payload": _b64(statement),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": _b64(signature)}],
            },
        }
        return SignedBundle(json.dumps(document, separators=(",", ":")).encode(), self._signer)

    @cached_property
    def _key(self) -> _PrivateKey:
        pem = self._pem()
        try:
            key = self._cosign_key(pem) if CosignKey.is_in(pem) else self._pkcs8_key(pem)
            if not isinstance(key, _PrivateKey):
                raise Malformed("private key", type(key).__name__, SUPPORTED)
            PublicKey.of(key.public_key())
        except Malformed as problem:
            raise self._unusable(problem.got) from None
        except (ValueError, UnsupportedAlgorithm):
            raise self._unusable("no such key") from None
        return key

    def _cosign_key(self, pem: bytes) -> object:
        encrypted, password = CosignKey.parse(pem), self.environ.get(COSIGN_PASSWORD)
        if password is None:  # an empty one is a password, as it is to cosign
            raise self._wrong_password(COSIGN_PASSWORD, "no password")
        der = encrypted.opened(password)
        if der is None:
            raise self._wrong_password(COSIGN_PASSWORD, "another password, or an altered key")
        return load_der_private_key(der, None)

    def _pkcs8_key(self, pem: bytes) -> object:
        password = self.environ.get(PASSWORD) if b"ENCRYPTED" in pem else None
        try:
            return load_pem_private_key(pem, password.encode() if password else None)
        except TypeError:
            raise self._wrong_password(PASSWORD, "no password") from None
        except ValueError:
            if password:
                raise self._wrong_password(PASSWORD, "another password, or an altered key") from None
            raise

    def _pem(self) -> bytes:
        try:
            with self.attestor.path.open("rb") as file:
                pem = file.read(MAX_KEY_BYTES + 1)
        except OSError as problem:
            raise self._unusable(problem.strerror or type(problem).__name__) from None
        return pem

    @cached_property
    def _public(self) -> PublicKey:
        return PublicKey.of(self._key.public_key())

    @cached_property
    def _signer(self) -> KeySigner:
        pem = self._public.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return KeySigner(self.attestor.name, pem)

    def _unusable(self, actual: str) -> Misuse:
        name = shown(self.attestor.name)
        return Misuse(
            "bad-key",
            f"{name} is no private key that promote can sign with: got {actual}, expected {SUPPORTED}",
            expected=SUPPORTED,
            actual=actual,
            hint=f"look at it with `openssl pkey -noout -text -in {name}`, or `cosign public-key --key {name}`",
        )

    def _wrong_password(self, variable: str, actual: str) -> CredentialsFault:
        return CredentialsFault(
            "key-password",
            f"the private key {shown(self.attestor.name)} is encrypted, and {variable} does not open it",
            expected=f"its password in {variable}",
            actual=actual,
            hint=f"set {variable} for this command",
        )


def _signature(key: _PrivateKey, message: bytes) -> bytes:
    # SHA-256 on every curve: what cosign hard-codes where it verifies with a key (pkg/signature/keys.go).
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
