"""Bundles with a certificate: sigstore-python verifies them, and we check what it leaves to its caller."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from cryptography.x509 import Certificate
from sigstore.errors import Error
from sigstore.models import Bundle as SigstoreBundle
from sigstore.models import InvalidBundle

from promote.evidence import certificate as certificates
from promote.evidence.anchors import Anchors
from promote.evidence.bundle import Bundle, verified_times
from promote.evidence.flawed import Flawed, invalid
from promote.evidence.signed import Verified
from promote.model.evidence import Flaw, Log
from promote.model.malformed import shown


class _SignerComesLater:
    """A policy that accepts every certificate: a valid signature by a stranger is foreign, not invalid."""

    def verify(self, cert: Certificate) -> None:
        """Accept."""


def verify(bundle: Bundle, anchors: Anchors) -> Verified:
    """The payload of a bundle with a certificate; raises `Malformed` or `Flawed`.

    sigstore-python checks chain, SCT, proof, checkpoint, promise, time stamps, signature and the entry's body.  It
    ignores the windows of logs and certificate authorities and tries every key for an unknown log: both are checked
    here.
    """
    try:
        parsed = SigstoreBundle.from_json(json.dumps(_plain(bundle)))
        payload_type, payload = anchors.sigstore.verify_dsse(parsed, _SignerComesLater())
    except InvalidBundle as problem:
        raise Flawed(Flaw.INVALID, f"the bundle is not complete: {shown(str(problem))}") from None
    except Error as problem:
        raise Flawed(Flaw.INVALID, f"the bundle does not verify: {shown(str(problem))}") from None
    if (payload_type, payload) != (bundle.signed.payload_type, bundle.signed.payload):
        invalid("two readers of the envelope disagree about its payload")
    leaf = parsed.signing_certificate
    time = _checked_time(bundle, leaf, anchors)
    return Verified(payload_type, payload, certificates.signed_by(leaf), Log.PROOF, time)


def _plain(bundle: Bundle) -> dict[str, Any]:
    """The bundle with its envelope in standard base64: DSSE allows both alphabets, sigstore-python reads one."""
    envelope, signed = bundle.document["dsseEnvelope"], bundle.signed
    signature = {**envelope["signatures"][0], "sig": _base64(signed.signature)}
    return {
        **bundle.document,
        "dsseEnvelope": {**envelope, "payload": _base64(signed.payload), "signatures": [signature]},
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _checked_time(bundle: Bundle, leaf: Certificate, anchors: Anchors) -> datetime:
    times = verified_times(bundle, anchors.root)
    if not times:
        invalid("nothing proves when this was signed", expected="a log's promise or a time stamp of the trusted root")
    for time in times:
        certificates.check(leaf, anchors.root, time)
    return times[0]
