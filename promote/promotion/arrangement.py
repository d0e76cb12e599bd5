"""Which overlays are of which environment, and how promote.yaml writes them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from promote.model.environment import OverlayEntry
from promote.promotion.candidates import STRUCTURE, environment_name
from promote.promotion.own_apps import OwnApp
from promote.promotion.sequence import is_plain, rank
from promote.promotion.sightings import Sighting

ONLY = "prod"
"""What a repository is taken for that has one environment and says nothing of it."""

_APP = "{app}"

Seen = tuple[OwnApp, Sighting]
"""An app, and one place where it was seen."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Apps by name, and the overlays that they run from.

    `overlays` has, for each environment by name, what promote.yaml writes and the sightings that this stands for;
    `stages` is the environment of each directory.
    """

    apps: Mapping[str, OwnApp]
    overlays: Mapping[str, Mapping[OverlayEntry, tuple[Seen, ...]]]
    stages: Mapping[str, str]

    def sightings(self, environment: str) -> Iterator[Sighting]:
        """The images of the environment."""
        found = (s for app in self.apps.values() for s in app.sightings)
        yield from (s for s in found if self.stages[s.overlay] == environment)


def staged(apps: Mapping[str, OwnApp]) -> dict[str, str]:
    """The environment of each overlay of `apps`; an overlay that is none of an environment is left out.

    Where names tell of two stages or more, what stands apart from them and says nothing is left out.  Where they do
    not, and few apps are in two places, there is one environment.
    """
    named = {o: _named(o, apps) for app in apps.values() for o in sorted(app.overlays)}
    ranked = {name for name in named.values() if rank(name)}
    if len({rank(name) for name in ranked}) > 1:
        beside = {_before(o, name) for o, name in named.items() if name in ranked}
        return {
            o: name
            for o, name in named.items()
            if name in ranked or (name not in STRUCTURE and _before(o, name) in beside)
        }
    if 2 * sum(len({named[o] for o in app.overlays}) > 1 for app in apps.values()) < len(apps):
        only = next(iter(ranked)) if len(ranked) == 1 else ""
        return dict.fromkeys(named, only if is_plain(only) else ONLY)
    return named


def arranged(apps: Mapping[str, OwnApp], stages: Mapping[str, str]) -> Arrangement:
    """How promote.yaml writes the overlays of `apps`, each of which is in `stages`.

    Directories that are alike but for the app's name are one entry.  It is for every app where all of them run there,
    and else for those that were seen there.
    """
    found: dict[str, dict[str, dict[str, list[Seen]]]] = {}
    for name, app in sorted(apps.items()):
        for seen in app.sightings:
            alike = found.setdefault(stages[seen.overlay], {}).setdefault(_pattern(seen.overlay, name), {})
            alike.setdefault(name, []).append((app, seen))
    overlays = {environment: _entries(patterns, len(apps)) for environment, patterns in found.items()}
    return Arrangement(apps, overlays, stages)


def _entries(patterns: Mapping[str, Mapping[str, list[Seen]]], count: int) -> dict[OverlayEntry, tuple[Seen, ...]]:
    """What an environment's overlays are by path and app, as entries; `count` is how many apps there are in all.

    A pattern that is of one app alone is its directory, which may be of other apps as well.
    """
    written: dict[str, dict[str, list[Seen]]] = {}
    for pattern, by_app in patterns.items():
        path = pattern.replace(_APP, next(iter(by_app))) if len(by_app) == 1 else pattern
        written.setdefault(path, {}).update(by_app)
    return {
        OverlayEntry(path, None if len(by_app) == count else tuple(sorted(by_app))): tuple(
            seen for mine in by_app.values() for seen in mine
        )
        for path, by_app in sorted(written.items())
    }


def _named(overlay: str, apps: Collection[str]) -> str:
    """The environment that the path tells of; `ONLY` where nothing in it is left to do so."""
    parts = {part for part in overlay.split("/") if part and part not in apps}
    return environment_name(overlay, apps) if parts else ONLY


def _pattern(overlay: str, app: str) -> str:
    return "/".join(_APP if part == app else part for part in overlay.split("/"))


def _before(overlay: str, environment: str) -> str:
    """The directory that the part of `overlay` which names the environment stands in."""
    parts = overlay.split("/")
    at = max((i for i, part in enumerate(parts) if part.lower() == environment), default=0)
    return "/".join(parts[:at])
