"""Where an overlay names an image: `images:` entries and container images in the files of its own directory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from promote.errors import Refusal
from promote.model.digest import Digest
from promote.model.malformed import Malformed, shown
from promote.model.release import Pin
from promote.overlays.kustomize import Entry, Kustomization, read_kustomization
from promote.overlays.manifests import ContainerImage, Reference, container_images, split_reference
from promote.overlays.nodes import Document, Scalar
from promote.overlays.reader import Finder, Reader
from promote.overlays.refusals import ambiguous, no_overlay
from promote.overlays.tree import Tree, is_within, normalised

Names = Collection[str]
"""The names that an app's image goes by, without tag and digest, compared literally."""


@dataclass(frozen=True, slots=True)
class Block:
    """A patch written inside a kustomization: the scalar that holds it, and the kustomization's document."""

    scalar: Scalar
    document: Document


@dataclass(frozen=True, slots=True)
class Site:
    """One place that names the image: `what` is an entry of `images:` or the image of a container.

    `block` is the inline patch that a container's image stands in, None when it stands in the file itself.
    """

    file: str
    document: Document
    what: Entry | ContainerImage
    block: Block | None = None

    @property
    def line(self) -> int:
        """The one-based line."""
        return self.what.line if isinstance(self.what, Entry) else self.what.scalar.line

    @property
    def reference(self) -> Reference:
        """What this place makes of the image, as written: an entry's newName, else its name, and so on."""
        if isinstance(self.what, ContainerImage):
            return self.what.reference
        named = split_reference(self.what.text("newName") or self.what.text("name") or "")
        tag, at, digest = (self.what.text("newTag") or "").partition(
            "@"
        )  # `newTag: v1@sha256:..`, as Renovate writes it
        return Reference(
            named.name, tag or named.tag, self.what.text("digest") or (digest if at else None) or named.digest
        )

    @property
    def pin(self) -> Pin:
        """This place as a pin; a digest that is none counts as absent."""
        reference = self.reference
        try:
            digest = Digest.parse(reference.digest) if reference.digest else None
        except Malformed:
            digest = None
        return Pin(self.file, self.line, reference.name, reference.tag, digest)


def pins(tree: Tree, overlay: str, names: Names) -> tuple[Pin, ...]:
    """Every place where `overlay` (a directory) names an image called one of `names`, in the order met.

    An image of a container that an `images:` entry of this overlay rewrites is no place of its own: the entry is.
    Raises `Refusal` (exit 16) when there is no overlay, when it has two kustomizations or two values for one key, and
    when a file that mentions the image cannot be read.
    """
    return tuple(site.pin for site in sites(tree, Finder(), overlay, names))


def images_in(tree: Tree, overlay: str) -> tuple[str, ...]:
    """The names of every image that `overlay` pins, sorted, for messages; what cannot be read is left out."""
    found: set[str] = set()
    for layer in _layers(tree, Finder(), overlay_directory(overlay)):
        for entry in layer.entries:
            found.update(name for key in ("name", "newName") if (name := entry.text(key)))
        for file in layer.files:
            try:
                found.update(image.reference.name for _, image in _images(Finder(), file, tree.read(file) or b""))
            except Refusal:
                continue
    return tuple(sorted(found))


def overlay_directory(overlay: str) -> str:
    """`overlay` normalised; raises `Refusal` when it is no path inside the repository."""
    directory = normalised(overlay)
    if directory is None:
        raise no_overlay(
            f"the overlay {shown(overlay)} is outside the repository, expected a directory in it",
            expected="a path relative to the repository's root",
            actual=shown(overlay),
            hint="correct `overlays` in promote.yaml",
        )
    return directory


def sites(tree: Tree, reader: Reader, overlay: str, names: Names) -> Iterator[Site]:
    """The sites behind `pins`, read with `reader`; raises as `pins` does."""
    rewritten: dict[str, frozenset[str]] = {}
    read: set[str] = set()
    directory = overlay_directory(overlay)
    for layer in _layers(tree, reader, directory):
        entries = [entry for entry in layer.entries if _is_named(entry, names)]
        above = rewritten.get(layer.directory, frozenset())
        here = above | {name for entry in entries if (name := entry.text("name"))}
        for child in (*layer.directories, *layer.components):
            rewritten[child] = here
        yield from (Site(layer.file, layer.document, entry) for entry in entries)
        mine = [f for f in dict.fromkeys(layer.files) if is_within(f, directory) and f not in read]
        read.update(mine)
        for site in (*_inline_sites(tree, reader, layer, names), *_file_sites(tree, reader, mine, names)):
            image = site.what
            if isinstance(image, ContainerImage) and not (image.is_reached and image.reference.name in here):
                yield site


def _layers(tree: Tree, reader: Reader, directory: str) -> Iterator[Kustomization]:
    """The kustomization of `directory` and those below it that it uses, parents first, each once."""
    waiting, seen = [directory], {directory}
    while waiting:
        current = waiting.pop(0)
        layer = read_kustomization(tree, reader, current)
        if layer is None:
            raise no_overlay(
                f"{shown(current or '.')} has no kustomization, expected an overlay there",
                expected="kustomization.yaml, kustomization.yml or Kustomization",
                actual="none of them",
                hint="correct `overlays` in promote.yaml, or run `promote init` to see the overlays there are",
            )
        yield layer
        inside = [d for d in (*layer.directories, *layer.components) if is_within(d, directory) and d not in seen]
        seen.update(inside)
        waiting += inside


def _is_named(entry: Entry, names: Names) -> bool:
    """Whether `entry` is about the image; raises `Refusal` for a name that is one only together with a tag."""
    name, new_name = entry.text("name") or "", entry.text("newName") or ""
    if name in names or split_reference(new_name).name in names:
        return True
    if split_reference(name).name in names:
        hint = "write the name without a tag: kustomize matches this entry with that one tag only"
        raise ambiguous(entry.file, [entry.line], f"got the name {shown(name)}", hint=hint)
    return False


def _file_sites(tree: Tree, reader: Reader, files: Collection[str], names: Names) -> Iterator[Site]:
    for file in files:
        content = tree.read(file) or b""
        if any(name.encode() in content for name in names):
            for document, image in _images(reader, file, content):
                if image.reference.name in names:
                    yield Site(file, document, image)


def _images(reader: Reader, file: str, content: bytes) -> Iterator[tuple[Document, ContainerImage]]:
    for document in reader.documents(file, content):
        for image in container_images(document):
            yield document, image


def _inline_sites(tree: Tree, reader: Reader, layer: Kustomization, names: Names) -> Iterator[Site]:
    """The images in patches that are written inside the kustomization; only a block literal has positions inside."""
    for scalar in layer.inline:
        if any(name in scalar.value for name in names):
            inner = reader if scalar.style == "|" else Finder()
            for document in inner.inside(layer.file, tree.read(layer.file) or b"", scalar):
                for image in container_images(document):
                    if image.reference.name in names:
                        yield Site(layer.file, document, image, Block(scalar, layer.document))
