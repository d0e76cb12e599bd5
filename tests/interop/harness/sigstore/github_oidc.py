"""A stand-in for the OIDC issuer of GitHub Actions, on 127.0.0.1 only.

A certificate of Fulcio carries the issuer's URL, so the issuer must answer under its real name.  Neither the machine's
hosts file nor its certificate store is touched for that: an HTTP CONNECT proxy answers this one host itself, and only
Fulcio is started with this proxy and with the certificate authority that vouches for it.
"""

from __future__ import annotations

import base64
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from harness.sigstore.pki import ISSUER_HOST

ISSUER = f"https://{ISSUER_HOST}"
KEY_ID = "k1"


def mint(pki: Path, *, repository: str, commit: str, workflow: str = "build.yml", ref: str = "refs/heads/main") -> str:
    """A token as GitHub gives it to a run of `workflow` for a push of `commit` to `ref`."""
    now = int(time.time())
    workflow_ref = f"{repository}/.github/workflows/{workflow}@{ref}"
    claims = {
        "iss": ISSUER,
        "aud": "sigstore",
        "sub": f"repo:{repository}:ref:{ref}",
        "iat": now,
        "nbf": now - 5,
        "exp": now + 3600,
        "jti": str(now),
        "repository": repository,
        "repository_id": "1001",
        "repository_owner": repository.split("/", maxsplit=1)[0],
        "repository_owner_id": "77",
        "repository_visibility": "private",
        "ref": ref,
        "ref_type": "branch",
        "sha": commit,
        "workflow": workflow.removesuffix(".yml"),
        "workflow_ref": workflow_ref,
        "workflow_sha": commit,
        "job_workflow_ref": workflow_ref,
        "job_workflow_sha": commit,
        "event_name": "push",
        "run_id": "4242",
        "run_number": "7",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
    }
    return jwt.encode(claims, (pki / "oidc-key.pem").read_text(), "RS256", headers={"kid": KEY_ID})


@contextmanager
def issuer(pki: Path) -> Iterator[int]:
    """The proxy in a thread of its own; its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pki / "issuer-chain.pem", pki / "issuer-key.pem")
    with _Proxy(("127.0.0.1", 0), _Connection) as proxy:
        proxy.tls = context
        proxy.documents = _documents(pki)
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy.server_address[1]
        finally:
            proxy.shutdown()
            thread.join()


class _Proxy(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    tls: ssl.SSLContext
    documents: dict[str, Any]


class _Connection(socketserver.BaseRequestHandler):
    server: _Proxy

    def handle(self) -> None:
        """Answer CONNECT for the issuer's host, then its documents over TLS."""
        if _request_line(self.request)[:2] != ["CONNECT", f"{ISSUER_HOST}:443"]:
            self.request.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with self.server.tls.wrap_socket(self.request, server_side=True) as connection:
            while line := _request_line(connection):
                document = self.server.documents.get(line[1])
                status = "200 OK" if document else "404 Not Found"
                body = json.dumps(document or {}).encode()
                head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)


def _request_line(connection: socket.socket) -> list[str]:
    """The words of a request's first line, after reading its whole head; empty when the peer is gone."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(4096)
        if not received:
            return []
        head += received
    return head.split(b"\r\n", 1)[0].decode().split()


def _documents(pki: Path) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0, section 3, and the key set that it points to (RFC 7517)."""
    key = serialization.load_pem_public_key((pki / "oidc-pub.pem").read_bytes())
    assert isinstance(key, rsa.RSAPublicKey)
    numbers = key.public_numbers()
    return {
        "/.well-known/openid-configuration": {
            "issuer": ISSUER,
            "jwks_uri": f"{ISSUER}/.well-known/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        },
        "/.well-known/jwks": {
            "keys": [
                {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID, "n": _b64(numbers.n), "e": _b64(numbers.e)}
            ]
        },
    }


def _b64(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
