"""What is asked for: from where, to where, which apps, which tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promote.errors import Misuse
from promote.model.configuration import Configuration
from promote.model.environment import App, Environment, Place
from promote.model.malformed import shown
from promote.model.record import Kind, Sighting


@dataclass(frozen=True, slots=True)
class Wanted:
    """One app, and the tag (or the beginning of one) that is asked for; None: whatever the source runs.

    A rollback that was decided has both: `ran`, the record that the target ran it, and `origin`, the place to take the
    image from; None is the first place of the source that keeps the app.
    """

    app: App
    tag: str | None
    ran: Sighting | None = None
    origin: Place | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A promotion as asked for, or a rollback, whose source is the target itself.

    `only_differing`: leave out the apps that the target runs already.  `lift` is why held releases may pass; None: they
    may not.
    """

    source: Environment
    target: Environment
    wanted: tuple[Wanted, ...]
    only_differing: bool = False
    reason: str | None = None
    kind: Kind = Kind.PROMOTE
    lift: str | None = None

    @property
    def is_rollback(self) -> bool:
        """Whether the target goes back to what it ran."""
        return self.kind is Kind.ROLLBACK

    def origin(self, app: App) -> Place:
        """The place that the image of `app` is taken from."""
        chosen = next((w.origin for w in self.wanted if w.app.name == app.name), None)
        return chosen or self.source.places_of(app)[0]


def environment(configuration: Configuration, name: str) -> Environment:
    """The environment of this name; raises `Misuse` with the names that there are."""
    found = configuration.environments.get(name)
    if found is None:
        known = ", ".join(configuration.environments)
        raise Misuse(
            "environment-unknown",
            f"got the environment {shown(name)!r}, expected one of {known}",
            expected=known,
            actual=shown(name),
            hint="look at `environments` in promote.yaml",
        )
    return found


def wanted(configuration: Configuration, words: Sequence[str], *, every_app: bool) -> tuple[Wanted, ...]:
    """The apps and tags that the words of the command line ask for; raises `Misuse`.

    ``sha-abc`` is a tag of the only app; ``web`` an app, ``web=sha-abc`` both.  No word: the only app.
    """
    apps = configuration.apps
    if every_app:
        if words:
            raise Misuse("usage", f"got --all and {shown(words[0])!r}, expected one of the two")
        return tuple(Wanted(app, None) for app in apps.values())
    if not words:
        return (Wanted(_only_app(configuration, "no app"), None),)
    chosen: dict[str, Wanted] = {}
    for word in words:
        name, equals, tag = word.partition("=")
        if equals or name in apps:
            if name not in apps:
                raise _unknown_app(configuration, name)
            item = Wanted(apps[name], tag if equals else None)
        else:
            item = Wanted(_only_app(configuration, shown(word)), word)
        if item.app.name in chosen:
            raise Misuse("usage", f"got the app {item.app.name} twice, expected it once")
        chosen[item.app.name] = item
    return tuple(chosen.values())


def running(wanted: Sequence[Wanted], *environments: Environment) -> tuple[Wanted, ...]:
    """Those of `wanted` whose app runs in each of `environments`, as far as promote.yaml says."""
    return tuple(item for item in wanted if not any(e.lacks(item.app) for e in environments))


def _only_app(configuration: Configuration, got: str) -> App:
    if len(configuration.apps) == 1:
        return next(iter(configuration.apps.values()))
    names = ", ".join(configuration.apps)
    raise Misuse(
        "usage",
        f"got {got}, expected APP or APP=TAG because promote.yaml has several apps: {names}",
        hint=f"name the app, as in {next(iter(configuration.apps))}=sha-4f2a91c, or give --all",
    )


def _unknown_app(configuration: Configuration, name: str) -> Misuse:
    known = ", ".join(configuration.apps)
    return Misuse(
        "app-unknown",
        f"got the app {shown(name)!r}, expected one of {known}",
        expected=known,
        actual=shown(name),
        hint="look at `apps` in promote.yaml",
    )
