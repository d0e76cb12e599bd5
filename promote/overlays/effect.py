"""Whether an `images:` entry has an effect: whether what the overlay builds on uses the name it rewrites.

The most common silent failure of kustomize: a base sets `newName`, and the overlay's entry still says the old name.
This follows names only, as far as the repository's files go.  It says what it cannot see, and never guesses a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from promote.errors import Refusal
from promote.model.malformed import shown
from promote.overlays.kustomize import Entry, Kustomization, read_kustomization
from promote.overlays.manifests import container_images, image_volumes
from promote.overlays.reader import Finder
from promote.overlays.refusals import no_effect
from promote.overlays.sites import Names, overlay_directory, sites
from promote.overlays.tree import Tree

MAX_LAYERS = 500
"""How many kustomizations are followed; a build that needs more is not decided here."""


def check_effect(tree: Tree, overlay: str, names: Names) -> tuple[str, ...]:
    """Notes on what could not be verified, () when every entry about `names` rewrites something.

    Raises `Refusal` (exit 16, ``no-effect``) when all that `overlay` builds on is known, has container images, and no
    entry about `names` matches one of them.  Names are compared literally, in the order kustomize applies entries.
    """
    entries = [s.what for s in sites(tree, Finder(), overlay, names) if isinstance(s.what, Entry)]
    if not entries:
        return ()
    build = _Build(tree)
    build.names(overlay_directory(overlay), frozenset())
    idle = [entry for entry in entries if (entry.file, entry.line) not in build.matched]
    unknown = [*build.unknown, *([] if build.seen else ["nothing it builds on has a container image"])]
    if len(idle) == len(entries) and not unknown:
        raise _refusal(idle[-1], build.met.get((idle[-1].file, idle[-1].line), frozenset()))
    doubts = [*(unknown if idle else []), *build.overriding]
    notes = [f"effect unverified: {doubt}" for doubt in dict.fromkeys(doubts)]
    if not unknown:
        notes += [f"{shown(e.file)}:{e.line} matches no image: {shown(e.text('name') or '')}" for e in idle]
    return tuple(notes)


@dataclass(slots=True)
class _Build:
    """The image names of a build, followed through its layers.

    `matched` are file and line of each entry that met the name it rewrites, `met` the names that each entry was applied
    to, `seen` every name met on the way, `unknown` and `overriding` the reasons for doubt (see `Kustomization`).
    """

    tree: Tree
    matched: set[tuple[str, int]] = field(default_factory=set)
    met: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    overriding: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)
    _count: int = 0

    def names(self, directory: str, given: frozenset[str]) -> frozenset[str]:
        """What the kustomization of `directory` renders when it is handed `given`, as a component is by its parent.

        The order is kustomize's: resources, components, patches, images.
        """
        layer = self._layer(directory)
        if layer is None:
            return given
        self._open.append(directory)
        found = set(given)
        for child in layer.directories:
            found |= self.names(child, frozenset())
        for file in layer.files:
            found |= self._file(file)
        for component in layer.components:
            found = set(self.names(component, frozenset(found)))
        found |= self._inline(layer)
        self._open.pop()
        self.seen |= found
        for entry in layer.entries:
            found = self._rewritten(entry, found)
        return frozenset(found)

    def _rewritten(self, entry: Entry, found: set[str]) -> set[str]:
        name, new_name = entry.text("name"), entry.text("newName")
        self.met[entry.file, entry.line] = frozenset(found)
        if name is None or name not in found:
            return found
        self.matched.add((entry.file, entry.line))
        return (found - {name}) | {new_name or name}

    def _layer(self, directory: str) -> Kustomization | None:
        self._count += 1
        if directory in self._open or self._count > MAX_LAYERS:
            self.unknown.append(f"{shown(directory)} is in a circle, or one of more than {MAX_LAYERS} layers")
            return None
        try:
            layer = read_kustomization(self.tree, Finder(), directory)
        except Refusal as problem:
            self.unknown.append(problem.message)
            return None
        if layer is not None:
            self.unknown += layer.unknown
            self.overriding += layer.overriding
        return layer

    def _file(self, file: str) -> set[str]:
        try:
            documents = Finder().documents(file, self.tree.read(file) or b"")
        except Refusal as problem:
            self.unknown.append(problem.message)
            return set()
        images = {i.reference.name for d in documents for i in container_images(d) if i.is_reached}
        return images | {name for d in documents for name in image_volumes(d)}

    def _inline(self, layer: Kustomization) -> set[str]:
        found: set[str] = set()
        for scalar in layer.inline:
            try:
                documents = Finder().inside(layer.file, b"", scalar)
            except Refusal as problem:
                self.unknown.append(problem.message)
                continue
            found |= {i.reference.name for d in documents for i in container_images(d) if i.is_reached}
        return found


def _refusal(entry: Entry, met: frozenset[str]) -> Refusal:
    name = shown(entry.text("name") or "")
    there = ", ".join(shown(n) for n in sorted(met)) or "no image"
    return no_effect(
        f"{shown(entry.file)}:{entry.line}: the images entry for {name} matches nothing, it is applied to {there}",
        expected=name,
        actual=there,
        hint="let `name` be what the base renders, which is the base's newName where it has one",
    )
