"""Runs that show what each verb prints when nothing is wrong, or when somebody presses Ctrl-C."""

from __future__ import annotations

from support.gitops_repo import TAG
from support.refusal_scenes_checks import linted
from support.refusal_scenes_hosts import hosted
from support.refusal_world import Scene, World
from support.release_world import make_world
from support.scene_makers import LAYOUT, PROMOTE, ROOT, checkout

from promote.cli.progress import Lines

FLOATING = "{name: shop, newTag: latest}"


def plain(*arguments: str) -> Scene:
    """Nothing was promoted yet."""
    return checkout(lambda _repo: None, *arguments)


def promoted(*arguments: str) -> Scene:
    """The release was promoted to prod."""

    def scene(world: World) -> tuple[str, ...]:
        assert world.make().promote(TAG).code == 0
        return arguments

    return scene


def _several(world: World) -> tuple[str, ...]:
    world.make(apps=("shop", "billing"))
    return ("staging->prod", "--all")


def _released(*arguments: str) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        releases = make_world(world.home, world.patch)
        world.repo = releases.repo
        for number in (1, 2):
            releases.stage(number)
            releases.promoted(number)
        return arguments

    return scene


def _interrupted(world: World) -> tuple[str, ...]:
    def pressed(_self: Lines, _step: str, _subject: str) -> None:
        raise KeyboardInterrupt

    world.make()
    world.patch.setattr(Lines, "step", pressed)
    return PROMOTE


def _examined(world: World) -> tuple[str, ...]:
    world.patch.setattr("promote.promotion.checkup.kustomize_version", lambda: None)
    world.make()
    return ("doctor",)


SCENES: dict[str, dict[str, Scene]] = {
    "promote": {
        "A promotion": plain(*PROMOTE),
        "The same again": promoted(*PROMOTE),
        "What staging runs, without a word about which; nothing is written": plain("staging->prod", "--dry-run"),
        "Every app that differs, as one commit": _several,
        "A pull request": hosted(),
        "For a program": plain(*PROMOTE, "--format", "json"),
        "For a program, refused": plain("staging->prod", "latest", "--format", "json"),
        "For a pull request or a job's summary": plain(*PROMOTE, "--format", "markdown"),
        "Interrupted": _interrupted,
    },
    "verify": {
        "What staging runs": plain("verify", "staging"),
        "With all that was found": plain("verify", "staging", "--explain"),
    },
    "status": {
        "What runs where": promoted("status"),
        "And whether the registries still have it": promoted("status", "--check"),
    },
    "history": {"Of one environment": _released("history", "prod")},
    "rollback": {"To the release before": _released("rollback", "prod", "--reason", "500s at checkout")},
    "lint": {
        "Everything is pinned": promoted("lint"),
        "As annotations of GitHub": linted(FLOATING, "--format", "github"),
        "As JUnit": linted(FLOATING, "--format", "junit"),
    },
    "doctor": {"What a promotion needs": _examined},
    "init": {"A proposal": plain("init", "--from", f"{LAYOUT}:{TAG}", "--trusted-root", ROOT, "--dry-run")},
    "config": {"What counts for prod, and where it is said": plain("config", "show", "prod", "--origin")},
    "explain": {"What a code means": plain("explain", "superseded")},
}
"""Runs by verb, each with what it shows."""
