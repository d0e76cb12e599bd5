"""Kustomizations: which file describes a directory, what it lists, and its `images:` entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from promote.model.malformed import shown
from promote.overlays.nodes import Alias, Document, Mapping, Node, Scalar, Sequence, resolved
from promote.overlays.reader import Reader
from promote.overlays.refusals import ambiguous
from promote.overlays.tree import Tree, join

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What a kustomization may be called (kustomize api/konfig, `RecognizedKustomizationFileNames`)."""

_IMAGES = ("images", "imagetags")
"""`imageTags` is what kustomize 2 called it; kustomize still reads it."""

_GENERATED = (
    "generators", "helmcharts", "helmchartinflationgenerator", "helmglobals", "configurations",
)  # fmt: skip
_OVERRIDING = ("replacements", "transformers", "vars")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `images:`.  The scalars are what stands behind each key, None where the key is absent.

    `indirect` are the lines of aliases, merge keys and lists in the place of a value: it can be read then, not edited.
    """

    file: str
    line: int
    mapping: Mapping
    document: Document
    fields: dict[str, tuple[Scalar, Scalar]]
    indirect: tuple[int, ...]

    def text(self, key: str) -> str | None:
        """The string behind `key`; None when absent, null or empty, which is all the same to kustomize."""
        pair = self.fields.get(key)
        return (pair[1].text or None) if pair else None


@dataclass(frozen=True, slots=True)
class Kustomization:
    """One kustomization file as far as images are concerned.  Paths are relative to the repository's root.

    `files` are the resources and patches that are files of the repository, `directories` the resources that are
    kustomizations, `components` likewise; `inline` are the patches written inside the file.  `unknown` says what
    may bring in images that cannot be seen here, `overriding` what may change them after `images:`.
    """

    directory: str
    file: str
    document: Document
    entries: tuple[Entry, ...]
    files: tuple[str, ...]
    directories: tuple[str, ...]
    components: tuple[str, ...]
    inline: tuple[Scalar, ...]
    unknown: tuple[str, ...]
    overriding: tuple[str, ...]


def kustomization_file(tree: Tree, directory: str) -> str | None:
    """The kustomization of `directory`, None when it has none; raises `Refusal` when it has two, as kustomize does."""
    found = [path for name in FILE_NAMES if (path := join(directory, name)) and tree.read(path) is not None]
    if len(found) > 1:
        hint = f"keep one of {' and '.join(shown(f) for f in found)}; kustomize refuses two in one directory"
        raise ambiguous(found[0], [], f"got {len(found)} kustomization files in {shown(directory or '.')}", hint=hint)
    return found[0] if found else None


def read_kustomization(tree: Tree, reader: Reader, directory: str) -> Kustomization | None:
    """What the kustomization of `directory` says, None when it has none.

    Raises `Refusal` where kustomize would take one of two values, or where it is not YAML.
    """
    file = kustomization_file(tree, directory)
    content = tree.read(file) if file else None
    if file is None or content is None:
        return None
    document, root = _document(file, reader.documents(file, content))
    listing = _Listing(tree, directory, file, root)
    files, directories = listing.resources("resources", "bases")
    components_as_files, components = listing.resources("components")
    patches, inline = listing.patches()
    unknown = [*listing.missing, *components_as_files, *listing.present(_GENERATED)]
    return Kustomization(
        directory, file, document, tuple(_entries(file, document, root)), (*files, *patches), directories, components,
        inline, tuple(unknown), tuple(listing.present(_OVERRIDING)),
    )  # fmt: skip


def only(file: str, mapping: Mapping, *keys: str) -> tuple[Scalar, Node] | None:
    """The one pair of `mapping` with one of `keys` (lower-case; kustomize reads any case); raises `Refusal` for two."""
    pairs = mapping.all_folded(*keys)
    if len(pairs) > 1:
        lines = [key.line for key, _ in pairs]
        names = " and ".join(sorted({shown(key.value) for key, _ in pairs}))
        raise ambiguous(
            file, lines, f"got the key {names} {len(pairs)} times", hint="keep one; kustomize takes the last"
        )
    return pairs[0] if pairs else None


def _document(file: str, documents: tuple[Document, ...]) -> tuple[Document, Mapping]:
    """The first document, all that kustomize reads; raises `Refusal` when a later one says something too."""
    if not documents:
        return Document(None, ()), Mapping(1, (), flow=False)
    for other in documents[1:]:
        if other.root is not None and not (isinstance(other.root, Scalar) and other.root.text is None):
            line = other.root.line
            raise ambiguous(
                file, [line], "got a second document", hint="kustomize reads the first document only: merge them"
            )
    root = documents[0].root
    if isinstance(root, Scalar) and root.text is None:
        root = Mapping(1, (), flow=False)
    if not isinstance(root, Mapping):
        raise ambiguous(
            file, [root.line if root else 1], "got no mapping at the top", hint="write a kustomization there"
        )
    return documents[0], root


def _entries(file: str, document: Document, root: Mapping) -> Iterator[Entry]:
    pair = only(file, root, *_IMAGES)
    block = resolved(pair[1]) if pair else None
    if pair is None or not isinstance(block, Sequence):
        return
    outer = (pair[1].line,) if isinstance(pair[1], Alias) else ()
    for item in block.items:
        mapping = resolved(item)
        if isinstance(mapping, Mapping):
            indirect = outer + ((item.line,) if isinstance(item, Alias) else ())
            yield _entry(file, document, mapping, indirect)


def _entry(file: str, document: Document, mapping: Mapping, indirect: tuple[int, ...]) -> Entry:
    fields: dict[str, tuple[Scalar, Scalar]] = {}
    for merge, sources in mapping.all("<<"):
        indirect = (*indirect, merge.line)
        for source in sources.items if isinstance(sources, Sequence) else [sources]:
            provided = resolved(source)
            if isinstance(provided, Mapping):
                fields = {**_entry(file, document, provided, ()).fields, **fields}
    for name in ("name", "newName", "newTag", "digest"):
        pair = only(file, mapping, name.lower())
        value = resolved(pair[1]) if pair else None
        if pair and isinstance(value, Scalar):
            fields[name] = (pair[0], value)
        if pair and not isinstance(pair[1], Scalar):
            indirect += (pair[1].line, value.line if value else pair[1].line)
    return Entry(
        file, fields["name"][1].line if "name" in fields else mapping.line, mapping, document, fields, indirect
    )


class _Listing:
    """What one kustomization lists, followed as far as the tree goes."""

    def __init__(self, tree: Tree, directory: str, file: str, root: Mapping) -> None:
        self._tree = tree
        self._directory = directory
        self._file = file
        self._root = root
        self.missing: list[str] = []

    def present(self, keys: tuple[str, ...]) -> Iterator[str]:
        """A note for each of `keys` that is there and not empty."""
        for key, value in self._root.all_folded(*keys):
            node = resolved(value)
            if not (isinstance(node, Scalar) and node.text is None) and not (
                isinstance(node, Sequence) and not node.items
            ):
                yield f"{shown(self._file)}:{key.line} has {shown(key.value)}"

    def resources(self, *keys: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The files and the directories listed under `keys`; what is neither is noted as missing."""
        files: list[str] = []
        directories: list[str] = []
        for key in keys:
            for item in self._items(key):
                path = self._path(item)
                if path is not None and self._tree.read(path) is not None:
                    files.append(path)
                elif path is not None and kustomization_file(self._tree, path) is not None:
                    directories.append(path)
                else:
                    self._miss(item)
        return tuple(files), tuple(directories)

    def patches(self) -> tuple[tuple[str, ...], tuple[Scalar, ...]]:
        """The patch files of the repository, and the patches written in place."""
        files: list[str] = []
        inline: list[Scalar] = []
        for item in self._items("patchesstrategicmerge"):
            self._file_or_inline(item, files, inline)
        for item in [*self._items("patches"), *self._items("patchesjson6902")]:
            mapping = resolved(item)
            if isinstance(mapping, Mapping):
                path, patch = (only(self._file, mapping, key) for key in ("path", "patch"))
                if path and (not isinstance(path[1], Scalar) or path[1].text):
                    self._file_or_inline(path[1], files, [])
                patched = resolved(patch[1]) if patch else None
                if isinstance(patched, Scalar):
                    inline.append(patched)
        return tuple(files), tuple(inline)

    def _file_or_inline(self, item: Node, files: list[str], inline: list[Scalar]) -> None:
        node = resolved(item)
        if isinstance(node, Scalar) and (node.style in {"|", ">"} or "\n" in node.value):
            inline.append(node)
            return
        path = self._path(item)
        if path is not None and self._tree.read(path) is not None:
            files.append(path)
        else:
            self._miss(item)

    def _items(self, key: str) -> list[Node]:
        pair = only(self._file, self._root, key)
        node = resolved(pair[1]) if pair else None
        return node.items if isinstance(node, Sequence) else []

    def _path(self, item: Node) -> str | None:
        node = resolved(item)
        return join(self._directory, node.text) if isinstance(node, Scalar) and node.text else None

    def _miss(self, item: Node) -> None:
        node = resolved(item)
        name = node.value if isinstance(node, Scalar) else "an entry that is no string"
        self.missing.append(f"{shown(self._file)}:{item.line} names {shown(name)}, which is no file of this repository")
