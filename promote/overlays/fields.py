"""Values that promote.yaml names by file and path, where no rule would find the image."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from promote.model.environment import FieldForm, ImageField
from promote.model.malformed import shown
from promote.overlays.charts import ChartImage, chart_image
from promote.overlays.manifests import ContainerImage, Reference, image_here
from promote.overlays.nodes import Alias, Document, Mapping, Node, Scalar, Sequence, resolved
from promote.overlays.reader import Reader
from promote.overlays.refusals import ambiguous, no_overlay
from promote.overlays.target import Target
from promote.overlays.tree import Tree, join

_INDEX = re.compile(r"\[([0-9]{1,6})\]")
_SELECTOR = re.compile(r"\[([^=\[\]]+)=([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class PartField:
    """A scalar that holds a part of the reference.  `name` stands for the part that is not written there."""

    scalar: Scalar
    form: FieldForm
    name: str
    indirect: tuple[int, ...]

    @property
    def line(self) -> int:
        """The one-based line."""
        return self.scalar.line

    @property
    def reference(self) -> Reference:
        """The parts that are here."""
        text = self.scalar.text or ""
        if self.form is FieldForm.DIGEST:
            return Reference(self.name, None, text or None)
        tag, at, digest = text.partition("@")
        return Reference(self.name, tag or None, digest if at else None)

    def wanted(self, target: Target) -> str:
        """What the scalar shall be."""
        forms = {FieldForm.TAG: target.tag, FieldForm.DIGEST: str(target.digest)}
        return forms.get(self.form, target.version)


Found = PartField | ChartImage | ContainerImage


def field_images(
    tree: Tree, reader: Reader, directory: str, fields: Iterable[ImageField], names: Collection[str]
) -> Iterator[tuple[str, Document, Found]]:
    """Each of `fields` with the file and document that it is in; those that hold another app's image are left out.

    Raises `Refusal` (exit 16) for a file or path that is not there, a path that leads to two values, and a value that
    is not of the field's form.
    """
    for field in fields:
        file = join(directory, field.file)
        content = tree.read(file) if file else None
        if file is None or content is None:
            raise _missing(field, directory, "no such file in the overlay")
        hits = [
            (document, node, lines)
            for document in reader.documents(file, content)
            for node, lines in _follow(document.root, field.path, ())
        ]
        if len(hits) > 1:
            problem = f"got {len(hits)} values at {_dotted(field)}"
            raise ambiguous(file, [n.line for _, n, _ in hits], problem, hint="name a path that leads to one")
        if not hits:
            raise _missing(field, directory, "no such path in the file")
        ((document, node, indirect),) = hits
        found = _found(file, field, node, indirect, names)
        if found is not None:
            yield file, document, found


def _found(file: str, field: ImageField, node: Node, indirect: tuple[int, ...], names: Collection[str]) -> Found | None:
    value = resolved(node)
    lines = (*indirect, node.line) if isinstance(node, Alias) else indirect
    if field.form is not FieldForm.IMAGE:
        if not isinstance(value, Scalar):
            raise ambiguous(file, [node.line], f"got no plain value at {_dotted(field)}", hint="name the value itself")
        return PartField(value, field.form, min(names, key=lambda name: (len(name), name)), lines)
    image = chart_image(value, lines) if isinstance(value, Mapping) else image_here(node, indirect)
    if image is None or (isinstance(image, ChartImage) and not image.fields):
        raise ambiguous(file, [node.line], f"got no image at {_dotted(field)}", hint="set `value` to what is there")
    is_named = image.reference.name != "" and not image.is_about(names)
    return None if is_named and field.app is None else image


def _follow(node: Node | None, path: tuple[str, ...], lines: tuple[int, ...]) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """What `path` leads to from `node`, and the lines of the aliases on the way."""
    if node is None:
        return
    if not path:
        yield node, lines
        return
    if isinstance(node, Alias):
        lines = (*lines, node.line)
    step, rest = path[0], path[1:]
    value = resolved(node)
    if isinstance(value, Mapping):
        for _, below in value.all(step):
            yield from _follow(below, rest, lines)
    elif isinstance(value, Sequence):
        for item in _chosen(value, step):
            yield from _follow(item, rest, lines)


def _chosen(sequence: Sequence, step: str) -> Iterator[Node]:
    if index := _INDEX.fullmatch(step):
        yield from sequence.items[int(index[1]) : int(index[1]) + 1]
    elif selector := _SELECTOR.fullmatch(step):
        for item in sequence.items:
            mapping = resolved(item)
            found = mapping.all(selector[1]) if isinstance(mapping, Mapping) else []
            if any(isinstance(v := resolved(value), Scalar) and v.value == selector[2] for _, value in found):
                yield item


def _dotted(field: ImageField) -> str:
    return shown(".".join(field.path))


def _missing(field: ImageField, directory: str, problem: str) -> Exception:
    where = f"{shown(field.file)} at {_dotted(field)}"
    return no_overlay(
        f"{shown(directory or '.')}: {problem}, expected {where}",
        expected=where,
        actual=problem,
        hint="correct `fields` in promote.yaml, or the file",
    )
