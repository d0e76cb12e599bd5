"""The proof of an edit: an independent reader sees the named leaves changed and everything else as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import yaml
from yaml.resolver import Resolver

from promote.errors import Fault
from promote.model.malformed import shown
from promote.overlays.nodes import Path
from promote.overlays.reader import LOADER

STRING = "tag:yaml.org,2002:str"
INSIDE = "|"
"""The step of a path that leads into the YAML text that a scalar holds."""
KEY = "key"
"""The last step of the path of a key itself."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What stands at one path: the event's kind, its tag as YAML 1.1 resolves it, its anchor and a scalar's text."""

    path: Path
    kind: str
    tag: str | None
    anchor: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One leaf that shall read `value`; `after` is the sibling that it follows when it is new, else None."""

    path: Path
    value: str
    after: Path | None


Content = str | dict[str, "Content"] | list["Content"]
"""What a new node shall read as."""


@dataclass(frozen=True, slots=True)
class Grown:
    """The collection at `path` that shall have `content` as one more child, its last.

    A mapping gets it behind `key`; a list has None there.  `is_empty`: it is null, and shall be a list of that child.
    """

    path: Path
    content: Content
    key: str | None = None
    is_empty: bool = False


def check_values(file: str, before: bytes, after: bytes, wanted: Iterable[Wanted], grown: Grown | None = None) -> None:
    """That PyYAML reads `after` as `before` with just `wanted` and `grown` changed; raises `Fault`.

    Every event is compared, in order, with its tag and anchor: YAML 1.1 must see each new value as a string.
    """
    wanted = tuple(wanted)
    blocks = frozenset(w.path[: w.path.index(INSIDE)] for w in wanted if INSIDE in w.path)
    swaps = {w.path: w.value for w in wanted if w.after is None}
    additions: dict[Path, list[Wanted]] = {}
    for item in wanted:
        if item.after is not None:
            additions.setdefault(item.after, []).append(item)
    try:
        expected = list(_changed(_grown(_leaves(before, blocks), grown), swaps, additions))
        got = list(_leaves(after, blocks))
    except (yaml.YAMLError, ValueError) as problem:
        raise _failed(file, "a file that a second reader accepts", str(problem)) from None
    for one, other in zip(expected, got, strict=False):
        if one != other:
            raise _failed(file, f"{one.value!r} at {'.'.join(one.path)}", f"{other.value!r} at {'.'.join(other.path)}")
    if len(expected) != len(got):
        raise _failed(file, f"{len(expected)} values", f"{len(got)} values")
    there = _without_anchors(got)
    missing = [w for w in wanted if Leaf(w.path, "Scalar", STRING, None, w.value) not in there]
    if missing:
        raise _failed(file, f"{missing[0].value!r} at {'.'.join(missing[0].path)}", "no such value")


def check_bytes(file: str, before: bytes, after: bytes, spans: Iterable[tuple[int, int, int]]) -> None:
    """That `after` has every byte of `before` outside `spans`; raises `Fault`.

    A span is its start and end in `before`, in bytes, and the length of what stands there in `after`; in order.
    """
    old = new = 0
    for start, end, length in (*spans, (len(before), len(before), 0)):
        kept = before[old:start]
        if start < old or after[new : new + len(kept)] != kept:
            raise _failed(file, f"bytes {old} to {start} as they were", "other bytes")
        old, new = end, new + len(kept) + length
    if new != len(after):
        raise _failed(file, f"{new} bytes", f"{len(after)} bytes")


def _failed(file: str, expected: str, actual: str) -> Fault:
    return Fault(
        "edit-check-failed",
        f"the edit of {shown(file)} was thrown away: it reads {shown(actual)}, expected {shown(expected)}",
        expected=shown(expected),
        actual=shown(actual),
        hint="edit this file by hand once, in a plainer style, and report it with the file: this is a bug of promote",
    )


def _without_anchors(leaves: Iterable[Leaf]) -> frozenset[Leaf]:
    return frozenset(Leaf(leaf.path, leaf.kind, leaf.tag, None, leaf.value) for leaf in leaves)


def _changed(leaves: Iterable[Leaf], swaps: Mapping[Path, str], new: Mapping[Path, list[Wanted]]) -> Iterator[Leaf]:
    for leaf in leaves:
        if leaf.kind == "Scalar" and leaf.path in swaps:
            yield Leaf(leaf.path, leaf.kind, STRING, leaf.anchor, swaps[leaf.path])
        else:
            yield leaf
        for item in new.get(leaf.path, ()):
            yield Leaf((*item.path, KEY), "Scalar", STRING, None, item.path[-1].rpartition("/")[0])
            yield Leaf(item.path, "Scalar", STRING, None, item.value)


def _grown(leaves: Iterable[Leaf], grown: Grown | None) -> Iterator[Leaf]:
    """`leaves` with the new child where its collection ends."""
    children = 0
    for leaf in leaves:
        if grown is None:
            yield leaf
            continue
        children += leaf.path[:-1] == grown.path and leaf.path[-1] != KEY and not leaf.kind.endswith("End")
        if leaf.path == grown.path and grown.is_empty and leaf.kind == "Scalar":
            yield from _structure(grown.path, [grown.content])
            continue
        if leaf.path == grown.path and leaf.kind in {"SequenceEnd", "MappingEnd"}:
            step = f"[{children}]" if grown.key is None else f"{grown.key}/1"
            if grown.key is not None:
                yield Leaf((*grown.path, step, KEY), "Scalar", STRING, None, grown.key)
            yield from _structure((*grown.path, step), grown.content)
        yield leaf


def _structure(path: Path, content: Content) -> Iterator[Leaf]:
    """The events of `content` in block or flow style, without anchors."""
    if isinstance(content, str):
        yield Leaf(path, "Scalar", STRING, None, content)
        return
    kind = "Mapping" if isinstance(content, dict) else "Sequence"
    yield Leaf(path, f"{kind}Start", None, None, None)
    if isinstance(content, dict):
        for key, value in content.items():
            yield Leaf((*path, f"{key}/1", KEY), "Scalar", STRING, None, key)
            yield from _structure((*path, f"{key}/1"), value)
    else:
        for number, item in enumerate(content):
            yield from _structure((*path, f"[{number}]"), item)
    yield Leaf(path, f"{kind}End", None, None, None)


def _leaves(source: bytes | str, blocks: frozenset[Path], prefix: Path = ()) -> Iterator[Leaf]:
    """Every event of `source` as a leaf, the scalars at `blocks` read as YAML themselves."""
    resolver = Resolver()
    walk = _Walk(prefix)
    for event in yaml.parse(source, Loader=LOADER):
        kind = type(event).__name__.removesuffix("Event")
        if kind.startswith("Stream"):
            continue
        path = walk.step(kind, event)
        tag = getattr(event, "tag", None)
        value = getattr(event, "value", None)
        if isinstance(event, yaml.ScalarEvent) and tag in {None, "!"}:
            tag = str(resolver.resolve(yaml.ScalarNode, value, event.implicit))  # type: ignore[no-untyped-call]
        is_block = path in blocks
        yield Leaf(path, kind, tag, getattr(event, "anchor", None), None if is_block else value)
        if is_block and value is not None:
            yield from _leaves(value, frozenset(), (*path, INSIDE))


class _Walk:
    """Where in a document a stream of events is.  The same notation as `nodes.Path`, counted independently of it."""

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        self._document = -1
        self._levels: list[_Level] = []

    def step(self, kind: str, event: yaml.Event) -> Path:
        """The path of `event`, of which it is the next one."""
        if kind == "DocumentStart":
            self._document += 1
        if kind.startswith("Document"):
            return (*self._prefix, str(self._document))
        if kind.endswith("End"):
            return self._levels.pop().path
        level = self._levels[-1] if self._levels else None
        path = level.next(getattr(event, "value", "?")) if level else (*self._prefix, str(self._document))
        if kind.endswith("Start"):
            self._levels.append(_Level(path, is_mapping=kind == "MappingStart"))
        return path


class _Level:
    """One open collection."""

    def __init__(self, path: Path, *, is_mapping: bool) -> None:
        self.path = path
        self._is_mapping = is_mapping
        self._count = 0
        self._key: str = ""
        self._seen: dict[str, int] = {}

    def next(self, text: str) -> Path:
        """The path of the next child, whose text is `text` if it is a scalar."""
        self._count += 1
        if not self._is_mapping:
            return (*self.path, f"[{self._count - 1}]")
        if self._count % 2:
            self._key = text
            self._seen[text] = self._seen.get(text, 0) + 1
            return (*self.path, f"{text}/{self._seen[text]}", KEY)
        return (*self.path, f"{self._key}/{self._seen[self._key]}")
