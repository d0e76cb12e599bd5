"""Where an overlay names an image and no rule looks: what a person could put under `fields` in promote.yaml."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from promote.errors import Refusal
from promote.overlays.kustomize import read_kustomization
from promote.overlays.manifests import split_reference
from promote.overlays.nodes import Document, Mapping, Node, Path, Scalar, Sequence
from promote.overlays.reader import Reader
from promote.overlays.tree import Tree, is_within

_SPECIAL = re.compile(r"([\\.\[\]])")
_WORD = re.compile(r"[A-Za-z0-9.-]*")
_PARTS = frozenset({"repository"})
"""Keys whose value is a part of an image: the mapping around them is the image then."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A scalar that names the image.  `path` is written as in `fields`; `file` from the repository's root."""

    file: str
    line: int
    path: str

    def field(self, directory: str) -> str:
        """The entry of `fields` for it, in an overlay at `directory`."""
        file = posixpath.relpath(self.file, directory or ".")
        return f"{{file: {file}, path: '{self.path}'}}"


def mention(tree: Tree, reader: Reader, directory: str, names: Collection[str]) -> Mention | None:
    """The first scalar in the overlay's own files that names the image; None when there is none, or none can be read.

    Only values that a path of `fields` can lead to count: no text inside a text, no alias.
    """
    layer = read_kustomization(tree, reader, directory)
    for file in layer.files if layer else ():
        content = tree.read(file) or b""
        if not is_within(file, directory) or not any(name.encode() in content for name in names):
            continue
        try:
            documents = reader.documents(file, content)
        except Refusal:
            continue
        for document in documents:
            for scalar in _scalars(document):
                if split_reference(scalar.value).name in names and _is_reference(scalar):
                    return Mention(file, scalar.line, _dotted(scalar.path))
    return None


def _is_reference(scalar: Scalar) -> bool:
    """Whether `scalar`, whose text begins with a name of the image, is more than a word that is the same."""
    key = scalar.path[-1].rpartition("/")[0].lower()
    return len(scalar.path) > 1 and (not _WORD.fullmatch(scalar.value) or key.endswith(("image", *_PARTS)))


def _scalars(document: Document) -> Iterator[Scalar]:
    """The scalars of `document` that are values, in the order written."""
    stack: list[Node | None] = [document.root]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            yield node
        elif isinstance(node, Sequence):
            stack.extend(reversed(node.items))
        elif isinstance(node, Mapping):
            stack.extend(value for _, value in reversed(node.pairs))


def _dotted(path: Path) -> str:
    """`path`, which begins with the document's number, as `fields` takes it."""
    steps = [step if step.startswith("[") else step.rpartition("/")[0] for step in path[1:]]
    if len(steps) > 1 and steps[-1] in _PARTS:
        steps = steps[:-1]
    return "".join(s if s.startswith("[") else "." + _SPECIAL.sub(r"\\\1", s) for s in steps).removeprefix(".")
