"""The fields beside containers whose images `images:` rewrites: those that a file of `configurations:` names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from promote.overlays.objects import Data, Holder, Resource, list_at, text_of

_SLASH = re.compile(r"(?<!\\)/")

KNOWN_KEYS = frozenset({
    "nameprefix", "namesuffix", "namespace", "commonlabels", "templatelabels", "labels", "commonannotations",
    "namereference", "varreference", "images", "replicas",
})  # fmt: skip
"""What a configuration may have (kustomize api/internal/plugins/builtinconfig); only `images` is about images."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A path of keys, in objects of `group`, `version` and `kind`; an empty one is any."""

    path: tuple[str, ...]
    group: str
    version: str
    kind: str

    def is_for(self, resource: Resource) -> bool:
        """Whether it is about `resource`."""
        pairs = ((self.group, resource.group), (self.version, resource.version), (self.kind, resource.kind))
        return all(not wanted or wanted == there for wanted, there in pairs)


def field_specs(configuration: Data) -> tuple[FieldSpec, ...]:
    """The fields under `images` in a file of `configurations`, whose keys are in lower case."""
    found = []
    for item in list_at(configuration, "images"):
        steps = (step.replace("\\/", "/").removesuffix("[]") for step in _SLASH.split(text_of(item, "path")))
        path = tuple(step for step in steps if step)
        if path:
            found.append(FieldSpec(path, text_of(item, "group"), text_of(item, "version"), text_of(item, "kind")))
    return tuple(found)


def field_holders(resource: Resource, specs: Iterable[FieldSpec]) -> Iterator[Holder]:
    """What holds the references at the fields of `specs` in `resource`; lists on the way are gone through."""
    for spec in specs:
        if spec.is_for(resource):
            yield from _at(resource.data, spec.path, "")


def _at(data: Data, path: tuple[str, ...], where: str) -> Iterator[Holder]:
    if isinstance(data, list):
        for number, item in enumerate(data):
            yield from _at(item, path, f"{where}[{number}]")
    elif isinstance(data, dict) and path[0] in data:
        here = f"{where}.{path[0]}" if where else path[0]
        if len(path) > 1:
            yield from _at(data[path[0]], path[1:], here)
        elif text_of(data, path[0]):
            yield Holder(data, path[0], here, is_reached=True)
