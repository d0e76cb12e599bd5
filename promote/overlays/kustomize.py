"""Kustomizations: which file describes a directory, what it lists, and its `images:` entries."""

from __future__ import annotations

from dataclasses import dataclass

from promote.model.malformed import shown
from promote.overlays.entries import Entry, entries, only
from promote.overlays.nodes import Document, Mapping, Node, Scalar, Sequence, resolved
from promote.overlays.reader import Reader
from promote.overlays.refusals import ambiguous
from promote.overlays.transformers import Transformer, transformers
from promote.overlays.tree import Tree, join

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What a kustomization may be called (kustomize api/konfig, `RecognizedKustomizationFileNames`)."""

_IMAGES = ("images", "imagetags")
"""`imageTags` is what kustomize 2 called it; kustomize still reads it."""


@dataclass(frozen=True, slots=True)
class Kustomization:
    """One kustomization file as far as images are concerned.  Paths are relative to the repository's root.

    `files` are the resources and patches that are files of the repository, `directories` the resources that are
    kustomizations, `components` likewise; `inline` are the patches written inside the file.  `value_files` are files
    with values of Helm charts, `values` such values written inside the file.  `transformers` are run last.
    """

    directory: str
    file: str
    document: Document
    root: Mapping
    entries: tuple[Entry, ...]
    files: tuple[str, ...]
    directories: tuple[str, ...]
    components: tuple[str, ...]
    inline: tuple[Scalar, ...]
    value_files: tuple[str, ...]
    values: tuple[Node, ...]
    transformers: tuple[Transformer, ...]

    @property
    def late_entries(self) -> tuple[Entry, ...]:
        """The entries of ImageTagTransformers, each in a file of its own; they are applied after `entries`."""
        return tuple(t.entry for t in self.transformers if t.entry)


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
    _, components = listing.resources("components")
    patches, inline = listing.patches()
    value_files, values = listing.chart_values()
    images, late = only(file, root, *_IMAGES), only(file, root, "transformers")
    found = tuple(entries(file, document, images[1] if images else None))
    last = tuple(transformers(tree, reader, directory, late[1] if late else None))
    return Kustomization(
        directory,
        file,
        document,
        root,
        found,
        (*files, *patches),
        directories,
        components,
        inline,
        value_files,
        values,
        last,
    )


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


class _Listing:
    """What one kustomization lists, followed as far as the tree goes."""

    def __init__(self, tree: Tree, directory: str, file: str, root: Mapping) -> None:
        self._tree = tree
        self._directory = directory
        self._file = file
        self._root = root

    def resources(self, *keys: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The files and the directories of the repository that are listed under `keys`."""
        files: list[str] = []
        directories: list[str] = []
        for key in keys:
            for item in self._items(key):
                path = self._path(item)
                if path is not None and self._tree.read(path) is not None:
                    files.append(path)
                elif path is not None and kustomization_file(self._tree, path) is not None:
                    directories.append(path)
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

    def chart_values(self) -> tuple[tuple[str, ...], tuple[Node, ...]]:
        """The files of Helm values that charts and generated ConfigMaps take in, and the values written in place."""
        files: list[Node] = []
        inline: list[Node] = []
        for item in self._items("helmcharts"):
            chart = resolved(item)
            if isinstance(chart, Mapping):
                files += [value for _, value in chart.all("valuesFile")]
                inline += [value for _, value in chart.all("valuesInline")]
                files += [f for _, v in chart.all("additionalValuesFiles") if isinstance(v, Sequence) for f in v.items]
        for item in (*self._items("configmapgenerator"), *self._items("secretgenerator")):
            generator = resolved(item)
            if isinstance(generator, Mapping):
                files += [f for _, v in generator.all("files") if isinstance(v, Sequence) for f in v.items]
        paths = (self._generated(item) for item in files)
        return tuple(dict.fromkeys(path for path in paths if path)), tuple(inline)

    def _generated(self, item: Node) -> str | None:
        """The YAML file of `item`, which is a path or ``KEY=PATH``."""
        node = resolved(item)
        text = node.text if isinstance(node, Scalar) else None
        path = join(self._directory, text.rpartition("=")[2]) if text and text.endswith((".yaml", ".yml")) else None
        return path if path is not None and self._tree.read(path) is not None else None

    def _file_or_inline(self, item: Node, files: list[str], inline: list[Scalar]) -> None:
        node = resolved(item)
        if isinstance(node, Scalar) and (node.style in {"|", ">"} or "\n" in node.value):
            inline.append(node)
            return
        path = self._path(item)
        if path is not None and self._tree.read(path) is not None:
            files.append(path)

    def _items(self, key: str) -> list[Node]:
        pair = only(self._file, self._root, key)
        node = resolved(pair[1]) if pair else None
        return node.items if isinstance(node, Sequence) else []

    def _path(self, item: Node) -> str | None:
        node = resolved(item)
        return join(self._directory, node.text) if isinstance(node, Scalar) and node.text else None
