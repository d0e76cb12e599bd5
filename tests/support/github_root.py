"""A Sigstore like GitHub's for private repositories: a certificate authority and a time stamp authority, and no log.

Certificates carry no SCT, bundles no log entry: the shape of what the GitHub CLI keeps as `github_release_bundle.json`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from support.cosign_fixtures import BUILD, BUNDLE, COMMIT, IN_TOTO, b64

START = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED = datetime(2026, 6, 1, 12, 0, 5, tzinfo=UTC)
FULCIO = "1.3.6.1.4.1.57264.1."
CLAIMS = {
    8: BUILD.issuer,
    11: "github-hosted",
    12: "https://github.com/acme/shop",
    13: COMMIT,
    14: "refs/heads/main",
    18: f"{BUILD.identity}",
    20: "push",
}


def der(tag: int, *parts: bytes) -> bytes:
    """One DER value (X.690, 8.1)."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray((first * 40 + second,))
    for arc in rest:
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        out += bytes(reversed(septets))
    return der(0x06, bytes(out))


SHA256 = der(0x30, oid("2.16.840.1.101.3.4.2.1"), b"\x05\x00")
ECDSA_SHA256 = der(0x30, oid("1.2.840.10045.4.3.2"))
TST_INFO, SIGNED_DATA = oid("1.2.840.113549.1.9.16.1.4"), oid("1.2.840.113549.1.7.2")


@dataclass
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def issue(name: str | None, issuer: Issued | None, extensions: list[tuple[x509.ExtensionType, bool]], **more) -> Issued:
    """A certificate for `name` (None: an empty subject) by `issuer` (None: by itself)."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else []
    subject = x509.Name(attributes)
    by = issuer.certificate.subject if issuer else subject
    signing = issuer.key if issuer else key
    builder = x509.CertificateBuilder(
        by,
        subject,
        key.public_key(),
        x509.random_serial_number(),
        more.get("start", START),
        more.get("end", START + timedelta(days=3650)),
    )
    extensions = [
        *extensions,
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), False),
    ]
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Issued(builder.sign(signing, hashes.SHA256()), key)


def usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(sign, False, False, False, False, not sign, not sign, False, False)


def authority(name: str) -> Issued:
    return issue(name, None, [(x509.BasicConstraints(True, None), True), (usage(sign=False), True)])


@dataclass
class PrivateSigstore:
    """The two authorities, and what they make."""

    ca: Issued = field(default_factory=lambda: authority("fulcio"))
    tsa_root: Issued = field(default_factory=lambda: authority("timestamps"))
    tsa: Issued = field(init=False)

    def __post_init__(self) -> None:
        stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        self.tsa = issue(
            "tsa",
            self.tsa_root,
            [(stamping, True), (usage(sign=True), True), (x509.BasicConstraints(False, None), True)],
        )

    def trusted_root(self, **more: object) -> bytes:
        """Its trusted_root.json, with neither tlogs nor ctlogs, as GitHub's."""
        chains = {"certificateAuthorities": [self.ca], "timestampAuthorities": [self.tsa, self.tsa_root]}
        document: dict[str, object] = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}
        for key, chain in chains.items():
            certificates = [{"rawBytes": b64(c.der)} for c in chain]
            document[key] = [
                {"certChain": {"certificates": certificates}, "validFor": {"start": "2026-01-01T00:00:00Z"}}
            ]
        return json.dumps(document | more).encode()

    def leaf(self, identity: str = BUILD.identity, claims: dict[int, str] | None = None, **more) -> Issued:
        """A signing certificate with these claims by number, and no SCT."""
        san = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (san, True),
            (usage(sign=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
        ]
        for number, text in (CLAIMS if claims is None else claims).items():
            value = der(0x0C, text.encode()) if number >= 8 else text.encode()
            extensions.append((x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{FULCIO}{number}"), value), False))
        window = {"start": SIGNED - timedelta(minutes=5), "end": SIGNED + timedelta(minutes=5)}
        return issue(None, self.ca, extensions, **window | more)

    def stamp(self, message: bytes, at: datetime = SIGNED) -> bytes:
        """An RFC 3161 response over `message`, with the authority's certificate inside."""
        imprint = der(0x30, SHA256, der(0x04, hashlib.sha256(message).digest()))
        time = der(0x18, f"{at:%Y%m%d%H%M%S}Z".encode())
        info = der(0x30, integer(1), oid("1.2.3.4.1"), imprint, integer(7), time)
        digest = der(0x04, hashlib.sha256(info).digest())
        signing = der(0x30, der(0x30, der(0x30, der(0x04, hashlib.sha256(self.tsa.der).digest()))))
        attributes = sorted(
            (
                der(0x30, oid("1.2.840.113549.1.9.3"), der(0x31, TST_INFO)),
                der(0x30, oid("1.2.840.113549.1.9.4"), der(0x31, digest)),
                der(0x30, oid("1.2.840.113549.1.9.16.2.47"), der(0x31, signing)),
            )
        )
        signature = self.tsa.key.sign(der(0x31, *attributes), ec.ECDSA(hashes.SHA256()))
        issuer = self.tsa.certificate.issuer.public_bytes()
        who = der(0x30, issuer, integer(self.tsa.certificate.serial_number))
        signer = der(0x30, integer(1), who, SHA256, der(0xA0, *attributes), ECDSA_SHA256, der(0x04, signature))
        content = der(0x30, TST_INFO, der(0xA0, der(0x04, info)))
        data = der(0x30, integer(3), der(0x31, SHA256), content, der(0xA0, self.tsa.der), der(0x31, signer))
        return der(0x30, der(0x30, integer(0)), der(0x30, SIGNED_DATA, der(0xA0, data)))

    def bundle(
        self, payload: bytes, leaf: Issued | None = None, *, at: datetime = SIGNED, stamped: bool = True
    ) -> bytes:
        """A v0.3 bundle around `payload`, with a time stamp over its signature."""
        leaf = leaf or self.leaf()
        encoding = b"DSSEv1 %d %s %d %s" % (len(IN_TOTO), IN_TOTO.encode(), len(payload), payload)
        signature = leaf.key.sign(encoding, ec.ECDSA(hashes.SHA256()))
        stamps = [{"signedTimestamp": b64(self.stamp(signature, at))}] if stamped else []
        material = {
            "certificate": {"rawBytes": b64(leaf.der)},
            "timestampVerificationData": {"rfc3161Timestamps": stamps},
        }
        envelope = {"payloadType": IN_TOTO, "payload": b64(payload), "signatures": [{"sig": b64(signature)}]}
        return json.dumps({"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope}).encode()
