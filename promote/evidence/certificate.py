"""Fulcio certificates: who is in them, and whether the trusted root vouches for them at a verified time."""

from __future__ import annotations

import re
from datetime import datetime

from cryptography.x509 import (
    Certificate,
    DNSName,
    ExtendedKeyUsage,
    ExtensionNotFound,
    KeyUsage,
    ObjectIdentifier,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    UnrecognizedExtension,
    UnsupportedGeneralNameType,
    load_der_x509_certificate,
    load_pem_x509_certificate,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from promote.evidence import sct
from promote.evidence.flawed import invalid
from promote.evidence.public_key import PublicKey
from promote.evidence.trust_root import Authority, TrustRoot
from promote.model.evidence import SignedBy
from promote.model.malformed import Malformed, shown
from promote.model.policy import RootProfile

_FULCIO = "1.3.6.1.4.1.57264.1."
_PEM_LABEL = re.compile(r"-----BEGIN ([^-]*)-----")
_DER_UTF8_STRING = 0x0C


def from_pem(pem: str) -> Certificate:
    """The certificate of a text with exactly one PEM block; raises `Malformed`, or `Flawed` for another kind of block.

    A bare public key in this place was once taken for a trusted one (cosign GHSA-fx35-mq7g-6g98).
    """
    labels = _PEM_LABEL.findall(pem)
    if labels != ["CERTIFICATE"]:
        invalid(
            "the certificate annotation does not hold one certificate",
            expected="exactly one PEM block of type CERTIFICATE",
            actual=shown(", ".join(labels[:5]) or "no PEM block"),
        )
    try:
        return load_pem_x509_certificate(pem.encode())
    except ValueError as problem:
        raise Malformed("certificate", str(problem), "an X.509 certificate in PEM") from None


def from_der(der: bytes) -> Certificate:
    """The certificate in `der`; raises `Malformed`."""
    try:
        return load_der_x509_certificate(der)
    except ValueError as problem:
        raise Malformed("certificate", str(problem), "an X.509 certificate in DER") from None


def signed_by(certificate: Certificate) -> SignedBy:
    """Who a certificate names; raises `Malformed`.  Source: sigstore/fulcio, docs/oid-info.md.

    Extensions 1.1 to 1.6 hold bare text; those from 1.8 on hold a DER UTF8String and win where both are there.
    """
    return SignedBy(
        issuer=_text(certificate, 8, 1),
        identity=_identity(certificate),
        source_repository=_source_repository(certificate),
        source_commit=_text(certificate, 13, 3),
        source_ref=_text(certificate, 14, 6),
        trigger=_text(certificate, 20, 2),
        workflow=_text(certificate, 18, 4),
        runner=_utf8(certificate, 11),
    )


def _source_repository(certificate: Certificate) -> str | None:
    """The URL of extension 1.12; of 1.5, which holds OWNER/NAME of a GitHub repository, where that is absent."""
    older = _extension(certificate, 5)
    url = _utf8(certificate, 12)
    return url if url is not None or older is None else f"https://github.com/{_decoded(older, 5)}"


def public_key(certificate: Certificate) -> PublicKey:
    """The certificate's key; raises `Malformed`."""
    return PublicKey.of(certificate.public_key())


def check(certificate: Certificate, root: TrustRoot, time: datetime) -> None:
    """Raise `Flawed` unless `root` vouches for `certificate` at the verified `time`.

    Chain, validity, code-signing use, the authority's window, and one embedded SCT by a CT log of the root, unless the
    profile that promote.yaml chose has no CT log.
    """
    _check_usage(certificate)
    outside: Authority | None = None
    for authority in root.certificate_authorities:
        issuer = _issuer(certificate, authority, time)
        if issuer is None:
            continue
        if authority.window.holds(time):
            if root.profile is RootProfile.SIGSTORE:
                sct.check(certificate, issuer, root, time)
            return
        outside = authority
    if outside:
        invalid(
            "the certificate authority was not to be believed when this was signed",
            expected=str(outside.window),
            actual=str(time),
        )
    invalid(
        "the certificate is not one of the trusted root's, or had expired when this was signed",
        expected="a chain to a certificate authority of the trusted root",
        actual=f"valid {certificate.not_valid_before_utc} to {certificate.not_valid_after_utc}, signed {time}",
    )


def _check_usage(certificate: Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(KeyUsage).value
        purposes = certificate.extensions.get_extension_for_class(ExtendedKeyUsage).value
    except ExtensionNotFound:
        invalid("the certificate does not say what it is for", expected="digital signature, code signing")
    if not usage.digital_signature or ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        invalid("the certificate is not for signing code", expected="digital signature, code signing")


def _issuer(certificate: Certificate, authority: Authority, time: datetime) -> Certificate | None:
    """The verified issuer of `certificate`; None when this authority did not issue it.

    The Web PKI profile with one change: Fulcio's extended key usage is code signing, checked apart, and not
    client authentication.
    """
    builder = PolicyBuilder().store(Store([authority.chain[-1]])).time(time)
    verifier = builder.extension_policies(
        ca_policy=ExtensionPolicy.webpki_defaults_ca().may_be_present(ExtendedKeyUsage, Criticality.NON_CRITICAL, None),
        ee_policy=ExtensionPolicy.webpki_defaults_ee().may_be_present(ExtendedKeyUsage, Criticality.NON_CRITICAL, None),
    ).build_client_verifier()
    try:
        return verifier.verify(certificate, list(authority.chain[:-1])).chain[1]
    except (VerificationError, UnsupportedGeneralNameType):
        return None


def _identity(certificate: Certificate) -> str:
    try:
        names = list(certificate.extensions.get_extension_for_class(SubjectAlternativeName).value)
    except ExtensionNotFound:
        names = []
    if len(names) != 1 or not isinstance(names[0], UniformResourceIdentifier | RFC822Name):
        kinds = ", ".join(type(n).__name__ if isinstance(n, DNSName) else str(n) for n in names[:3])
        raise Malformed("certificate subject alternative name", kinds or "none", "exactly one, a URI or an email")
    return names[0].value


def _extension(certificate: Certificate, number: int) -> bytes | None:
    try:
        found = certificate.extensions.get_extension_for_oid(ObjectIdentifier(f"{_FULCIO}{number}"))
    except ExtensionNotFound:
        return None
    return found.value.value if isinstance(found.value, UnrecognizedExtension) else None


def _text(certificate: Certificate, number: int, older: int) -> str | None:
    """The text of extension `number`, where it is absent that of `older`, where both are None."""
    value = _utf8(certificate, number)
    bare = _extension(certificate, older)
    return value if value is not None or bare is None else _decoded(bare, older)


def _utf8(certificate: Certificate, number: int) -> str | None:
    """A DER UTF8String (X.690, 8.23) that fills the extension to its last byte."""
    value = _extension(certificate, number)
    if value is None:
        return None
    start, length = 2, value[1] if len(value) > 1 else -1
    if length > 0x80:
        start += length - 0x80
        length = int.from_bytes(value[2:start])
    if length < 0 or value[0] != _DER_UTF8_STRING or length != len(value) - start:
        raise Malformed(f"certificate extension {_FULCIO}{number}", value[:40].hex(), "a DER UTF8String")
    return _decoded(value[start:], number)


def _decoded(value: bytes, number: int) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Malformed(f"certificate extension {_FULCIO}{number}", value[:40].hex(), "UTF-8 text") from None
