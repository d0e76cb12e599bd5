"""What was signed, before and after the signature was checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promote.evidence.flawed import invalid
from promote.evidence.reading import children, text, unbase64
from promote.model.evidence import Log, SignedBy
from promote.model.malformed import Malformed

IN_TOTO = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Signed:
    """A payload and one signature that claims to be over it; nothing is checked yet.

    `payload_type` is the envelope's; None for a bare simple-signing payload, which no string in an envelope can claim
    to be.
    `message` is what the signature covers: the payload itself, or the DSSE pre-authentication encoding of it.
    `envelope` is the DSSE envelope's bytes as stored; None where there is none of its own (simple signing, bundle).
    """

    payload_type: str | None
    payload: bytes
    message: bytes
    signature: bytes
    envelope: bytes | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """A payload whose signature holds, by a signer whom promote.yaml names.  Its claims are not checked yet.

    `payload_type` is as in `Signed`.
    """

    payload_type: str | None
    payload: bytes
    signed_by: SignedBy
    log: Log
    time: datetime | None


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding.  Source: secure-systems-lab/dsse, protocol.md, version 1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def envelope_signed(envelope: dict[str, Any], stored: bytes | None = None) -> Signed:
    """What a DSSE envelope says it signs; raises `Malformed`, or `Flawed` unless it has exactly one signature.

    With two signatures "signed by" has two answers (sigstore-go's fixture ``dsse-2sigs``).
    """
    payload_type = text(envelope.get("payloadType"), "envelope payloadType")
    payload = unbase64(envelope.get("payload"), "envelope payload")
    signatures = children(envelope, "signatures", "envelope")
    if len(signatures) != 1:
        count = str(len(signatures))
        invalid(f"the envelope has {count} signatures", expected="exactly one signature", actual=count)
    if not isinstance(signatures[0], dict):
        raise Malformed("envelope signature", signatures[0], "a JSON object")
    signature = unbase64(signatures[0].get("sig"), "envelope signature")
    return Signed(payload_type, payload, pae(payload_type, payload), signature, stored)


def simple_signed(payload: bytes, signature: bytes) -> Signed:
    """A simple-signing payload and its detached signature."""
    return Signed(None, payload, payload, signature)
