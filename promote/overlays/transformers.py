"""Files that `transformers:` of a kustomization lists, as far as they are about images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from promote.errors import Refusal
from promote.overlays.entries import Entry, entry, only
from promote.overlays.nodes import Document, Mapping, Node, Scalar, Sequence, resolved
from promote.overlays.reader import Reader
from promote.overlays.tree import Tree, join

IMAGES = "ImageTagTransformer"
LABELS = frozenset({"LabelTransformer", "AnnotationsTransformer"})
HARMLESS = LABELS | {"ReplicaCountTransformer", "HashTransformer"}
"""Built-in transformers that change neither an image nor what a patch of a layer above is for, but for its labels."""


@dataclass(frozen=True, slots=True)
class Transformer:
    """One object in a file of `transformers:`; `kind` is empty for what is not known here.

    `entry` is what an ImageTagTransformer says, in the form of `images:`.
    """

    kind: str
    entry: Entry | None = None


def transformers(tree: Tree, reader: Reader, directory: str, value: Node | None) -> Iterator[Transformer]:
    """What the list `value`, found behind `transformers:`, holds; for what is no file, one without a kind.

    Raises `Refusal` for a key twice.
    """
    block = resolved(value)
    for item in block.items if isinstance(block, Sequence) else ():
        scalar = resolved(item)
        path = join(directory, scalar.text) if isinstance(scalar, Scalar) and scalar.text else None
        content = tree.read(path) if path and "\n" not in path else None
        if path is None or content is None:
            yield Transformer("")
            continue
        try:
            documents = reader.documents(path, content)
        except Refusal:
            yield Transformer("")
            continue
        for document in documents:
            if isinstance(document.root, Mapping):
                yield _transformer(path, document, document.root)


def _transformer(file: str, document: Document, root: Mapping) -> Transformer:
    pair = only(file, root, "kind")
    kind = resolved(pair[1]) if pair else None
    name = kind.value if isinstance(kind, Scalar) else ""
    if name != IMAGES:
        return Transformer(name)
    image = only(file, root, "imagetag")
    mapping = resolved(image[1]) if image else None
    if image is None or not isinstance(mapping, Mapping):
        return Transformer("")
    lines = () if mapping is image[1] else (image[1].line,)
    return Transformer("" if _has_fields(root) else name, entry(file, document, mapping, lines))


def _has_fields(root: Mapping) -> bool:
    """Whether an ImageTagTransformer names fields of its own: it does containers without."""
    return any(not isinstance(v := resolved(value), Sequence) or v.items for _, value in root.all_folded("fieldspecs"))
