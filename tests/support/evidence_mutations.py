"""Every place of a piece of evidence, and one thing at a time put in its stead.

The documents of evidence are its manifest (with the annotations) and the content of each layer.  JSON inside a string,
plain or as base64, is gone into: the payload of an envelope, the body of a log entry, the promise in an annotation.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any

from support.cosign_fixtures import Image, image

from promote.errors import PromoteError
from promote.model.digest import Digest
from promote.model.evidence import Findings
from promote.model.graph import Graph, Node
from promote.model.manifest import RawManifest


class Coded(Enum):
    """A step into a string that holds JSON."""

    JSON = "json"
    BASE64 = "base64"


class Gone(Enum):
    """In the stead of a value: nothing."""

    GONE = "gone"


Step = str | int | Coded
Path = tuple[Step, ...]


@dataclass(frozen=True)
class Part:
    """One document of a piece of evidence: its manifest (`layer` is None), or the content of one of its layers."""

    of: Image
    node: Node
    layer: int | None

    @property
    def content(self) -> bytes:
        if self.layer is None:
            return self.node.manifest.content
        return self.of.store.blobs[self.node.manifest.parsed.layers[self.layer].digest]

    @property
    def name(self) -> str:
        """What the same part of another fixture has in common with this one."""
        manifest = self.node.manifest.parsed
        kinds = [layer.media_type for layer in manifest.layers]
        return f"manifest of {kinds[0]}" if self.layer is None else kinds[self.layer]

    def with_content(self, content: bytes) -> Image:
        """The image with this piece of evidence alone, and `content` in the stead of this part."""
        raw = content
        if self.layer is not None:
            document = json.loads(self.node.manifest.content)
            layer = document["layers"][self.layer]
            layer["digest"], layer["size"] = str(self.of.store.put(content)), len(content)
            raw = json.dumps(document).encode()
        node = Node(
            RawManifest(raw, self.node.manifest.media_type), self.node.relation, self.node.parent, self.node.tag
        )
        return Image(Graph((*self.of.bare().graph.nodes, node)), self.of.store, self.of.trust)

    def accepted(self, content: bytes) -> set[tuple]:
        """The signed meaning of what is accepted with `content` in the stead of this part.

        A manifest may name a blob that is not there, or one of a terabyte: that ends the verification.
        """
        before: set[Digest] = set(self.of.store.blobs)
        try:
            return set(signed_meaning(self.with_content(content).findings()))
        except PromoteError:
            if self.layer is not None:
                raise
            return set()
        finally:
            for digest in set(self.of.store.blobs) - before:
                del self.of.store.blobs[digest]


def signed_meaning(found: Findings) -> list[tuple]:
    """What each accepted piece says, and who says it; not where it was found, nor when it was logged."""
    return sorted(
        (
            e.kind.value,
            str(e.subject),
            repr(e.signed_by),
            e.predicate_type or "",
            json.dumps(e.predicate, sort_keys=True),
            tuple(sorted(e.annotations.items())),
            tuple(str(d) for d in e.others),
        )
        for e in found.accepted
    )


def parts(case: str) -> list[Part]:
    """The documents of all evidence of a fixture."""
    whole = image(case)
    return [
        Part(whole, node, layer)
        for node in whole.graph.evidence
        for layer in (None, *range(len(node.manifest.parsed.layers)))
    ]


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in a document with its path, the document itself among them."""
    yield path, value
    if isinstance(value, dict):
        for key, below in value.items():
            yield from places(below, (*path, key))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from places(below, (*path, at))
    elif isinstance(value, str):
        for coded in Coded:
            below = _decoded(value, coded)
            if isinstance(below, dict | list):
                yield from places(below, (*path, coded))


def put(document: Any, path: Path, new: Any) -> Any:
    """`document` with `new` at `path`; `Gone.GONE` takes the place away.  Nothing is changed in place."""
    if not path:
        return {} if new is Gone.GONE else new
    step, rest = path[0], path[1:]
    if isinstance(step, Coded):
        return _again(put(_decoded(document, step), rest, new), step, document)
    copy = document.copy()
    if not rest and new is Gone.GONE:
        del copy[step]
    else:
        copy[step] = put(document[step], rest, new)
    return copy


def written(document: Any, like: bytes) -> bytes:
    """JSON in the hand of `like`: what is not changed has the same bytes again.  protojson puts spaces after commas."""
    hands = ((",", ":"), (", ", ":"))
    separators = next((hand for hand in hands if _json(json.loads(like), hand) == like), hands[0])
    return _json(document, separators)


def mutations(
    part: Part, elsewhere: Mapping[tuple[str, Path], Sequence[Any]], random: Random
) -> Iterator[tuple[str, bytes]]:
    """Each value of a part changed in each way, one at a time: what was done, and the content that gives.

    `elsewhere` is what `leaves` gives.
    """
    document = json.loads(part.content)
    for path, value in places(document):
        for how, new in _changes(value, elsewhere.get((part.name, path), ()), random):
            yield f"{part.name} {path} {how}", written(put(document, path, new), part.content)


def leaves(cases: Sequence[str]) -> dict[tuple[str, Path], list[Any]]:
    """The values of each leaf in all fixtures, by the name of the part and the path."""
    found: dict[tuple[str, Path], list[Any]] = {}
    for case in cases:
        for part in parts(case):
            for path, value in places(json.loads(part.content)):
                if not isinstance(value, dict | list):
                    found.setdefault((part.name, path), []).append(value)
    return found


def damaged(content: bytes, random: Random) -> bytes:
    """`content` with one to three bytes changed, taken out or put in."""
    raw = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at = random.randrange(len(raw))
        match random.choice(("change", "change", "bit", "take", "put")):
            case "change":
                raw[at] ^= random.randrange(1, 256)
            case "bit":
                raw[at] ^= 1 << random.randrange(8)
            case "take":
                del raw[at]
            case _:
                raw.insert(at, random.choice(content))
    return bytes(raw)


def _changes(value: Any, elsewhere: Sequence[Any], random: Random) -> Iterator[tuple[str, Any]]:
    """What to put in the stead of `value`, by name.

    `elsewhere` are the values of the same place in other fixtures; only a leaf takes one of them, for a whole envelope
    of another fixture would be evidence in its own right.
    """
    yield "dropped", Gone.GONE
    yield "null", None
    yield "another type", {"0": value} if not isinstance(value, dict) else [value]
    if isinstance(value, bool):
        yield "flipped", not value
    elif isinstance(value, int | float):
        yield "flipped", value + random.choice((-1, 1))
    elif isinstance(value, str) and value:
        at = random.randrange(len(value))
        others = [c for c in "ABCXYZabcxyz0189+/=.-:" if c != value[at]]
        yield f"flipped at {at}", value[:at] + random.choice(others) + value[at + 1 :]
    if not isinstance(value, dict | list):
        others = [v for v in elsewhere if v != value or type(v) is not type(value)]
        if others:
            yield "swapped", random.choice(others)


def _decoded(text: str, coded: Coded) -> Any:
    try:
        return json.loads(text if coded is Coded.JSON else base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        return None


def _again(value: Any, coded: Coded, text: str) -> str:
    if coded is Coded.JSON:
        return written(value, text.encode()).decode()
    return base64.b64encode(written(value, base64.b64decode(text))).decode()


def _json(value: Any, separators: tuple[str, str]) -> bytes:
    return json.dumps(value, separators=separators, ensure_ascii=False).encode()
