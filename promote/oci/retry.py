"""What went wrong on the way to a registry, in our words, and whether it is worth another try."""

from __future__ import annotations

import email.utils
import http.client
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import stamina
import urllib3

from promote.errors import Fault
from promote.model.malformed import shown

T = TypeVar("T")

# stamina warns of every retry; where nobody set up logging Python would print that to stderr.
logging.getLogger("stamina").addHandler(logging.NullHandler())

ATTEMPTS = 5
MAX_RETRY_AFTER = 60.0
BUSY = frozenset({429, 503})
RETRIED = frozenset({408, 425, 500, 502, 504, 520, 521, 522, 523, 524}) | BUSY


class Transient(Exception):
    """A failure that may be gone in a moment; `fault` is what it is when it does not go."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def retrying(operation: Callable[[], T]) -> T:
    """What `operation` gives, asked again while it raises `Transient`; raises its `Fault` when that does not end.

    At most `ATTEMPTS` times, 0.25 s doubled with as much jitter between them.  What Retry-After says is waited for by
    everybody, in `promote.oci.throttle`.
    """
    try:
        for attempt in stamina.retry_context(
            on=Transient, attempts=ATTEMPTS, timeout=None, wait_initial=0.25, wait_max=10.0, wait_jitter=0.25
        ):
            with attempt:
                return operation()
    except Transient as problem:
        raise problem.fault from None
    raise AssertionError("stamina ends with a result or an exception")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a Retry-After asks for, at most `MAX_RETRY_AFTER`; None for none or nonsense.  RFC 9110, 10.2.3."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_RETRY_AFTER)
    try:
        moment = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(moment - time.time(), 0.0), MAX_RETRY_AFTER)


def connection_problem(host: str, url: str, problem: BaseException) -> Fault | Transient:
    """`problem` in our words: the system's reason only, because the text of requests quotes addresses with secrets."""
    where = urlsplit(url).hostname or host
    via = host if host.partition(":")[0] == where else f"{host} (at {shown(where)})"
    reason, passing = _reason(problem)
    # A name such as docker.io is served by another host; where a redirect leads nobody asks for /v2/.
    asked = shown(where) if via != host and urlsplit(url).path.startswith("/v2/") else host
    fault = Fault(
        "registry-unreachable",
        f"cannot reach {via}: {reason}",
        actual=reason,
        hint=f"check that https://{asked}/v2/ answers from here" if "certificate" not in reason else _CA_HINT,
    )
    return Transient(fault) if passing else fault


_CA_HINT = "name the registry's CA bundle in promote.yaml: registries: {HOST: {ca: FILE}}"


_REASONS: tuple[tuple[tuple[type[BaseException], ...], str, bool], ...] = (
    ((ssl.SSLCertVerificationError,), "its certificate is not trusted", False),
    ((ConnectionRefusedError,), "connection refused", False),
    ((urllib3.exceptions.NameResolutionError,), "no such host", False),
    # urllib3 makes a NewConnectionError a kind of timeout, which it is not.
    ((urllib3.exceptions.NewConnectionError,), "no connection can be made", False),
    ((TimeoutError, urllib3.exceptions.TimeoutError, requests.Timeout), "no answer in time", False),
    ((ssl.SSLError,), "TLS failed", False),
    ((ConnectionError, urllib3.exceptions.ProtocolError, http.client.IncompleteRead), "the connection broke", True),
)
"""By what is found in the chain of an exception, the strongest first; only a connection that broke may pass."""


def _reason(problem: BaseException) -> tuple[str, bool]:
    chain = list(_chain(problem))
    for kinds, reason, passing in _REASONS:
        for cause in chain:
            if isinstance(cause, kinds):
                detail = getattr(cause, "verify_message", "")
                return f"{reason} ({shown(detail)})" if detail else reason, passing
    return "the connection failed", False


def _chain(problem: BaseException) -> Iterator[BaseException]:
    """`problem` and what it wraps, as argument, reason or cause."""
    seen: set[int] = set()
    waiting: list[object] = [problem]
    while waiting:
        item = waiting.pop()
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
