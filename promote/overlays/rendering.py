"""What an overlay renders, and what one rendering of it is made with."""

from __future__ import annotations

from dataclasses import dataclass, field

from promote.model.malformed import shown
from promote.overlays.fieldspecs import FieldSpec
from promote.overlays.kustomize import Kustomization
from promote.overlays.objects import Budget, Data, Resource
from promote.overlays.parsed import Parsed
from promote.overlays.tree import Tree, escapes, join


@dataclass(slots=True)
class Rendering:
    """What an overlay renders.

    `objects` are by kind, namespace and name, as ``Kind namespace/name``.  `doubts` say what a real build could decide
    and this one could not; `blind` what only a build with the network, or with other programs, could; `escaping` the
    paths that lead out of the repository.  `met` has for each `images:` entry (file and line) the names it was applied
    to, `matched` those entries that met one of theirs; `specs` are the fields that entries rewrite besides containers.
    `by` is what rendered it, empty for this module.
    """

    objects: dict[str, Data] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)
    escaping: list[str] = field(default_factory=list)
    met: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    matched: set[tuple[str, int]] = field(default_factory=set)
    specs: list[FieldSpec] = field(default_factory=list)
    by: str = ""

    def hold(self, found: list[Resource]) -> None:
        """Take in `found` as the objects."""
        for resource in found:
            name, namespace = resource.id
            key = f"{resource.kind or '?'} {f'{namespace}/' if namespace else ''}{name or '?'}"
            number = 2
            while (unique := key if number == 2 and key not in self.objects else f"{key} #{number}") in self.objects:
                number += 1
            self.objects[unique] = resource.data


@dataclass(slots=True)
class Means:
    """What one rendering reads from, and writes its doubts to.

    `is_relabelled`: a transformer gave objects labels or annotations that are not followed here.
    """

    tree: Tree
    rendering: Rendering
    parsed: Parsed
    budget: Budget = field(default_factory=Budget)
    is_relabelled: bool = False

    def doubt(self, note: str) -> None:
        """Note what a real build could decide."""
        self.rendering.doubts.append(note)

    def path(self, layer: Kustomization, item: Data) -> str | None:
        """Where `item`, as `layer` writes it, leads in the repository."""
        return join(layer.directory, item) if isinstance(item, str) else None

    def miss(self, layer: Kustomization, item: Data) -> None:
        """Note that `item` of `layer` is no file of the repository."""
        name = shown(item) if isinstance(item, str) else "an entry that is no string"
        if isinstance(item, str) and escapes(layer.directory, item):
            self.rendering.escaping.append(f"{shown(layer.file)} names {name}, which is outside the repository")
        else:
            self.rendering.blind.append(f"{shown(layer.file)} names {name}, which is no file of this repository")
