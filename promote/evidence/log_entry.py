"""A log entry in a bundle: how well its log vouches for it, when, and that it is about what the bundle holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promote.evidence import inclusion, log_body
from promote.evidence.bundle import Bundle, lacks_proof, log_id, promised_time
from promote.evidence.flawed import invalid
from promote.evidence.reading import child, unbase64, whole
from promote.evidence.trust_root import LogKey, TrustRoot
from promote.model.evidence import Log
from promote.model.malformed import Malformed

MAX_ENTRIES = 32
"""What sigstore-go takes at most."""


@dataclass(frozen=True, slots=True)
class Logged:
    """What the logs of a trusted root say of a bundle: the best of proof and promise, and every time they signed."""

    log: Log
    times: tuple[datetime, ...]


def check(bundle: Bundle, verifier: bytes, root: TrustRoot) -> Logged:
    """What the logs of `root` say of `bundle`, signed by `verifier` (DER of a certificate or of a public key).

    An entry of a log that `root` does not know is worth nothing and does no harm; each of the others must hold whole.
    Raises `Malformed` or `Flawed`.
    """
    _check_distinct(bundle.entries)
    logs = [(entry, root.log(log_id(entry))) for entry in bundle.entries]
    said = [_check(entry, log, bundle, verifier) for entry, log in logs if log is not None]
    kinds = {kind for kind, _ in said}
    best = next((kind for kind in (Log.PROOF, Log.PROMISE) if kind in kinds), Log.NONE)
    return Logged(best, tuple(time for _, time in said if time is not None))


def _check(entry: dict[str, Any], log: LogKey, bundle: Bundle, verifier: bytes) -> tuple[Log, datetime | None]:
    """The time is None where the log made no promise (Rekor v2)."""
    body = unbase64(entry.get("canonicalizedBody"), "log entry body")
    time = promised_time(entry, log)
    if time is not None and lacks_proof(entry, bundle.media_type):
        kind = Log.PROMISE
    else:
        inclusion.check(body, child(entry, "inclusionProof", "log entry"), log)
        kind = Log.PROOF
    log_body.bind(body, bundle.signed, verifier)
    return kind, time


def _check_distinct(entries: Sequence[dict[str, Any]]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise Malformed("bundle tlogEntries", f"{len(entries)} of them", f"at most {MAX_ENTRIES}")
    places = {(log_id(entry), whole(entry.get("logIndex"), "log entry logIndex")) for entry in entries}
    if len(places) != len(entries):
        invalid("the bundle has one log entry twice", expected="each once")
