"""The tree of one commit, read from git objects: no work tree, so no filter, no line-ending conversion, no symlink."""

from __future__ import annotations

from dataclasses import dataclass

from promote.errors import Fault, Refusal
from promote.gitops.names import checked_path
from promote.gitops.objects import Objects
from promote.model.malformed import shown

_TREE = "40000"
_SPECIAL = {"120000": "a symbolic link", "160000": "a submodule"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree: its mode in octal as git writes it (``100644``, ``100755``), and its object."""

    mode: str
    oid: str


class Snapshot:
    """What `commit` holds.  Paths are relative to the top of the tree.  Safe to use from several threads."""

    def __init__(self, objects: Objects, commit: str) -> None:
        self.commit = commit
        self._objects = objects
        self._trees: dict[str, dict[str, Entry]] = {}

    def read(self, path: str) -> bytes | None:
        """The bytes of the file at `path`, None when there is none.

        Raises `Refusal` (``overlay-ambiguous``, 16) when `path`, or a directory on the way, is a symbolic link or a
        submodule: an edit there would change another file, or another repository.
        """
        entry = self._file(path)
        return None if entry is None else self._objects.read(entry.oid, "blob")

    def mode(self, path: str) -> str | None:
        """The mode of the file at `path`, None when there is none; raises as `read` does."""
        entry = self._file(path)
        return None if entry is None else entry.mode

    def _file(self, path: str) -> Entry | None:
        tree = self.commit
        *directories, name = checked_path(path).split("/")
        for depth, directory in enumerate(directories, start=1):
            entry = self._listing(tree).get(directory)
            if entry is None:
                return None
            _ordinary(entry, path, "/".join(directories[:depth]))
            if entry.mode != _TREE:
                return None
            tree = entry.oid
        entry = self._listing(tree).get(name)
        if entry is None or entry.mode == _TREE:
            return None
        _ordinary(entry, path, path)
        return entry

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
