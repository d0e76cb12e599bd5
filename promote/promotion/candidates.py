"""Overlays in a directory of manifests, and the environments that their names suggest."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from promote.errors import Refusal
from promote.model.proposal import ProposedEnvironment
from promote.model.reference import LAYOUT, Repository, is_host
from promote.overlays.kustomize import FILE_NAMES, read_kustomization
from promote.overlays.reader import Finder
from promote.overlays.sites import images_in, pins

MAX_DIRECTORIES = 20_000
MAX_FILE_BYTES = 4 * 1024 * 1024
_ORDER = (
    re.compile(r"(^|[-_.])(dev|develop|development|sandbox|preview)($|[-_.\d])"),
    re.compile(r"(^|[-_.])(test|testing|int|integration|qa)($|[-_.\d])"),
    re.compile(r"(^|[-_.])(stag|stage|staging|uat|acceptance|preprod|pre-prod)($|[-_.\d])"),
    re.compile(r"(^|[-_.])(prod|prd|production|live)($|[-_.\d])"),
)
"""What directories are called, in the order that releases go; anything else stands before all of them."""


@dataclass(frozen=True, slots=True)
class WorkingFiles:
    """The files of a directory as a `promote.overlays.tree.Tree`."""

    root: Path

    def read(self, path: str) -> bytes | None:
        """The content of a regular file; None for anything else, a symbolic link and a very large file included."""
        file = self.root / path
        if file.is_symlink() or not file.is_file() or file.stat().st_size > MAX_FILE_BYTES:
            return None
        return file.read_bytes()


@dataclass(frozen=True, slots=True)
class Overlay:
    """A directory with a kustomization of its own that names the image, as `names`."""

    directory: str
    names: tuple[str, ...]


def overlays(root: Path, image: str) -> tuple[Overlay, ...]:
    """The overlays below `root` that name an image called `image` (a repository path), or its last part.

    A directory that another kustomization uses is a base and no overlay.  What cannot be read is left out.
    """
    tree = WorkingFiles(root)
    found: dict[str, Overlay] = {}
    used: set[str] = set()
    for directory in _directories(root):
        try:
            layer = read_kustomization(tree, Finder(), directory)
            names = tuple(name for name in images_in(tree, directory) if _is_called(name, image))
        except Refusal:
            continue
        if layer is not None:
            used.update((*layer.directories, *layer.components))
            if names:
                found[directory] = Overlay(directory, names)
    return tuple(overlay for directory, overlay in found.items() if directory not in used)


def environments(
    root: Path, found: tuple[Overlay, ...], repository: Repository, image: str
) -> tuple[ProposedEnvironment, ...]:
    """The environments of the overlays, in the order of promotion; the first is taken for the image's own place.

    Without an overlay there is one environment, which is the image's place.
    """
    by_name: dict[str, list[Overlay]] = {}
    for overlay in found:
        by_name.setdefault(_environment_name(overlay.directory, image), []).append(overlay)
    origin = _registry(root, repository, image)
    result: list[ProposedEnvironment] = []
    for name in sorted(by_name, key=lambda n: (_rank(n), n)):
        mine = by_name[name]
        pulled = next((prefix for o in mine if (prefix := _pulled_from(root, o, image))), None)
        first = not result
        registry = origin if first or pulled is None else pulled
        result.append(
            ProposedEnvironment(
                name=name,
                registry=registry,
                pull=pulled if pulled != registry else None,
                overlays=tuple(o.directory for o in mine),
                promoted_from=result[-1].name if result else None,
                guessed=pulled is None and not first,
            )
        )
    return tuple(result) or (ProposedEnvironment("staging", origin, None, (), None, guessed=False),)


def _directories(root: Path) -> Iterator[str]:
    """The directories with a kustomization, relative to `root`; hidden ones and symbolic links are not entered."""
    for here, below, files in itertools.islice(os.walk(root), MAX_DIRECTORIES):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if any(name in files for name in FILE_NAMES):
            yield "" if Path(here) == root else Path(here).relative_to(root).as_posix()


def _is_called(name: str, image: str) -> bool:
    last = image.rpartition("/")[2]
    return name in (image, last) or name.endswith(f"/{image}")


def _environment_name(directory: str, image: str) -> str:
    """The last part of the path that is not the app itself: overlays/prod, overlays/web/prod, and prod/web alike."""
    last = image.rpartition("/")[2]
    parts = [p for p in directory.split("/") if p and p not in (last, image)]
    name = re.sub(r"[^a-z0-9._-]+", "-", parts[-1].lower()).strip("-._") if parts else ""
    return name[:63].rstrip("-._") or "staging"


def _rank(name: str) -> int:
    return max((i for i, pattern in enumerate(_ORDER, start=1) if pattern.search(name)), default=0)


def _pulled_from(root: Path, overlay: Overlay, image: str) -> str | None:
    """The registry that the overlay pulls `image` from; None when it does not say one."""
    try:
        named = [pin.name for pin in pins(WorkingFiles(root), overlay.directory, overlay.names)]
    except Refusal:
        return None
    prefixes = (name.removesuffix(f"/{image}") for name in named if name.endswith(f"/{image}"))
    return next((p for p in prefixes if _is_registry(p)), None)


def _is_registry(prefix: str) -> bool:
    # A name without a dot or a port is no host to a container runtime, but a path on Docker Hub.
    host = prefix.split("/", maxsplit=1)[0]
    return is_host(host) and ("." in host or ":" in host or host == "localhost")


def _registry(root: Path, repository: Repository, image: str) -> str:
    """The registry as promote.yaml in `root` says it: a directory relative to that."""
    if repository.is_layout:
        directory = Path(repository.registry.removeprefix(LAYOUT)).absolute()
        return f"{LAYOUT}{os.path.relpath(directory, root.absolute())}"
    return str(repository).removesuffix(f"/{image}")
