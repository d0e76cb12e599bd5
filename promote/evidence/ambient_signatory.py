"""Signing with the identity that the machine has: an OIDC token, a short-lived certificate, a log entry.

Importing this module costs what importing sigstore costs.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sigstore.dsse import Statement
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityError, IdentityToken, detect_credential
from sigstore.sign import SigningContext

from promote.errors import CredentialsFault, Fault
from promote.evidence import certificate as certificates
from promote.evidence.signed_bundle import SignedBundle
from promote.model import strict_json
from promote.model.attestor import AmbientAttestor
from promote.model.malformed import Malformed, shown
from promote.model.policy import KeylessSigner, Trust

TOKEN = "SIGSTORE_ID_TOKEN"  # noqa: S105 - the name of a variable
"""Where a token may be given; cosign reads it there too, and GitLab's `id_tokens` are put there."""
_GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
_PERMISSION = "give the job `permissions: id-token: write`; a pull request from a fork never gets it"


@dataclass(frozen=True)
class AmbientSignatory:
    """A `promote.evidence.signatory.Signatory` by ambient identity.

    The token is asked for again for each signature: that of GitHub lasts five minutes, and a copy may last longer.
    """

    attestor: AmbientAttestor
    environ: Mapping[str, str]
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def check(self) -> None:
        """Get a token; raises `CredentialsFault` when there is none to be had."""
        self._token()

    def trust(self) -> Trust:
        """Trust in the identities that a certificate for this token may name, and the Sigstore that makes it."""
        issuer, names = _identities(self._token())
        return Trust(tuple(KeylessSigner(issuer, name) for name in names), self.attestor.trusted_root)

    def sign(self, statement: bytes) -> SignedBundle:
        """A bundle with certificate, log entry and, where the Sigstore has one, a time stamp."""
        token = self._token()
        with self._lock:  # the trust configuration is refreshed in a cache directory that threads would share
            try:
                context = SigningContext.from_trust_config(self._configuration())
                with context.signer(IdentityToken(token)) as signer:
                    bundle = signer.sign_dsse(Statement(statement))
            except Exception as problem:  # noqa: BLE001
                # sigstore raises its own errors beside those of requests, pydantic, cryptography and tuf.
                _signing_failed(problem)
        return SignedBundle(bundle.to_json().encode(), _signer(bundle))

    def _configuration(self) -> ClientTrustConfig:
        if self.attestor.signing_config is None:
            return ClientTrustConfig.production()
        root = self.attestor.trusted_root
        return ClientTrustConfig.from_json(
            json.dumps(
                {
                    "mediaType": ClientTrustConfig.ClientTrustConfigType.CONFIG_0_1.value,
                    "trustedRoot": json.loads(root or b"{}"),
                    "signingConfig": json.loads(self.attestor.signing_config),
                }
            )
        )

    def _token(self) -> str:
        if given := self.environ.get(TOKEN):
            return _checked(given)
        if self.environ.get("GITHUB_ACTIONS") and not self.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
            _no_identity("the job may not ask for an identity token", "no ACTIONS_ID_TOKEN_REQUEST_TOKEN", _PERMISSION)
        try:
            found = detect_credential()
        except IdentityError as problem:
            # Its text may quote what the issuer answered, which is nobody's to see.
            kind = type(problem.__cause__ or problem).__name__
            _no_identity("the identity token could not be had", kind, "run the same command again")
        if found is None:
            _no_identity(
                "this machine has no OIDC identity",
                "none",
                f"run in CI ({_PERMISSION}), put a token into {TOKEN}, or sign by key with `attest: {{key: FILE}}`",
            )
        return _checked(found)


def _checked(token: str) -> str:
    try:
        IdentityToken(token)
    except IdentityError as problem:
        _no_identity("the identity token cannot be used", shown(str(problem)), "get a new one with audience sigstore")
    return token


def _no_identity(what: str, actual: str, hint: str) -> NoReturn:
    raise CredentialsFault(
        "identity-missing",
        f"attest: true, and {what}",
        expected="an OIDC token for the audience sigstore",
        actual=actual,
        hint=hint,
    )


def _signing_failed(problem: Exception) -> NoReturn:
    raise Fault(
        "signing-failed",
        f"the verdict could not be signed: {type(problem).__name__} {shown(str(problem), 300)}".rstrip(),
        hint="run the same command again; the image arrived, and nothing was committed",
    ) from None


def _identities(token: str) -> tuple[str, tuple[str, ...]]:
    """The issuer, and each name that Fulcio may put into a certificate for this token's claims.

    Source: sigstore/fulcio, pkg/identity: which claim becomes the subject alternative name depends on the issuer.
    """
    claims = _claims(token)
    issuer = IdentityToken(token).federated_issuer
    names = [claims.get("email"), claims.get("sub")]
    if issuer == _GITHUB_ISSUER:
        names.append(_prefixed("https://github.com/", claims.get("job_workflow_ref")))
    names.append(_prefixed("https://", claims.get("ci_config_ref_uri")))
    pipeline = (claims.get("organization_slug"), claims.get("pipeline_slug"))
    if all(isinstance(part, str) for part in pipeline):
        names.append(f"https://buildkite.com/{pipeline[0]}/{pipeline[1]}")
    return issuer, tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def _prefixed(prefix: str, value: object) -> str | None:
    return f"{prefix}{value}" if isinstance(value, str) and value else None


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    try:
        return strict_json.loads_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), "token")
    except (ValueError, Malformed):
        return {}


def _signer(bundle: Bundle) -> KeylessSigner:
    signed_by = certificates.signed_by(bundle.signing_certificate)
    return KeylessSigner(signed_by.issuer or "", signed_by.identity or "")
