"""The edits of a promotion: every overlay of every place, made to say the release."""

from __future__ import annotations

from collections.abc import Iterable

from promote.model.configuration import Configuration
from promote.model.environment import App, Environment
from promote.model.release import FileEdit, Release
from promote.overlays.tree import Patched, Tree


def of_release(
    configuration: Configuration, target: Environment, release: Release, tree: Tree, prefix: str
) -> tuple[FileEdit, ...]:
    """What must change in `tree` so that every overlay of `target` runs `release`; raises `Refusal` (exit 16)."""
    from promote.overlays.edits import plan_edits  # noqa: PLC0415 - ruamel.yaml, while registries are waited for

    names = configuration.image_names(release.app)
    files: dict[str, bytes] = {}
    found: list[FileEdit] = []
    for place in target.places:
        for overlay in place.overlays_of(release.app):
            directory = f"{prefix}/{overlay}" if prefix else overlay
            pull_name = place.pull_name(release.app)
            for edit in plan_edits(Patched(tree, files), directory, names, pull_name, release.tag, release.digest):
                files[edit.path] = edit.after
                found.append(edit)
    return tuple(found)


def of_releases(
    configuration: Configuration, target: Environment, releases: Iterable[Release], tree: Tree, prefix: str
) -> dict[str, bytes]:
    """The files as they must be after all releases, by path; empty when everything is right already."""
    files: dict[str, bytes] = {}
    for release in releases:
        for edit in of_release(configuration, target, release, Patched(tree, dict(files)), prefix):
            files[edit.path] = edit.after
    return files


def notes(configuration: Configuration, target: Environment, app: App, tree: Tree, prefix: str) -> tuple[str, ...]:
    """What could not be verified about the effect of the edits; raises `Refusal` (exit 16) when there would be none."""
    from promote.overlays.effect import check_effect  # noqa: PLC0415 - see above

    found: list[str] = []
    for place in target.places:
        for overlay in place.overlays_of(app):
            directory = f"{prefix}/{overlay}" if prefix else overlay
            found.extend(check_effect(tree, directory, configuration.image_names(app)))
    return tuple(dict.fromkeys(found))
