"""Who a certificate names: the new extensions first, the old ones after them, exactly one subject name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from promote.evidence.certificate import from_pem, signed_by
from promote.evidence.flawed import Flawed
from promote.model.malformed import Malformed

KEY = ec.generate_private_key(ec.SECP256R1())
URI = x509.UniformResourceIdentifier("https://example.com/workflow")


def certificate(names: list[x509.GeneralName], extensions: dict[int, bytes]) -> x509.Certificate:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name([]), KEY.public_key(), 1, now, now)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    for number, value in extensions.items():
        oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(KEY, hashes.SHA256())


def utf8(text: str) -> bytes:
    content = text.encode()
    length = bytes([len(content)]) if len(content) < 128 else b"\x82" + len(content).to_bytes(2, "big")
    return b"\x0c" + length + content


def test_the_new_extensions_win() -> None:
    old = {1: b"old issuer", 2: b"old trigger", 3: b"old sha", 5: b"old/repo", 6: b"old ref"}
    new = {8: utf8("issuer"), 12: utf8("repository"), 13: utf8("sha"), 14: utf8("ref"), 20: utf8("trigger")}
    by = signed_by(certificate([URI], old | new))
    assert (by.issuer, by.source_repository, by.source_commit, by.source_ref, by.trigger) == (
        "issuer",
        "repository",
        "sha",
        "ref",
        "trigger",
    )
    by = signed_by(certificate([URI], old))
    assert (by.issuer, by.source_repository, by.source_commit, by.source_ref, by.trigger) == (
        "old issuer",
        "https://github.com/old/repo",
        "old sha",
        "old ref",
        "old trigger",
    )


def test_what_is_absent_is_none() -> None:
    by = signed_by(certificate([URI], {}))
    assert (by.issuer, by.source_repository, by.source_commit, by.key) == (None, None, None, None)
    assert by.identity == "https://example.com/workflow"


def test_an_email_is_an_identity() -> None:
    assert signed_by(certificate([x509.RFC822Name("ci@example.com")], {})).identity == "ci@example.com"


def test_a_long_value_is_read_whole() -> None:
    assert signed_by(certificate([URI], {8: utf8("i" * 300)})).issuer == "i" * 300


@pytest.mark.parametrize(
    "names", [[], [URI, URI], [URI, x509.RFC822Name("a@example.com")], [x509.DNSName("example.com")]]
)
def test_none_or_several_subject_names_are_malformed(names: list[x509.GeneralName]) -> None:
    with pytest.raises(Malformed):
        signed_by(certificate(names, {}))


@pytest.mark.parametrize(
    "value",
    [b"", b"\x0c", b"bare text", utf8("x") + b"y", utf8("xy")[:-1], b"\x0c\x01\xff", b"\x13\x01x", b"\x0c\x80x"],
)
def test_an_extension_that_is_no_der_text_is_malformed(value: bytes) -> None:
    with pytest.raises(Malformed):
        signed_by(certificate([URI], {8: value, 1: b"issuer"}))


def test_exactly_one_certificate_block_is_read() -> None:
    pem = certificate([URI], {}).public_bytes(Encoding.PEM).decode()
    assert from_pem(pem) == certificate_of(pem)
    for wrong in (
        "",
        "text",
        pem + pem,
        pem.replace("CERTIFICATE", "PUBLIC KEY"),
        pem.replace("CERTIFICATE", "X509 CRL"),
    ):
        with pytest.raises(Flawed):
            from_pem(wrong)
    with pytest.raises(Malformed):
        from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def certificate_of(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())
