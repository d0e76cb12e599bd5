"""The tree of one commit, read from git objects: no work tree, so no filter, no line-ending conversion, no symlink."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from promote.errors import Fault, Misuse, Refusal
from promote.gitops.names import checked_path
from promote.gitops.objects import Objects
from promote.model.malformed import shown

TREE = "40000"
"""The mode of a directory, as a tree object has it."""
_SPECIAL = {"120000": "a symbolic link", "160000": "a submodule"}
_ORDINARY = ("100644", "100755")
_MANIFESTS = (".yaml", ".yml", ".json", "Kustomization")
"""How the names of files end that are read together with another in their directory."""
_FAMILY = 8
"""So many directories side by side are one thing, as base, staging and prod of an app are."""
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree: its mode in octal as git writes it (``100644``, ``100755``), and its object."""

    mode: str
    oid: str


class Snapshot:
    """What `commit` holds.  Paths are relative to the top of the tree.  Safe to use from several threads.

    `bring` makes files present that are not; it is given those that are likely to be read next as well.
    """

    def __init__(self, objects: Objects, commit: str, bring: Callable[[Iterable[str]], None] | None = None) -> None:
        self.commit = commit
        self._objects = objects
        self._bring = bring
        self._trees: dict[str, dict[str, Entry]] = {}

    def read(self, path: str) -> bytes | None:
        """The bytes of the file at `path`, None when there is none.

        Raises `Refusal` (``overlay-ambiguous``, 16) when `path`, or a directory on the way, is a symbolic link or a
        submodule: an edit there would change another file, or another repository.
        """
        entry = self._file(path)
        if entry is None:
            return None
        if self._bring is not None:
            self._bring([entry.oid, *self._beside(path.rpartition("/")[0])])
        return self._objects.read(entry.oid, "blob")

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each of `paths` that is an ordinary file, once, with its bytes; whatever else they are is left out."""
        found: dict[str, str] = {}
        for path in paths:
            try:
                entry = self._file(path)
            except (Misuse, Refusal):
                continue
            if entry is not None:
                found[path] = entry.oid
        if self._bring is not None:
            self._bring(found.values())
        for path, oid in found.items():
            yield path, self._objects.read(oid, "blob")

    def mode(self, path: str) -> str | None:
        """The mode of the file at `path`, None when there is none; raises as `read` does."""
        entry = self._file(path)
        return None if entry is None else entry.mode

    def entries(self, directory: str) -> Mapping[str, Entry] | None:
        """What is in `directory` (``""`` is the top) by name, None when there is none; raises as `read` does.

        Raises `Fault` where a file is in the place of `directory`, or of one on the way.
        """
        tree = self.commit
        for depth, name in enumerate(directory.split("/") if directory else (), start=1):
            entry = self._listing(tree).get(name)
            if entry is None:
                return None
            where = "/".join(directory.split("/")[:depth])
            _ordinary(entry, directory, where)
            if entry.mode != TREE:
                raise Fault("git-failed", f"{shown(where)} is a file in the commit, expected a directory")
            tree = entry.oid
        return self._listing(tree)

    def _file(self, path: str) -> Entry | None:
        tree = self.commit
        *directories, name = checked_path(path).split("/")
        for depth, directory in enumerate(directories, start=1):
            entry = self._listing(tree).get(directory)
            if entry is None:
                return None
            _ordinary(entry, path, "/".join(directories[:depth]))
            if entry.mode != TREE:
                return None
            tree = entry.oid
        entry = self._listing(tree).get(name)
        if entry is None or entry.mode == TREE:
            return None
        _ordinary(entry, path, path)
        return entry

    def _beside(self, directory: str) -> list[str]:
        """The manifests in `directory`, and in the few directories beside it, as far as they are not too many."""
        parent = directory.rpartition("/")[0]
        siblings = [e.oid for e in (self.entries(parent) or {}).values() if e.mode == TREE] if parent else []
        trees = siblings if len(siblings) <= _FAMILY else []
        names = [*(self.entries(directory) or {}).items()] if directory else []
        names += [item for tree in trees for item in self._listing(tree).items()]
        return [e.oid for name, e in names if e.mode in _ORDINARY and name.endswith(_MANIFESTS)][:_AT_ONCE]

    def _listing(self, tree: str) -> dict[str, Entry]:
        if tree not in self._trees:
            self._trees[tree] = _parsed(self._objects.read(tree, "tree"), len(self.commit) // 2)
        return self._trees[tree]


def _ordinary(entry: Entry, path: str, where: str) -> None:
    if special := _SPECIAL.get(entry.mode):
        raise Refusal(
            "overlay-ambiguous",
            f"{shown(path)} cannot be edited, because {shown(where)} is {special} in the commit",
            exit_code=16,
            expected="an ordinary file in ordinary directories",
            actual=special,
            hint="name the directory that holds the file itself in promote.yaml",
        )


def _parsed(content: bytes, oid_length: int) -> dict[str, Entry]:
    """A tree object: ``<mode> <name>``, NUL, the oid as bytes, again and again (git's tree-walk.c)."""
    entries: dict[str, Entry] = {}
    position = 0
    while position < len(content):
        space = content.find(b" ", position)
        nul = content.find(b"\0", space)
        stop = nul + 1 + oid_length
        if space < 0 or nul < 0 or stop > len(content):
            raise Fault("git-failed", "git gave a tree object that is cut short", hint="run `git fsck`")
        name = content[space + 1 : nul].decode("utf-8", "surrogateescape")
        entries[name] = Entry(content[position:space].decode("ascii", "replace"), content[nul + 1 : stop].hex())
        position = stop
    return entries
