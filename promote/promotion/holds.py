"""Holds: which digests an environment was rolled back from and has not run again since, by the history of git."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from promote.gates import held
from promote.gitops import trailers
from promote.model.digest import Digest
from promote.model.environment import App, Environment
from promote.model.record import Hold, Kind, Record
from promote.model.release import Release
from promote.model.verdict import Verdict, skipped
from promote.promotion.declared import Declared


@dataclass(frozen=True, slots=True)
class Claims:
    """Every digest that some commit, on whatever line of history, says it holds; `complete`: all of history was asked.

    A claim is not a hold yet, but where all of history was asked no hold is without one.
    """

    digests: frozenset[str] = frozenset()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class _Seen:
    """What history says of one digest: `hold` None for none; not `decided` where older history could say otherwise."""

    hold: Hold | None
    decided: bool
    claimed: bool


def claimed(declared: Declared) -> Claims:
    """What the history that is here claims: one ``git log`` over the messages alone; raises `Fault`.

    Most repositories have none, and then nothing else need be read.
    """
    complete = declared.history_complete  # first: somebody else may bring the rest while this one looks
    answer = declared.git.git.run(
        "look for holds",
        ["log", "--no-patch", "-z", "--no-mailmap", "--no-notes", "--no-show-signature", "--no-color", "--format=%B",
         "--fixed-strings", f"--grep={trailers.HOLD}: ", "--end-of-options", declared.tip, "--"],
    )  # fmt: skip
    messages = answer.out.decode("utf-8", "replace").split("\0")
    found = frozenset(value for text in messages for name, value in trailers.parse(text) if name == trailers.HOLD)
    return Claims(found, complete)


def told(records: Iterable[Record], digest: Digest) -> Hold | None:
    """The hold on `digest` that the records of one app in one environment, newest first, tell of; None for no hold.

    The newest record about the digest decides: a rollback from it holds it, and whatever brought it back (a promotion
    with a lift, a ``git revert`` of the rollback, an edit by hand) has ended the hold.
    """
    return _hold(_deciding(records, digest), digest)


def judge(
    declared: Declared | None,
    claims: Claims,
    target: Environment,
    release: Release,
    *,
    arrived: bool,
    lift: str | None,
    now: datetime,
) -> tuple[Verdict, Hold | None]:
    """The verdict of the gate, and the hold that it found; `claims` are those of `claimed` at the same tip.

    `arrived` says that a place of `target` has the image, so that it may have run there: then a history that is cut off
    is not believed.  More of it is brought where that can be done; see `promote.gates.held` for where it cannot.
    Raises `Fault`.
    """
    if declared is None or not declared.overlays(target, release.app):
        return skipped(held.GATE, f"{target.name} has no overlays, so git has no record of a rollback"), None
    seen = _look(declared, claims, target, release, arrived=arrived, now=now)
    if not seen.decided and (arrived or seen.claimed) and declared.look_further(seen_complete=claims.complete):
        seen = _look(declared, claimed(declared), target, release, arrived=arrived, now=now)
    if not seen.decided and seen.claimed:
        return held.unconfirmed(release, target.name), None
    if not seen.decided and declared.configuration.git.whole_history:
        return held.unseen(release, target.name), None
    return held.judge(release, target.name, seen.hold, lift, history_complete=seen.decided), seen.hold


def _look(
    declared: Declared, claims: Claims, target: Environment, release: Release, *, arrived: bool, now: datetime
) -> _Seen:
    """What the history that `claims` were read from says of the release."""
    is_claimed = str(release.digest) in claims.digests
    record = None
    if is_claimed or (arrived and not claims.complete):
        record = _deciding(_history(declared, target, release.app, now), release.digest)
    runs = any(pin.digest == release.digest for pin in declared.current(target, release.app))
    return _Seen(_hold(record, release.digest), claims.complete or runs or record is not None, is_claimed)


def _history(declared: Declared, target: Environment, app: App, now: datetime) -> Iterable[Record]:
    from promote.insight.records import records  # noqa: PLC0415 - ruamel.yaml, where a hold is possible at all

    return records(
        declared.git, declared.tip, declared.configuration, environments=[target.name], apps=[app.name], now=now
    )


def _deciding(records: Iterable[Record], digest: Digest) -> Record | None:
    """The newest of `records` that brought `digest` in, or that holds it; None where none did either."""
    return next((r for r in records if r.digest == digest or (r.kind is Kind.ROLLBACK and digest in r.holds)), None)


def _hold(record: Record | None, digest: Digest) -> Hold | None:
    if record is None or record.digest == digest:
        return None
    return Hold(record.commit, record.by, record.when, record.reason)
