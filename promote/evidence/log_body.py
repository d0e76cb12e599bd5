"""Whether a log entry is about this payload, this signature and this signer, and not about something else.

A log vouches for its entry only.  Without this step any logged signature would lend its promise to any other
(CVE-2022-36056, CVE-2026-22703).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from promote.evidence.flawed import Flawed, invalid
from promote.evidence.reading import child, children, text, unbase64
from promote.evidence.signed import Signed
from promote.model import strict_json
from promote.model.evidence import Flaw
from promote.model.malformed import Malformed, shown

_HASHES = {name: name for name in ("sha256", "sha384", "sha512")}
_PROTOBUF_HASHES = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


def bind(entry: bytes, signed: Signed, verifier: bytes) -> None:
    """Raise `Flawed` unless the log entry records `signed` by `verifier` (DER of a certificate or of a public key)."""
    document = strict_json.loads_object(entry, "log entry")
    kind = (document.get("kind"), document.get("apiVersion"))
    reader = _READERS.get(kind)
    if reader is None:
        raise Flawed(
            Flaw.UNSUPPORTED,
            f"a log entry of kind {shown(kind[0])} {shown(kind[1])}",
            expected=", ".join(f"{k} {v}" for k, v in _READERS),
        )
    reader(child(document, "spec", "log entry"), signed, verifier)


def _hashedrekord_1(spec: dict[str, Any], signed: Signed, verifier: bytes) -> None:
    """Source: sigstore/rekor, pkg/types/hashedrekord/v0.0.1/hashedrekord_v0_0_1_schema.json."""
    data = child(child(spec, "data", "log entry"), "hash", "log entry data")
    _hash("the log entry's hash", data, signed.message)
    signature = child(spec, "signature", "log entry")
    _same("the log entry's signature", unbase64(signature.get("content"), "log entry signature"), signed.signature)
    key = child(signature, "publicKey", "log entry signature").get("content")
    _same("the log entry's signer", _pem(unbase64(key, "log entry key")), verifier)


def _rekord(spec: dict[str, Any], signed: Signed, verifier: bytes) -> None:
    """Source: sigstore/rekor, pkg/types/rekord/v0.0.1/rekord_v0_0_1_schema.json: what the first cosign logged."""
    form = child(spec, "signature", "log entry").get("format")
    if form != "x509":
        invalid("the log entry's signature is of another kind", expected="x509", actual=shown(form))
    _hashedrekord_1(spec, signed, verifier)


def _hashedrekord_2(spec: dict[str, Any], signed: Signed, verifier: bytes) -> None:
    """Source: sigstore/rekor-tiles, api/proto/rekor/v2/hashedrekord.proto."""
    inner = child(spec, "hashedRekordV002", "log entry")
    data = child(inner, "data", "log entry")
    algorithm = _PROTOBUF_HASHES.get(text(data.get("algorithm"), "log entry hash"))
    _same_hash("the log entry's hash", algorithm, signed.message, unbase64(data.get("digest"), "log entry hash").hex())
    signature = child(inner, "signature", "log entry")
    _same("the log entry's signature", unbase64(signature.get("content"), "log entry signature"), signed.signature)
    who = child(signature, "verifier", "log entry signature")
    if len({"publicKey", "x509Certificate"} & set(who)) != 1:
        raise Malformed("log entry verifier", sorted(who), "one of publicKey and x509Certificate")
    holder = child(who, "publicKey" if "publicKey" in who else "x509Certificate", "log entry verifier")
    _same("the log entry's signer", unbase64(holder.get("rawBytes"), "log entry key"), verifier)


def _dsse(spec: dict[str, Any], signed: Signed, verifier: bytes) -> None:
    """Source: sigstore/rekor, pkg/types/dsse/v0.0.1/dsse_v0_0_1_schema.json.

    The envelope's hash is of the envelope as it was uploaded, known only where it is stored as a blob of its own.
    """
    _payload_hash(spec, signed)
    if signed.envelope is not None:
        envelope = child(spec, "envelopeHash", "log entry")
        _hash("the log entry's envelope", envelope, signed.envelope)
    one = _only(children(spec, "signatures", "log entry"))
    _same("the log entry's signature", unbase64(one.get("signature"), "log entry signature"), signed.signature)
    _same("the log entry's signer", _pem(unbase64(one.get("verifier"), "log entry key")), verifier)


def _intoto_1(spec: dict[str, Any], signed: Signed, verifier: bytes) -> None:
    """Source: sigstore/rekor, pkg/types/intoto/v0.0.1/intoto_v0_0_1_schema.json.

    The entry keeps no signature; it is bound through the hash of the envelope that holds it.
    """
    content = child(spec, "content", "log entry")
    if signed.envelope is None:
        raise Flawed(Flaw.UNSUPPORTED, "a log entry of kind intoto 0.0.1 for something that is no stored envelope")
    _hash("the log entry's envelope", child(content, "hash", "log entry content"), signed.envelope)
    _payload_hash(content, signed)
    _same("the log entry's signer", _pem(unbase64(spec.get("publicKey"), "log entry key")), verifier)


def _intoto_2(spec: dict[str, Any], signed: Signed, verifier: bytes) -> None:
    """Source: sigstore/rekor, pkg/types/intoto/v0.0.2: the signature's base64 text is encoded in base64 once more."""
    content = child(spec, "content", "log entry")
    _payload_hash(content, signed)
    one = _only(children(child(content, "envelope", "log entry content"), "signatures", "log entry envelope"))
    encoded = base64.b64encode(signed.signature)
    _same("the log entry's signature", unbase64(one.get("sig"), "log entry signature"), encoded)
    _same("the log entry's signer", _pem(unbase64(one.get("publicKey"), "log entry key")), verifier)


_READERS: dict[tuple[object, object], Callable[[dict[str, Any], Signed, bytes], None]] = {
    ("hashedrekord", "0.0.1"): _hashedrekord_1,
    ("hashedrekord", "0.0.2"): _hashedrekord_2,
    ("rekord", "0.0.1"): _rekord,
    ("dsse", "0.0.1"): _dsse,
    ("intoto", "0.0.1"): _intoto_1,
    ("intoto", "0.0.2"): _intoto_2,
}


def _payload_hash(holder: dict[str, Any], signed: Signed) -> None:
    _hash("the log entry's payload", child(holder, "payloadHash", "log entry"), signed.payload)


def _hash(what: str, logged: dict[str, Any], content: bytes) -> None:
    algorithm = _HASHES.get(text(logged.get("algorithm"), "log entry hash"))
    _same_hash(what, algorithm, content, text(logged.get("value"), "log entry hash"))


def _same_hash(what: str, algorithm: str | None, content: bytes, logged: str) -> None:
    if algorithm is None:
        invalid(f"{what} is by an unknown algorithm", expected="SHA-256, SHA-384 or SHA-512")
    computed = hashlib.new(algorithm, content).hexdigest()
    if computed != logged:
        invalid(f"{what} is of something else", expected=computed, actual=shown(logged))


def _same(what: str, logged: bytes, here: bytes) -> None:
    if logged != here:
        invalid(f"{what} is another one", expected=_named(here), actual=_named(logged))


def _named(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _only(items: list[Any]) -> dict[str, Any]:
    if len(items) != 1 or not isinstance(items[0], dict):
        invalid(f"the log entry has {len(items)} signatures", expected="exactly one signature", actual=str(len(items)))
    return items[0]


def _pem(pem: bytes) -> bytes:
    """The DER of a PEM certificate or public key; raises `Malformed`."""
    try:
        if b"-----BEGIN CERTIFICATE-----" in pem:
            return load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
        return load_pem_public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError as problem:
        raise Malformed("log entry key", str(problem), "a certificate or public key in PEM") from None
