"""Apps, environments and places: what promote.yaml is about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from promote.model.reference import LAYOUT, Repository, join_registry


@dataclass(frozen=True, slots=True)
class App:
    """A thing that is released.  `image` is a repository path, `names` what manifests may call it besides.

    `source` is the repository that its certificate and its label must name, None when nobody asks.
    """

    name: str
    image: str
    names: tuple[str, ...] = ()
    source: str | None = None


class FieldForm(Enum):
    """What a field holds: a whole reference (or a mapping of its parts), or a part of one."""

    IMAGE = "image"
    TAG = "tag"
    DIGEST = "digest"
    TAG_AND_DIGEST = "tag@digest"


@dataclass(frozen=True, slots=True)
class ImageField:
    """A value that no rule would find: in `file`, relative to the overlay, at `path`.

    The steps of `path` are keys, ``[N]`` and ``[KEY=VALUE]``.  `app` None: of every app, told apart by its name.
    """

    file: str
    path: tuple[str, ...]
    form: FieldForm = FieldForm.IMAGE
    app: str | None = None


@dataclass(frozen=True, slots=True)
class OverlayEntry:
    """A directory of overlays and whose it is.

    `path` is relative to promote.yaml and may hold ``{app}``.  `apps` are the names of the apps that run there, None:
    every app of the file.
    """

    path: str
    apps: tuple[str, ...] | None = None

    def is_for(self, app: str) -> bool:
        """Whether the app of this name runs there."""
        return self.apps is None or app in self.apps

    def directory(self, app: str) -> str:
        """The overlay directory of the app of this name."""
        return self.path.replace("{app}", app)


@dataclass(frozen=True, slots=True)
class Place:
    """A registry, the name it is pulled by, and the overlays that run from it.

    `registry` is ``host[:port][/prefix]`` or ``oci:DIRECTORY`` (absolute).  `pull` is what manifests say instead, None
    where they keep whatever name they have.  `fields` are values in the overlays that no rule would find.
    """

    registry: str
    pull: str | None
    overlays: tuple[OverlayEntry, ...]
    fields: tuple[ImageField, ...] = ()

    def repository(self, app: App) -> Repository:
        """Where this place keeps `app`; raises `Malformed`."""
        return join_registry(self.registry, app.image)

    def pull_name(self, app: App) -> str | None:
        """What a manifest calls `app` at this place, without tag and digest; None when any name will do."""
        return f"{self.pull}/{app.image}" if self.pull else None

    def overlays_of(self, app: App) -> tuple[str, ...]:
        """The overlay directories of `app`, none where every entry is for other apps."""
        return tuple(entry.directory(app.name) for entry in self.overlays if entry.is_for(app.name))

    def fields_of(self, app: App) -> tuple[ImageField, ...]:
        """The fields that may be about `app`."""
        return tuple(f for f in self.fields if f.app in {None, app.name})

    @property
    def is_layout(self) -> bool:
        """Whether this place is a directory and not a host."""
        return self.registry.startswith(LAYOUT)


@dataclass(frozen=True, slots=True)
class Environment:
    """One or more places, and the environments that they may be promoted from."""

    name: str
    places: tuple[Place, ...]
    promoted_from: tuple[str, ...] = ()

    def places_of(self, app: App) -> tuple[Place, ...]:
        """The places that `app` is kept at, never none: a place whose overlays are all for other apps is none of them.

        Where that is so of every place, it is not said where the app would be, and all of them count.
        """
        return tuple(p for p in self.places if not p.overlays or p.overlays_of(app)) or self.places

    def lacks(self, app: App) -> bool:
        """Whether the overlays here are for other apps, so that `app` does not run here.

        False where there are no overlays at all: then promote.yaml does not say what runs.
        """
        places = self.places
        return any(place.overlays for place in places) and not any(place.overlays_of(app) for place in places)
