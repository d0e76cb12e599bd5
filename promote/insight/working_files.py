"""The files of a directory on disk, as overlays are read from them when no commit is asked for."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from promote.errors import Fault
from promote.overlays.kustomize import FILE_NAMES

MAX_DIRECTORIES = 20_000
MAX_FILE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class WorkingFiles:
    """The files below `root` as a `promote.overlays.tree.Tree`; each is read once."""

    root: Path
    _read: dict[str, bytes | None] = field(default_factory=dict, repr=False, compare=False)

    def read(self, path: str) -> bytes | None:
        """The content of a regular file; None for anything else.

        That is also a file behind a symbolic link, which may lead out of the tree, and a very large one.
        """
        if path not in self._read:
            self._read[path] = self._content(path)
        return self._read[path]

    def _content(self, path: str) -> bytes | None:
        file = self.root / path
        try:
            if not file.is_file() or file.resolve() != self.root.resolve() / path:
                return None
            with file.open("rb") as stream:
                content = stream.read(MAX_FILE_BYTES + 1)
        except (OSError, ValueError):  # a name that no file can have
            return None
        return content if len(content) <= MAX_FILE_BYTES else None


def kustomized(root: Path) -> Iterator[str]:
    """The directories below `root` with a kustomization, relative to it; hidden ones and symbolic links are left out.

    Raises `Fault` for more than `MAX_DIRECTORIES` directories: a part would pass for the whole.
    """
    for directory, files in directories(root):
        if any(name in files for name in FILE_NAMES):
            yield directory


def directories(root: Path) -> Iterator[tuple[str, Collection[str]]]:
    """Every directory below `root`, as `kustomized` has them, with the names of its files."""
    for number, (here, below, files) in enumerate(os.walk(root)):
        if number >= MAX_DIRECTORIES:
            raise Fault(
                "too-many-directories",
                f"got more than {MAX_DIRECTORIES} directories, expected a repository of manifests",
                hint="name the directory that has the overlays",
            )
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield "" if Path(here) == root else Path(here).relative_to(root).as_posix(), files
