"""What git declares: which release each environment runs, and ran."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from promote.errors import Refusal
from promote.model.configuration import Configuration
from promote.model.environment import App, Environment, ImageField
from promote.model.record import Sighting
from promote.model.release import Pin
from promote.overlays.parsed import Parsed
from promote.promotion.workplace import Workplace

if TYPE_CHECKING:  # GitPython and ruamel.yaml take longer to import than git to answer
    from promote.gitops.repository import Repository as GitRepository
    from promote.gitops.snapshot import Snapshot
    from promote.overlays.tree import Tree


@dataclass(frozen=True)
class Declared:
    """The GitOps repository at one commit, `tip`, with the history below it; files that were `parsed` are not again."""

    configuration: Configuration
    git: GitRepository
    tip: str
    snapshot: Snapshot
    parsed: Parsed = field(default_factory=Parsed, compare=False)
    _looking: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def history_complete(self) -> bool:
        """Whether the whole history is here; a shallow clone has only its end."""
        return not self.git.is_shallow

    def look_further(self, *, seen_complete: bool) -> bool:
        """Bring the rest of history where that can be done; whether there is more of it than somebody saw.

        `seen_complete` is what `history_complete` was when they began to look: another app of the same run may have
        brought the rest since.
        """
        if seen_complete or not self.git.is_temporary:
            return False
        with self._looking:
            if not self.history_complete:
                self.git.fetch_all()
        return True

    def overlays(self, environment: Environment, app: App) -> tuple[str, ...]:
        """The overlay directories of `app`, relative to the top of the repository."""
        return tuple(self.path(o) for place in environment.places for o in place.overlays_of(app))

    def path(self, path: str) -> str:
        """A path relative to promote.yaml as one relative to the top of the repository."""
        return f"{self.git.prefix}/{path}" if self.git.prefix else path

    def current(self, environment: Environment, app: App) -> tuple[Pin, ...]:
        """What the overlays of `environment` pin for `app` now."""
        return self._pins(self.snapshot, self.overlays(environment, app), app)

    def earlier(self, environments: Sequence[Environment], app: App, *needles: str) -> tuple[Sighting, ...]:
        """Every pin of `app` in a version of the overlays that held one of `needles`, newest first.

        That is of their files, and of the components outside of them that they take in now.
        """
        from promote.gitops.history import holding  # noqa: PLC0415 - see above
        from promote.overlays.tree import is_within  # noqa: PLC0415

        overlays = tuple(dict.fromkeys(o for e in environments for o in self.overlays(e, app)))
        if not overlays:
            return ()
        places = {overlay: (overlay, *self._outside(overlay, app)) for overlay in overlays}
        every = tuple(dict.fromkeys(path for paths in places.values() for path in paths))
        found: list[Sighting] = []
        seen: set[tuple[str, str | None]] = set()
        for version in holding(self.git, self.tip, every, *(n.encode() for n in needles)):
            if (version.path, version.after) in seen:
                continue
            seen.add((version.path, version.after))
            snapshot = self.git.snapshot(version.commit)
            for overlay, paths in places.items():
                if any(is_within(version.path, path) for path in paths):
                    found.extend(
                        Sighting(version.commit, version.when, version.author, pin, overlay)
                        for pin in self._pins(snapshot, [overlay], app)
                        if pin.file == version.path
                    )
        return tuple(found)

    def _outside(self, overlay: str, app: App) -> set[str]:
        """The components outside of `overlay` that it takes in for `app`."""
        from promote.insight.outside import Asked, outside  # noqa: PLC0415 - see above

        asked = Asked(self.snapshot)
        self._pins(asked, [overlay], app)
        return outside(asked.paths, {overlay})

    def _fields(self, overlay: str, app: App) -> tuple[ImageField, ...]:
        """The fields that some place names for `app` in the overlay at `overlay`."""
        places = (place for e in self.configuration.environments.values() for place in e.places)
        return tuple(f for p in places if overlay in map(self.path, p.overlays_of(app)) for f in p.fields_of(app))

    def _pins(self, snapshot: Tree, overlays: Sequence[str], app: App) -> tuple[Pin, ...]:
        from promote.overlays.sites import pins  # noqa: PLC0415 - see above

        names = self.configuration.image_names(app)
        found: list[Pin] = []
        for overlay in overlays:
            try:
                found.extend(pins(snapshot, overlay, names, self._fields(overlay, app), self.parsed))
            except Refusal:
                # An overlay that cannot be read says nothing about what runs; the overlay gate reports it where it
                # stands in the way, and an old version of a file is nobody's to mend.
                continue
        return tuple(dict.fromkeys(found))


def begin_to_look(workplace: Workplace) -> Future[Declared | None]:
    """`look` in the background."""
    if _has_overlays(workplace.configuration):
        # Here and not there: two threads that import take turns, and this one leads to the longest wait.
        import promote.gitops.repository  # noqa: F401, PLC0415
    return workplace.background.start(look, workplace)


def look(workplace: Workplace) -> Declared | None:
    """The branch as the remote has it now; None when no environment has overlays, so that git has nothing to say."""
    if not _has_overlays(workplace.configuration):
        return None
    git = workplace.git
    fetch = git.fetch_all if workplace.configuration.git.whole_history else git.fetch
    tip = fetch() if workplace.push else git.local_tip()
    return Declared(workplace.configuration, git, tip, git.snapshot(tip))


def _has_overlays(configuration: Configuration) -> bool:
    return any(place.overlays for e in configuration.environments.values() for place in e.places)
