"""Kubernetes objects as plain data: mappings, lists, texts and null; aliases and merge keys are resolved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from promote.overlays.manifests import REACHED, UNREACHED
from promote.overlays.nodes import Document, Mapping, Node, Scalar, Sequence, resolved

Data = Any
"""``dict[str, Data] | list[Data] | str | None``"""

MAX_NODES = 400_000
"""How many nodes one build may have; aliases multiply them."""
MAX_LEVELS = 200
MAX_PAIRS = 1_000_000
"""How many times one build may hold an `images:` entry against an image, or a field against an object."""

CONTAINERS = (*REACHED, *UNREACHED)
CORE_GROUPS = frozenset({"", "apps", "batch", "extensions"})


class TooLarge(ValueError):
    """More than `MAX_NODES` nodes, `MAX_LEVELS` levels or `MAX_PAIRS` pairs."""


@dataclass(slots=True)
class Budget:
    """How many nodes may still be made and pairs compared; all that one build reads draws on one budget."""

    left: int = MAX_NODES
    pairs: int = MAX_PAIRS

    def spend(self, pairs: int) -> None:
        """Take `pairs` from what is left; raises `TooLarge` when there are not as many."""
        self.pairs -= pairs
        if self.pairs < 0:
            raise TooLarge(f"more than {MAX_PAIRS} pairs of an images entry and an image")

    def data(self, node: Node | None, level: int = 0) -> Data:
        """`node` as plain data, of two equal keys the last; raises `TooLarge`."""
        self.left -= 1
        if self.left < 0 or level > MAX_LEVELS:
            raise TooLarge(f"more than {MAX_NODES} nodes or {MAX_LEVELS} levels")
        value = resolved(node)
        if isinstance(value, Sequence):
            return [self.data(item, level + 1) for item in value.items]
        if isinstance(value, Mapping):
            return self._mapping(value, level)
        return value.text if isinstance(value, Scalar) else None

    def _mapping(self, mapping: Mapping, level: int) -> dict[str, Data]:
        found: dict[str, Data] = {}
        for _, merged in mapping.all("<<"):
            sources = self.data(merged, level + 1)
            for source in sources if isinstance(sources, list) else [sources]:
                found = {**(source if isinstance(source, dict) else {}), **found}
        for key, value in mapping.pairs:
            name = resolved(key)
            if isinstance(name, Scalar) and name.value != "<<":
                found[name.value] = self.data(value, level + 1)
        return found


@dataclass(slots=True, eq=False)
class Resource:
    """One object of a build.  `ids` are the names and namespaces that it had in each layer, the present one last."""

    data: dict[str, Data]
    ids: list[tuple[str, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Its kind."""
        return text_of(self.data, "kind")

    @property
    def group(self) -> str:
        """The group of its apiVersion, empty for the core."""
        return text_of(self.data, "apiVersion").rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version of its apiVersion."""
        return text_of(self.data, "apiVersion").rpartition("/")[2]

    @property
    def id(self) -> tuple[str, str]:
        """Its name and namespace now."""
        metadata = mapping_at(self.data, "metadata")
        return (text_of(metadata, "name"), text_of(metadata, "namespace"))

    @property
    def is_core(self) -> bool:
        """Whether Kubernetes itself defines it, so that lists of containers are merged by name."""
        return self.group in CORE_GROUPS


def resources(documents: tuple[Document, ...], budget: Budget) -> Iterator[Resource]:
    """The objects in `documents`, lists of objects unwrapped; what is no object is left out.  Raises `TooLarge`."""
    for document in documents:
        yield from _unwrapped(budget.data(document.root))


def _unwrapped(data: Data) -> Iterator[Resource]:
    if not isinstance(data, dict):
        return
    items = data.get("items")
    if text_of(data, "kind").endswith("List") and isinstance(items, list):
        for item in items:
            yield from _unwrapped(item)
    elif data.get("kind") or data.get("apiVersion"):
        resource = Resource(data)
        resource.ids.append(resource.id)
        yield resource


def text_of(data: Data, key: str) -> str:
    """The text behind `key`, empty when there is none."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def mapping_at(data: Data, key: str) -> dict[str, Data]:
    """The mapping behind `key`, an empty one when there is none."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def list_at(data: Data, key: str) -> list[Data]:
    """The list behind `key`, an empty one when there is none."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Holder:
    """A mapping whose `key` holds the image of a container or of an image volume, and the way to it.

    `is_reached`: kustomize's `images:` rewrites it.
    """

    data: dict[str, Data]
    key: str
    path: str
    is_reached: bool

    @property
    def image(self) -> str:
        """The reference."""
        return str(self.data[self.key])


def image_holders(data: Data) -> Iterator[Holder]:
    """Every container image in an object: a list under `containers` and the like, at any depth, and image volumes.

    A CustomResourceDefinition has none (kustomize api/filters/imagetag).
    """
    if text_of(data, "kind") == "CustomResourceDefinition":
        return
    stack: list[tuple[Data, str]] = [(data, "")]
    while stack:
        node, path = stack.pop()
        if isinstance(node, list):
            stack.extend((item, f"{path}[{_label(item, number)}]") for number, item in enumerate(node))
            continue
        if not isinstance(node, dict):
            continue
        for key, value in node.items():
            where = f"{path}.{key}" if path else key
            stack.append((value, where))
            if isinstance(value, list):
                yield from _held(key, value, where)


def _held(key: str, items: list[Data], path: str) -> Iterator[Holder]:
    """The images that the list `items` behind `key` holds itself."""
    for number, item in enumerate(items):
        where = f"{path}[{_label(item, number)}].image"
        if key in CONTAINERS and text_of(item, "image"):
            yield Holder(item, "image", where, key in REACHED)
        elif key == "volumes" and text_of(volume := mapping_at(item, "image"), "reference"):
            yield Holder(volume, "reference", f"{where}.reference", is_reached=True)


def leaves(data: Data) -> dict[str, str | None]:
    """Every scalar of an object by the way to it, written as in `Holder.path`."""
    found: dict[str, str | None] = {}
    stack: list[tuple[Data, str]] = [(data, "")]
    while stack:
        node, path = stack.pop()
        if isinstance(node, list):
            stack.extend((item, f"{path}[{_label(item, number)}]") for number, item in enumerate(node))
        elif isinstance(node, dict):
            stack.extend((value, f"{path}.{key}" if path else key) for key, value in node.items())
        else:
            found[path] = node
    return found


def _label(item: Data, number: int) -> str:
    return text_of(item, "name") or str(number)
