"""The gates that ask git: does the source environment run this release, and was its tag ever another digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from promote.gates import deployed, ledger
from promote.gates import tag as tag_gate
from promote.gates.labels import same_commit
from promote.model.configuration import Configuration
from promote.model.digest import Digest
from promote.model.environment import Environment
from promote.model.policy import DeployedDemand, Gates
from promote.model.record import Sighting
from promote.model.release import Pin, Release
from promote.model.verdict import Verdict
from promote.promotion.declared import Declared

GATES = (deployed.GATE, ledger.GATE)
LEAST = 7
"""Hex digits of a commit by which another tag of it is found: the shortest abbreviation that is believed."""


@dataclass(frozen=True)
class Recorded:
    """What git says about a release.

    `sightings` are the pins of every environment, ever, that are of the release's commit or digest; `earlier` those of
    them in the source environment, `current` what that has now.
    """

    current: tuple[Pin, ...] = ()
    earlier: tuple[Sighting, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    has_overlays: bool = False
    any_overlays: bool = False
    complete: bool = True

    def with_run(self, ran: Sighting) -> Recorded:
        """The same with `ran`, which was found by following the environment and not its directories."""
        return replace(self, earlier=(*self.earlier, ran))

    def is_known_at(self, release: Release) -> bool:
        """Whether the source environment has, or had, the release by its tag or its digest."""
        pins = (*self.current, *(sighting.pin for sighting in self.earlier))
        return any(release.digest == pin.digest or release.tag == pin.tag for pin in pins)


def look_up(
    configuration: Configuration, declared: Declared | None, environment: Environment, release: Release, gates: Gates
) -> Recorded:
    """All that git says, from one pass over the history; empty where no overlay could tell.

    Where recent history has no record of a release that has to have one, older history is asked for, and then where the
    environment's overlays were before they moved.
    """
    if declared is None:
        return Recorded()
    found = _seen(configuration, declared, environment, release, gates)
    if gates.deployed is not DeployedDemand.EVER or not found.has_overlays or found.is_known_at(release):
        return found
    if declared.look_further(seen_complete=found.complete):
        found = _seen(configuration, declared, environment, release, gates)
    if not found.is_known_at(release) and (ran := _followed(declared, environment, release)) is not None:
        found = found.with_run(ran)
    return found


def _followed(declared: Declared, environment: Environment, release: Release) -> Sighting | None:
    """The newest record that `environment` ran the digest, found by following it and not its directories."""
    from promote.insight.records import records  # noqa: PLC0415 - ruamel.yaml, where the cheaper way found nothing

    history = records(
        declared.git,
        declared.tip,
        declared.configuration,
        environments=[environment.name],
        apps=[release.app.name],
        now=datetime.now(UTC),  # what is odd about a date is nobody's question here
    )
    for record in history:
        if record.digest == release.digest:
            overlay = record.overlays[0]
            pin = Pin(overlay, 1, "", record.tag, record.digest)
            return Sighting(record.commit, record.when, record.by, pin, overlay)
    return None


def _seen(
    configuration: Configuration, declared: Declared, environment: Environment, release: Release, gates: Gates
) -> Recorded:
    """What the history that is here says."""
    app, everywhere = release.app, tuple(configuration.environments.values())
    complete = declared.history_complete
    commit = tag_gate.commit_of(release.tag, gates.tag)
    sightings = declared.earlier(everywhere, app, commit[:LEAST] if commit else release.tag, release.digest.hex)
    overlays = declared.overlays(environment, app)
    return Recorded(
        current=declared.current(environment, app),
        earlier=tuple(s for s in sightings if s.overlay in overlays),
        sightings=sightings,
        has_overlays=bool(overlays),
        any_overlays=any(declared.overlays(e, app) for e in everywhere),
        complete=complete,
    )


def judge(recorded: Recorded, environment: Environment, release: Release, gates: Gates) -> tuple[Verdict, Verdict]:
    """The verdicts of both gates; skipped where there is no overlay that could tell."""
    if environment.lacks(release.app):
        runs = deployed.lacking(release.app.name, environment.name, gates.deployed)
    else:
        runs = deployed.judge(
            release,
            environment.name,
            gates.deployed,
            recorded.current,
            recorded.earlier,
            has_overlays=recorded.has_overlays,
            history_complete=recorded.complete,
        )
    seen = ledger.judge(
        release, recorded.sightings, has_overlays=recorded.any_overlays, history_complete=recorded.complete
    )
    return runs, seen


def namesakes(recorded: Recorded, release: Release, gates: Gates) -> Sequence[Sighting]:
    """The newest sighting of each other digest that was pinned with another tag of the release's commit."""
    commit = tag_gate.commit_of(release.tag, gates.tag)
    if commit is None:
        return ()
    found: dict[Digest, Sighting] = {}
    for sighting in recorded.sightings:
        tag, digest = sighting.pin.tag, sighting.pin.digest
        theirs = tag_gate.commit_of(tag, gates.tag) if tag else None
        if digest is None or digest == release.digest or tag == release.tag or theirs is None:
            continue
        if same_commit(commit, theirs):
            found.setdefault(digest, sighting)
    return tuple(found.values())
