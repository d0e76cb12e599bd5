"""YAML as a tree of nodes with the places where they were written; aliases are kept as aliases, never expanded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_DEPTH = 64
"""How deep a file may nest; Kubernetes objects stay far below."""

STRING_TAGS = frozenset({None, "!", "tag:yaml.org,2002:str"})
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})

Path = tuple[str, ...]
"""The way to a node: the document's number, then for each level ``key/occurrence`` or ``[index]``."""


class TooDeep(ValueError):
    """More than `MAX_DEPTH` levels; `line` is one-based."""

    def __init__(self, line: int) -> None:
        super().__init__(f"nesting deeper than {MAX_DEPTH} levels")
        self.line = line


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One scalar.  `style` is ``""`` for plain, else the first character of its spelling (``' " | >``).

    `span` are the character offsets of its body, quotes included, anchor and tag not; None when it was read without
    positions.  An empty value has a span of no width.  `line` is one-based.
    """

    value: str
    style: str
    tag: str | None
    line: int
    path: Path
    span: tuple[int, int] | None = None

    @property
    def text(self) -> str | None:
        """The string that a reader sees; None for null, which kustomize takes for unset."""
        return (
            None
            if not self.style and self.tag in {None, "tag:yaml.org,2002:null"} and self.value in _NULLS
            else self.value
        )


@dataclass(frozen=True, slots=True, eq=False)
class Alias:
    """A use of an anchor; `target` is the anchored node, None when no such anchor was met before."""

    name: str
    line: int
    target: Node | None


@dataclass(slots=True, eq=False)
class Sequence:
    """A list."""

    line: int
    path: Path
    flow: bool
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping, its pairs in the order written, duplicates included."""

    line: int
    path: Path
    flow: bool
    pairs: list[tuple[Node, Node]] = field(default_factory=list)

    def all(self, *keys: str) -> list[tuple[Scalar, Node]]:
        """Every pair whose key is one of `keys`, exactly."""
        return [(k, v) for k, v in self.pairs if isinstance(k, Scalar) and k.value in keys]

    def all_folded(self, *keys: str) -> list[tuple[Scalar, Node]]:
        """Every pair whose key is one of `keys` in any case, as kustomize reads them; `keys` are lower-case."""
        return [(k, v) for k, v in self.pairs if isinstance(k, Scalar) and k.value.lower() in keys]


Node = Scalar | Alias | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its root (None when empty) and every alias in it."""

    root: Node | None
    aliases: tuple[Alias, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A parse event of either reader.  `span` is given for scalars that were read with positions."""

    raw: Any
    span: tuple[int, int] | None = None


def resolved(node: Node | None) -> Scalar | Sequence | Mapping | None:
    """`node`, or what an alias stands for, one step."""
    if isinstance(node, Alias):
        return None if isinstance(node.target, Alias) else node.target
    return node


def contains(root: Node | None, wanted: Node) -> bool:
    """Whether `wanted` is `root` or below it, aliases not followed."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node is wanted:
            return True
        if isinstance(node, Sequence):
            stack.extend(node.items)
        elif isinstance(node, Mapping):
            stack.extend(part for pair in node.pairs for part in pair)
    return False


def documents(events: Iterable[Event]) -> Iterator[Document]:
    """The documents of an event stream (PyYAML's or ruamel's: the same names and attributes).

    Raises `TooDeep`, and whatever the reader of the stream raises.
    """
    builder = _Builder()
    for event in events:
        kind = type(event.raw).__name__
        if kind == "DocumentStartEvent":
            builder = _Builder(builder.number + 1)
        elif kind == "DocumentEndEvent":
            yield Document(builder.root, tuple(builder.aliases))
        else:
            builder.add(kind, event)


class _Builder:
    """One document under construction."""

    def __init__(self, number: int = -1) -> None:
        self.number = number
        self.root: Node | None = None
        self.aliases: list[Alias] = []
        self._anchors: dict[str, Node] = {}
        self._open: list[Sequence | Mapping] = []
        self._keys: list[Node | None] = []
        self._counts: list[dict[str, int]] = []

    def add(self, kind: str, event: Event) -> None:
        raw = event.raw
        line = raw.start_mark.line + 1
        if kind in {"SequenceEndEvent", "MappingEndEvent"}:
            self._open.pop()
            self._keys.pop()
            self._counts.pop()
        elif kind == "AliasEvent":
            alias = Alias(raw.anchor, line, self._anchors.get(raw.anchor))
            self.aliases.append(alias)
            self._place(alias)
        elif kind == "ScalarEvent":
            path = self._path() if self._is_value() else ()
            self._anchored(raw, Scalar(raw.value, raw.style or "", raw.tag and str(raw.tag), line, path, event.span))
        elif kind == "SequenceStartEvent":
            self._enter(raw, Sequence(line, self._path(), bool(raw.flow_style)))
        elif kind == "MappingStartEvent":
            self._enter(raw, Mapping(line, self._path(), bool(raw.flow_style)))

    def _anchored(self, raw: Any, node: Node) -> None:
        if raw.anchor is not None:
            self._anchors[raw.anchor] = node
        self._place(node)

    def _enter(self, raw: Any, node: Sequence | Mapping) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise TooDeep(node.line)
        self._anchored(raw, node)
        self._open.append(node)
        self._keys.append(None)
        self._counts.append({})

    def _place(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        container = self._open[-1]
        if isinstance(container, Sequence):
            container.items.append(node)
        elif self._keys[-1] is None:
            self._keys[-1] = node
            name = key_name(node)
            self._counts[-1][name] = self._counts[-1].get(name, 0) + 1
        else:
            container.pairs.append((self._keys[-1], node))
            self._keys[-1] = None

    def _is_value(self) -> bool:
        return not self._open or isinstance(self._open[-1], Sequence) or self._keys[-1] is not None

    def _path(self) -> Path:
        if not self._open:
            return (str(self.number),)
        container = self._open[-1]
        if isinstance(container, Sequence):
            return (*container.path, f"[{len(container.items)}]")
        name = key_name(self._keys[-1])
        return (*container.path, f"{name}/{self._counts[-1].get(name, 0)}")


def key_name(key: Node | None) -> str:
    """What a key is called in a `Path`: its text, or ``?`` when it is no scalar."""
    return key.value if isinstance(key, Scalar) else "?"
