"""The edits of a promotion: every overlay of every place, made to say the release, and what that does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from promote.errors import Refusal
from promote.model.configuration import Configuration
from promote.model.environment import App, Environment, Place
from promote.model.release import FileEdit, Release
from promote.overlays.parsed import Parsed
from promote.overlays.tree import Patched, Tree

if TYPE_CHECKING:  # ruamel.yaml, while registries are waited for
    from promote.overlays.oracle import Builder
    from promote.overlays.question import Effect


@dataclass(frozen=True)
class Scene:
    """Where edits are made: the overlays of `target` in `tree`, whose paths begin with `prefix` (empty for none).

    `parsed` is shared by the scenes of one promotion, whose trees are nearly the same.
    """

    configuration: Configuration
    target: Environment
    tree: Tree
    prefix: str
    parsed: Parsed = field(default_factory=Parsed, compare=False)

    def with_files(self, files: Mapping[str, bytes]) -> Scene:
        """The same place with some files replaced."""
        tree = Patched(self.tree, dict(files)) if files else self.tree
        return Scene(self.configuration, self.target, tree, self.prefix, self.parsed)

    def overlays(self, app: App) -> Iterator[tuple[Place, str]]:
        """Each overlay of `app`, relative to the top of the repository, and the place it belongs to."""
        for place in self.target.places:
            for overlay in place.overlays_of(app):
                yield place, self.path(overlay)

    def path(self, overlay: str) -> str:
        """A path relative to promote.yaml as one relative to the top of the repository."""
        return f"{self.prefix}/{overlay}" if self.prefix else overlay

    def foreign(self, app: App) -> dict[str, str]:
        """The overlays that a promotion of `app` must leave alone, each with the words for whose it is.

        Those are the target's that are for other apps alone, and every other environment's.
        """
        apps = self.configuration.apps.values()
        found: dict[str, str] = {}
        for other in apps:
            for _, overlay in self.overlays(other):
                found[overlay] = f"{found[overlay]}, {other.name}" if overlay in found else f"for {other.name}"
        found = {overlay: f"{whose}, not for {app.name}," for overlay, whose in found.items()}
        for environment in self.configuration.environments.values():
            for place in environment.places:
                for other in apps:
                    for overlay in place.overlays_of(other):
                        found.setdefault(self.path(overlay), "of another environment")
        mine = {overlay for _, overlay in self.overlays(app)}
        return {overlay: whose for overlay, whose in found.items() if overlay not in mine}


def of_release(scene: Scene, release: Release) -> tuple[FileEdit, ...]:
    """What must change so that every overlay of the target runs `release`; raises `Refusal` (exit 16)."""
    from promote.overlays.edits import plan_edits  # noqa: PLC0415 - ruamel.yaml, while registries are waited for

    names = scene.configuration.image_names(release.app)
    files: dict[str, bytes] = {}
    found: list[FileEdit] = []
    for place, overlay in scene.overlays(release.app):
        pull_name, fields = place.pull_name(release.app), place.fields_of(release.app)
        tree = Patched(scene.tree, files)
        for edit in plan_edits(tree, overlay, names, pull_name, release.tag, release.digest, fields, scene.parsed):
            files[edit.path] = edit.after
            found.append(edit)
    return tuple(found)


def of_releases(scene: Scene, releases: Iterable[Release], builder: Builder | None = None) -> dict[str, bytes]:
    """The files as they must be after all releases, by path; empty when everything is right already.

    Raises `Refusal` (exit 16), also when the files would have another effect than these releases.
    """
    files: dict[str, bytes] = {}
    for release in releases:
        here = scene.with_files(files)
        made = of_release(here, release)
        screen(here, release, made, builder)
        files |= {edit.path: edit.after for edit in made}
    return files


def effects(
    scene: Scene, release: Release, made: tuple[FileEdit, ...], builder: Builder | None = None
) -> tuple[Effect, ...]:
    """What the edits `made` do to each overlay of the target, built by `builder` where it can be.

    Raises `Refusal` (exit 16) when they do nothing, too much, or leave a container with another release.
    """
    from promote.overlays.closure import reaches  # noqa: PLC0415 - see above
    from promote.overlays.effect import check_untouched, verified_effect  # noqa: PLC0415
    from promote.overlays.question import Question  # noqa: PLC0415
    from promote.overlays.sites import pins  # noqa: PLC0415
    from promote.overlays.target import Target  # noqa: PLC0415

    files = {edit.path: edit.after for edit in made}
    after = Patched(scene.tree, files) if files else scene.tree
    names = scene.configuration.image_names(release.app)
    found: list[Effect] = []
    for place, overlay in scene.overlays(release.app):
        fields = place.fields_of(release.app)
        target = Target(place.pull_name(release.app), release.tag, release.digest)
        old = pins(scene.tree, overlay, names, fields, scene.parsed)
        question = Question(overlay, names, target, fields, old)
        found.append(verified_effect(scene.tree, after, question, builder, scene.parsed))
    for overlay, whose in scene.foreign(release.app).items() if files else ():
        if reaches(scene.tree, overlay, files):
            check_untouched(scene.tree, after, overlay, files, scene.parsed, whose=whose)
    return tuple(found)


def screen(scene: Scene, release: Release, made: tuple[FileEdit, ...], builder: Builder | None) -> None:
    """`effects` without waiting for a program: `builder` is asked only where a refusal would follow."""
    try:
        effects(scene, release, made)
    except Refusal:
        if builder is None:
            raise
        effects(scene, release, made, builder)
