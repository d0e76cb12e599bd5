"""The trusted root: which logs, certificate authorities and time stamp authorities count, and when.

Source: sigstore/protobuf-specs, sigstore_trustroot.proto, media type
``application/vnd.dev.sigstore.trustedroot+json;version=0.1``.  Read here and not taken from sigstore-python, which
keeps the parts that the tag scheme needs (single keys, their windows) to itself and ignores the windows of all but
time stamp authorities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from cryptography.x509 import Certificate, load_der_x509_certificate

from promote.errors import Misuse
from promote.evidence.public_key import PublicKey
from promote.evidence.reading import child, children, text, unbase64
from promote.model import strict_json
from promote.model.malformed import Malformed, shown
from promote.model.policy import RootProfile

MEDIA_TYPES = (
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
)
_PUBLIC_GOOD = "public_good_trusted_root.json"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """When something is to be believed: from `start` to `end`, both included, None open."""

    start: datetime | None
    end: datetime | None

    def holds(self, time: datetime) -> bool:
        """Whether `time` (with a zone) lies in the window."""
        return (self.start is None or self.start <= time) and (self.end is None or time <= self.end)

    def __str__(self) -> str:
        return f"{self.start or 'ever'} to {self.end or 'now'}"


@dataclass(frozen=True)
class LogKey:
    """The key of a transparency log.  `log_id` is what its entries and checkpoints call it."""

    log_id: bytes
    key: PublicKey
    window: Window


@dataclass(frozen=True)
class Authority:
    """A chain of certificates, leaf first and root last, that is to be believed during `window`."""

    chain: tuple[Certificate, ...]
    window: Window


@dataclass(frozen=True)
class TrustRoot:
    """A parsed trusted root; `content` is the bytes that it was parsed from."""

    content: bytes
    profile: RootProfile
    logs: tuple[LogKey, ...]
    ct_logs: tuple[LogKey, ...]
    certificate_authorities: tuple[Authority, ...]
    timestamp_authorities: tuple[Authority, ...]

    @classmethod
    def parse(cls, content: bytes, profile: RootProfile = RootProfile.SIGSTORE) -> TrustRoot:
        """The root in a trusted_root.json; raises `Misuse` where it is not one.

        Of several roots, one a line as `gh attestation trusted-root` prints them, the one of `profile`: GitHub's own is
        the one without logs.
        """
        try:
            content = _of_profile(content, profile)
            document = strict_json.loads_object(content, "trusted root")
            if document.get("mediaType") not in MEDIA_TYPES:
                raise Malformed("trusted root mediaType", document.get("mediaType"), MEDIA_TYPES[0])
            return cls(
                content=content,
                profile=profile,
                logs=_each(document, "tlogs", _log_key),
                ct_logs=_each(document, "ctlogs", _log_key),
                certificate_authorities=_each(document, "certificateAuthorities", _authority),
                timestamp_authorities=_each(document, "timestampAuthorities", _authority),
            )
        except ValueError as problem:  # Malformed is one; cryptography and datetime raise the others
            raise Misuse(
                "bad-trust-root",
                f"the trusted root cannot be read: {shown(str(problem))}",
                hint="`cosign trusted-root create` writes such a file; leave `trust.root` away for the public Sigstore",
            ) from None

    def log(self, log_id: bytes) -> LogKey | None:
        """The log that calls itself `log_id`; None when the root does not know it.  No other key is ever tried."""
        return next((log for log in self.logs if log.log_id == log_id), None)

    def promising_log(self, log_id: bytes) -> LogKey | None:
        """The log whose key hashes to `log_id`, as Rekor v1 names itself in its promises; None when unknown."""
        return next((log for log in self.logs if log.key.spki_hash == log_id), None)

    def ct_log(self, log_id: bytes) -> LogKey | None:
        """The certificate transparency log whose key hashes to `log_id` (RFC 6962, 3.2); None when unknown."""
        return next((log for log in self.ct_logs if log.key.spki_hash == log_id), None)


def public_good() -> bytes:
    """The public-good trusted root, as it came with this version of promote (docs/adr/0009).

    `ClientTrustConfig.production(offline=True)` would copy sigstore-python's to the user's cache directory and believe
    what it finds there the next time.
    """
    return Path(__file__).with_name(_PUBLIC_GOOD).read_bytes()


def _of_profile(content: bytes, profile: RootProfile) -> bytes:
    lines = [line for line in content.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines):
        return content
    wanted = [
        line
        for line in lines
        if bool(strict_json.loads_object(line, "trusted root").get("tlogs")) is (profile is RootProfile.SIGSTORE)
    ]
    if len(wanted) != 1:
        raise Malformed("trusted root", f"{len(wanted)} roots for profile {profile.value}", "exactly one")
    return wanted[0]


def _each(document: dict[str, Any], key: str, read: Callable[[dict[str, Any]], T | None]) -> tuple[T, ...]:
    found: list[T] = []
    for item in children(document, key, "trusted root"):
        if not isinstance(item, dict):
            raise Malformed(f"trusted root {key}", item, "a list of objects")
        parsed = read(item)
        if parsed is not None:
            found.append(parsed)
    return tuple(found)


def _log_key(item: dict[str, Any]) -> LogKey | None:
    public_key = child(item, "publicKey", "log")
    try:
        key = PublicKey.from_der(unbase64(public_key.get("rawBytes"), "log publicKey.rawBytes"))
    except Malformed:
        return None  # a kind of key that promote does not know yet must not take the other logs' entries with it
    log_id = unbase64(child(item, "logId", "log").get("keyId"), "log logId.keyId")
    window = _window(public_key)
    if window.start is None:  # a log's key that counts since ever is a mistake to sigstore-go as well
        raise Malformed("log validFor.start", None, "the time since when the log's key counts")
    return LogKey(log_id, key, window)


def _authority(item: dict[str, Any]) -> Authority:
    chain = children(child(item, "certChain", "authority"), "certificates", "authority certChain")
    if not chain or not all(isinstance(c, dict) for c in chain):
        raise Malformed("authority certChain", chain, "at least one certificate")
    ders = (unbase64(c.get("rawBytes"), "authority certificate") for c in chain)
    return Authority(tuple(load_der_x509_certificate(der) for der in ders), _window(item))


def _window(item: dict[str, Any]) -> Window:
    """An absent window is open; so is an absent end."""
    valid_for = item.get("validFor") or {}
    if not isinstance(valid_for, dict):
        raise Malformed("validFor", valid_for, "a JSON object")
    return Window(_moment(valid_for, "start"), _moment(valid_for, "end"))


def _moment(valid_for: dict[str, Any], key: str) -> datetime | None:
    if valid_for.get(key) is None:
        return None
    moment = datetime.fromisoformat(text(valid_for[key], f"validFor.{key}"))
    if moment.tzinfo is None:
        raise Malformed(f"validFor.{key}", valid_for[key], "a time with its zone")
    return moment
