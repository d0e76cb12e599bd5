"""Bundles signed with a managed key: sigstore-python knows none, so all of it is checked here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from promote.evidence import inclusion, log_body, timestamp
from promote.evidence.anchors import Anchors
from promote.evidence.bundle import Bundle, log_id, promised_time
from promote.evidence.flawed import invalid
from promote.evidence.public_key import PublicKey
from promote.evidence.reading import child, unbase64
from promote.evidence.signed import Signed, Verified
from promote.evidence.trust_root import LogKey
from promote.model.evidence import Log, SignedBy


def verify(bundle: Bundle, anchors: Anchors) -> Verified:
    """The payload of a bundle with a key's hint; raises `Malformed` or `Flawed`."""
    signed = bundle.signed
    key = anchors.key_that_signed(signed.signature, signed.message, _hint(bundle))
    log, time = Log.NONE, None
    if len(bundle.entries) > 1:
        invalid(f"the bundle has {len(bundle.entries)} log entries", expected="at most one")
    for entry in bundle.entries:
        known = anchors.root.log(log_id(entry))
        if known is not None:
            time = _check_entry(entry, known, signed, key)
            log = Log.PROOF
    if time is None and bundle.stamps:
        time = timestamp.verified_time(bundle.stamps, signed.signature, anchors.root)
    return Verified(signed.payload_type, signed.payload, SignedBy(key=key.fingerprint), log, time)


def _check_entry(entry: dict[str, Any], log: LogKey, signed: Signed, key: PublicKey) -> datetime | None:
    """The time that the log promised, None where it made no promise (Rekor v2); raises `Flawed`."""
    body = unbase64(entry.get("canonicalizedBody"), "log entry body")
    inclusion.check(body, child(entry, "inclusionProof", "log entry"), log)
    log_body.bind(body, signed, key.spki)
    return promised_time(entry, log)


def _hint(bundle: Bundle) -> bytes | None:
    hint = child(bundle.material, "publicKey", "bundle").get("hint")
    return unbase64(hint, "bundle publicKey.hint") if hint else None
