"""The gates that ask git: does the source environment run this release, and was its tag ever another digest."""

from __future__ import annotations

from collections.abc import Sequence

from promote.gates import deployed, ledger
from promote.model.configuration import Configuration
from promote.model.environment import Environment
from promote.model.policy import DeployedDemand
from promote.model.record import Sighting
from promote.model.release import Release
from promote.model.verdict import Verdict
from promote.promotion.declared import Declared

GATES = (deployed.GATE, ledger.GATE)


def judge(
    configuration: Configuration,
    declared: Declared | None,
    environment: Environment,
    release: Release,
    demand: DeployedDemand,
) -> tuple[Verdict, Verdict]:
    """The verdicts of both gates; both are skipped where no overlay could tell."""
    if declared is None:
        return (
            deployed.judge(release, environment.name, demand, (), (), has_overlays=False, history_complete=True),
            ledger.judge(release, (), has_overlays=False, history_complete=True),
        )
    app, complete = release.app, declared.history_complete
    current = declared.current(environment, app)
    earlier: Sequence[Sighting] = ()
    if demand is DeployedDemand.EVER and not any(pin.digest == release.digest for pin in current):
        earlier = declared.earlier([environment], app, release.digest.hex) or declared.earlier(
            [environment], app, release.tag
        )
    everywhere = tuple(configuration.environments.values())
    return (
        deployed.judge(
            release,
            environment.name,
            demand,
            current,
            earlier,
            has_overlays=bool(declared.overlays(environment, app)),
            history_complete=complete,
        ),
        ledger.judge(
            release,
            declared.earlier(everywhere, app, release.tag),
            has_overlays=any(declared.overlays(e, app) for e in everywhere),
            history_complete=complete,
        ),
    )
