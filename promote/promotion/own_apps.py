"""Which of the images that overlays name are one's own apps, and what to call them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, count

from promote.model.policy import COMMIT_TAG
from promote.promotion.candidates import STRUCTURE, environment_name
from promote.promotion.sequence import rank
from promote.promotion.sightings import HUB, Origin, Sighting

_VENDORS = frozenset(
    {"registry.k8s.io", "k8s.gcr.io", "mcr.microsoft.com", "registry.redhat.io", "registry.access.redhat.com",
     "registry.connect.redhat.com", "docker.elastic.co", "nvcr.io", "container-registry.oracle.com", "cgr.dev"}
)  # fmt: skip
"""Registries that only their makers push to."""

_OFFICIAL = frozenset(
    {"alpine", "bash", "busybox", "cassandra", "consul", "couchdb", "debian", "docker", "elasticsearch", "fedora",
     "golang", "grafana", "haproxy", "hello-world", "httpd", "influxdb", "jenkins", "kibana", "kong", "logstash",
     "mariadb", "maven", "memcached", "mongo", "mongo-express", "mysql", "nats", "nginx", "node", "openjdk", "php",
     "postgres", "python", "rabbitmq", "redis", "registry", "ruby", "sonarqube", "tomcat", "traefik", "ubuntu", "vault",
     "wordpress", "zookeeper"}
)  # fmt: skip
"""Names without an owner that are Docker Hub's own."""

_FORMS = (
    COMMIT_TAG,
    re.compile(r"(?P<commit>[0-9a-f]{40})"),
    re.compile(r"git-(?P<commit>[0-9a-f]{7,64})"),
    re.compile(r"main-(?P<commit>[0-9a-f]{7,64})"),
    re.compile(r"(?P<commit>[0-9a-f]{7,64})"),
    # With a time, which Flux needs to tell the newest (fluxcd.io, "Automate image updates to Git", sortable tags).
    re.compile(r"[a-z]+-(?P<commit>[0-9a-f]{7,64})-[0-9]{10,14}"),
)
"""How builds name the commit in a tag, the form that counts without promote.yaml first."""

_HEXADECIMAL = re.compile(r"(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{7,40}")
"""A tag that a person would not have written."""


@dataclass(frozen=True, slots=True)
class OwnApp:
    """One app: its repository path under every registry, and where it was seen."""

    image: str
    sightings: tuple[Sighting, ...]

    @property
    def names(self) -> frozenset[str]:
        """All that manifests call it."""
        return frozenset(name for s in self.sightings for name in (s.name, s.pulled))

    @property
    def overlays(self) -> frozenset[str]:
        """Where it was seen."""
        return frozenset(s.overlay for s in self.sightings)

    def registry(self, sighting: Sighting) -> str:
        """The registry of one of its sightings as promote.yaml says it."""
        prefix = sighting.path.removesuffix(self.image).rstrip("/")
        return f"{sighting.host}/{prefix}".rstrip("/")


def own(sightings: Iterable[Sighting]) -> tuple[tuple[OwnApp, ...], tuple[str, ...]]:
    """The apps, by image, and the names of the images that look like other people's.

    One's own are those tagged with a commit somewhere, else those that overlays rewrite, else those that a tool builds
    and fills in (a bare name without a tag), else all but the well-known; and with the second and third, whatever comes
    from the same owner.  What a name stands for in one overlay decides for all of them.
    """
    groups = list(_groups(_unambiguous(tuple(sightings))))
    mine = [group for group in groups if any(_has_commit(s) for s in group)]
    for is_own in (_is_rewritten, _is_built, _is_no_vendors):
        if mine:
            break
        mine = [group for group in groups if any(is_own(s) for s in group)]
        owners = {owner for group in mine for s in group if (owner := _owner(s))}
        mine = [group for group in groups if group in mine or any(_owner(s) in owners for s in group)]
    mine = mine or groups
    apps = _under_shared_registries(tuple(sorted((_app(group) for group in mine), key=lambda app: app.image)))
    strangers = sorted({s.pulled for group in groups if group not in mine for s in group})
    return apps, tuple(strangers)


def called(apps: Collection[OwnApp]) -> dict[str, OwnApp]:
    """The apps by name: the part of an app's paths that no other app has, else the last part of its image."""
    shared = Counter(part for app in apps for part in {p for overlay in app.overlays for p in _parts(overlay)})
    found: dict[str, OwnApp] = {}
    for app in apps:
        common = set.intersection(*(set(_parts(overlay)) for overlay in app.overlays))
        unique = sorted(part for part in common if shared[part] == 1 and len(apps) > 1)
        last = app.image.rpartition("/")[2]
        name = environment_name(last if last in common or not unique else unique[0], ())  # the same alphabet
        others = (f"{name[:59]}-{number}" for number in count(2))
        found[next(free for free in chain([name], others) if free not in found)] = app
    return found


def tag_form(apps: Iterable[OwnApp]) -> re.Pattern[str] | None:
    """The form that most commit tags of `apps` have; None when most tags name no commit."""
    tags = {(app.image, s.tag) for app in apps for s in app.sightings if s.tag}
    for form in _FORMS:
        if 2 * sum(_names_commit(form, tag) for _, tag in tags) > len(tags):
            return form
    return None


def _names_commit(form: re.Pattern[str], tag: str) -> bool:
    found = form.fullmatch(tag)
    return bool(found) and (form is COMMIT_TAG or bool(_HEXADECIMAL.fullmatch(found["commit"] if found else "")))


def _has_commit(seen: Sighting) -> bool:
    """Of a bare hexadecimal tag only where an overlay pins it: other people's images may have one too."""
    if not seen.tag or _is_vendors(seen):
        return False
    return bool(COMMIT_TAG.fullmatch(seen.tag)) or (
        seen.origin is Origin.ENTRY and any(_names_commit(f, seen.tag) for f in _FORMS)
    )


def _is_rewritten(seen: Sighting) -> bool:
    return seen.origin is Origin.ENTRY and not _is_vendors(seen)


def _is_built(seen: Sighting) -> bool:
    bare = seen.tag is None and "/" not in seen.pulled
    return bare and seen.origin is Origin.CONTAINER and not _is_vendors(seen)


def _is_no_vendors(seen: Sighting) -> bool:
    return not _is_vendors(seen)


def _owner(seen: Sighting) -> str | None:
    """Whose path it is, with the host; None for a name without an owner, and for a vendor's."""
    owner, slash, _ = seen.path.rpartition("/")
    return f"{seen.host}/{owner}" if slash and not _is_vendors(seen) else None


def _is_vendors(seen: Sighting) -> bool:
    path = seen.path.removeprefix("library/")
    return seen.host in _VENDORS or (seen.host in {HUB, "public.ecr.aws/docker"} and path in _OFFICIAL)


def _unambiguous(sightings: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    """A name that stands for several images, such as a placeholder of all bases, is nobody's."""
    stands_for: dict[str, set[str]] = {}
    for seen in sightings:
        stands_for.setdefault(seen.name, set()).add(_last(seen.path))
    return tuple(replace(s, name=s.pulled) if len(stands_for[s.name] - {_last(s.name)}) > 1 else s for s in sightings)


def _groups(sightings: tuple[Sighting, ...]) -> Iterator[tuple[Sighting, ...]]:
    """Sightings of one image: what a name is rewritten to is the same image, whatever the registry.

    A bare name is the image whose path ends with it, where there is just one.
    """
    paths = {s.path for s in sightings}
    key_of: dict[str, str] = {}

    def key(text: str) -> str:
        while text in key_of:
            text = key_of[text]
        return text

    def join(one: str, other: str) -> None:
        one, other = key(one), key(other)
        if one != other:
            key_of[one] = other

    for seen in sightings:
        if _last(seen.name) == _last(seen.path) or seen.origin is Origin.ENTRY:
            join(seen.name, seen.path)
        join(seen.pulled, seen.path)
    for bare in sorted(path for path in paths if "/" not in path):
        ends = {key(path) for path in paths if path.endswith(f"/{bare}")}
        if len(ends) == 1:
            join(bare, ends.pop())
    found: dict[str, list[Sighting]] = {}
    for seen in sightings:
        found.setdefault(key(seen.path), []).append(seen)
    yield from (tuple(group) for group in found.values())


def _app(group: tuple[Sighting, ...]) -> OwnApp:
    """The end that most of the paths have in common is the image; what has another end is none of it."""
    (last, _), *_ = Counter(_last(s.path) for s in group).most_common(1)
    mine = tuple(s for s in group if _last(s.path) == last)
    parts: list[str] = []
    for each in zip(*(reversed(s.path.split("/")) for s in mine), strict=False):
        if len(set(each)) > 1:
            break
        parts.insert(0, each[0])
    return OwnApp("/".join(parts), mine)


def _under_shared_registries(apps: tuple[OwnApp, ...]) -> tuple[OwnApp, ...]:
    """`apps`, a path being of the registry and not of the image where that is so for another app."""
    shared = {registry for app in apps for s in app.sightings if "/" in (registry := app.registry(s))}

    def shortened(app: OwnApp) -> OwnApp:
        parts = app.image.split("/")
        for start in range(1, len(parts)):
            shorter = OwnApp("/".join(parts[start:]), app.sightings)
            if all(shorter.registry(s) in shared for s in app.sightings):
                return shorter
        return app

    return tuple(shortened(app) for app in apps)


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _parts(directory: str) -> Iterator[str]:
    """The parts of a path that say nothing of an environment or of how the repository is laid out."""
    return (p for p in directory.split("/") if p and p.lower() not in STRUCTURE and not rank(p.lower()))
