"""The checks of every registry and directory of images that promote.yaml names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from promote.errors import PromoteError
from promote.model.checkup import Check, Health
from promote.model.configuration import Configuration, RegistryOptions
from promote.model.malformed import Malformed
from promote.model.reference import LAYOUT, Repository
from promote.promotion.parallel import in_parallel
from promote.promotion.workplace import Workplace

if TYPE_CHECKING:
    from promote.oci.probe import Probe

MOST_SKEW = timedelta(seconds=60)
"""How far clocks may be apart; tokens and signed upload addresses of registries start to fail at a few minutes."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A repository that is used: by which environments, and whether promotions write to it."""

    repository: Repository
    environments: tuple[str, ...]
    push: bool

    @property
    def about(self) -> str:
        """Its name for a check."""
        return str(self.repository)


def registries(workplace: Workplace) -> tuple[Check, ...]:
    """Access, credentials, features and clock of each repository; they are asked at once and raise nothing."""
    asked = tuple(_asked(workplace.configuration))
    each = in_parallel(lambda one: tuple(_checks(workplace.configuration, one)), asked, workplace.jobs)
    return (*(check for checks in each for check in checks), *_mounts(workplace.configuration))


def _asked(configuration: Configuration) -> Iterator[_Asked]:
    """Each repository once; the first place of an app that is malformed was refused with promote.yaml."""
    users: dict[Repository, list[str]] = {}
    written: set[Repository] = set()
    for environment in configuration.environments.values():
        running = [app for app in configuration.apps.values() if not environment.lacks(app)]
        for place in environment.places:
            for app in (app for app in running if place in environment.places_of(app)):
                try:
                    repository = place.repository(app)
                except Malformed:
                    continue
                users.setdefault(repository, []).append(environment.name)
                if environment.promoted_from:
                    written.add(repository)
    for repository, names in users.items():
        yield _Asked(repository, tuple(dict.fromkeys(names)), repository in written)


def _checks(configuration: Configuration, asked: _Asked) -> Iterator[Check]:
    if asked.repository.is_layout:
        yield _directory(asked)
        return
    from promote.oci.deferred_import import defer  # noqa: PLC0415 - oras and requests, where there is HTTP

    defer("jsonschema")
    from promote.oci.probe import credential_source, probe  # noqa: PLC0415

    options = configuration.registries.get(asked.repository.registry, RegistryOptions())
    try:
        source = credential_source(asked.repository, os.environ)
        found = probe(asked.repository, options, os.environ, push=asked.push)
    except PromoteError as error:
        health = Health.UNKNOWN if error.exit_code == 3 else Health.BAD
        yield Check("registry", asked.about, health, error.message, error.code, error.hint, error.exit_code)
        return
    used = "read and written" if asked.push else "read"
    by = ", ".join(asked.environments)
    who = f"credentials from {source}" if source else "anonymously"
    yield Check("registry", asked.about, Health.GOOD, f"may be {used} ({by}), {who}")
    yield judged_referrers(asked.about, found)
    yield judged_clock(asked.about, found.skew)


def judged_referrers(about: str, found: Probe) -> Check:
    """The check of the referrers API."""
    said = {
        True: "has the referrers API",
        False: "has no referrers API: evidence is found and written by the fallback tag",
        None: "did not show whether it has the referrers API, because nothing is there yet",
    }[found.referrers]
    return Check("referrers", about, Health.NOTE if found.referrers is not True else Health.GOOD, said)


def judged_clock(about: str, skew: timedelta | None) -> Check:
    """The check of this machine's clock against that of a registry, which is `skew` ahead."""
    if skew is None:
        return Check("clock", about, Health.NOTE, "answers without a time, so that the clocks cannot be compared")
    if abs(skew) <= MOST_SKEW:
        return Check("clock", about, Health.GOOD, "has the same time as this machine")
    way = "ahead of" if skew > timedelta(0) else "behind"
    seconds = f"{abs(skew).total_seconds():.0f} s"
    return Check(
        "clock",
        about,
        Health.BAD,
        f"is {seconds} {way} this machine, expected at most {MOST_SKEW.total_seconds():.0f} s between the clocks",
        "clock-skew",
        "set this machine's clock: `timedatectl set-ntp true`",
        3,
    )


def _directory(asked: _Asked) -> Check:
    """A directory of image layouts.  The nearest one that is there decides: promote makes the rest when it writes."""
    directory = Path(asked.repository.registry.removeprefix(LAYOUT)) / asked.repository.path
    there = next((d for d in (directory, *directory.absolute().parents) if d.exists()), directory)
    wanted = os.R_OK | os.X_OK | (os.W_OK if asked.push else 0)
    if not there.is_dir() or not os.access(there, wanted):
        return Check(
            "registry",
            asked.about,
            Health.BAD,
            f"{there} cannot be {'written' if asked.push else 'read'}, expected a directory",
            "layout-unusable",
            f"look at it with `ls -ld {there}`",
            3,
        )
    if there != directory and not asked.push:
        return Check("registry", asked.about, Health.NOTE, "is not there: nothing was pushed to it yet")
    return Check(
        "registry", asked.about, Health.GOOD, f"is a directory that may be {'written' if asked.push else 'read'}"
    )


def _mounts(configuration: Configuration) -> Iterator[Check]:
    """Where blobs need not move; whether the registry agrees is not tried, because trying begins an upload."""
    shared: dict[str, list[str]] = {}
    for environment in configuration.environments.values():
        for name in environment.promoted_from:
            hosts = {p.registry.partition("/")[0] for p in configuration.environments[name].places if not p.is_layout}
            own = {p.registry.partition("/")[0] for p in environment.places if not p.is_layout}
            for host in sorted(hosts & own):
                shared.setdefault(host, []).append(f"{name}->{environment.name}")
    for host, ways in shared.items():
        yield Check("mount", host, Health.NOTE, f"blobs are mounted there and not sent, for {', '.join(ways)}")
