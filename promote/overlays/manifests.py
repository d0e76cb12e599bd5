"""Manifests and patches: the container images that they name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from promote.overlays.nodes import Alias, Document, Mapping, Node, Scalar, Sequence, resolved
from promote.overlays.target import Target

REACHED = ("containers", "initContainers")
"""The lists whose images kustomize's `images:` rewrites, at any depth of any kind (api/filters/imagetag)."""

UNREACHED = ("ephemeralContainers",)
"""A list of containers that `images:` does not know."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An image reference taken apart; `tag` and `digest` are as written, None where there is none."""

    name: str
    tag: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class ContainerImage:
    """One `image:` of a container.

    `indirect` are the lines of an alias or a second key that provides it: such an image can be read, not edited.
    `is_reached` says whether kustomize's `images:` would rewrite it.
    """

    scalar: Scalar
    reference: Reference
    is_reached: bool
    indirect: tuple[int, ...]

    @property
    def line(self) -> int:
        """The one-based line."""
        return self.scalar.line

    def is_about(self, names: Collection[str]) -> bool:
        """Whether this is an image called one of `names`."""
        return self.reference.name in names

    def wanted(self, target: Target) -> str:
        """What the scalar shall be."""
        return target.reference(self.reference.name)


def split_reference(text: str) -> Reference:
    """The parts of ``NAME[:TAG][@DIGEST]``; a colon before the last slash belongs to the name (a port).

    Source: distribution-spec's reference grammar, as far as cutting goes; the parts are not checked here.
    """
    rest, at, digest = text.partition("@")
    slash = rest.rfind("/")
    colon = rest.find(":", slash + 1)
    name, tag = (rest, None) if colon < 0 else (rest[:colon], rest[colon + 1 :])
    return Reference(name, tag, digest if at else None)


def container_images(document: Document) -> Iterator[ContainerImage]:
    """Every image of a container in `document`: a manifest of any kind, a list of them, or a patch of either form.

    CustomResourceDefinitions are left out, as kustomize does.
    """
    stack: list[Node | None] = [document.root]
    while stack:
        node = stack.pop()
        if isinstance(node, Sequence):
            stack.extend(reversed(node.items))
            for item in node.items:
                yield from _operation(item)
        elif isinstance(node, Mapping) and not _is_definition(node):
            for key, value in node.all(*REACHED, *UNREACHED):
                yield from _list(value, is_reached=key.value in REACHED)
            stack.extend(value for _, value in reversed(node.pairs))


def image_here(node: Node | None, indirect: tuple[int, ...] = ()) -> ContainerImage | None:
    """The scalar `node` as an image that no list of containers holds; None when it is no text."""
    scalar = resolved(node)
    if node is None or not isinstance(scalar, Scalar) or not scalar.text:
        return None
    lines = (*indirect, node.line, scalar.line) if isinstance(node, Alias) else indirect
    return ContainerImage(scalar, split_reference(scalar.text), is_reached=False, indirect=lines)


def is_encrypted(document: Document) -> bool:
    """Whether SOPS encrypted this document: it has a mapping called `sops` at the top, and a MAC over every value."""
    root = document.root
    return isinstance(root, Mapping) and any(isinstance(value, Mapping) for _, value in root.all("sops"))


def _is_definition(node: Mapping) -> bool:
    return any(isinstance(v, Scalar) and v.value == "CustomResourceDefinition" for _, v in node.all("kind"))


def _list(value: Node, *, is_reached: bool) -> Iterator[ContainerImage]:
    """The images of a list of containers."""
    block = resolved(value)
    if not isinstance(block, Sequence):
        return
    outer = (value.line,) if isinstance(value, Alias) else ()
    for item in block.items:
        container = resolved(item)
        if isinstance(container, Mapping):
            indirect = outer + ((item.line,) if isinstance(item, Alias) else ())
            yield from _container(container, indirect, is_reached=is_reached)


def _container(container: Mapping, indirect: tuple[int, ...], *, is_reached: bool) -> Iterator[ContainerImage]:
    pairs = container.all("image")
    twice = tuple(key.line for key, _ in pairs) if len(pairs) > 1 else ()
    for _, value in pairs:
        yield from _image(value, (*indirect, *twice), is_reached=is_reached)
    for merge, value in container.all("<<") if not pairs else ():
        for source in value.items if isinstance(value, Sequence) else [value]:
            provided = resolved(source)
            for _, image in provided.all("image") if isinstance(provided, Mapping) else ():
                yield from _image(image, (*indirect, merge.line), is_reached=is_reached)


def _image(value: Node, indirect: tuple[int, ...], *, is_reached: bool) -> Iterator[ContainerImage]:
    scalar = resolved(value)
    if isinstance(scalar, Scalar) and scalar.text:
        lines = (*indirect, value.line, scalar.line) if isinstance(value, Alias) else indirect
        yield ContainerImage(scalar, split_reference(scalar.text), is_reached, lines)


def _operation(item: Node) -> Iterator[ContainerImage]:
    """The images that one operation of a JSON patch (RFC 6902) sets directly."""
    if not isinstance(item, Mapping) or not item.all("op"):
        return
    paths = [value.value for _, value in item.all("path") if isinstance(value, Scalar)]
    steps = paths[0].split("/") if len(paths) == 1 else []
    for _, value in item.all("value"):
        for lists, is_reached in ((REACHED, True), (UNREACHED, False)):
            if len(steps) > 2 and steps[-1] == "image" and steps[-3] in lists:
                yield from _image(value, (), is_reached=is_reached)
            elif len(steps) > 1 and steps[-2] in lists and isinstance(value, Mapping):
                yield from _container(value, (), is_reached=is_reached)
            elif steps and steps[-1] in lists:
                yield from _list(value, is_reached=is_reached)
