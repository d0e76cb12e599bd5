"""What the user's git is configured to do, read by one ``git config`` for the whole run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from promote.gitops.command import Git
from promote.gitops.faults import host_of

FILTER_COMMANDS = ("clean", "smudge", "process")
"""What a content filter may be configured with, see gitattributes(5)."""
_SUFFIXES = {"NAME": "name", "EMAIL": "email"}


class Knowledge(Enum):
    """Whether git has somebody for a role."""

    KNOWN = "known"
    MISSING = "missing"
    UNCLEAR = "unclear"
    """What there is may not be a name to git: ask git."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The part of the configuration that promote goes by; the rest may hold secrets, and is not kept.

    `url` is that of the remote; None where git itself has to be asked for it.  `urls` are all that are configured for
    it, as they were written.  `signs` is commit.gpgSign.  `filters`
    are the names of the content filters that have a command; a ``filter`` attribute without one does nothing.
    `people` are the settings ``user.name``, ``author.email`` and so on.  `promisors` are the remotes that have what was
    left out of a partial clone (git-config(1), ``remote.<name>.promisor``).  `authorizations` are the keys, each as
    often as it counts, by which git is given an Authorization header to send.  `pushes_elsewhere` says that a push may
    go to another URL than that which is fetched from.
    """

    url: str | None
    signs: bool
    filters: frozenset[str]
    people: Mapping[str, str]
    promisors: frozenset[str] = frozenset()
    urls: tuple[str, ...] = field(default=(), repr=False)
    authorizations: tuple[str, ...] = ()
    pushes_elsewhere: bool = False

    def who(self, role: str, environ: Mapping[str, str]) -> Knowledge:
        """Whether git has a name and an address for `role` (``AUTHOR``, ``COMMITTER``) without guessing.

        Source: git-commit-tree(1), "COMMIT INFORMATION"; guesses are what user.useConfigOnly turns off.
        """
        found = [self._part(role, part, environ) for part in _SUFFIXES]
        if None in found:
            return Knowledge.MISSING
        # git takes some signs off both ends, and refuses what is left of nothing.
        clear = all(value and any(sign.isalnum() for sign in value) for value in found)
        return Knowledge.KNOWN if clear else Knowledge.UNCLEAR

    def _part(self, role: str, part: str, environ: Mapping[str, str]) -> str | None:
        suffix = _SUFFIXES[part]
        configured = self.people.get(f"{role.lower()}.{suffix}", self.people.get(f"user.{suffix}"))
        if configured is None and part == "EMAIL":
            configured = environ.get("EMAIL")
        return environ.get(f"GIT_{role}_{part}", configured)


def read_settings(git: Git, remote: str) -> Settings:
    """The settings in force where `git` runs.  Raises `Fault`."""
    listed = git.run("read the configuration of git", ["config", "-z", "--list"]).text
    entries = [
        (key, value if equals else None) for key, equals, value in (e.partition("\n") for e in listed.split("\0"))
    ]
    last = dict(entries)
    urls = [value for key, value in entries if key == f"remote.{remote}.url"]
    rewritten = any(key.startswith("url.") for key in last)
    return Settings(
        url=(urls[0] or None) if len(urls) == 1 and not rewritten else None,
        signs="commit.gpgsign" in last and _is_true(last["commit.gpgsign"]),
        filters=frozenset(
            name
            for name, _, variable in (key.removeprefix("filter.").rpartition(".") for key in last if _is_filter(key))
            if variable in FILTER_COMMANDS
        ),
        people={
            key: value or ""
            for key, value in last.items()
            if key in {f"{who}.{part}" for who in ("user", "author", "committer") for part in _SUFFIXES.values()}
        },
        promisors=frozenset(
            key.removeprefix("remote.").removesuffix(".promisor")
            for key, value in last.items()
            if key.startswith("remote.") and key.endswith(".promisor") and _is_true(value)
        ),
        urls=tuple(
            value for key, value in entries if value and key in (f"remote.{remote}.url", f"remote.{remote}.pushurl")
        ),
        authorizations=_authorizations(entries, urls[0] if urls else None),
        pushes_elsewhere=f"remote.{remote}.pushurl" in last
        or len(urls) > 1
        or any(key.startswith("url.") and key.endswith(".pushinsteadof") for key in last),
    )


def _authorizations(entries: Iterable[tuple[str, str | None]], url: str | None) -> tuple[str, ...]:
    """The keys that give the host of `url` an Authorization header.

    Source: git-config(1), "http.extraHeader": each value is one header more, and an empty one takes all away;
    "http.<url>.*": a setting for one host.
    """
    keys: list[str] = []
    for key, value in entries:
        if not key.startswith("http.") or not key.endswith(".extraheader"):
            continue
        meant = key.removeprefix("http").removesuffix(".extraheader").removeprefix(".")
        if meant and url and "://" in url and "*" not in meant and host_of(meant) != host_of(url):
            continue
        if not value:
            keys.clear()
        elif value.lower().startswith("authorization:"):
            keys.append(key)
    return tuple(keys)


def _is_filter(key: str) -> bool:
    return key.startswith("filter.") and key.count(".") > 1


def _is_true(value: str | None) -> bool:
    """Source: git-config(1), "VALUES": a variable without ``=`` is true, and so is any number but 0."""
    if value is None or value.lower() in {"true", "yes", "on"}:
        return True
    number = value.lower().removesuffix("k").removesuffix("m").removesuffix("g").removeprefix("-")
    return number.isdecimal() and int(number) != 0
