"""Where an overlay names an image: in its own directory, by the rules of each kind of file, and where fields say so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from promote.errors import Refusal
from promote.model.digest import Digest
from promote.model.environment import ImageField
from promote.model.malformed import Malformed, shown
from promote.model.release import Pin
from promote.overlays.charts import ChartImage, chart_images
from promote.overlays.deployers import NamedImage, ValuesText, deployed_images
from promote.overlays.entries import Entry
from promote.overlays.fields import PartField, field_images
from promote.overlays.kustomize import Kustomization, kustomization_file, read_kustomization
from promote.overlays.manifests import ContainerImage, container_images
from promote.overlays.nodes import Document, Path, Scalar
from promote.overlays.parsed import Parsed
from promote.overlays.reader import Finder, Reader
from promote.overlays.refusals import no_overlay
from promote.overlays.tree import Tree, is_within, join, normalised

Names = Collection[str]
"""The names that an app's image goes by, without tag and digest, compared literally."""

Fields = Sequence[ImageField]
"""The values that promote.yaml names for the overlay."""

VALUE_FILES = ("values.yaml", "values.yml")
"""Where a directory without a kustomization may have values of a Helm chart."""


@dataclass(frozen=True, slots=True)
class Block:
    """YAML written as a text inside a file: the scalar that holds it, and the document of that."""

    scalar: Scalar
    document: Document


What = Entry | ContainerImage | ChartImage | NamedImage | PartField


@dataclass(frozen=True, slots=True)
class Site:
    """One place that names the image.

    `block` is the text inside a file (a patch, values) that it stands in, None when it stands in the file itself.
    """

    file: str
    document: Document
    what: What
    block: Block | None = None

    @property
    def line(self) -> int:
        """The one-based line."""
        return self.what.line

    @property
    def scalars(self) -> tuple[Scalar, ...]:
        """The scalars that hold the parts of the reference."""
        if isinstance(self.what, Entry | ChartImage):
            return tuple(scalar for _, scalar in self.what.fields.values())
        return (self.what.scalar,)

    @property
    def pin(self) -> Pin:
        """This place as a pin; a digest that is none counts as absent."""
        reference = self.what.reference
        try:
            digest = Digest.parse(reference.digest) if reference.digest else None
        except Malformed:
            digest = None
        return Pin(self.file, self.line, reference.name, reference.tag, digest)


def pins(tree: Tree, overlay: str, names: Names, fields: Fields = (), parsed: Parsed | None = None) -> tuple[Pin, ...]:
    """Every place where `overlay` (a directory) names an image called one of `names`, in the order met.

    An image of a container that an `images:` entry of this overlay rewrites is no place of its own: the entry is.  Two
    `fields` that hold the tag and the digest of one image are one place.
    Raises `Refusal` (exit 16) when there is no overlay, when it has two kustomizations or two values for one key, and
    when a file that mentions the image cannot be read.
    """
    found: list[Pin] = []
    for site in sites(tree, parsed.finder if parsed else Finder(), overlay, names, fields):
        last = found[-1] if found else None
        if isinstance(site.what, PartField) and last and last.file == site.file and site.pin.name == last.name:
            joined = _joined(last, site.pin)
            found[-1:] = joined
        else:
            found.append(site.pin)
    return tuple(found)


def _joined(one: Pin, other: Pin) -> list[Pin]:
    """Two pins as one, where each has just the part that the other lacks."""
    if one.tag and not one.digest and other.digest and not other.tag:
        return [Pin(one.file, one.line, one.name, one.tag, other.digest)]
    if one.digest and not one.tag and other.tag and not other.digest:
        return [Pin(one.file, one.line, one.name, other.tag, one.digest)]
    return [one, other]


def images_in(tree: Tree, overlay: str) -> tuple[str, ...]:
    """The names of every image that `overlay` pins, sorted, for messages; what cannot be read is left out."""
    found: set[str] = set()
    directory = overlay_directory(overlay)
    if read_kustomization(tree, Finder(), directory) is None:
        return ()
    for layer in _layers(tree, Finder(), [directory]):
        for entry in layer.entries:
            found.update(name for key in ("name", "newName") if (name := entry.text(key)))
        for file in layer.files:
            try:
                documents = Finder().documents(file, tree.read(file) or b"")
            except Refusal:
                continue
            found.update(image.reference.name for document in documents for image in container_images(document))
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


def sites(tree: Tree, reader: Reader, overlay: str, names: Names, fields: Fields = ()) -> Iterator[Site]:
    """The sites behind `pins`, read with `reader`; raises as `pins` does."""
    directory = overlay_directory(overlay)
    seen: set[tuple[str, Path, Path]] = set()
    for site in (
        *_by_rule(tree, reader, directory, names, has_fields=bool(fields)),
        *(Site(*found) for found in field_images(tree, reader, directory, fields, names)),
    ):
        keys = {(site.file, site.block.scalar.path if site.block else (), scalar.path) for scalar in site.scalars}
        # Containers, values and fields may lead to one scalar, which is one place then.
        if isinstance(site.what, Entry) or not keys & seen:
            yield site
        seen |= keys


def _by_rule(tree: Tree, reader: Reader, directory: str, names: Names, *, has_fields: bool) -> Iterator[Site]:
    """The sites that the rules find: in the overlay's own directory, else in the components that it takes in."""
    if kustomization_file(tree, directory) is None:
        files = [path for name in VALUE_FILES if (path := join(directory, name)) and tree.read(path) is not None]
        if not files and not has_fields:
            raise _no_kustomization(directory)
        yield from _value_sites(tree, reader, [] if has_fields else files, names)
        return
    own = list(_kustomized(tree, reader, [directory], names))
    yield from own
    if not own and not has_fields and (outside := _components(tree, reader, directory)):
        yield from _kustomized(tree, reader, [directory, *outside], names)


def _kustomized(tree: Tree, reader: Reader, roots: list[str], names: Names) -> Iterator[Site]:
    """The sites in the kustomizations of `roots`, in those below that they use, and in the files that those list."""
    rewritten: dict[str, frozenset[str]] = {}
    read: set[str] = set()
    for layer in _layers(tree, reader, roots):
        late = [entry for entry in layer.late_entries if _is_own(entry.file, roots)]
        found = [entry for entry in (*layer.entries, *late) if entry.is_about(names)]
        here = rewritten.get(layer.directory, frozenset()) | {name for entry in found if (name := entry.text("name"))}
        for child in (*layer.directories, *layer.components):
            rewritten[child] = here
        yield from (Site(entry.file, entry.document, entry) for entry in found)
        mine = [f for f in dict.fromkeys(layer.files) if _is_own(f, roots) and f not in read]
        values = [f for f in layer.value_files if _is_own(f, roots) and f not in read]
        read.update(mine, values)
        for site in (
            *_inline_sites(tree, reader, layer, names),
            *_file_sites(tree, reader, mine, names),
            *(Site(layer.file, layer.document, i) for v in layer.values for i in chart_images(v) if i.is_about(names)),
            *_value_sites(tree, reader, values, names),
        ):
            if not _is_of_entry(site, here):
                yield site


def _is_of_entry(site: Site, entries: frozenset[str]) -> bool:
    """Whether an `images:` entry called one of `entries` rewrites what stands at `site`."""
    image = site.what
    if not isinstance(image, ContainerImage) or not image.is_reached:
        return False
    return image.reference.name in entries or image.scalar.text in entries


def _layers(tree: Tree, reader: Reader, roots: list[str]) -> Iterator[Kustomization]:
    """The kustomizations of `roots` and those below them that they use, parents first, each once."""
    waiting, seen = list(roots), set(roots)
    while waiting:
        layer = read_kustomization(tree, reader, waiting.pop(0))
        if layer is not None:
            yield layer
            used = dict.fromkeys((*layer.directories, *layer.components))
            inside = [d for d in used if _is_own(d, roots) and d not in seen]
            seen.update(inside)
            waiting += inside


def _components(tree: Tree, reader: Reader, directory: str) -> list[str]:
    """The components outside `directory` that its kustomizations take in, and those that these take in."""
    found: dict[str, None] = {}
    waiting = [directory]
    while waiting:
        for layer in _layers(tree, reader, [waiting.pop(0)]):
            new = [c for c in layer.components if not is_within(c, directory) and c not in found]
            found.update(dict.fromkeys(new))
            waiting += new
    return list(found)


def _is_own(path: str, roots: list[str]) -> bool:
    return any(is_within(path, root) for root in roots)


def _no_kustomization(directory: str) -> Refusal:
    return no_overlay(
        f"{shown(directory or '.')} has no kustomization, expected an overlay there",
        expected="kustomization.yaml, kustomization.yml or Kustomization, or a values.yaml",
        actual="none of them",
        hint="correct `overlays` in promote.yaml, or run `promote init` to see the overlays there are",
    )


def _mentions(content: bytes, names: Names) -> bool:
    """Whether `content` can name the image at all; what cannot is not parsed.  A chart may split registry and path."""
    return any(name.rpartition("/")[2].encode() in content for name in names)


def _file_sites(tree: Tree, reader: Reader, files: Collection[str], names: Names) -> Iterator[Site]:
    """The images in manifests and patches that are files."""
    for file in files:
        content = tree.read(file) or b""
        if not _mentions(content, names):
            continue
        for document in reader.documents(file, content):
            for image in container_images(document):
                if image.is_about(names):
                    yield Site(file, document, image)
            for found in deployed_images(file, document):
                if isinstance(found, ValuesText):
                    yield from _text_sites(content, reader, file, Block(found.scalar, document), names)
                elif found.is_about(names):
                    yield Site(file, document, found)


def _value_sites(tree: Tree, reader: Reader, files: Collection[str], names: Names) -> Iterator[Site]:
    """The images in files of Helm values."""
    for file in files:
        content = tree.read(file) or b""
        if _mentions(content, names):
            for document in reader.documents(file, content):
                yield from (Site(file, document, i) for i in chart_images(document.root) if i.is_about(names))


def _inline_sites(tree: Tree, reader: Reader, layer: Kustomization, names: Names) -> Iterator[Site]:
    """The images in patches that are written inside the kustomization."""
    content = tree.read(layer.file) or b""
    for scalar in layer.inline:
        block = Block(scalar, layer.document)
        for document in _inside(content, reader, layer.file, scalar, names):
            for image in container_images(document):
                if image.is_about(names):
                    yield Site(layer.file, document, image, block)


def _text_sites(content: bytes, reader: Reader, file: str, block: Block, names: Names) -> Iterator[Site]:
    """The images in values that are written as a text."""
    for document in _inside(content, reader, file, block.scalar, names):
        for image in chart_images(document.root):
            if image.is_about(names):
                yield Site(file, document, image, block)


def _inside(content: bytes, reader: Reader, file: str, scalar: Scalar, names: Names) -> tuple[Document, ...]:
    """The documents of the text `scalar`, () when it names no image; only a block literal has positions inside."""
    if not _mentions(scalar.value.encode("utf-8", "replace"), names):
        return ()
    inner = reader if scalar.style == "|" else Finder()
    return inner.inside(file, content, scalar)
