"""Bundles with a certificate that sigstore-python cannot verify: every step here, by public calls of `cryptography`.

Those are bundles without a log entry (GitHub's for private repositories; `cosign sign --tlog-upload=false` with a time
stamp) or with several, entries of kind intoto, and the first bundles, which have the log's promise alone.  The steps
are those of the tag scheme's lane.
"""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from promote.evidence import certificate as certificates
from promote.evidence import log_entry
from promote.evidence.anchors import Anchors
from promote.evidence.bundle import Bundle, lacks_proof, verified_times
from promote.evidence.flawed import invalid
from promote.evidence.reading import child, children, unbase64
from promote.evidence.signed import Verified
from promote.model import strict_json
from promote.model.malformed import Malformed
from promote.model.policy import RootProfile

MAX_CHAIN = 10
"""Certificates that a bundle may have; Sigstore's longest chain has four."""


def is_ours(bundle: Bundle, anchors: Anchors) -> bool:
    """Whether this lane verifies `bundle`; sigstore-python does otherwise.  Raises `Malformed`.

    The profile is the configuration's.  What the bundle says chooses between two lanes that each check everything.
    """
    if anchors.trust.profile is RootProfile.GITHUB or len(bundle.entries) != 1:
        return True
    (entry,) = bundle.entries
    body = unbase64(entry.get("canonicalizedBody"), "log entry body")
    is_intoto = strict_json.loads_object(body, "log entry").get("kind") == "intoto"
    return is_intoto or lacks_proof(entry, bundle.media_type)


def verify(bundle: Bundle, anchors: Anchors) -> Verified:
    """The payload of `bundle`; raises `Malformed` or `Flawed`."""
    leaf, signed = _leaf(bundle), bundle.signed
    times = verified_times(bundle, anchors.root)
    if not times:
        invalid("nothing proves when this was signed", expected="a log's promise or a time stamp of the trusted root")
    _check_certificate(leaf, anchors, times)
    if not certificates.public_key(leaf).verifies(signed.signature, signed.message):
        invalid("the signature does not verify", expected="a signature by the certificate's key")
    logged = log_entry.check(bundle, leaf.public_bytes(Encoding.DER), anchors.root)
    return Verified(signed.payload_type, signed.payload, certificates.signed_by(leaf), logged.log, times[0])


def _check_certificate(leaf: Certificate, anchors: Anchors, times: list[datetime]) -> None:
    for time in times:
        certificates.check(leaf, anchors.root, time)


def _leaf(bundle: Bundle) -> Certificate:
    """The signer's certificate.

    Bundles before v0.3 may have the authorities between it and the root as well.  They are not looked at: whom to trust
    is the root's to say.  The root's own certificate makes a bundle invalid (sigstore_common.proto,
    "X509CertificateChain").
    """
    material = bundle.material
    if "certificate" in material:
        return certificates.from_der(unbase64(child(material, "certificate", "bundle").get("rawBytes"), "certificate"))
    chain = children(child(material, "x509CertificateChain", "bundle"), "certificates", "bundle")
    if not 1 <= len(chain) <= MAX_CHAIN or not all(isinstance(c, dict) for c in chain):
        raise Malformed("bundle x509CertificateChain", f"{len(chain)} entries", f"1 to {MAX_CHAIN} certificates")
    leaf, *others = (certificates.from_der(unbase64(c.get("rawBytes"), "certificate")) for c in chain)
    if any(other.issuer == other.subject for other in others):
        invalid("the bundle brings a root of its own", expected="no root certificate in the bundle")
    return leaf
