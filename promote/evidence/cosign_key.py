"""Private keys as cosign writes them: PKCS#8 inside NaCl's secretbox, under a password stretched by scrypt.

Source: sigstore/cosign pkg/cosign/keys.go (the PEM's types), secure-systems-lab/go-securesystemslib
encrypted/encrypted.go (the JSON, its parameters and sizes).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from promote.model import strict_json
from promote.model.malformed import Malformed

WHAT = "encrypted cosign key"
# Cosign calls the same thing by two names: the second is what it wrote before 2.0.
_PEM = re.compile(
    rb"\s*-----BEGIN (ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY)-----\s([A-Za-z0-9+/=\s]+)-----END \1-----\s*"
)
_BEGIN = re.compile(rb"-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----")
_COSTS = (2**15, 2**16, 2**17)
"""The only costs that cosign takes (its legacy, standard and OWASP strengths), always with r = 8 and p = 1.

Any other would let the file say how much memory is spent on it.
"""
_SALT, _NONCE, _TAG = 32, 24, 16


@dataclass(frozen=True, slots=True)
class CosignKey:
    """An encrypted key: scrypt's `cost` (N) and `salt`, secretbox's `nonce` and `box`."""

    cost: int
    salt: bytes
    nonce: bytes
    box: bytes

    @classmethod
    def is_in(cls, pem: bytes) -> bool:
        """Whether `pem` says of itself that it is such a key."""
        return _BEGIN.search(pem) is not None

    @classmethod
    def parse(cls, pem: bytes) -> CosignKey:
        """The key in `pem`, which has nothing else; raises `Malformed`."""
        block = _PEM.fullmatch(pem)
        if block is None:
            raise Malformed(WHAT, "something else around or inside of it", "one PEM block")
        document = strict_json.loads_object(_decoded(block[2], "its PEM block"), WHAT)
        kdf, cipher = _object(document, "kdf"), _object(document, "cipher")
        parameters = _object(kdf, "params")
        if (kdf.get("name"), cipher.get("name")) != ("scrypt", "nacl/secretbox"):
            raise Malformed(WHAT, "another cipher", "scrypt and nacl/secretbox")
        cost = parameters.get("N")
        if type(cost) is not int or cost not in _COSTS or (parameters.get("r"), parameters.get("p")) != (8, 1):
            raise Malformed(WHAT, "other parameters of scrypt", "N of 32768, 65536 or 131072, r = 8, p = 1")
        return cls(
            cost,
            _bytes(kdf, "salt", _SALT),
            _bytes(cipher, "nonce", _NONCE),
            _bytes(document, "ciphertext", None),
        )

    def opened(self, password: str) -> bytes | None:
        """The DER PKCS#8 inside; None when `password` does not open it, or it was altered.

        Costs 128 x 8 x N bytes of memory for a moment: 128 MiB at most.
        """
        # Here, because most keys are plain PEM, and libsodium is 4 MB.
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415
        from nacl.exceptions import CryptoError  # noqa: PLC0415
        from nacl.secret import SecretBox  # noqa: PLC0415

        stretched = Scrypt(self.salt, length=SecretBox.KEY_SIZE, n=self.cost, r=8, p=1).derive(password.encode())
        try:
            return SecretBox(stretched).decrypt(self.box, self.nonce)
        except CryptoError:
            return None


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    found = parent.get(name)
    if not isinstance(found, dict):
        raise Malformed(WHAT, f"no {name}", f"an object called {name}")
    return found


def _bytes(parent: dict[str, Any], name: str, size: int | None) -> bytes:
    text = parent.get(name)
    if not isinstance(text, str):
        raise Malformed(WHAT, f"no {name}", f"{name} in base64")
    found = _decoded(text.encode(), name)
    if len(found) != size if size is not None else len(found) <= _TAG:
        raise Malformed(WHAT, f"{name} of {len(found)} bytes", f"{size if size is not None else 'more'} bytes")
    return found


def _decoded(text: bytes, name: str) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except ValueError:
        raise Malformed(WHAT, f"{name} that is not base64", "base64") from None
