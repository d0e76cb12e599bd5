"""The tags that the overlays on disk pin: found by their looks, without YAML and without git."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from promote.config.outline import Outline

COMMIT_TAG = r"sha-[0-9a-f]{7,64}"
MOST_FILES = 40
MOST_BYTES = 256 * 1024
"""A shell waits for the answer: so many files are read, and so much of each."""


def tags(outline: Outline, environments: tuple[str, ...], app: str | None = None) -> tuple[str, ...]:
    """The tags in the overlays of `environments`, each once, in their order; those of `app` alone when it is given."""
    try:
        pattern = re.compile(rf"(?<![\w.-])(?:{outline.tag or COMMIT_TAG})(?![\w.-])".encode())
    except re.error:
        return ()
    found: dict[str, None] = {}
    for file in islice(_files(outline, environments, app), MOST_FILES):
        with suppress(OSError), file.open("rb") as opened:
            for match in pattern.finditer(opened.read(MOST_BYTES)):
                found[match[0].decode("ascii", "replace")] = None
    return tuple(found)


def _files(outline: Outline, environments: tuple[str, ...], app: str | None) -> Iterator[Path]:
    for environment in environments:
        for overlay, apps in outline.overlays.get(environment, ()):
            for name in (app,) if app is not None else outline.apps:
                if apps is not None and name not in apps:
                    continue
                directory = outline.root / overlay.replace("{app}", name)
                with suppress(OSError):
                    yield from sorted(p for p in directory.iterdir() if p.suffix in {".yaml", ".yml"} and p.is_file())
