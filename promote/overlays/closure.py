"""Which files of a repository a kustomization can take in: by text, without parsing.

What this finds is more than kustomize reads (every word that is a path counts) and never less, so it tells which
overlays an edit can reach, and which files a real build needs.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from promote.errors import Refusal
from promote.overlays.kustomize import FILE_NAMES
from promote.overlays.tree import Tree, join

MAX_FILES = 5_000
"""How many files one overlay may take in; beyond, it is taken for one that takes in everything."""

_WORD = re.compile(rb"""[^\s"'\[\]{},=]+""")
_QUOTED = re.compile(rb""""([^"\r\n]+)"|'([^'\r\n]+)'""")
_BLANKS = re.compile(
    rb":[ \t]+([^\r\n#]+?)[ \t]*(?:[\r\n#]|\Z)|^[ \t]*-[ \t]+([^\r\n#]+?)[ \t]*(?:[\r\n#]|\Z)", re.MULTILINE
)


def included(tree: Tree, directory: str) -> frozenset[str] | None:
    """The files that the kustomization of `directory` can take in, itself among them; None when they are too many.

    A path behind a symbolic link or in a submodule is left out: kustomize may follow it, `promote` never does.
    """
    files: set[str] = set()
    waiting, seen = [directory], {directory}
    while waiting:
        current = waiting.pop()
        for name in FILE_NAMES:
            content = _read(tree, path := join(current, name))
            if path is None or content is None:
                continue
            files.add(path)
            for word in _words(content):
                target = join(current, word)
                if target is None or target in seen:
                    continue
                seen.add(target)
                if _read(tree, target) is not None:
                    files.add(target)
                else:
                    waiting.append(target)
        if len(files) > MAX_FILES or len(seen) > 20 * MAX_FILES:
            return None
    return frozenset(files)


def reaches(tree: Tree, directory: str, files: Collection[str]) -> bool:
    """Whether the kustomization of `directory` can take in one of `files`."""
    found = included(tree, directory)
    return found is None or not found.isdisjoint(files)


def _words(content: bytes) -> frozenset[str]:
    """Everything in a kustomization that could be a path: words, quoted texts, and values with blanks in them."""
    found = set(_WORD.findall(content))
    for pattern in (_QUOTED, _BLANKS) if b" " in content else ():
        found.update(part for match in pattern.findall(content) for part in match if part)
    return frozenset(word.decode("utf-8", "replace") for word in found if len(word) < 1024)


def _read(tree: Tree, path: str | None) -> bytes | None:
    if not path:
        return None
    try:
        return tree.read(path)
    except Refusal:
        return None
