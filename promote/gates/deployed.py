"""The source environment runs, or has run, exactly this digest."""

from __future__ import annotations

from collections.abc import Sequence

from promote.model.policy import DeployedDemand
from promote.model.record import Sighting
from promote.model.release import Pin, Release
from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "deployed"


def judge(
    release: Release,
    environment: str,
    demand: DeployedDemand,
    current: Sequence[Pin],
    earlier: Sequence[Sighting],
    *,
    has_overlays: bool,
    history_complete: bool,
) -> Verdict:
    """Pass when a pin of the source environment's overlays, now or earlier, is this release.

    A pin without a digest is compared by tag.  A current pin of the same tag with another digest means that the tag was
    rebuilt after it was deployed, which is refused whatever is demanded.
    """
    for pin in current:
        if pin.tag == release.tag and pin.digest not in (None, release.digest):
            return refused(
                GATE,
                Reason.REBUILT_SINCE_DEPLOYED,
                f"the tag was rebuilt: {environment} runs {release.tag} with other content ({pin.file}:{pin.line})",
                expected=str(pin.digest),
                actual=str(release.digest),
                hint="build a new commit and deploy that; what was tested is not what this tag names now",
            )
    if demand is DeployedDemand.OFF:
        return skipped(GATE, "turned off by promote.yaml", Reason.TURNED_OFF)
    if not has_overlays:
        return skipped(GATE, f"{environment} has no overlays, so git cannot say what runs there")
    if any(_is(pin, release) for pin in current):
        return passed(GATE, f"{environment} runs it")
    ran = next((s for s in earlier if _is(s.pin, release)), None)
    if ran is not None and demand is DeployedDemand.EVER:
        return passed(GATE, f"{environment} ran it (commit {ran.commit[:12]}, {ran.when:%Y-%m-%d})")
    runs = ", ".join(sorted({f"{p.tag or '(no tag)'}@{p.digest or '(no digest)'}" for p in current})) or "nothing"
    verb = "does not run" if demand is DeployedDemand.CURRENT else "never ran"
    suffix = "" if history_complete else ", as far as this shallow clone can tell"
    return refused(
        GATE,
        Reason.NOT_DEPLOYED,
        f"{environment} {verb} {release.tag}{suffix}",
        expected=f"{release.tag}@{release.digest}",
        actual=runs,
        hint=f"deploy it to {environment} first" if history_complete else "run `git fetch --unshallow` and try again",
    )


def lacking(app: str, environment: str, demand: DeployedDemand) -> Verdict:
    """The verdict where the source environment has overlays, and none of them for `app`: it does not run there."""
    if demand is DeployedDemand.OFF:
        return skipped(GATE, "turned off by promote.yaml", Reason.TURNED_OFF)
    return refused(
        GATE,
        Reason.NOT_DEPLOYED,
        f"{environment} does not run {app}: the overlays that promote.yaml names for it are for other apps",
        expected=f"an overlay of {environment} for {app}",
        actual="none",
        hint=f"add the overlay that runs {app} to environments.{environment}.overlays; where there is none, "
        "`deployed: off` in the gates of the target lets it pass",
    )


def _is(pin: Pin, release: Release) -> bool:
    if pin.digest is not None:
        return pin.digest == release.digest
    return pin.tag == release.tag
