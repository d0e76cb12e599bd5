"""Every image that the overlays of a directory name, as a first look at a repository sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from promote.errors import Misuse, Refusal
from promote.gitops.names import checked_directory
from promote.insight.working_files import WorkingFiles, directories
from promote.model.malformed import Malformed
from promote.model.reference import Repository
from promote.overlays.charts import chart_images
from promote.overlays.deployers import NamedImage, ValuesText, deployed_images
from promote.overlays.entries import Entry
from promote.overlays.kustomize import FILE_NAMES, Kustomization, read_kustomization
from promote.overlays.manifests import Reference, split_reference
from promote.overlays.nodes import Document, Scalar
from promote.overlays.objects import image_holders
from promote.overlays.parsed import Parsed
from promote.overlays.reader import Finder
from promote.overlays.render import render
from promote.overlays.sites import VALUE_FILES, pins
from promote.overlays.tree import Tree, is_within, join
from promote.promotion.candidates import environment_name, is_registry
from promote.promotion.sequence import rank

HUB = "docker.io"
"""Where a name without a host is pulled from."""

_KIND = re.compile(rb"^kind:[ \t]*(\S+)", re.MULTILINE)


class Origin(Enum):
    """Where an image was seen: in an entry that rewrites it, in a container of the rendering, or in values of Helm."""

    ENTRY = "entry"
    CONTAINER = "container"
    VALUES = "values"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One image of one overlay: what manifests call it, what a cluster pulls, and with which tag."""

    overlay: str
    name: str
    pulled: str
    tag: str | None
    origin: Origin

    @property
    def host(self) -> str:
        """Where it is pulled from; `HUB` for a name without a host."""
        return split_name(self.pulled)[0] or HUB

    @property
    def path(self) -> str:
        """Its repository path there."""
        return split_name(self.pulled)[1]


@dataclass(frozen=True, slots=True)
class Sightings:
    """What was seen below a directory: the images of overlays, and every directory with a kustomization.

    `values` are files with values of Helm for an environment that stand in no directory of their own.
    """

    images: tuple[Sighting, ...]
    kustomized: frozenset[str]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _WithImages:
    """The files of `tree`; one in which nothing can be an image reads as empty, because most of parsing is CRDs."""

    tree: Tree

    def read(self, path: str) -> bytes | None:
        """See `promote.overlays.tree.Tree`."""
        content = self.tree.read(path)
        if content is None or path.rpartition("/")[2] in FILE_NAMES:
            return content
        names_images = b"mage" in content or b"repository" in content
        return content if names_images and set(_KIND.findall(content)) != {b"CustomResourceDefinition"} else b""


class Looker:
    """One look at the files below `root`, each of which is read and parsed once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files = WorkingFiles(root)
        self._tree = _WithImages(self._files)
        self._parsed = Parsed()

    def look(self) -> Sightings:
        """Every image of every overlay: of a kustomization that no other one uses and that is no component.

        A directory of Helm values is one too where its path names an environment.  What cannot be read is left out, and
        so is what is no image name, as in a template.  Raises `Fault` for too many directories.
        """
        layers: dict[str, Kustomization] = {}
        valued: list[str] = []
        kustomized: set[str] = set()
        values: list[str] = []
        for directory, files in directories(self._root):
            values += (join(directory, name) or "" for name in sorted(files) if _is_for_an_environment(name))
            if not any(name in files for name in (*FILE_NAMES, *VALUE_FILES)):
                continue
            try:
                layer = read_kustomization(self._tree, self._parsed.finder, directory)
            except Refusal:  # `promote lint` says why
                kustomized.add(directory)
                continue
            if layer is not None:
                layers[directory] = layer
            elif rank(environment_name(directory, ())) and directory:
                valued.append(directory)
        valued = [d for d in valued if _can_be_named(d)]
        used = {below for layer in layers.values() for below in (*layer.directories, *layer.components)}
        overlays = [d for d, layer in layers.items() if d not in used and not _is_component(layer) and _can_be_named(d)]
        found = [s for d in overlays for s in self._kustomized(d, layers)]
        found += [s for d in valued for s in self._valued(d)]
        images = tuple(s for s in dict.fromkeys(found) if _is_name(s))
        return Sightings(images, frozenset({*kustomized, *layers}), tuple(values))

    def is_readable(self, overlay: str, names: frozenset[str]) -> bool:
        """Whether it can be told what `overlay` pins of the images called `names`."""
        try:
            pins(self._files, overlay, names, (), self._parsed)
        except (Refusal, Malformed):
            return False
        return True

    def _kustomized(self, directory: str, layers: dict[str, Kustomization]) -> Iterator[Sighting]:
        layer, rewritten = layers[directory], set()
        for entry in layer.entries:
            name, made = entry.text("name"), entry.reference
            if name and made.name:
                rewritten.add(made.name)
                yield Sighting(directory, split_reference(name).name, made.name, made.tag, Origin.ENTRY)
        rendering = render(self._tree, directory, self._parsed)
        for image in sorted({h.image for data in rendering.objects.values() for h in image_holders(data)}):
            found = split_reference(image)
            if found.name not in rewritten:
                yield Sighting(directory, found.name, found.name, found.tag, Origin.CONTAINER)
        for own in self._below(layer, layers):
            yield from self._deployed(directory, own)

    def _below(self, layer: Kustomization, layers: dict[str, Kustomization]) -> Iterator[Kustomization]:
        """`layer` and those in its own directory that it uses, each once."""
        waiting, seen = [layer], {layer.directory}
        while waiting:
            yield (here := waiting.pop())
            for below in (*here.directories, *here.components):
                if below in layers and below not in seen and is_within(below, layer.directory):
                    seen.add(below)
                    waiting.append(layers[below])

    def _deployed(self, overlay: str, layer: Kustomization) -> Iterator[Sighting]:
        """What no rendering shows: images of Helm values and of objects of Flux and Argo CD."""
        for file in layer.files:
            for document in self._documents(file):
                try:
                    found = tuple(deployed_images(file, document))
                except Refusal:
                    continue
                for one in found:
                    yield from self._one(overlay, file, one)
        for values in layer.values:
            yield from (_pinned(overlay, i.reference) for i in chart_images(values))
        for file in layer.value_files:
            yield from self._in_values(overlay, self._documents(file))

    def _one(self, overlay: str, file: str, found: object) -> Iterator[Sighting]:
        if isinstance(found, ValuesText):
            try:
                inner = Finder().inside(file, b"", found.scalar)
            except Refusal:
                return
            yield from self._in_values(overlay, inner)
        elif isinstance(found, Entry | NamedImage):
            name = found.name if isinstance(found, NamedImage) else found.text("name") or ""
            made = found.reference
            yield Sighting(overlay, split_reference(name).name, made.name, made.tag, Origin.ENTRY)
        elif isinstance(reference := getattr(found, "reference", None), Reference):
            yield _pinned(overlay, reference)

    def _valued(self, directory: str) -> Iterator[Sighting]:
        for name in VALUE_FILES:
            yield from self._in_values(directory, self._documents(join(directory, name) or ""))

    def _in_values(self, overlay: str, documents: tuple[Document, ...]) -> Iterator[Sighting]:
        yield from (_pinned(overlay, i.reference) for document in documents for i in chart_images(document.root))

    def _documents(self, file: str) -> tuple[Document, ...]:
        try:
            return self._parsed.finder.documents(file, self._tree.read(file) or b"")
        except Refusal:
            return ()


def split_name(name: str) -> tuple[str, str]:
    """The host of `name`, "" for none, and its path."""
    host, slash, path = name.partition("/")
    return (host, path) if slash and is_registry(host) else ("", name)


def _pinned(overlay: str, reference: Reference) -> Sighting:
    return Sighting(overlay, reference.name, reference.name, reference.tag, Origin.VALUES)


def _is_name(sighting: Sighting) -> bool:
    """Whether a registry could have it; a template or a variable is no name yet."""
    try:
        Repository(sighting.host, sighting.path)
    except Malformed:
        return False
    return bool(sighting.name)


def _can_be_named(directory: str) -> bool:
    """Whether promote.yaml and git take the path as it is: a template's directory may be called {app} itself."""
    try:
        checked_directory(directory)
    except Misuse:
        return False
    return "{app}" not in directory and not directory.startswith("-")


def _is_for_an_environment(file: str) -> bool:
    name, _, suffix = file.rpartition(".")
    return suffix in {"yaml", "yml"} and "values" in name and rank(name.lower()) > 0


def _is_component(layer: Kustomization) -> bool:
    return any(isinstance(v, Scalar) and v.value == "Component" for _, v in layer.root.all("kind"))
