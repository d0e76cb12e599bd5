"""Git history knows this tag with this digest only."""

from __future__ import annotations

from collections.abc import Sequence

from promote.model.record import Sighting
from promote.model.release import Release
from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "ledger"


def judge(release: Release, sightings: Sequence[Sighting], *, has_overlays: bool, history_complete: bool) -> Verdict:
    """Pass when no commit ever pinned the release's tag with another digest, in any environment.

    What a shallow clone does not show is neither passed nor refused: the gate is skipped and says so.
    """
    if not has_overlays:
        return skipped(GATE, "no overlay of any environment holds this app, so git has no record of it")
    for sighting in sightings:
        pin = sighting.pin
        if pin.tag == release.tag and pin.digest not in (None, release.digest):
            return refused(
                GATE,
                Reason.REBUILT_SINCE_RECORDED,
                f"the tag was rebuilt: commit {sighting.commit[:12]} of {sighting.when:%Y-%m-%d} "
                f"recorded {release.tag} with other content ({pin.file})",
                expected=str(pin.digest),
                actual=str(release.digest),
                hint=f"look at it with `git show {sighting.commit[:12]}`; build a new commit and promote that",
            )
    if not history_complete:
        known = f"git has no record of {release.tag} with another digest, as far as this shallow clone can tell"
        return skipped(GATE, f"{known}: older records were not seen", Reason.UNREADABLE)
    return passed(GATE, f"git never recorded {release.tag} with another digest")
