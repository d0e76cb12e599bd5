"""`--repo URL`: the configuration of a GitOps repository that is not on this machine."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from promote.errors import Misuse
from promote.model.malformed import shown

if TYPE_CHECKING:  # every verb's --help would pay for it
    from promote.model.configuration import Configuration


def is_elsewhere(repo: str) -> bool:
    """Whether `repo` is a repository to be cloned, and not a directory to work in."""
    if (Path(repo) / "promote.yaml").is_file():
        return False
    from promote.gitops.clone import is_url

    return is_url(repo)


@contextmanager
def configuration_of(url: str, config: Path | None, tell: Callable[[str], None]) -> Iterator[Configuration]:
    """The configuration in the repository at `url`, whose clone is gone when the block is left.

    `config` is the path of promote.yaml in that repository, and `tell` hears what a person may want to know.  Of all
    its files only that one and those that it names are written down, as plain files: no link is followed and no filter
    runs.  Raises `Misuse`, and whatever `promote.gitops.clone.clone` raises.
    """
    from promote.config.load import FILE_NAME, load
    from promote.gitops.clone import REMOTE, clone

    with tempfile.TemporaryDirectory(prefix="promote-", ignore_cleanup_errors=True) as directory:
        top = clone(url, Path(directory), tell)
        name = FILE_NAME if config is None else config.as_posix()
        _write_down(top, name)
        configuration = load(top / name)
        _check_nothing_is_lost(configuration, top)
        # What the remote is called in somebody's checkout says nothing about this clone.
        yield replace(configuration, git=replace(configuration.git, remote=REMOTE))


def _write_down(top: Path, name: str) -> None:
    from promote.config.files import mentioned
    from promote.gitops.clone import newest

    with newest(top) as files:
        content = None if files is None else files.read(name)
        if files is None or content is None:
            raise Misuse(
                "configuration-missing",
                f"got no {shown(name)} on the default branch of the repository, expected it at its root",
                hint="name its path in the repository with --config",
            )
        _write(top / name, content)
        near = posixpath.dirname(name)
        paths = (posixpath.normpath(posixpath.join(near, text)) for text in mentioned(content))
        for path, other in files.read_all(paths):
            _write(top / path, other)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _check_nothing_is_lost(configuration: Configuration, clone: Path) -> None:
    for environment in configuration.environments.values():
        for place in environment.places:
            if place.is_layout and Path(place.registry.removeprefix("oci:")).is_relative_to(clone):
                raise Misuse(
                    "layout-in-clone",
                    f"got {environment.name} with a registry inside the repository, expected one outside the clone",
                    hint="clone the repository yourself and name the directory with --repo",
                )
