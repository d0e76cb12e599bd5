"""The certificate transparency log's word that it saw a certificate (RFC 6962)."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, ExtensionNotFound, PrecertificateSignedCertificateTimestamps
from cryptography.x509.certificate_transparency import LogEntryType, SignedCertificateTimestamp

from promote.evidence.flawed import invalid
from promote.evidence.trust_root import TrustRoot

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CERTIFICATE_TIMESTAMP = 0


def check(certificate: Certificate, issuer: Certificate, root: TrustRoot, time: datetime) -> None:
    """Raise `Flawed` unless exactly one SCT is embedded and a CT log of `root` signed it for this certificate.

    `issuer` is the verified issuer.  The log must have been to be believed at `time` and when it signed.
    """
    stamp = _only(certificate)
    log = root.ct_log(stamp.log_id)
    if log is None:
        invalid("the certificate was logged by a CT log that the trusted root does not know", actual=stamp.log_id.hex())
    if not isinstance(stamp.signature_hash_algorithm, hashes.SHA256):
        invalid("the certificate's SCT is not over SHA-256", expected="SHA-256")
    if not log.key.verifies(stamp.signature, _digitally_signed(stamp, certificate, issuer)):
        invalid("the certificate's SCT does not verify", expected="a signature by the CT log of the trusted root")
    if not (log.window.holds(time) and log.window.holds(_stamped(stamp))):
        invalid("the CT log was not to be believed when this was signed", expected=str(log.window), actual=str(time))


def _only(certificate: Certificate) -> SignedCertificateTimestamp:
    try:
        found = certificate.extensions.get_extension_for_class(PrecertificateSignedCertificateTimestamps).value
    except ExtensionNotFound:
        invalid("the certificate has no SCT", expected="exactly one embedded SCT")
    if len(found) != 1:
        invalid(f"the certificate has {len(found)} SCTs", expected="exactly one embedded SCT")
    stamp: SignedCertificateTimestamp = found[0]
    if stamp.entry_type is not LogEntryType.PRE_CERTIFICATE:
        invalid("the certificate's SCT is not for a precertificate", expected="a precertificate entry")
    return stamp


def _stamped(stamp: SignedCertificateTimestamp) -> datetime:
    return stamp.timestamp.replace(tzinfo=UTC)


def _digitally_signed(stamp: SignedCertificateTimestamp, certificate: Certificate, issuer: Certificate) -> bytes:
    """What the log signed.  Source: RFC 6962, 3.2, "digitally-signed struct" with a PreCert entry."""
    spki = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    tbs = certificate.tbs_precertificate_bytes
    milliseconds = (_stamped(stamp) - _EPOCH) // timedelta(milliseconds=1)
    return b"".join(
        (
            struct.pack(
                "!BBQH", stamp.version.value, _CERTIFICATE_TIMESTAMP, milliseconds, LogEntryType.PRE_CERTIFICATE.value
            ),
            hashlib.sha256(spki).digest(),
            len(tbs).to_bytes(3, "big"),
            tbs,
            struct.pack("!H", len(stamp.extension_bytes)),
            stamp.extension_bytes,
        )
    )
