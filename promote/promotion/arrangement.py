"""Which overlays are of which environment, and what promote.yaml can write for all apps at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from promote.promotion.candidates import STRUCTURE, environment_name
from promote.promotion.own_apps import OwnApp
from promote.promotion.sequence import is_plain, rank
from promote.promotion.sightings import Sighting

ONLY = "prod"
"""What a repository is taken for that has one environment and says nothing of it."""

_APP = "{app}"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Apps by name and environments by name that fit each other.

    `overlays` are the directories of each environment as promote.yaml writes them, for every one of `apps` that runs in
    it; `stages` is the environment of each directory.
    """

    apps: Mapping[str, OwnApp]
    overlays: Mapping[str, frozenset[str]]
    stages: Mapping[str, str]

    def written(self, overlay: str, app: str) -> str:
        """How promote.yaml writes the directory `overlay` of `app`."""
        return _pattern(overlay, app) if len(self.apps) > 1 else overlay

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


def arranged(apps: Mapping[str, OwnApp], stages: Mapping[str, str], kustomized: Collection[str]) -> Arrangement:
    """The most of `apps` that one promote.yaml can say: in an environment, all have the same overlays, or not one.

    A path is the same with the app's name in its place.  The largest group that is alike decides which environments
    there are; of the others, those join that are in nothing else.  `kustomized` are all directories with a
    kustomization: one that a pattern leads to must be an overlay of that app.
    """
    alike: dict[frozenset[tuple[str, frozenset[str]]], list[str]] = {}
    for name, app in sorted(apps.items()):
        shape: dict[str, set[str]] = {}
        for overlay in app.overlays:
            shape.setdefault(stages[overlay], set()).add(_pattern(overlay, name))
        alike.setdefault(frozenset((e, frozenset(o)) for e, o in shape.items()), []).append(name)
    chosen: list[str] = []
    found: dict[str, frozenset[str]] = {}
    for shape_, names in sorted(alike.items(), key=lambda item: (-len(item[1]) * len(item[0]), item[1])):
        joined = found or dict(shape_)
        leads = all(_leads_home(joined, apps[name], name, kustomized) for name in names)
        if leads and all(joined.get(environment) == overlays for environment, overlays in shape_):
            found = joined
            chosen += names
    if len(chosen) == 1:
        found = {e: frozenset(o.replace(_APP, chosen[0]) for o in overlays) for e, overlays in found.items()}
    return Arrangement({name: apps[name] for name in sorted(chosen)}, found, stages)


def _named(overlay: str, apps: Collection[str]) -> str:
    """The environment that the path tells of; `ONLY` where nothing in it is left to do so."""
    parts = {part for part in overlay.split("/") if part and part not in apps}
    return environment_name(overlay, apps) if parts else ONLY


def _leads_home(overlays: Mapping[str, frozenset[str]], app: OwnApp, name: str, kustomized: Collection[str]) -> bool:
    """Whether every pattern that leads to a kustomization for `name` leads to an overlay of it."""
    led = {pattern.replace(_APP, name) for patterns in overlays.values() for pattern in patterns if _APP in pattern}
    return all(overlay in app.overlays for overlay in led if overlay in kustomized)


def _pattern(overlay: str, app: str) -> str:
    return "/".join(_APP if part == app else part for part in overlay.split("/"))


def _before(overlay: str, environment: str) -> str:
    """The directory that the part of `overlay` which names the environment stands in."""
    parts = overlay.split("/")
    at = max((i for i, part in enumerate(parts) if part.lower() == environment), default=0)
    return "/".join(parts[:at])
