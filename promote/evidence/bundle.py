"""Sigstore bundles: told apart by what signed them, a certificate or a key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promote.evidence import timestamp
from promote.evidence.flawed import Flawed, invalid
from promote.evidence.log_promise import Promise
from promote.evidence.reading import child, children, text, unbase64, whole
from promote.evidence.signed import Signed, envelope_signed
from promote.evidence.trust_root import LogKey, TrustRoot
from promote.model import strict_json
from promote.model.evidence import Flaw
from promote.model.malformed import Malformed

MEDIA_TYPE = re.compile(r"application/vnd\.dev\.sigstore\.bundle(\.v\d+\.\d+\+json|\+json;\s*version=v?\d+\.\d+)")
"""``.v0.3+json``, and the older ``+json;version=0.1``.  Source: sigstore/protobuf-specs, sigstore_bundle.proto."""

# Bundles of this version may have the log's promise alone; later ones must have its proof (sigstore_bundle.proto,
# "media_type").
_PROMISE_ONLY = re.compile(r"application/vnd\.dev\.sigstore\.bundle(\.v0\.1\+json|\+json;\s*version=v?0\.1)")

_SIGNERS = frozenset({"certificate", "x509CertificateChain", "publicKey"})


@dataclass(frozen=True, slots=True)
class Bundle:
    """A parsed bundle around a DSSE envelope; `document` has protobuf's zero values filled in."""

    document: dict[str, Any]
    material: dict[str, Any]
    signed: Signed
    by_certificate: bool

    @property
    def media_type(self) -> str:
        """The bundle's media type, which says its version."""
        return text(self.document.get("mediaType"), "bundle mediaType")

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The log entries."""
        return children(self.material, "tlogEntries", "bundle")

    @property
    def stamps(self) -> list[bytes]:
        """The RFC 3161 responses, not verified; raises `Malformed`."""
        data = self.material.get("timestampVerificationData") or {}
        if not isinstance(data, dict):
            raise Malformed("bundle timestampVerificationData", data, "a JSON object")
        stamps = children(data, "rfc3161Timestamps", "bundle")
        if not all(isinstance(s, dict) for s in stamps):
            raise Malformed("bundle rfc3161Timestamps", stamps, "objects")
        return [unbase64(s.get("signedTimestamp"), "time stamp") for s in stamps]


def parse(content: bytes) -> Bundle:
    """The bundle in `content`; raises `Malformed`, or `Flawed` for a form that is not verified."""
    return parsed(strict_json.loads_object(content, "bundle"))


def parsed(document: dict[str, Any]) -> Bundle:
    """The bundle in a parsed `document`, which it takes over; raises as `parse` does."""
    if not MEDIA_TYPE.fullmatch(text(document.get("mediaType"), "bundle mediaType")):
        raise Malformed("bundle mediaType", document["mediaType"], "a Sigstore bundle")
    material = child(document, "verificationMaterial", "bundle")
    signers = _SIGNERS & set(material)
    if len(signers) != 1:
        invalid(
            f"the bundle names {len(signers)} signers",
            expected="exactly one of " + ", ".join(sorted(_SIGNERS)),
            actual=", ".join(sorted(signers)) or "none",
        )
    if "messageSignature" in document:
        raise Flawed(Flaw.UNSUPPORTED, "a bundle around a message signature, which names no image")
    for entry in children(material, "tlogEntries", "bundle"):
        _fill_zeros(entry)
    material.setdefault("tlogEntries", [])
    signed = envelope_signed(child(document, "dsseEnvelope", "bundle"))
    return Bundle(document, material, signed, by_certificate="publicKey" not in signers)


def promised_time(entry: dict[str, Any], log: LogKey) -> datetime | None:
    """The time of the entry's signed promise, verified and in the log's window; None without one; raises `Flawed`."""
    if not entry.get("inclusionPromise"):
        return None
    promised = child(entry, "inclusionPromise", "log entry").get("signedEntryTimestamp")
    promise = Promise(
        body=text(entry.get("canonicalizedBody"), "log entry body"),
        integrated_time=whole(entry.get("integratedTime", "0"), "log entry integratedTime"),
        log_id=log_id(entry),
        log_index=whole(entry.get("logIndex"), "log entry logIndex"),
        signature=unbase64(promised, "log promise"),
    )
    return promise.check(log)


def lacks_proof(entry: dict[str, Any], media_type: str) -> bool:
    """Whether the entry may do without a proof, and does.  A proof without a signed checkpoint shows nothing."""
    if not _PROMISE_ONLY.fullmatch(media_type):
        return False
    proof = entry.get("inclusionProof")
    return proof is None or (isinstance(proof, dict) and not proof.get("checkpoint"))


def log_id(entry: dict[str, Any]) -> bytes:
    """What the entry calls its log; raises `Malformed`."""
    return unbase64(child(entry, "logId", "log entry").get("keyId"), "log entry logId")


def verified_times(bundle: Bundle, root: TrustRoot) -> list[datetime]:
    """Every time that the bundle proves, by promise or by time stamp; raises `Flawed` for logs unknown or outdated."""
    logs = [(entry, root.log(log_id(entry))) for entry in bundle.entries]
    if logs and not any(log for _, log in logs):
        invalid("logged by a log that the trusted root does not know", actual=log_id(logs[0][0]).hex())
    promised = (promised_time(entry, log) for entry, log in logs if log is not None)
    times = [time for time in promised if time is not None]
    stamped = timestamp.verified_time(bundle.stamps, bundle.signed.signature, root) if bundle.stamps else None
    return [*times, *([stamped] if stamped else [])]


def _fill_zeros(entry: object) -> None:
    """Put back what protobuf's JSON leaves out: the first entry of a log has index 0 and no hashes."""
    if not isinstance(entry, dict):
        raise Malformed("bundle tlogEntries", entry, "objects")
    entry.setdefault("logIndex", "0")
    proof = entry.get("inclusionProof")
    if isinstance(proof, dict):
        proof.setdefault("logIndex", "0")
        proof.setdefault("hashes", [])
