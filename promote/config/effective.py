"""The effective configuration of a promote.yaml: defaults filled in, gates merged, each value with its line.

It is written as a promote.yaml itself, and means the same when it is read as one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from promote.config.document import Document, parse
from promote.config.gates_section import GatesSection, SbomSection
from promote.config.schema import EnvironmentSection, File, PlaceSection
from promote.config.trust_section import CommitSection, SignatureSection
from promote.model.policy import COMMIT_TAG
from promote.model.reference import LAYOUT
from promote.model.setting import Setting, Settings

Where = tuple[str | int, ...]
Lines = Callable[[Where], int | None]
"""The line that a value was written on; None where it was not written."""

_ADDED = ("attestations", "sbom.deny", "commit.require")
"""Lists to which an environment adds: the file's own items stand first."""


def effective(path: Path, environment: str | None) -> Settings:
    """The settings of the promote.yaml at `path`, which `promote.config.load.load` accepted.

    `environment` leaves the others out.  What is empty, and nobody wrote, is left out as well.
    """
    document = parse(path.read_bytes())
    file = File.model_validate(document.value)
    written = _lines(document)
    environments = {
        name: _environment(file, name, section, written)
        for name, section in file.environments.items()
        if environment in (None, name)
    }
    return {
        "version": _setting(file.version, ("version",), written),
        "apps": _settings(file.apps, ("apps",), written),
        "environments": environments,
        "trust": _settings(file.trust, ("trust",), written),
        "gates": _gates(file.gates, GatesSection(), ("gates",), ("gates",), written),
        "git": _mapping(file.git, ("git",), written),
        **({"registries": _settings(file.registries, ("registries",), written)} if file.registries else {}),
    }


def _environment(file: File, name: str, section: EnvironmentSection, written: Lines) -> Settings:
    at: Where = ("environments", name)
    found: dict[str, Settings] = {}
    if section.from_:
        found["from"] = _settings(section.from_, (*at, "from"), written)
    found["places"] = [
        _place(place, (*at, "places", i) if section.places is not None else at, written)
        for i, place in enumerate(section.all_places())
    ]
    found["gates"] = _gates(file.gates, section.gates, ("gates",), (*at, "gates"), written)
    found["attest"] = _settings(section.attest, (*at, "attest"), written)
    return found


def _place(section: PlaceSection, at: Where, written: Lines) -> Settings:
    found = _mapping(section, at, written)
    if section.pull is None and not section.registry.startswith(LAYOUT):
        return {"registry": found.pop("registry"), "pull": Setting(section.registry, None), **found}
    return found


def _gates(base: GatesSection, own: GatesSection, base_at: Where, own_at: Where, written: Lines) -> Settings:
    """The gates that `promote.config.gates.gates` makes of both, spelt out."""
    defaults: dict[str, Any] = {
        "tag": COMMIT_TAG.pattern,
        "signature": SignatureSection(),
        "sbom": SbomSection(),
        "vulnerabilities": "off",
        "effect": "checked",
        "commit": CommitSection(),
        "attestations": [],
        "deployed": "ever",
    }
    found: dict[str, Settings] = {}
    for key, default in defaults.items():
        mine, its = getattr(own, key), getattr(base, key)
        merged = _merged(key, _Part(mine, (*own_at, key)), _Part(its, (*base_at, key)), default, written)
        if merged is not None:
            found[key] = merged
    return found


class _Part:
    """What one of two sections says, None for nothing, and where."""

    def __init__(self, value: Any, at: Where) -> None:
        self.value = value
        self.at = at

    def below(self, key: str) -> _Part:
        """The part behind `key`, where it was said."""
        if isinstance(self.value, BaseModel):
            said = getattr(self.value, key) if key in self.value.model_fields_set else None
        else:
            said = self.value.get(key) if isinstance(self.value, dict) else None
        return _Part(said, (*self.at, key))


def _merged(dotted: str, own: _Part, base: _Part, default: Any, written: Lines) -> Settings | None:
    """`own` over `base` over `default`, key by key where they are mappings; None where nothing is said."""
    if dotted in _ADDED:
        items = [
            _settings(item, (*part.at, i), written) for part in (base, own) for i, item in enumerate(part.value or [])
        ]
        return items or None
    top = own if own.value is not None else base
    if top.value is None:
        return None if _is_empty(default) else _settings(default, (), lambda _: None)
    if not isinstance(top.value, BaseModel | dict):
        return _settings(top.value, top.at, written)
    below = base if isinstance(base.value, BaseModel | dict) else _Part(None, base.at)
    mine = own if own.value is not None else _Part(None, own.at)
    defaults: Any = type(top.value)() if isinstance(top.value, BaseModel) else {}
    keys = type(top.value).model_fields if isinstance(top.value, BaseModel) else {**(below.value or {}), **top.value}
    found = {}
    for key in keys:
        own_default = getattr(defaults, key) if isinstance(defaults, BaseModel) else None
        merged = _merged(f"{dotted}.{key}", mine.below(key), below.below(key), own_default, written)
        if merged is not None:
            found[key] = merged
    return found or Setting({}, written(top.at))


def _settings(value: Any, at: Where, written: Lines) -> Settings:
    if isinstance(value, BaseModel):
        return _mapping(value, at, written) or Setting({}, written(at))
    if isinstance(value, dict) and value:
        return {str(key): _settings(item, (*at, str(key)), written) for key, item in value.items()}
    if isinstance(value, list | tuple) and value:
        return [_settings(item, (*at, i), written) for i, item in enumerate(value)]
    return _setting(value, at, written)


def _mapping(section: BaseModel, at: Where, written: Lines) -> dict[str, Settings]:
    """The keys of `section` but those that are empty and were not written."""
    found: dict[str, Settings] = {}
    for name, field in type(section).model_fields.items():
        key, value = field.alias or name, getattr(section, name)
        if written((*at, key)) is not None or not _is_empty(value):
            found[key] = _settings(value, (*at, key), written)
    return found


def _is_empty(value: Any) -> bool:
    if isinstance(value, BaseModel):
        return all(_is_empty(getattr(value, name)) for name in type(value).model_fields)
    return value is None or value in ([], {}, ())


def _setting(value: Any, at: Where, written: Lines) -> Setting:
    return Setting(value, written(at))


def _lines(document: Document) -> Lines:
    def written(where: Where) -> int | None:
        node = document.value
        for step in where:
            is_there = step in node if isinstance(node, dict) else isinstance(node, list) and step in range(len(node))
            if not is_there:
                return None
            node = node[step]
        return document.line(where) if where else None

    return written
