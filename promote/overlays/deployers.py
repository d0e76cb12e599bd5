"""Objects that name images of what they deploy: HelmRelease, Kustomization (Flux), Application (Argo CD), HelmChart."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from promote.overlays.charts import ChartImage, chart_images
from promote.overlays.entries import Entry, entries
from promote.overlays.manifests import ContainerImage, Reference, split_reference
from promote.overlays.nodes import Alias, Document, Mapping, Node, Scalar, Sequence, resolved
from promote.overlays.parameters import parameter_images
from promote.overlays.target import Target


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An entry of Argo CD's `kustomize.images`: ``[NAME=]NEW[:TAG][@DIGEST]``."""

    scalar: Scalar
    indirect: tuple[int, ...]

    @property
    def line(self) -> int:
        """The one-based line."""
        return self.scalar.line

    @property
    def name(self) -> str:
        """The name that is rewritten."""
        left, equals, right = self.scalar.value.partition("=")
        return left if equals else split_reference(right or left).name

    @property
    def reference(self) -> Reference:
        """What it is rewritten to."""
        left, equals, right = self.scalar.value.partition("=")
        return split_reference(right if equals else left)

    def is_about(self, names: Collection[str]) -> bool:
        """Whether either side is called one of `names`."""
        return self.name in names or self.reference.name in names

    def wanted(self, target: Target) -> str:
        """What the scalar shall be; a name that stays needs no equals sign."""
        new = target.reference(self.reference.name)
        is_renamed = "=" in self.scalar.value or split_reference(new).name != self.name
        return f"{self.name}={new}" if is_renamed else new


@dataclass(frozen=True, slots=True)
class ValuesText:
    """Helm values written as a text inside an object."""

    scalar: Scalar


Found = Entry | ChartImage | ContainerImage | NamedImage | ValuesText


def deployed_images(file: str, document: Document) -> Iterator[Found]:
    """Every image that the object in `document` gives to what it deploys; raises `Refusal` for a key twice."""
    root = document.root
    kind, version = (_text(root, key) for key in ("kind", "apiVersion"))
    spec = _at(root, "spec")
    if kind == "HelmRelease":
        yield from chart_images(_at(spec, "values"))
        for renderer in _list(_at(spec, "postRenderers")):
            yield from entries(file, document, _at(_at(renderer, "kustomize"), "images"))
    elif kind == "Kustomization" and version.startswith("kustomize.toolkit.fluxcd.io/"):
        yield from entries(file, document, _at(spec, "images"))
    elif kind in {"HelmChart", "HelmChartConfig"} and version.startswith("helm.cattle.io/"):
        values = _at(spec, "valuesContent")
        if isinstance(values, Scalar):
            yield ValuesText(values)
    elif kind in {"Application", "ApplicationSet"}:
        inner = _at(_at(spec, "template"), "spec") if kind == "ApplicationSet" else spec
        for source in (_at(inner, "source"), *_list(_at(inner, "sources"))):
            yield from _of_source(source)


def _of_source(source: Node | None) -> Iterator[Found]:
    for item in _list(_at(_at(source, "kustomize"), "images")):
        scalar = resolved(item)
        if isinstance(scalar, Scalar) and scalar.text:
            yield NamedImage(scalar, (item.line, scalar.line) if isinstance(item, Alias) else ())
    helm = _at(source, "helm")
    yield from chart_images(_at(helm, "valuesObject"))
    yield from parameter_images(_at(helm, "parameters"))
    values = _at(helm, "values")
    if isinstance(values, Scalar):
        yield ValuesText(values)


def _at(node: Node | None, key: str) -> Scalar | Sequence | Mapping | None:
    """What stands behind `key`, an alias resolved; None when `node` is no mapping, or has no such key or two."""
    mapping = resolved(node)
    pairs = mapping.all(key) if isinstance(mapping, Mapping) else []
    return resolved(pairs[0][1]) if len(pairs) == 1 else None


def _list(node: Node | None) -> list[Node]:
    block = resolved(node)
    return block.items if isinstance(block, Sequence) else []


def _text(node: Node | None, key: str) -> str:
    scalar = _at(node, key)
    return scalar.value if isinstance(scalar, Scalar) else ""
