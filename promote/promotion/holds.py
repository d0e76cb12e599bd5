"""Holds: which digests an environment was rolled back from and has not run again since, by the history of git."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from promote.gates import held
from promote.gitops import trailers
from promote.model.digest import Digest
from promote.model.environment import App, Environment
from promote.model.record import Hold, Kind, Record
from promote.model.release import Release
from promote.model.verdict import Verdict, skipped
from promote.promotion.declared import Declared


def claimed(declared: Declared) -> frozenset[str]:
    """Every digest that some commit, on whatever line of history, says it holds: a claim, and quickly asked.

    One ``git log`` over the messages alone; most repositories have none, and then nothing else need be read.
    """
    answer = declared.git.git.run(
        "look for holds",
        ["log", "--no-patch", "-z", "--no-mailmap", "--no-notes", "--no-show-signature", "--no-color", "--format=%B",
         "--fixed-strings", f"--grep={trailers.HOLD}: ", "--end-of-options", declared.tip, "--"],
    )  # fmt: skip
    messages = answer.out.decode("utf-8", "replace").split("\0")
    return frozenset(value for text in messages for name, value in trailers.parse(text) if name == trailers.HOLD)


def told(records: Iterable[Record], digest: Digest) -> Hold | None:
    """The hold on `digest` that the records of one app in one environment, newest first, tell of; None for no hold.

    The newest record about the digest decides: a rollback from it holds it, and whatever brought it back (a promotion
    with a lift, a ``git revert`` of the rollback, an edit by hand) has ended the hold.
    """
    for record in records:
        if record.digest == digest:
            return None
        if record.kind is Kind.ROLLBACK and digest in record.holds:
            return Hold(record.commit, record.by, record.when, record.reason)
    return None


def find(declared: Declared, target: Environment, app: App, digest: Digest, now: datetime) -> Hold | None:
    """The hold on `digest` in `target` at the tip of `declared`, from the diffs; raises `Fault`."""
    from promote.insight.records import records  # noqa: PLC0415 - ruamel.yaml, where a hold is claimed at all

    history = records(
        declared.git, declared.tip, declared.configuration, environments=[target.name], apps=[app.name], now=now
    )
    return told(history, digest)


def judge(
    declared: Declared | None,
    claims: frozenset[str],
    target: Environment,
    release: Release,
    *,
    lift: str | None,
    now: datetime,
) -> tuple[Verdict, Hold | None]:
    """The verdict of the gate, and the hold that it found; `claims` are those of `claimed` at the same tip."""
    if declared is None or not declared.overlays(target, release.app):
        return skipped(held.GATE, f"{target.name} has no overlays, so git has no record of a rollback"), None
    hold = None
    if str(release.digest) in claims:
        hold = find(declared, target, release.app, release.digest, now)
        runs = any(pin.digest == release.digest for pin in declared.current(target, release.app))
        if hold is None and not runs and not declared.history_complete:
            return held.unconfirmed(release, target.name), None
    verdict = held.judge(release, target.name, hold, lift, history_complete=declared.history_complete)
    return verdict, hold
