"""Challenges of registries, and where a password may go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promote.errors import Fault
from promote.oci.challenge import checked_realm, chosen_challenge, is_loopback, parse_challenges


def test_bearer_challenge_is_taken_apart() -> None:
    header = 'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"'
    (challenge,) = parse_challenges(header)
    assert (challenge.scheme, challenge.realm) == ("bearer", "https://auth.example/token")
    assert (challenge.service, challenge.scopes) == ("registry.example", ("repository:a/b:pull,push",))


@pytest.mark.parametrize(
    ("header", "realm"),
    [
        ('bearer REALM="x"', "x"),
        ("Bearer realm=https://auth.example/token,service=y", "https://auth.example/token"),
        ('Bearer realm="a \\"quoted\\" one"', 'a "quoted" one'),
        ('Bearer service="a,b=c" , realm="x"', "x"),
        ('Bearer realm="first",realm="second"', "first"),
    ],
)
def test_spellings_of_a_challenge(header: str, realm: str) -> None:
    chosen = chosen_challenge(header)
    assert chosen is not None
    assert chosen.realm == realm


def test_token_is_preferred_to_password() -> None:
    chosen = chosen_challenge('Basic realm="x", Bearer realm="y"')
    assert chosen is not None
    assert (chosen.scheme, chosen.realm) == ("bearer", "y")


@pytest.mark.parametrize("header", ["", "Negotiate", "   ,,, ", "Digest realm=x", "Bearer" + " " * 9000])
def test_no_challenge_that_promote_can_answer(header: str) -> None:
    assert chosen_challenge(header) is None


@given(st.text(max_size=300))
def test_any_header_is_parsed(header: str) -> None:
    parse_challenges(header)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.8.8.8", "[::1]:5000", "LOCALHOST"]
)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "registry.example", "[::2]"]
)
def test_another_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("realm", "origin"),
    [
        ("https://auth.docker.io/token", "https://registry-1.docker.io"),
        ("https://gitlab.example/jwt/auth", "https://registry.gitlab.example"),
        ("https://10.0.0.1/token", "https://10.0.0.1"),
        ("http://registry.internal:5000/token", "http://registry.internal:5000"),
        ("http://127.0.0.1:9000/token", "http://127.0.0.1:5000"),
        ("http://localhost:9000/token", "http://registry.internal"),
    ],
)
def test_realm_that_may_see_a_password(realm: str, origin: str) -> None:
    assert checked_realm(realm, origin, "registry") == realm


@pytest.mark.parametrize(
    ("realm", "origin"),
    [
        ("http://auth.example/token", "https://registry.example"),
        ("http://auth.example/token", "http://registry.internal:5000"),
        ("http://registry.example/token", "https://registry.example"),
        ("https://169.254.169.254/latest", "https://registry.example"),
        ("https://10.0.0.1/token", "https://registry.example"),
        ("https://[fd00::1]/token", "https://registry.example"),
        ("https://127.0.0.1/token", "https://registry.example"),
        ("https://localhost/token", "https://registry.example"),
        ("https://user@auth.example/token", "https://registry.example"),
        ("file:///etc/passwd", "https://registry.example"),
        ("//auth.example/token", "https://registry.example"),
        ("https://", "https://registry.example"),
        ("https://[bad/token", "https://registry.example"),
        ("", "https://registry.example"),
    ],
)
def test_realm_that_may_not(realm: str, origin: str) -> None:
    with pytest.raises(Fault) as caught:
        checked_realm(realm, origin, "registry.example")
    assert caught.value.code == "unsafe-token-realm"
    assert "user@" not in repr(vars(caught.value))
