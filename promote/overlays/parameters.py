"""Parameters of Helm charts, as an Application of Argo CD sets them: an image in parts, or whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from promote.overlays.charts import ChartImage
from promote.overlays.manifests import ContainerImage, image_here, split_reference
from promote.overlays.nodes import Mapping, Node, Scalar, Sequence, resolved

_PART = re.compile(r"(?P<image>(?:.*\.)?)(?P<part>registry|repository|tag|digest)", re.DOTALL)


@dataclass(slots=True)
class _Parts:
    """The parameters of one image: for each part its key `value` and what stands behind that."""

    fields: dict[str, tuple[Scalar, Scalar]] = field(default_factory=dict)
    indirect: tuple[int, ...] = ()


def parameter_images(parameters: Node | None) -> Iterator[ChartImage | ContainerImage]:
    """The images in a list of ``{name: image.tag, value: v1}``: those with a repository, and whole references.

    Parts belong together when their names agree up to the last dot.  An image without a parameter for its tag has
    `indirect` lines, for a parameter is not added.
    """
    block = resolved(parameters)
    images: dict[str, _Parts] = {}
    for item in block.items if isinstance(block, Sequence) else ():
        name, value = _pair(item)
        if name is None or value is None:
            continue
        part = _PART.fullmatch(name)
        if part:
            _add(images.setdefault(part["image"], _Parts()), part["part"], value)
        elif name.lower().endswith("image") and (image := image_here(value[1])):
            yield image
    for parts in images.values():
        if "repository" in parts.fields:
            yield _image(parts)


def _pair(item: Node) -> tuple[str | None, tuple[Scalar, Node] | None]:
    """The name of a parameter, and its key `value` with what stands there; None for what is not there once."""
    mapping = resolved(item)
    names, values = (mapping.all(key) if isinstance(mapping, Mapping) else [] for key in ("name", "value"))
    name = resolved(names[0][1]) if len(names) == 1 else None
    return (name.text if isinstance(name, Scalar) else None), (values[0] if len(values) == 1 else None)


def _add(parts: _Parts, part: str, pair: tuple[Scalar, Node]) -> None:
    key, value = pair
    scalar = resolved(value)
    if part in parts.fields:
        parts.indirect += (parts.fields[part][0].line, key.line)
    if scalar is not value or not isinstance(scalar, Scalar):
        parts.indirect += (value.line, scalar.line if scalar else value.line)
    if isinstance(scalar, Scalar):
        parts.fields[part] = (key, scalar)


def _image(parts: _Parts) -> ChartImage:
    repository = parts.fields["repository"][1]
    indirect = parts.indirect
    if "tag" not in parts.fields or split_reference(repository.value).tag:
        indirect = (*indirect, repository.line)
    pairs: list[tuple[Node, Node]] = list(parts.fields.values())
    mapping = Mapping(repository.line, repository.path[:-1], flow=False, pairs=pairs)
    return ChartImage(repository.line, mapping, parts.fields, indirect)
