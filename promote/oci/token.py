"""Who promote is to a registry: Basic, or tokens that are asked for once a scope and kept until they expire."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from oras.auth.base import AuthBackend

from promote.errors import CredentialsFault, Fault
from promote.model import strict_json
from promote.model.malformed import Malformed
from promote.model.reference import Repository
from promote.oci.challenge import Challenge, checked_realm, chosen_challenge
from promote.oci.credential_helper import IdentityToken, Login
from promote.oci.retry import BUSY, RETRIED, Transient, retry_after, retrying
from promote.oci.throttle import Throttle
from promote.oci.transport import Transport, read_capped

MAX_TOKEN_BODY = 64 * 1024
DEFAULT_LIFETIME = 60
"""Seconds a token lives that does not say so.  Source: distribution, "Token Authentication Specification"."""

PULL = "pull"
PUSH = "pull,push"


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs: `actions` (`PULL` or `PUSH`) on `path`, and to pull from `source` when it mounts."""

    repository: Repository
    path: str
    actions: str
    source: str | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes to ask a token for."""
        own = f"repository:{self.path}:{self.actions}"
        return (own, f"repository:{self.source}:{PULL}") if self.source else (own,)

    @property
    def wider(self) -> Access:
        """The same with the right to push: its token will do as well."""
        return Access(self.repository, self.path, PUSH, self.source)


@dataclass(frozen=True, slots=True)
class _Key:
    realm: str
    service: str
    scopes: tuple[str, ...]
    credential: Login | IdentityToken | None


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    expiry: float


class Authenticator(AuthBackend):  # type: ignore[misc]
    """The authentication backend of one registry, for oras's Registry and for promote's.

    `find` looks up credentials; it is called when the registry first asks, once a repository.  A token service that is
    busy pauses everything that `throttle` counts: without tokens the registry need not be asked.
    """

    def __init__(
        self,
        host: str,
        origin: str,
        transport: Transport,
        throttle: Throttle,
        find: Callable[[Repository], Login | IdentityToken | None],
    ) -> None:
        super().__init__()
        self._host = host
        self._origin = origin
        self._transport = transport
        self._throttle = throttle
        self._find = find
        self._lock = threading.Lock()
        self._challenge: Challenge | None = None
        self._credentials: dict[Repository, Login | IdentityToken | None] = {}
        self._tokens: dict[_Key, _Token] = {}
        self._fetching: dict[_Key, threading.Lock] = {}

    def load_configs(self, container: Any, configs: list[str] | None = None) -> None:
        """Nothing: oras calls this before each request, promote looks when the registry asks for credentials."""

    def header(self, access: Access) -> str | None:
        """The Authorization to send straight away; None before the registry has asked for any."""
        challenge = self._challenge
        if challenge is None:
            return None
        if challenge.scheme == "basic" and not isinstance(self._credential(access.repository), Login):
            return None
        return self._answer(challenge, access, None)

    def renew(self, access: Access, offered: str, refused: str | None) -> str:
        """The Authorization that answers the WWW-Authenticate `offered`, after `refused` was not enough.

        Raises `CredentialsFault` when there is nothing better to send.
        """
        challenge = chosen_challenge(offered)
        if challenge is None:
            raise self.refusal(access, "without saying which credentials it takes")
        self._challenge = challenge
        return self._answer(challenge, access, refused)

    def refusal(self, access: Access, detail: str) -> CredentialsFault:
        """The error that says that `access` is not to be had."""
        known = self._credentials.get(access.repository) is not None
        wanted = "write to" if access.actions == PUSH else "read"
        given = "refused the credentials it was given" if known else "wants credentials and there are none"
        return CredentialsFault(
            "credentials-refused" if known else "credentials-missing",
            f"{self._host} {given} to {wanted} {access.repository.path}, {detail}",
            expected=f"credentials that may {wanted} {access.repository}",
            hint=f"run `docker login {self._host}` with an account that may {wanted} {access.repository.path}",
        )

    def _credential(self, repository: Repository) -> Login | IdentityToken | None:
        with self._lock:
            if repository not in self._credentials:
                self._credentials[repository] = self._find(repository)
            return self._credentials[repository]

    def _answer(self, challenge: Challenge, access: Access, refused: str | None) -> str:
        credential = self._credential(access.repository)
        if challenge.scheme == "basic":
            if not isinstance(credential, Login) or (value := _basic(credential)) == refused:
                raise self.refusal(access, "answer 401")
            return value
        realm = checked_realm(challenge.realm, self._origin, self._host)
        for wanted in (access.wider, access):
            token = self._tokens.get(_Key(realm, challenge.service, _scopes(wanted, challenge), credential))
            if token and token.expiry > time.monotonic() and f"Bearer {token.value}" != refused:
                return f"Bearer {token.value}"
        return self._fetched(_Key(realm, challenge.service, _scopes(access, challenge), credential), access, refused)

    def _fetched(self, key: _Key, access: Access, refused: str | None) -> str:
        """A new token; of several threads that want the same one, one asks and the others take what it got."""
        with self._lock:
            gate = self._fetching.setdefault(key, threading.Lock())
        with gate:
            token = self._tokens.get(key)
            if not token or token.expiry <= time.monotonic() or f"Bearer {token.value}" == refused:
                token = retrying(lambda: self._request(key, access))
                self._tokens[key] = token
        return f"Bearer {token.value}"

    def _request(self, key: _Key, access: Access) -> _Token:
        """One request to the token service.

        Source: distribution, "Token Authentication Specification" (GET) and "OAuth2 token retrieval" (POST).
        """
        self._throttle.begin()
        asked = time.monotonic()
        common = [("service", key.service)] if key.service else []
        if isinstance(key.credential, IdentityToken):
            form = [*common, ("grant_type", "refresh_token"), ("client_id", "promote")]
            form += [("scope", " ".join(key.scopes)), ("refresh_token", key.credential.token)]
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            response = self._transport.send("POST", key.realm, headers, body=urlencode(form).encode())
        else:
            query = urlencode([*common, *(("scope", scope) for scope in key.scopes)])
            url = f"{key.realm}{'&' if '?' in key.realm else '?'}{query}"
            authorization = _basic(key.credential) if key.credential else None
            response = self._transport.send("GET", url, {"Accept": "application/json"}, authorization=authorization)
        body = read_capped(response, MAX_TOKEN_BODY, self._host, self._transport.patience)
        status = response.status_code
        if status in RETRIED:
            fault = Fault("registry-busy", f"the token service of {self._host} answers {status}, expected 200")
            if status in BUSY and (seconds := retry_after(response.headers)) is not None:
                self._throttle.pause(seconds)
            raise Transient(fault)
        if status != 200:
            raise self.refusal(access, f"its token service answers {status}")
        return self._parsed(body, asked, access)

    def _parsed(self, body: bytes, asked: float, access: Access) -> _Token:
        try:
            value = strict_json.loads_object(body)
        except Malformed:
            raise Fault(
                "token-malformed", f"the token service of {self._host} answers something that is not a JSON object"
            ) from None
        token = value.get("token") or value.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
            raise self.refusal(access, "its token service gives no token")
        lifetime = value.get("expires_in")
        if not isinstance(lifetime, int | float) or isinstance(lifetime, bool) or not 0 < lifetime < 10**9:
            lifetime = DEFAULT_LIFETIME
        return _Token(token, asked + max(lifetime - 30, lifetime / 2))


def _basic(login: Login) -> str:
    return "Basic " + base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def _scopes(access: Access, challenge: Challenge) -> tuple[str, ...]:
    """Ours, because a challenge may name a placeholder (GHCR) or less than is needed.

    Its own where they are of another kind (ECR's ``aws``).
    """
    foreign = tuple(scope for scope in challenge.scopes if not scope.startswith("repository:"))
    return foreign or access.scopes
