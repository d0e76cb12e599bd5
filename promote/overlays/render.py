"""What `kustomize build` would make of an overlay, as far as images are concerned.

The order in one kustomization is kustomize's (api/internal/target): resources, generators, components, patches,
namespace and prefixes, images.  What cannot be followed in the repository's own files is said and never guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from promote.errors import Refusal
from promote.model.malformed import shown
from promote.overlays.entries import Entry
from promote.overlays.imagetag import is_pattern, matches, rewritten
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
from promote.overlays.target import Target
from promote.overlays.tree import Tree

MAX_LAYERS = 500
"""How many kustomizations are followed; a build that needs more is not decided here."""

MAX_NESTED = 50
"""How many of them may stand on one another."""

_UNKNOWN = (
    "generators", "helmcharts", "helmchartinflationgenerator", "transformers", "replacements", "vars", "configurations",
    "openapi",
)  # fmt: skip
"""What may bring in images, or change them, in ways that are not followed here."""


def render(tree: Tree, directory: str, parsed: Parsed | None = None) -> Rendering:
    """The rendering of the kustomization in `directory` (normalised); raises nothing, what is wrong is a doubt."""
    build = _Build(Means(tree, Rendering(), parsed or Parsed()))
    try:
        build.means.rendering.hold(build.layer(directory, []))
    except TooLarge as problem:
        build.means.rendering.doubts.append(f"{shown(directory or '.')} has {problem}")
    return build.means.rendering


def unpinned(
    tree: Tree, directory: str, names: Collection[str], target: Target, parsed: Parsed | None = None
) -> tuple[str, ...]:
    """The names of `names` that containers in the rendering still go by without being the release, sorted."""
    found = {
        split_reference(holder.image).name: holder.image
        for data in render(tree, directory, parsed).objects.values()
        for holder in image_holders(data)
        if holder.is_reached
    }
    return tuple(sorted(name for name, image in found.items() if name in names and image != target.reference(name)))


@dataclass(slots=True)
class _Build:
    """One build under way."""

    means: Means
    _open: list[str] = field(default_factory=list)
    _count: int = 0

    def layer(self, directory: str, given: list[Resource]) -> list[Resource]:
        """What the kustomization of `directory` makes of its resources, and of `given` when it is a component."""
        kustomization = self._read(directory)
        if kustomization is None:
            return given
        self._open.append(directory)
        data = {k.lower(): v for k, v in self.means.budget.data(kustomization.root).items()}
        found = [*given, *self._resources(kustomization, data)]
        for item in list_at(data, "components"):
            path = self.means.path(kustomization, item)
            if path is None or kustomization_file(self.means.tree, path) is None:
                self.means.miss(kustomization, item)
            else:
                found = self.layer(path, found)
        Patches(self.means).apply(kustomization, data, found)
        _rename(data, found)
        for entry in kustomization.entries:
            self._rewrite(entry, found)
        self._note_unknown(kustomization)
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

    def _resources(self, layer: Kustomization, data: Data) -> Iterator[Resource]:
        for item in (*list_at(data, "resources"), *list_at(data, "bases")):
            path = self.means.path(layer, item)
            if path is not None and (content := self.means.tree.read(path)) is not None:
                yield from self._documents(path, content)
            elif path is not None and self._is_kustomization(path):
                yield from self.layer(path, [])
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

    def _rewrite(self, entry: Entry, found: list[Resource]) -> None:
        name = entry.text("name")
        if name is None:
            return
        if is_pattern(name):
            self.means.doubt(
                f"{shown(entry.file)}:{entry.line}: kustomize takes the name {shown(name)} for a regular expression"
            )
        met: set[str] = set()
        for resource in found:
            for holder in image_holders(resource.data):
                if not holder.is_reached:
                    continue
                met.add(split_reference(holder.image).name)
                if matches(name, holder.image):
                    self.means.rendering.matched.add((entry.file, entry.line))
                    holder.data[holder.key] = rewritten(entry, holder.image)
        self.means.rendering.met[entry.file, entry.line] = frozenset(met)

    def _note_unknown(self, layer: Kustomization) -> None:
        for key, value in layer.root.all_folded(*_UNKNOWN):
            node = resolved(value)
            if self.means.budget.data(node):
                note = f"{shown(layer.file)}:{key.line} has {shown(key.value)}"
                is_chart = key.value.lower().startswith("helmchart")
                (self.means.rendering.blind if is_chart else self.means.rendering.doubts).append(note)


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
