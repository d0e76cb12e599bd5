"""Bundles with a certificate that sigstore-python cannot verify: every step here, by public calls of `cryptography`.

Those are bundles without a log entry (GitHub's for private repositories; `cosign sign --tlog-upload=false` with a time
stamp) and entries of kind intoto.  The steps are those of the tag scheme's lane.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from promote.evidence import certificate as certificates
from promote.evidence import inclusion, log_body
from promote.evidence.anchors import Anchors
from promote.evidence.bundle import Bundle, log_id, verified_times
from promote.evidence.flawed import invalid
from promote.evidence.reading import child, children, unbase64
from promote.evidence.signed import Verified
from promote.model import strict_json
from promote.model.evidence import Log
from promote.model.malformed import Malformed
from promote.model.policy import RootProfile


def is_ours(bundle: Bundle, anchors: Anchors) -> bool:
    """Whether this lane verifies `bundle`; sigstore-python does otherwise.  Raises `Malformed`.

    The profile is the configuration's.  What the bundle says chooses between two lanes that each check everything.
    """
    if anchors.trust.profile is RootProfile.GITHUB or not bundle.entries:
        return True
    return all(strict_json.loads_object(_body(e), "log entry").get("kind") == "intoto" for e in bundle.entries)


def verify(bundle: Bundle, anchors: Anchors) -> Verified:
    """The payload of `bundle`; raises `Malformed` or `Flawed`."""
    leaf, signed = _leaf(bundle), bundle.signed
    if len(bundle.entries) > 1:
        invalid(f"the bundle has {len(bundle.entries)} log entries", expected="at most one")
    times = verified_times(bundle, anchors.root)
    if not times:
        invalid("nothing proves when this was signed", expected="a log's promise or a time stamp of the trusted root")
    _check_certificate(leaf, anchors, times)
    if not certificates.public_key(leaf).verifies(signed.signature, signed.message):
        invalid("the signature does not verify", expected="a signature by the certificate's key")
    log = Log.NONE
    for entry in bundle.entries:
        _check_entry(entry, bundle, leaf, anchors)
        log = Log.PROOF
    return Verified(signed.payload_type, signed.payload, certificates.signed_by(leaf), log, times[0])


def _check_certificate(leaf: Certificate, anchors: Anchors, times: list[datetime]) -> None:
    for time in times:
        certificates.check(leaf, anchors.root, time)


def _check_entry(entry: dict[str, Any], bundle: Bundle, leaf: Certificate, anchors: Anchors) -> None:
    log = anchors.root.log(log_id(entry))
    if log is None:
        invalid("logged by a log that the trusted root does not know", actual=log_id(entry).hex())
    body = _body(entry)
    inclusion.check(body, child(entry, "inclusionProof", "log entry"), log)
    log_body.bind(body, bundle.signed, leaf.public_bytes(Encoding.DER))


def _body(entry: dict[str, Any]) -> bytes:
    return unbase64(entry.get("canonicalizedBody"), "log entry body")


def _leaf(bundle: Bundle) -> Certificate:
    """The one certificate.  A chain beside it could only say whom to trust, which is not the bundle's to say."""
    material = bundle.material
    if "certificate" in material:
        return certificates.from_der(unbase64(child(material, "certificate", "bundle").get("rawBytes"), "certificate"))
    chain = children(child(material, "x509CertificateChain", "bundle"), "certificates", "bundle")
    if not chain or not isinstance(chain[0], dict):
        raise Malformed("bundle x509CertificateChain", chain, "at least one certificate")
    if len(chain) > 1:
        invalid("the bundle brings a chain of its own", expected="one certificate", actual=f"{len(chain)} certificates")
    return certificates.from_der(unbase64(chain[0].get("rawBytes"), "certificate"))
