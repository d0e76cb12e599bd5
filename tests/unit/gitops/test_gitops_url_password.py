"""Which URLs have a password, and what git is told in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promote.gitops.url_password import NOTHING, hidden


def test_the_url_loses_its_userinfo_and_the_password_is_in_a_variable():
    found = hidden(["https://bot:p%40ss@git.example:8443/acme/deploy.git"])
    assert found.settings[0] == (
        "url.https://git.example:8443/acme/deploy.git.insteadOf",
        "https://bot:p%40ss@git.example:8443/acme/deploy.git",
    )
    assert [key for key, _ in found.settings[1:]] == ["credential.https://git.example:8443.helper"] * 2
    assert [value for _, value in found.environment] == ["bot", "p@ss"]
    assert "p@ss" not in repr(found)
    assert "p@ss" not in "".join(value for _, value in found.settings[1:])


@pytest.mark.parametrize(
    "url",
    ["https://git.example/x", "https://bot@git.example/x", "ssh://git:x@git.example/x", "git@git.example:x",
     "/srv/a:b@c", "https://[::1/x", "", "https://bot:x@", "https://bot:a%0Ab@git.example/x", "https://bot:a%00b@git.example/x"],
)  # fmt: skip
def test_a_url_without_a_password_for_http_is_left_to_git(url):
    assert hidden([url]) == NOTHING


def test_only_urls_of_the_same_host_and_password_are_replaced():
    same = ["https://bot:x@a.example/1", "https://bot:x@a.example/2"]
    others = [
        "https://bot:y@a.example/3",
        "https://bot:x@b.example/4",
        "http://bot:x@a.example/5",
        "https://a.example/6",
    ]
    settings = hidden([*same, *others]).settings
    assert [value for key, value in settings if key.startswith("url.")] == same


@given(st.text(max_size=40))
def test_no_url_confuses_it(text):
    for url in (text, f"https://{text}", f"https://{text}@git.example/x", f"https://bot:{text}@git.example/x"):
        for _, value in hidden([url]).environment:
            assert "\n" not in value
