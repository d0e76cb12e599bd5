"""Where an overlay says what runs: for annotations beside a refusal, which itself edits nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
LARGEST = 1024 * 1024


def top(directory: Path) -> Path | None:
    """The top of the repository that `directory` is in; None when there is none."""
    return next((d for d in (directory, *directory.parents) if (d / ".git").exists()), None)


def lines(repository: Path, status: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """By app the file, relative to `repository`, and the line that pins it; `status` is what promote printed."""
    found: dict[str, tuple[str, int]] = {}
    for row in status.get("rows") or []:
        place = next(_pins(repository, row), None)
        if place is not None:
            found.setdefault(row["app"], place)
    return found


def _pins(repository: Path, row: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The line with the digest, else with the tag, else the first of the overlay's kustomization."""
    for name in NAMES:
        file = f"{row['overlay']}/{name}"
        if (text := _text(repository, file)) is None:
            continue
        for value in (row.get("digest"), row.get("tag")):
            yield from ((file, n) for n, line in enumerate(text.splitlines(), 1) if value and value in line)
        yield file, 1


def _text(repository: Path, file: str) -> str | None:
    """The text of a regular file within the repository; None for anything else, such as a link out of it."""
    path = repository / file
    try:
        if not path.resolve().is_relative_to(repository.resolve()) or not stat.S_ISREG(path.lstat().st_mode):
            return None
        return path.read_text("utf-8", "replace") if path.stat().st_size <= LARGEST else None
    except (OSError, ValueError):
        return None
