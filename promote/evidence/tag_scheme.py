"""Cosign's tag scheme: a payload in a layer, its signature material in the layer's annotations.

sigstore-python refuses these as they are stored: it demands an inclusion proof, and they keep the log's promise only.
So this lane does each step itself, with public calls of `cryptography`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding

from promote.evidence import certificate as certificates
from promote.evidence import log_body, timestamp
from promote.evidence.anchors import Anchors
from promote.evidence.flawed import invalid
from promote.evidence.log_promise import Promise
from promote.evidence.public_key import PublicKey
from promote.evidence.reading import exact_keys, unbase64
from promote.evidence.signed import Signed, Verified, envelope_signed, simple_signed
from promote.model import strict_json
from promote.model.evidence import Log, SignedBy

SIGNATURE = "dev.cosignproject.cosign/signature"
CERTIFICATE = "dev.sigstore.cosign/certificate"
PROMISE = "dev.sigstore.cosign/bundle"
TIMESTAMP = "dev.sigstore.cosign/rfc3161timestamp"
MATERIAL = (SIGNATURE, CERTIFICATE, PROMISE, TIMESTAMP)
"""The annotations with signature material.  ``dev.sigstore.cosign/chain`` is not: trust comes from the root."""


def verify_simple_signing(payload: bytes, annotations: Mapping[str, str], anchors: Anchors) -> Verified:
    """A simple-signing payload with its signature in `annotations`; raises `Malformed` or `Flawed`."""
    signature = unbase64(annotations.get(SIGNATURE), "signature annotation")
    return _verify(simple_signed(payload, signature), (signature,), annotations, anchors)


def verify_envelope(content: bytes, annotations: Mapping[str, str], anchors: Anchors) -> Verified:
    """A DSSE envelope with the rest of its material in `annotations`; raises `Malformed` or `Flawed`.

    Cosign 2 stamps the whole envelope here, cosign 3 the signature in it, as in a bundle.
    """
    signed = envelope_signed(strict_json.loads_object(content, "envelope"), content)
    return _verify(signed, (content, signed.signature), annotations, anchors)


def _verify(signed: Signed, stamped: tuple[bytes, ...], annotations: Mapping[str, str], anchors: Anchors) -> Verified:
    if annotations.get(CERTIFICATE):
        return _verify_with_certificate(signed, stamped, annotations, anchors)
    return _verify_with_key(signed, stamped, annotations, anchors)


def _verify_with_certificate(
    signed: Signed, stamped: tuple[bytes, ...], annotations: Mapping[str, str], anchors: Anchors
) -> Verified:
    leaf = certificates.from_pem(annotations[CERTIFICATE])
    promise = _promise(annotations)
    if promise is not None:
        log, time = Log.PROMISE, _promised_time(promise, anchors)
    else:
        log, time = Log.NONE, _stamped_time(stamped, annotations, anchors)
    certificates.check(leaf, anchors.root, time)
    if not certificates.public_key(leaf).verifies(signed.signature, signed.message):
        invalid("the signature does not verify", expected="a signature by the certificate's key")
    if promise is not None:
        log_body.bind(promise.entry, signed, leaf.public_bytes(Encoding.DER))
    return Verified(signed.payload_type, signed.payload, certificates.signed_by(leaf), log, time)


def _verify_with_key(
    signed: Signed, stamped: tuple[bytes, ...], annotations: Mapping[str, str], anchors: Anchors
) -> Verified:
    """A key needs no log.  A promise by a log of the root must hold; one by an unknown log is worth nothing."""
    key = anchors.key_that_signed(signed.signature, signed.message)
    log, time = Log.NONE, None
    promise = _promise(annotations)
    known = anchors.root.promising_log(promise.log_id) if promise else None
    if promise and known:
        time = promise.check(known)
        log_body.bind(promise.entry, signed, key.spki)
        log = Log.PROMISE
    elif stamps := _stamps(annotations):
        time = _earliest(stamps, stamped, anchors)
    return _verified_by_key(signed, key, log, time)


def _verified_by_key(signed: Signed, key: PublicKey, log: Log, time: datetime | None) -> Verified:
    return Verified(signed.payload_type, signed.payload, SignedBy(key=key.fingerprint), log, time)


def _promise(annotations: Mapping[str, str]) -> Promise | None:
    annotation = annotations.get(PROMISE)
    return Promise.parse(annotation) if annotation else None


def _promised_time(promise: Promise, anchors: Anchors) -> datetime:
    log = anchors.root.promising_log(promise.log_id)
    if log is None:
        invalid("logged by a log that the trusted root does not know", actual=promise.log_id.hex())
    return promise.check(log)


def _stamped_time(stamped: tuple[bytes, ...], annotations: Mapping[str, str], anchors: Anchors) -> datetime:
    """The time of a signature that is in no log; raises `Flawed`."""
    stamps = _stamps(annotations)
    time = _earliest(stamps, stamped, anchors)
    if time is None:
        invalid(
            "nothing proves when this was signed",
            expected="a log's promise, or a time stamp by an authority of the trusted root",
            actual="a time stamp that does not verify" if stamps else "neither",
        )
    return time


def _earliest(stamps: list[bytes], stamped: tuple[bytes, ...], anchors: Anchors) -> datetime | None:
    """The earliest time at which an authority saw one of `stamped`; None when no stamp verifies."""
    times = (timestamp.verified_time(stamps, message, anchors.root) for message in stamped)
    return min((time for time in times if time is not None), default=None)


def _stamps(annotations: Mapping[str, str]) -> list[bytes]:
    annotation = annotations.get(TIMESTAMP)
    if not annotation:
        return []
    document = strict_json.loads_object(annotation, "time stamp")
    exact_keys(document, "time stamp", frozenset({"SignedRFC3161Timestamp"}))
    return [unbase64(document.get("SignedRFC3161Timestamp"), "time stamp")]
