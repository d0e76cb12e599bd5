"""Where a request may lead, and through which proxy."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from promote.errors import Fault, Misuse
from promote.oci.patience import Patience
from promote.oci.transport import Transport, origin_of


def transport(**environ: str) -> Transport:
    return Transport(requests.Session(), "registry.example", None, environ, Patience())


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://a.example/v2/x", "/v2/y?z=%2B&w", "https://a.example/v2/y?z=%2B&w"),
        ("https://a.example/v2/x", "https://cdn.example:8443/y", "https://cdn.example:8443/y"),
        ("https://a.example/v2/x", "//cdn.example/y#fragment", "https://cdn.example/y"),
        ("http://a.example/v2/x", "https://cdn.example/y", "https://cdn.example/y"),
        ("http://a.example/v2/x", "http://cdn.example/y", "http://cdn.example/y"),
    ],
)
def test_location_that_may_be_followed(url: str, location: str, target: str) -> None:
    assert transport().target(url, location) == target


@pytest.mark.parametrize(
    "location",
    [
        "http://a.example/v2/y",
        "http://cdn.example/y",
        "ftp://a.example/y",
        "file:///etc/passwd",
        "https://user:canary@cdn.example/y",
        "https://[bad/y",
        "https://a.example:99999/y",
        "https://a.example/y y",
        "https://a.example/\u00e9",
    ],
)
def test_location_that_may_not(location: str) -> None:
    with pytest.raises(Fault) as caught:
        transport().target("https://a.example/v2/x", location)
    assert caught.value.code == "unsafe-redirect"
    assert "canary" not in repr(vars(caught.value))


def test_origin_has_one_spelling() -> None:
    assert origin_of("https://A.example/x") == origin_of("https://a.example:443/y") == "https://a.example:443"
    assert origin_of("http://a.example") != origin_of("https://a.example")
    assert origin_of("http://a.example:5000") != origin_of("http://a.example:5001")


def test_proxies_are_those_of_the_environment_given() -> None:
    environ = {
        "HTTPS_PROXY": "http://proxy:1",
        "http_proxy": "http://proxy:2",
        "NO_PROXY": ".internal,exact.example:5000",
    }
    chosen = transport(**environ)
    assert chosen._proxies_for("https://a.example/v2/") == {"https": "http://proxy:1", "http": "http://proxy:2"}
    for url in (
        "https://registry.internal/",
        "https://exact.example:5000/",
        "http://127.0.0.1:5000/",
        "http://localhost/",
    ):
        assert chosen._proxies_for(url) == {}
    assert transport()._proxies_for("https://a.example/v2/") == {}


def test_environment_of_requests_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    session = requests.Session()
    Transport(session, "registry.example", None, {}, Patience())
    assert session.trust_env is False
    assert session.headers["Accept-Encoding"] == "identity"


def test_ca_bundle_that_is_none_is_misuse(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("absent.pem", "empty.pem"):
        with pytest.raises(Misuse, match=name):
            Transport(requests.Session(), "registry.example", tmp_path / name, {}, Patience())
