"""What a registry answers with 401: which credentials it wants, and where a token is to be had."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from promote.errors import Fault
from promote.model.malformed import shown

MAX_CHALLENGE = 8 * 1024
"""Characters of a WWW-Authenticate header that are read; a longer one is no challenge."""

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ITEM = re.compile(
    rf"[\s,]*(?:(?P<key>{_WORD})\s*=\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<plain>[^\s,\"]+))|(?P<scheme>{_WORD}))"
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: `scheme` and parameter names in lower case, values as sent.  Source: RFC 9110, 11.6.1."""

    scheme: str
    parameters: Mapping[str, str] = field(hash=False)

    @property
    def realm(self) -> str:
        """Where a token is to be had; empty when it does not say."""
        return self.parameters.get("realm", "")

    @property
    def service(self) -> str:
        """What to ask a token for; empty when it does not say."""
        return self.parameters.get("service", "")

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that this request would have needed."""
        return tuple(self.parameters.get("scope", "").split())


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Every challenge of a WWW-Authenticate header up to the first part that follows no grammar."""
    found: list[tuple[str, dict[str, str]]] = []
    position = 0
    while len(header) <= MAX_CHALLENGE and (item := _ITEM.match(header, position)):
        position = item.end()
        if item["scheme"]:
            found.append((item["scheme"].lower(), {}))
        elif found:
            quoted = item["quoted"]
            value = item["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            found[-1][1].setdefault(item["key"].lower(), value)
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)


def chosen_challenge(header: str) -> Challenge | None:
    """The challenge to answer: Bearer before Basic, since a token is worth less than a password; None for neither."""
    challenges = parse_challenges(header)
    for scheme in ("bearer", "basic"):
        for challenge in challenges:
            if challenge.scheme == scheme:
                return challenge
    return None


def is_loopback(host: str) -> bool:
    """Whether ``host[:port]`` is this machine: localhost, 127.0.0.0/8 or ::1, by its spelling alone."""
    name = hostname(host)
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def hostname(host: str) -> str:
    """``host[:port]`` without port and brackets, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def checked_realm(realm: str, origin: str, host: str) -> str:
    """`realm` when a password may be sent there; raises `Fault`.

    May: HTTPS to a name or a public address, the registry's own `origin`, and this machine where the registry is spoken
    to in plain HTTP or is this machine too.  May not: plain HTTP elsewhere (the CVE-2026-48978 class), a private or
    link-local address (a cloud's metadata service), an address with user information.  `host` names the registry.
    """
    try:
        parts = urlsplit(realm)
        name = parts.hostname or ""
        same = f"{parts.scheme}://{parts.netloc}" == origin
    except ValueError:
        parts, name, same = urlsplit(""), "", False
    own_machine = origin.startswith("http://") or is_loopback(urlsplit(origin).netloc)
    allowed = own_machine if is_loopback(f"[{name}]") else parts.scheme == "https" and not _is_private(name)
    if not name or "@" in parts.netloc or parts.scheme not in {"http", "https"} or not (same or allowed):
        raise Fault(
            "unsafe-token-realm",
            f"{host} wants credentials to be sent to {shown(_without_userinfo(realm))}, expected an https address",
            expected="an https address",
            actual=shown(_without_userinfo(realm)),
            hint=f"ask who runs {host} to name an https token service",
        )
    return realm


def _is_private(name: str) -> bool:
    try:
        return not ipaddress.ip_address(name).is_global
    except ValueError:
        return False


def _without_userinfo(url: str) -> str:
    return re.sub(r"//[^/?#]*@", "//", url.partition("?")[0])
