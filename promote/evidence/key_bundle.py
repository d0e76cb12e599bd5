"""Bundles signed with a managed key: sigstore-python knows none, so all of it is checked here."""

from __future__ import annotations

from promote.evidence import log_entry, timestamp
from promote.evidence.anchors import Anchors
from promote.evidence.bundle import Bundle
from promote.evidence.reading import child, text
from promote.evidence.signed import Verified
from promote.model.evidence import SignedBy


def verify(bundle: Bundle, anchors: Anchors) -> Verified:
    """The payload of a bundle with a key's hint; raises `Malformed` or `Flawed`.

    A key needs no log.  What a log of the root says must hold; what an unknown log says is worth nothing.
    """
    signed = bundle.signed
    key = anchors.key_that_signed(signed.signature, signed.message, _hint(bundle))
    logged = log_entry.check(bundle, key.spki, anchors.root)
    time = next(iter(logged.times), None)
    if time is None and bundle.stamps:
        time = timestamp.verified_time(bundle.stamps, signed.signature, anchors.root)
    return Verified(signed.payload_type, signed.payload, SignedBy(key=key.fingerprint), logged.log, time)


def _hint(bundle: Bundle) -> str | None:
    """The name that the signer gave to the key: any text (sigstore_common.proto, "PublicKeyIdentifier")."""
    hint = child(bundle.material, "publicKey", "bundle").get("hint")
    return text(hint, "bundle publicKey.hint") if hint else None
