"""What is tried again, for how long, and in which words it fails."""

from __future__ import annotations

import email.utils
import ssl
import time

import pytest
import requests
import stamina
import urllib3

from promote.errors import Fault
from promote.oci.retry import ATTEMPTS, MAX_RETRY_AFTER, Transient, connection_problem, retry_after, retrying


def test_transient_failure_is_tried_again_and_then_ends_as_its_fault() -> None:
    calls: list[int] = []

    def busy() -> None:
        calls.append(1)
        raise Transient(Fault("busy", "still busy"))

    with stamina.set_testing(True, attempts=ATTEMPTS), pytest.raises(Fault, match="still busy"):
        retrying(busy)
    assert len(calls) == ATTEMPTS


def test_fault_is_not_tried_again() -> None:
    calls: list[int] = []

    def broken() -> None:
        calls.append(1)
        raise Fault("broken", "broken")

    with pytest.raises(Fault):
        retrying(broken)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("99999999999999", MAX_RETRY_AFTER),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("٣", None),
    ],
)
def test_retry_after_in_seconds(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}) == seconds


def test_retry_after_as_a_date_is_capped() -> None:
    assert retry_after({"Retry-After": email.utils.formatdate(time.time() + 9000, usegmt=True)}) == MAX_RETRY_AFTER
    assert retry_after({"Retry-After": email.utils.formatdate(0, usegmt=True)}) == 0.0


@pytest.mark.parametrize(
    ("problem", "reason", "passing"),
    [
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("x", ConnectionResetError(104, "reset"))),
            "the connection broke",
            True,
        ),
        (requests.ConnectionError(ConnectionRefusedError(111, "refused")), "connection refused", False),
        (requests.exceptions.ConnectTimeout("x"), "no answer in time", False),
        (requests.exceptions.SSLError(ssl.SSLCertVerificationError(1, "x")), "its certificate is not trusted", False),
        (urllib3.exceptions.IncompleteRead(1, 2), "the connection broke", True),
        (requests.exceptions.InvalidURL("http://u:canary@h/"), "the connection failed", False),
    ],
)
def test_broken_connection_in_our_words(problem: Exception, reason: str, passing: bool) -> None:
    said = connection_problem("registry.example", "https://registry.example/v2/?token=canary", problem)
    assert isinstance(said, Transient) is passing
    fault = said.fault if isinstance(said, Transient) else said
    assert reason in fault.message
    assert "canary" not in repr(vars(fault))
