"""What an overlay asks for outside its own directory: the components that it takes in, there or not."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from promote.errors import Misuse
from promote.gitops.history import above
from promote.gitops.names import checked_path
from promote.overlays.kustomize import FILE_NAMES
from promote.overlays.tree import Tree


class Asked:
    """A tree that remembers in `paths` what was asked for; what git must not be given is not there."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.paths: set[str] = set()

    def read(self, path: str) -> bytes | None:
        """See `promote.overlays.tree.Tree`."""
        if not _is_safe(path):
            return None
        self.paths.add(path)
        return self._tree.read(path)


def outside(paths: Iterable[str], overlays: Collection[str]) -> set[str]:
    """What of `paths` lies in none of the directories `overlays`: files, and directories that have a kustomization.

    What git must not be given is left out: an overlay may say anything.
    """
    parts = (path.rpartition("/") for path in paths if _is_safe(path) and not any(d in overlays for d in above(path)))
    return {directory if name in FILE_NAMES else f"{directory}{slash}{name}" for directory, slash, name in parts}


def _is_safe(path: str) -> bool:
    try:
        checked_path(path)
    except Misuse:
        return False
    return True
