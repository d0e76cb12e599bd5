"""A stand-in for a certificate transparency log: answers add-pre-chain with a true promise, and keeps nothing.

Fulcio embeds a signed certificate timestamp only when a log answers, and verifiers insist on exactly one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

POISON = bytes.fromhex("3013060a2b06010401d6790204030101ff04020500")
"""The extension that makes a certificate a pre-certificate, whole, in DER (RFC 6962 section 3.1)."""

EXTENSIONS = 0xA3
"""The tag of a TBSCertificate's extensions (RFC 5280 section 4.1)."""


@contextmanager
def ct_log(pki: Path) -> Iterator[str]:
    """The log in a thread of its own; its URL."""
    with _Log(("127.0.0.1", 0), _Request) as log:
        key = serialization.load_pem_private_key((pki / "ct-key.pem").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        log.key = key
        thread = threading.Thread(target=log.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{log.server_address[1]}"
        finally:
            log.shutdown()
            thread.join()


class _Log(ThreadingHTTPServer):
    daemon_threads = True
    key: ec.EllipticCurvePrivateKey


class _Request(BaseHTTPRequestHandler):
    server: _Log

    def do_POST(self) -> None:
        """RFC 6962 section 4.2, add-pre-chain."""
        chain = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["chain"]
        body = json.dumps(_signed_timestamp(self.server.key, chain)).encode()
        self.send_response(200 if self.path.endswith("/ct/v1/add-pre-chain") else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def _signed_timestamp(key: ec.EllipticCurvePrivateKey, chain: list[str]) -> dict[str, object]:
    """The promise for a pre-certificate and its issuer (RFC 6962 sections 3.2 and 4.1)."""
    precertificate, issuer = (x509.load_der_x509_certificate(base64.b64decode(part)) for part in chain[:2])
    issuer_key_hash = hashlib.sha256(_spki(issuer.public_key())).digest()
    tbs = _without_poison(precertificate.tbs_certificate_bytes)
    now = int(time.time() * 1000)
    entry = struct.pack(">BBQH", 0, 0, now, 1) + issuer_key_hash + len(tbs).to_bytes(3, "big") + tbs + b"\0\0"
    signature = key.sign(entry, ec.ECDSA(hashes.SHA256()))
    return {
        "sct_version": 0,
        "id": base64.b64encode(hashlib.sha256(_spki(key.public_key())).digest()).decode(),
        "timestamp": now,
        "extensions": "",
        # RFC 5246 section 4.7: sha256 (4), ecdsa (3), length, signature
        "signature": base64.b64encode(b"\x04\x03" + struct.pack(">H", len(signature)) + signature).decode(),
    }


def _without_poison(tbs: bytes) -> bytes:
    """A pre-certificate's TBSCertificate as it was before the poison went in: what the promise covers."""
    parts = []
    for part in _elements(_content(tbs)):
        if part[0] == EXTENSIONS:
            kept = [extension for extension in _elements(_content(_content(part))) if extension != POISON]
            parts.append(_element(EXTENSIONS, _element(0x30, b"".join(kept))))
        else:
            parts.append(part)
    return _element(0x30, b"".join(parts))


def _elements(data: bytes) -> Iterator[bytes]:
    """The DER elements that `data` is a sequence of, each whole."""
    while data:
        start, size = _header(data)
        yield data[: start + size]
        data = data[start + size :]


def _content(element: bytes) -> bytes:
    """The content of one DER element."""
    start, size = _header(element)
    return element[start : start + size]


def _header(data: bytes) -> tuple[int, int]:
    """Where the content of the first DER element starts and how long it is (X.690 section 8.1.3)."""
    if data[1] < 0x80:
        return 2, data[1]
    start = 2 + (data[1] & 0x7F)
    return start, int.from_bytes(data[2:start], "big")


def _element(tag: int, content: bytes) -> bytes:
    """`content` as a DER element."""
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _spki(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
