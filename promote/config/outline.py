"""An outline of promote.yaml: names alone, read in milliseconds and believed as they are, for completion in a shell.

Nothing is checked and nothing is reported: where the file is wrong there is less to offer, and the command itself says
what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FILE_NAME = "promote.yaml"
MAX_BYTES = 1024 * 1024


Overlay = tuple[str, tuple[str, ...] | None]
"""A directory, and the apps that it is for; None: every one."""


@dataclass(frozen=True, slots=True)
class Outline:
    """`environments` by name with those they may be promoted from; `overlays` by name, with ``{app}`` unfilled.

    `root` is the directory of promote.yaml, `tag` the pattern of a commit tag where it says one.
    """

    root: Path
    apps: tuple[str, ...] = ()
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    overlays: Mapping[str, tuple[Overlay, ...]] = field(default_factory=dict, hash=False)
    tag: str | None = None


def nearest(start: Path) -> Path | None:
    """The promote.yaml of `start` or of the nearest directory above it, up to the repository's top."""
    for directory in (start, *start.parents):
        if (directory / FILE_NAME).is_file():
            return directory / FILE_NAME
        if (directory / ".git").exists():
            return None
    return None


def outline(path: Path) -> Outline:
    """What `path` seems to say; an empty outline when it cannot be read."""
    try:
        with path.open("rb") as file:
            value = yaml.load(file.read(MAX_BYTES), _Loader)  # noqa: S506 - a safe loader, in C where there is one
    except (OSError, yaml.YAMLError, ValueError, RecursionError):
        value = None
    said = _mapping(value)
    environments = {name: _mapping(section) for name, section in _mapping(said.get("environments")).items()}
    tag = _mapping(said.get("gates")).get("tag")
    return Outline(
        root=path.parent,
        apps=tuple(_mapping(said.get("apps"))),
        environments={name: _texts(section.get("from")) for name, section in environments.items()},
        overlays={name: _overlays(section) for name, section in environments.items()},
        tag=tag if isinstance(tag, str) else None,
    )


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _overlays(section: Mapping[str, Any]) -> tuple[Overlay, ...]:
    places = section.get("places")
    more = [_entries(_mapping(place).get("overlays")) for place in places] if isinstance(places, list) else []
    return tuple(entry for entries in (_entries(section.get("overlays")), *more) for entry in entries)


def _entries(value: object) -> Iterator[Overlay]:
    for item in value if isinstance(value, list) else [value]:
        said = _mapping(item)
        path = said.get("path") if said else item
        if isinstance(path, str):
            yield path, _texts(said.get("apps")) if said else None


def _mapping(value: object) -> dict[str, Any]:
    return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
