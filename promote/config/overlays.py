"""The `overlays:` of a place: directories, each for every app or for those that it names."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import PurePosixPath

from promote.config.schema import OverlaySection, PlaceSection
from promote.model.environment import OverlayEntry
from promote.model.malformed import shown

Where = tuple[str | int, ...]
Unknown = Callable[[str, str, list[str]], str]
"""The sentence for an unknown name: what it is the name of, the name, and those that are known."""


def overlays(
    section: PlaceSection, where: Where, apps: Collection[str], add: Callable[[Where, str], None], unknown: Unknown
) -> tuple[OverlayEntry, ...]:
    """The overlays of `section`, which stands at `where`; what is wrong is told to `add`.

    Wrong are a directory that is not below promote.yaml, an app that the file does not have, an app named twice, and a
    directory that is named twice for one app.
    """
    found = []
    taken: dict[tuple[str, str], int] = {}
    for i, item in enumerate(section.overlays):
        at = (*where, "overlays", i)
        entry = _entry(item)
        path = item.path if isinstance(item, OverlaySection) else item
        if _leaves(path):
            own = (*at, "path") if isinstance(item, OverlaySection) else at
            add(own, f"got {shown(path)!r}, expected a directory below promote.yaml")
        for j, app in enumerate(entry.apps or ()):
            if app not in apps:
                add((*at, "apps", j), unknown("app", app, list(apps)))
            elif app in (entry.apps or ())[:j]:
                add((*at, "apps", j), f"got {shown(app)} twice, expected each app once")
        for app in (name for name in apps if entry.is_for(name)):
            directory = entry.directory(app)
            first = taken.setdefault((app, directory), i)
            if first != i:
                add(at, f"got {shown(directory)} again for {shown(app)}, expected one entry: item {first + 1} has it")
                break
        found.append(entry)
    return tuple(found)


def _entry(item: str | OverlaySection) -> OverlayEntry:
    if isinstance(item, OverlaySection):
        return OverlayEntry(str(PurePosixPath(item.path)), tuple(item.apps))
    return OverlayEntry(str(PurePosixPath(item)))


def _leaves(path: str) -> bool:
    """Whether `path` is none below promote.yaml, or would be read as an option."""
    parts = PurePosixPath(path)
    return parts.is_absolute() or ".." in parts.parts or path.startswith("-")
