"""What git declares: which release each environment runs, and ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promote.errors import Refusal
from promote.gitops.history import holding
from promote.gitops.repository import Repository as GitRepository
from promote.gitops.snapshot import Snapshot
from promote.model.configuration import Configuration
from promote.model.environment import App, Environment
from promote.model.record import Sighting
from promote.model.release import Pin
from promote.overlays.sites import pins
from promote.promotion.workplace import Workplace


@dataclass(frozen=True)
class Declared:
    """The GitOps repository at one commit, `tip`, with the history below it."""

    configuration: Configuration
    git: GitRepository
    tip: str
    snapshot: Snapshot

    @property
    def history_complete(self) -> bool:
        """Whether the whole history is here; a shallow clone has only its end."""
        return not self.git.is_shallow

    def overlays(self, environment: Environment, app: App) -> tuple[str, ...]:
        """The overlay directories of `app`, relative to the top of the repository."""
        return tuple(self.path(o) for place in environment.places for o in place.overlays_of(app))

    def path(self, path: str) -> str:
        """A path relative to promote.yaml as one relative to the top of the repository."""
        return f"{self.git.prefix}/{path}" if self.git.prefix else path

    def current(self, environment: Environment, app: App) -> tuple[Pin, ...]:
        """What the overlays of `environment` pin for `app` now."""
        return self._pins(self.snapshot, self.overlays(environment, app), app)

    def earlier(self, environments: Sequence[Environment], app: App, needle: str) -> tuple[Sighting, ...]:
        """Every pin of `app` in a version of the overlays that held the text `needle`, newest first."""
        overlays = tuple(dict.fromkeys(o for e in environments for o in self.overlays(e, app)))
        if not overlays:
            return ()
        found: list[Sighting] = []
        seen: set[tuple[str, str | None]] = set()
        for version in holding(self.git, self.tip, overlays, needle.encode()):
            if (version.path, version.after) in seen:
                continue
            seen.add((version.path, version.after))
            inside = [o for o in overlays if version.path.startswith(f"{o}/")]
            pinned = self._pins(self.git.snapshot(version.commit), inside, app)
            found.extend(
                Sighting(version.commit, version.when, version.author, pin)
                for pin in pinned
                if pin.file == version.path
            )
        return tuple(found)

    def _pins(self, snapshot: Snapshot, overlays: Sequence[str], app: App) -> tuple[Pin, ...]:
        names = self.configuration.image_names(app)
        found: list[Pin] = []
        for overlay in overlays:
            try:
                found.extend(pins(snapshot, overlay, names))
            except Refusal:
                # An overlay that cannot be read says nothing about what runs; the overlay gate reports it where it
                # stands in the way, and an old version of a file is nobody's to mend.
                continue
        return tuple(dict.fromkeys(found))


def look(workplace: Workplace, *, push: bool) -> Declared | None:
    """The branch as the remote has it now; None when no environment has overlays, so that git has nothing to say.

    `push`: prove the push right too, before anything is copied.
    """
    environments = workplace.configuration.environments.values()
    if not any(place.overlays for e in environments for place in e.places):
        return None
    git = workplace.git
    tip = git.fetch() if workplace.push else git.local_tip()
    if push and workplace.push:
        git.check_push()
    return Declared(workplace.configuration, git, tip, git.snapshot(tip))
