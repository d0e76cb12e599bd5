"""What is taken from git's configuration, with the very bytes of ``git config -z --list``."""

from __future__ import annotations

import pytest

from promote.gitops.command import Answer
from promote.gitops.settings import Knowledge, Settings, read_settings


class Listing:
    """Stands for git in one directory, and answers the one question with entries as ``key\\nvalue``."""

    def __init__(self, *entries: str) -> None:
        self.entries = entries

    def run(self, _what: str, arguments: list[str]) -> Answer:
        assert arguments == ["config", "-z", "--list"]
        return Answer(0, "".join(f"{entry}\0" for entry in self.entries).encode(), "")


def settings(*entries: str) -> Settings:
    return read_settings(Listing(*entries), "origin")  # type: ignore[arg-type]


def test_the_one_url_of_the_remote_is_taken():
    assert settings("remote.other.url\nhttps://b.example/", "remote.origin.url\nhttps://a.example/x").url == (
        "https://a.example/x"
    )


@pytest.mark.parametrize(
    "entries",
    [
        [],
        ["remote.origin.url"],
        ["remote.origin.url\n"],
        ["remote.origin.url\nhttps://a.example/", "remote.origin.url\nhttps://b.example/"],
        ["remote.origin.url\na:x", "url.https://a.example/.insteadof\na:"],
        ["remote.origin.url\na:x", "url.https://a.example/.pushinsteadof\na:"],
        ["remote.Origin.url\nhttps://a.example/"],
    ],
)
def test_a_url_that_git_would_make_out_of_more_is_left_to_git(entries):
    assert settings(*entries).url is None


@pytest.mark.parametrize("value", ["", "\ntrue", "\nYES", "\non", "\n1", "\n-1", "\n2k"])
def test_what_git_takes_for_true_signs(value):
    assert settings(f"commit.gpgsign{value}").signs


@pytest.mark.parametrize("value", ["\n", "\nfalse", "\nno", "\noff", "\n0", "\n0k", "\nnonsense"])
def test_everything_else_does_not(value):
    assert not settings(f"commit.gpgsign{value}").signs


def test_the_last_of_several_values_counts():
    assert not settings("commit.gpgsign\ntrue", "commit.gpgsign\nfalse").signs
    assert not settings().signs


def test_filters_are_those_with_a_command_whatever_is_in_their_name():
    found = settings(
        "filter.lfs.clean\nx", "filter.lfs.smudge\nx", "filter.a.b c.process\nx", "filter.idle.required\ntrue",
        "filter.clean\nx", "filterx.y.clean\nx",
    )  # fmt: skip
    assert found.filters == {"lfs", "a.b c"}


def test_nothing_that_may_be_a_secret_is_kept():
    found = settings("http.extraheader\nAuthorization: basic c2VjcmV0", "user.name\nOps", "credential.helper\n!echo s")
    assert "c2VjcmV0" not in repr(found)
    assert "!echo" not in repr(found)


BOTH = ("user.name\nOps", "user.email\nops@acme.example")


@pytest.mark.parametrize(
    ("entries", "environ", "known"),
    [
        (BOTH, {}, Knowledge.KNOWN),
        (("author.name\nOps", "user.email\nops@acme.example"), {}, Knowledge.KNOWN),
        (("user.name\nOps",), {"EMAIL": "ops@acme.example"}, Knowledge.KNOWN),
        ((), {"GIT_AUTHOR_NAME": "Ops", "GIT_AUTHOR_EMAIL": "ops@acme.example"}, Knowledge.KNOWN),
        ((), {}, Knowledge.MISSING),
        (("user.name\nOps",), {}, Knowledge.MISSING),
        (("committer.name\nOps", "committer.email\nops@acme.example"), {}, Knowledge.MISSING),
        ((), {"GIT_COMMITTER_NAME": "Ops", "GIT_COMMITTER_EMAIL": "ops@acme.example"}, Knowledge.MISSING),
        (BOTH, {"GIT_AUTHOR_NAME": ""}, Knowledge.UNCLEAR),
        (("user.name\n.,;", "user.email\nops@acme.example"), {}, Knowledge.UNCLEAR),
        (("user.name", "user.email\nops@acme.example"), {}, Knowledge.UNCLEAR),
    ],
)
def test_who_is_known_without_asking_git(entries, environ, known):
    assert settings(*entries).who("AUTHOR", environ) is known


BASIC = "AUTHORIZATION: basic c2VjcmV0"


@pytest.mark.parametrize(
    ("entries", "number"),
    [
        ([], 0),
        ([f"http.extraheader\n{BASIC}"], 1),
        ([f"http.https://a.example/.extraheader\n{BASIC}"], 1),
        ([f"http.https://b.example/.extraheader\n{BASIC}"], 0),
        ([f"http.https://*.example/.extraheader\n{BASIC}"], 1),
        ([f"http.extraheader\n{BASIC}", f"http.https://a.example/.extraheader\n{BASIC}"], 2),
        ([f"http.https://a.example/.extraheader\n{BASIC}"] * 2, 2),
        ([f"http.extraheader\n{BASIC}", "http.extraheader\n", f"http.extraheader\n{BASIC}"], 1),
        ([f"http.extraheader\n{BASIC}", "http.extraheader"], 0),
        (["http.extraheader\nX-Trace: 1"], 0),
    ],
)
def test_how_many_authorization_headers_git_would_send(entries, number):
    found = settings("remote.origin.url\nhttps://a.example/x", *entries)
    assert len(found.authorizations) == number
    assert "c2VjcmV0" not in repr(found)


@pytest.mark.parametrize(
    ("entries", "elsewhere"),
    [
        (["remote.origin.url\nhttps://a.example/"], False),
        (["remote.other.pushurl\nhttps://b.example/"], False),
        (["remote.origin.url\nhttps://a.example/", "remote.origin.pushurl\nhttps://b.example/"], True),
        (["remote.origin.url\nhttps://a.example/", "remote.origin.url\nhttps://b.example/"], True),
        (["remote.origin.url\na:x", "url.git@a.example:.pushinsteadof\nhttps://a.example/"], True),
        (["remote.origin.url\na:x", "url.https://a.example/.insteadof\na:"], False),
    ],
)
def test_a_push_that_may_go_elsewhere_is_known(entries, elsewhere):
    assert settings(*entries).pushes_elsewhere is elsewhere
