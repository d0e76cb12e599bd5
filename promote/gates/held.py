"""The target environment was not rolled back from this very digest, or the hold was lifted."""

from __future__ import annotations

from promote.model.malformed import shown
from promote.model.record import Hold
from promote.model.release import Release
from promote.model.verdict import Reason, Verdict, passed, refused, skipped, unknown

GATE = "held"
UNSHALLOW = "run `git fetch --unshallow` and try again"


def judge(
    release: Release, environment: str, hold: Hold | None, lift: str | None, *, history_complete: bool
) -> Verdict:
    """Pass when `hold`, what the history that is here says about this digest, is None, or `lift` says why it may pass.

    What a shallow clone does not show is neither passed nor refused: the gate is skipped and says so.
    """
    name = release.app.name
    if hold is None:
        if not history_complete:
            said = f"not held, as far as this shallow clone can tell: older rollbacks of {name} were not seen"
            return skipped(GATE, said, Reason.UNREADABLE)
        return passed(GATE, f"{environment} was not rolled back from it")
    told = f"commit {hold.commit[:12]} of {hold.when:%Y-%m-%d} by {shown(hold.by, 100)}"
    because = f": {shown(hold.reason, 200)}" if hold.reason else ", which gave no reason"
    if lift is not None:
        return passed(GATE, f"the hold of {told} is lifted: {shown(lift, 200)}")
    return refused(
        GATE,
        Reason.HELD,
        f"{environment} was rolled back from {release.tag} by {told}{because}",
        expected=f"a release that {environment} was not rolled back from",
        actual=f"{release.tag}@{release.digest}",
        hint=f"promote a newer build, or this one again with --lift 'why it may run in {environment} now'",
    )


def unconfirmed(release: Release, environment: str) -> Verdict:
    """The verdict where a commit says that it holds the digest, and history ends before that can be confirmed."""
    return unknown(
        GATE,
        f"a commit says that {environment} was rolled back from {release.tag}; this shallow clone cannot confirm it",
        actual=str(release.digest),
        hint=UNSHALLOW,
    )


def unseen(release: Release, environment: str) -> Verdict:
    """The verdict where promote.yaml wants all of history to be looked at, and it is not here."""
    return unknown(
        GATE,
        f"whether {environment} was rolled back from {release.tag} is unknown: this clone is shallow",
        actual="a part of history, and promote.yaml asks for all of it",
        hint=UNSHALLOW,
    )
