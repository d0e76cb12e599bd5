"""Overlays in a directory of manifests, and the environments that their names suggest."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from promote.errors import Refusal
from promote.insight.working_files import WorkingFiles, kustomized
from promote.model.environment import OverlayEntry
from promote.model.proposal import ProposedEnvironment
from promote.model.reference import LAYOUT, Repository, is_host
from promote.overlays.kustomize import read_kustomization
from promote.overlays.reader import Finder
from promote.overlays.sites import images_in, pins
from promote.promotion.sequence import in_order, is_plain, rank, sources

STRUCTURE = frozenset(
    {"overlays", "overlay", "envs", "env", "environments", "environment", "apps", "app", "applications", "clusters",
     "cluster", "k8s", "kubernetes", "deploy", "deployment", "deployments", "manifests", "kustomize", "services",
     "workloads", "stages", "regions", "components", "base", "bases"}
)  # fmt: skip
"""Parts of paths that say how a repository is laid out, and nothing of an app or an environment."""

_ANNOUNCING = frozenset(
    {"overlays", "overlay", "envs", "env", "environments", "environment", "clusters", "cluster", "stages"}
)
"""Those of them that environments stand under."""


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
    for directory in kustomized(root):
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
        by_name.setdefault(environment_name(overlay.directory, (image, image.rpartition("/")[2])), []).append(overlay)
    origin = _registry(root, repository, image)
    result: list[ProposedEnvironment] = []
    for name in in_order(by_name):
        mine = by_name[name]
        pulled = next((prefix for o in mine if (prefix := _pulled_from(root, o, image))), None)
        first = not result
        registry = origin if first or pulled is None else pulled
        result.append(
            ProposedEnvironment(
                name=name,
                registry=registry,
                pull=pulled if pulled != registry else None,
                overlays=tuple(OverlayEntry(o.directory) for o in mine),
                promoted_from=sources(name, by_name),
                guessed=pulled is None and not first,
            )
        )
    return tuple(result) or (ProposedEnvironment("staging", origin, None, (), (), guessed=False),)


def _is_called(name: str, image: str) -> bool:
    last = image.rpartition("/")[2]
    return name in (image, last) or name.endswith(f"/{image}")


def environment_name(directory: str, apps: Collection[str]) -> str:
    """The environment that a path is of: the last part that names one by custom, else the last that is no app.

    So overlays/prod, overlays/web/prod, prod/web, envs/prod/web, prod/test-runner and clusters/prod/eu are all prod.
    """
    parts = [cleaned for p in directory.split("/") if p not in apps and (cleaned := _cleaned(p))]
    announced = [part for before, part in pairwise(parts) if before in _ANNOUNCING and rank(part)]
    plain = [part for part in parts if is_plain(part)]
    known = [part for part in parts if rank(part)]
    other = [part for part in parts if part not in STRUCTURE]
    return (announced or plain or known or other or parts or ["staging"])[-1]


def _cleaned(part: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", part.lower()).strip("-._")[:63].rstrip("-._")


def _pulled_from(root: Path, overlay: Overlay, image: str) -> str | None:
    """The registry that the overlay pulls `image` from; None when it does not say one."""
    try:
        named = [pin.name for pin in pins(WorkingFiles(root), overlay.directory, overlay.names)]
    except Refusal:
        return None
    prefixes = (name.removesuffix(f"/{image}") for name in named if name.endswith(f"/{image}"))
    return next((p for p in prefixes if is_registry(p)), None)


def is_registry(prefix: str) -> bool:
    """Whether a name that begins so is pulled from there."""
    # A name without a dot or a port is no host to a container runtime, but a path on Docker Hub.
    host = prefix.split("/", maxsplit=1)[0]
    return is_host(host) and ("." in host or ":" in host or host == "localhost")


def _registry(root: Path, repository: Repository, image: str) -> str:
    """The registry as promote.yaml in `root` says it: a directory relative to that."""
    if repository.is_layout:
        directory = Path(repository.registry.removeprefix(LAYOUT)).absolute()
        return f"{LAYOUT}{os.path.relpath(directory, root.absolute())}"
    return str(repository).removesuffix(f"/{image}")
