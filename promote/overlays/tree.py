"""Files of a repository at one commit, and the paths between them."""

from __future__ import annotations

import posixpath
from typing import Protocol


class Tree(Protocol):
    """The files of a repository at one commit."""

    def read(self, path: str) -> bytes | None:
        """The content of the regular file at `path` (relative to the repository's root, posix, normalised).

        None when nothing is there, and for a directory, a symbolic link or a submodule: those are never followed.
        """


class Patched:
    """A tree with some files replaced, for reading an edit back before it is committed."""

    def __init__(self, tree: Tree, replaced: dict[str, bytes]) -> None:
        self._tree = tree
        self._replaced = replaced

    def read(self, path: str) -> bytes | None:
        """As `Tree.read`, the replacement first."""
        content = self._replaced.get(path)
        return self._tree.read(path) if content is None else content


def normalised(path: str) -> str | None:
    """`path` without ``.``, ``..`` and doubled slashes: "" for the root, None when absolute or outside the root."""
    if path.startswith("/") or "\0" in path or "\\" in path:
        return None
    plain = posixpath.normpath(path) if path else "."
    if plain == ".":
        return ""
    return None if plain == ".." or plain.startswith("../") else plain


def join(directory: str, relative: str) -> str | None:
    """Where `relative`, as written in a file of `directory`, leads; None for URLs, absolute paths and escapes."""
    if not relative or "://" in relative or relative.startswith("/"):
        return None
    return normalised(f"{directory}/{relative}" if directory else relative)


def escapes(directory: str, relative: str) -> bool:
    """Whether `relative`, as written in a file of `directory`, is a path that leaves the repository."""
    if not relative or "://" in relative or "\0" in relative or "\\" in relative:
        return False
    return relative.startswith("/") or (relative.startswith(".") and join(directory, relative) is None)


def is_within(path: str, directory: str) -> bool:
    """Whether `path` is `directory` or below it; both normalised."""
    return not directory or path == directory or path.startswith(f"{directory}/")
