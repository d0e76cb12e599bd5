"""What `kustomize build` would make of an overlay, as far as images are concerned.

The order in one kustomization is kustomize's (api/internal/target): resources, generators, components, patches,
namespace and prefixes, images.  What cannot be followed in the repository's own files is said and never guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from promote.errors import Refusal
from promote.model.malformed import shown
from promote.overlays.fieldspecs import KNOWN_KEYS, FieldSpec, field_holders, field_specs
from promote.overlays.kustomize import Kustomization, kustomization_file, read_kustomization
from promote.overlays.manifests import split_reference
from promote.overlays.nodes import resolved
from promote.overlays.objects import (
    Data,
    Resource,
    TooLarge,
    image_holders,
    list_at,
    mapping_at,
    resources,
    text_of,
)
from promote.overlays.parsed import Parsed
from promote.overlays.patching import Patches
from promote.overlays.rendering import Means, Rendering
from promote.overlays.replacing import may_change_images
from promote.overlays.rewriting import rewrite
from promote.overlays.target import Target
from promote.overlays.transformers import HARMLESS, IMAGES, LABELS
from promote.overlays.tree import Tree

MAX_LAYERS = 500
"""How many kustomizations are followed; a build that needs more is not decided here."""

MAX_NESTED = 50
"""How many of them may stand on one another."""

_UNKNOWN = ("generators", "helmcharts", "helmchartinflationgenerator", "openapi")
"""What may bring in images, or change them, in ways that are not followed here."""


def render(tree: Tree, directory: str, parsed: Parsed | None = None) -> Rendering:
    """The rendering of the kustomization in `directory` (normalised); raises nothing, what is wrong is a doubt."""
    build = _Build(Means(tree, Rendering(), parsed or Parsed()))
    try:
        build.whole(directory)
    except TooLarge as problem:
        build.means.rendering.doubts.append(f"{shown(directory or '.')} has {problem}")
    return build.means.rendering


def unpinned(
    tree: Tree, directory: str, names: Collection[str], target: Target, parsed: Parsed | None = None
) -> tuple[str, ...]:
    """The names of `names` that containers in the rendering still go by without being the release, sorted."""
    rendering = render(tree, directory, parsed)
    found = {
        (split_reference(holder.image).name, holder.image)
        for data in rendering.objects.values()
        for holder in (*image_holders(data), *field_holders(Resource(data), rendering.specs))
        if holder.is_reached
    }
    return tuple(sorted({name for name, image in found if name in names and image != target.reference(name)}))


@dataclass(slots=True)
class _Build:
    """One build under way."""

    means: Means
    _open: list[str] = field(default_factory=list)
    _count: int = 0
    _vars: list[str] = field(default_factory=list)

    def whole(self, directory: str) -> None:
        """Everything that the kustomization of `directory` renders, with the variables that are filled in last."""
        found = self.layer(directory, [], self.means.rendering.specs)
        self.means.rendering.hold(found)
        if self._vars and any("$(" in holder.image for r in found for holder in image_holders(r.data)):
            self.means.doubt(self._vars[0])

    def layer(self, directory: str, given: list[Resource], specs: list[FieldSpec]) -> list[Resource]:
        """What the kustomization of `directory` makes of its resources, and of `given` when it is a component.

        `specs` are the fields that hold images besides containers, so far; those of this layer are added to them, for
        an overlay has those of its bases, and a component those of who takes it in (kustomize api/internal/target).
        """
        kustomization = self._read(directory)
        if kustomization is None:
            return given
        self._open.append(directory)
        data = {k.lower(): v for k, v in self.means.budget.data(kustomization.root).items()}
        found = [*given, *self._resources(kustomization, data, specs)]
        self._configure(kustomization, data, specs)
        for item in list_at(data, "components"):
            path = self.means.path(kustomization, item)
            if path is None or kustomization_file(self.means.tree, path) is None:
                self.means.miss(kustomization, item)
            else:
                found = self.layer(path, found, specs)
        Patches(self.means).apply(kustomization, data, found)
        _rename(data, found)
        _label(data, found)
        rewrite(self.means, kustomization.entries, found, specs)
        self._transform(kustomization, found)
        self._note_unknown(kustomization, data)
        self._open.pop()
        return found

    def _read(self, directory: str) -> Kustomization | None:
        self._count += 1
        if directory in self._open or self._count > MAX_LAYERS or len(self._open) >= MAX_NESTED:
            self.means.doubt(
                f"{shown(directory)} is in a circle, or one of more than {MAX_LAYERS} layers or {MAX_NESTED} levels"
            )
            return None
        try:
            return read_kustomization(self.means.tree, self.means.parsed.finder, directory)
        except Refusal as problem:
            self.means.rendering.blind.append(problem.message)
            return None

    def _resources(self, layer: Kustomization, data: Data, specs: list[FieldSpec]) -> Iterator[Resource]:
        for item in (*list_at(data, "resources"), *list_at(data, "bases")):
            path = self.means.path(layer, item)
            if path is not None and (content := self.means.tree.read(path)) is not None:
                yield from self._documents(path, content)
            elif path is not None and self._is_kustomization(path):
                below: list[FieldSpec] = []
                yield from self.layer(path, [], below)
                _take_in(specs, below)
            else:
                self.means.miss(layer, item)
        for kind, key in (("ConfigMap", "configmapgenerator"), ("Secret", "secretgenerator")):
            for generator in list_at(data, key):
                name = text_of(generator, "name")
                made = {
                    "apiVersion": "v1",
                    "kind": kind,
                    "metadata": {"name": name},
                    "data": self._generated(layer, generator),
                }
                yield Resource(made, [(name, "")])

    def _generated(self, layer: Kustomization, generator: Data) -> dict[str, Data]:
        """The content of a generated ConfigMap or Secret: no image, but maybe a copy of a reference."""
        found: dict[str, Data] = {}
        for item in list_at(generator, "literals"):
            key, _, value = str(item).partition("=")
            found[key] = value
        for item in (*list_at(generator, "files"), *list_at(generator, "envs"), generator.get("env")):
            path = self.means.path(layer, str(item).rpartition("=")[2]) if item else None
            content = self.means.tree.read(path) if path else None
            if path and content is not None:
                found[path.rpartition("/")[2]] = content.decode("utf-8", "replace")
        return found

    def _is_kustomization(self, path: str) -> bool:
        try:
            return kustomization_file(self.means.tree, path) is not None
        except Refusal:
            return True  # two of them: said by whoever reads it

    def _documents(self, file: str, content: bytes) -> list[Resource]:
        try:
            return list(resources(self.means.parsed.finder.documents(file, content), self.means.budget))
        except Refusal as problem:
            self.means.doubt(problem.message)
            return []

    def _transform(self, layer: Kustomization, found: list[Resource]) -> None:
        """What the files of `transformers` do to images; a doubt for those that may do anything."""
        rewrite(self.means, layer.late_entries, found, ())
        for transformer in layer.transformers:
            if transformer.kind in LABELS:
                self.means.is_relabelled = True
            elif transformer.kind not in {*HARMLESS, IMAGES}:
                line = next(key.line for key, _ in layer.root.all_folded("transformers"))
                self.means.doubt(f"{shown(layer.file)}:{line} has transformers")

    def _configure(self, layer: Kustomization, data: Data, specs: list[FieldSpec]) -> None:
        """The fields that the files of `configurations` name, added to `specs`."""
        for item in list_at(data, "configurations"):
            configuration = self._lowered(layer, item)
            if configuration is None or not KNOWN_KEYS.issuperset(configuration):
                self.means.doubt(f"{shown(layer.file)} has the configuration {shown(item)}, which is not known here")
            else:
                _take_in(specs, field_specs(configuration))

    def _lowered(self, layer: Kustomization, item: Data) -> dict[str, Data] | None:
        """The mapping in the file `item`, its keys in lower case; None when there is none."""
        found = self._listed(layer, item)
        return {k.lower(): v for k, v in found[0].items()} if len(found) == 1 and isinstance(found[0], dict) else None

    def _listed(self, layer: Kustomization, item: Data) -> list[Data]:
        """The documents in the file `item`, which `layer` names; none for what is no such file or cannot be read."""
        path = self.means.path(layer, item)
        content = self.means.tree.read(path) if path else None
        if path is None or content is None:
            return []
        try:
            documents = self.means.parsed.finder.documents(path, content)
        except Refusal:
            return []
        return [self.means.budget.data(document.root) for document in documents if document.root]

    def _note_unknown(self, layer: Kustomization, data: Data) -> None:
        for key, value in layer.root.all_folded(*_UNKNOWN):
            node = resolved(value)
            if self.means.budget.data(node):
                note = f"{shown(layer.file)}:{key.line} has {shown(key.value)}"
                is_chart = key.value.lower().startswith("helmchart")
                (self.means.rendering.blind if is_chart else self.means.rendering.doubts).append(note)
        for key, _ in layer.root.all_folded("vars"):
            self._vars.append(f"{shown(layer.file)}:{key.line} has vars")
        for key, _ in layer.root.all_folded("replacements"):
            if not all(self._is_harmless(layer, item) for item in list_at(data, "replacements")):
                self.means.doubt(f"{shown(layer.file)}:{key.line} has replacements")

    def _is_harmless(self, layer: Kustomization, item: Data) -> bool:
        """Whether the replacement `item`, or those in the file that it names, change no image."""
        path = text_of(item, "path")
        found = [r for d in self._listed(layer, path) for r in (d if isinstance(d, list) else [d])] if path else [item]
        return bool(found) and all(isinstance(r, dict) and not may_change_images(r) for r in found)


def _take_in(specs: list[FieldSpec], more: Iterable[FieldSpec]) -> None:
    """Add `more` to `specs`, each once: a base may be taken in by several layers."""
    there = set(specs)
    specs += (spec for spec in dict.fromkeys(more) if spec not in there)


def _rename(data: Data, found: list[Resource]) -> None:
    """The namespace, prefix and suffix of a layer; each object keeps the names that it had."""
    namespace, prefix, suffix = (text_of(data, key) for key in ("namespace", "nameprefix", "namesuffix"))
    if not (namespace or prefix or suffix):
        return
    for resource in found:
        metadata = dict(mapping_at(resource.data, "metadata"))
        metadata["name"] = f"{prefix}{text_of(metadata, 'name')}{suffix}"
        if namespace:
            metadata["namespace"] = namespace
        resource.data = {**resource.data, "metadata": metadata}
        resource.ids.append(resource.id)


def _label(data: Data, found: list[Resource]) -> None:
    """The labels and annotations of a layer, which patches of the layers above may choose by."""
    labels = dict(mapping_at(data, "commonlabels"))
    for item in list_at(data, "labels"):
        labels |= mapping_at(item, "pairs")
    added = {"labels": labels, "annotations": mapping_at(data, "commonannotations")}
    if not any(added.values()):
        return
    for resource in found:
        metadata = dict(mapping_at(resource.data, "metadata"))
        for key, pairs in added.items():
            if pairs:
                metadata[key] = {**mapping_at(metadata, key), **pairs}
        resource.data = {**resource.data, "metadata": metadata}
