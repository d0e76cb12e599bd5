"""Every key and certificate of a throw-away Sigstore, as PEM files in one directory."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

ISSUER_HOST = "token.actions.githubusercontent.com"
"""The host that the issuer is known by; TLS for it is ours, and only our Fulcio believes it."""

FULCIO_PASSWORD = "changeit"  # fileca takes an encrypted key only
VALID_FROM = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
VALID_TO = dt.datetime(2046, 1, 1, tzinfo=dt.UTC)

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and the key that signs in its name."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make(directory: Path) -> None:
    """Write the keys of Fulcio, the time stamp authority, the logs and the issuer."""
    directory.mkdir(parents=True)
    _fulcio(directory)
    _timestamp_authority(directory)
    _issuer_tls(directory)
    keys: dict[str, PrivateKey] = {
        "ct": _p256(),
        "rekor": ed25519.Ed25519PrivateKey.generate(),
        "rekor1": _p256(),
        "oidc": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }
    for name, key in keys.items():
        (directory / f"{name}-key.pem").write_bytes(_private(key))
        (directory / f"{name}-pub.pem").write_bytes(_public(key))


def _fulcio(directory: Path) -> None:
    root = _authority("fulcio root", path_length=1)
    below = _authority("fulcio intermediate", root, path_length=0, usage=ExtendedKeyUsageOID.CODE_SIGNING)
    (directory / "fulcio-chain.pem").write_bytes(_pem(below, root))
    (directory / "fulcio-root.pem").write_bytes(_pem(root))
    (directory / "fulcio-key.pem").write_bytes(_private(below.key, FULCIO_PASSWORD))


def _timestamp_authority(directory: Path) -> None:
    root = _authority("tsa root", path_length=1)
    below = _authority("tsa intermediate", root, path_length=0, usage=ExtendedKeyUsageOID.TIME_STAMPING)
    # RFC 3161 section 2.3: the extended key usage of the leaf must be critical.
    leaf = _leaf("tsa", below, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    (directory / "tsa-chain.pem").write_bytes(_pem(leaf, below, root))
    (directory / "tsa-key.pem").write_bytes(_private(leaf.key))


def _issuer_tls(directory: Path) -> None:
    root = _authority("issuer root", path_length=0)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    leaf = _leaf(ISSUER_HOST, root, usage, x509.SubjectAlternativeName([x509.DNSName(ISSUER_HOST)]), critical=False)
    (directory / "issuer-ca.pem").write_bytes(_pem(root))
    (directory / "issuer-chain.pem").write_bytes(_pem(leaf, root))
    (directory / "issuer-key.pem").write_bytes(_private(leaf.key))


def _authority(
    name: str, issuer: Authority | None = None, *, path_length: int, usage: ObjectIdentifier | None = None
) -> Authority:
    """A certificate authority, under `issuer` or its own root."""
    key = _p256()
    builder = _builder(name, key, issuer, signs_certificates=True).add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    )
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return Authority(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _leaf(
    name: str, issuer: Authority, usage: x509.ExtendedKeyUsage, *more: x509.ExtensionType, critical: bool
) -> Authority:
    """An end-entity certificate under `issuer`; `critical` is that of its extended key usage."""
    key = _p256()
    builder = _builder(name, key, issuer, signs_certificates=False).add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(usage, critical=critical)
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return Authority(builder.sign(issuer.key, hashes.SHA256()), key)


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: Authority | None, *, signs_certificates: bool
) -> x509.CertificateBuilder:
    """What authorities and leaves have in common."""
    subject = _name(name)
    signer = issuer.key if issuer else key
    usage = x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_TO)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "sigstore.test")
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(*chain: Authority) -> bytes:
    return b"".join(part.certificate.public_bytes(serialization.Encoding.PEM) for part in chain)


def _private(key: PrivateKey, password: str | None = None) -> bytes:
    protection: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def _public(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
