"""Records: who changed what, when and how, by the diffs of the branch, with what trailers say where those agree."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from promote.errors import PromoteError
from promote.gitops.history import Commit
from promote.gitops.repository import Repository
from promote.insight.changes import Change, Walk
from promote.insight.claims import Claim, claims, confirmed, reverted
from promote.insight.merged import Merged
from promote.insight.overlay_state import pinned_by
from promote.model.configuration import Configuration
from promote.model.digest import Digest
from promote.model.record import BEFORE_AN_OLDER, IN_THE_FUTURE, Kind, Pinned, Record

_CLOCKS_DIFFER = timedelta(minutes=10)
"""How far a date may be ahead of ours before it is called one of the future."""

_Said = tuple[tuple[str, tuple[Claim, ...]], ...]
"""Authors, each with what its commit claims."""


def records(
    repository: Repository,
    tip: str,
    configuration: Configuration,
    *,
    environments: Collection[str],
    apps: Collection[str],
    now: datetime,
) -> Iterator[Record]:
    """Every change of what `environments` run of `apps` on the first-parent history of `tip`, newest first.

    Read as far as it is asked for.  The order is that of the commits; places of one environment that one commit changed
    alike are one record.  `now` is what a date of the future is told by.  In a shallow repository the records end where
    history does, and what is older is not made up: see `promote.gitops.history.horizon`.  Raises `Fault`.
    """
    walk = Walk(repository, tip, configuration, environments, apps)
    narrator = Narrator(repository, tip, now)
    together: list[Record] = []
    for change in walk.changes():
        if together and together[0].commit != change.commit.oid:
            yield from _joined(together)
            together = []
        together += narrator.records(change)
    yield from _joined(together)


class Narrator:
    """Makes records of changes, one by one."""

    def __init__(self, repository: Repository, tip: str, now: datetime) -> None:
        self._repository = repository
        self._merged = Merged(repository, tip)
        self._now = now
        self._read: tuple[str, _Said] = ("", ())

    def records(self, change: Change) -> tuple[Record, ...]:
        """What `change` says: a record for each release it brought in, or one for those it took out.

        An overlay that became unreadable says nothing: none.
        """
        if change.after.problem is not None:
            return ()
        new = [p for p in change.after.pins if p not in change.before.pins]
        gone = [p for p in change.before.pins if p not in change.after.pins]
        previous = gone[0] if len(gone) == 1 else Pinned()
        brought = new or list(change.after.pins[:1]) or [Pinned()]
        return tuple(self._record(change, pinned, previous) for pinned in brought)

    def _record(self, change: Change, pinned: Pinned, previous: Pinned) -> Record:
        commit, app, environment = change.commit, change.slot.app, change.slot.environment
        by, said = self._claims(commit, app, environment, pinned)
        claim = confirmed(said, app, environment, pinned)
        notes = _odd_dates(commit.when, change.older, self._now)
        said_held = claim.holds if claim and claim.kind is Kind.ROLLBACK else ()
        taken_out = {p.digest for p in change.before.pins} - {p.digest for p in change.after.pins} - {""}
        if said and claim is None:
            notes += ("its trailers do not say what it changed here",)
        if change.before.problem is not None:
            notes += ("what was there before cannot be read",)
        return Record(
            app=app,
            environment=environment,
            kind=claim.kind if claim else self._kind(change, pinned),
            tag=pinned.tag or None,
            digest=_digest(pinned),
            previous_tag=previous.tag or None,
            previous_digest=_digest(previous),
            when=commit.when,
            by=by,
            commit=commit.oid,
            source=claim.source if claim else None,
            reason=claim.reason if claim else None,
            overlays=(change.where.directory,),
            notes=notes,
            holds=tuple(Digest.parse(digest) for digest in dict.fromkeys(said_held) if digest in taken_out),
        )

    def _claims(self, commit: Commit, app: str, environment: str, pinned: Pinned) -> tuple[str, tuple[Claim, ...]]:
        """Who says what about the change: the commit itself, or one that it merged and whose claim is confirmed."""
        if self._read[0] != commit.oid:
            said: _Said = ((commit.author, claims(commit.message)),)
            if len(commit.parents) > 1 and not said[0][1]:
                said += tuple((m.author, claims(m.text)) for m in self._merged.beside(commit))
            self._read = (commit.oid, said)
        voices = self._read[1]
        for author, said_there in voices:
            if confirmed(said_there, app, environment, pinned):
                return author, said_there
        return commit.author, tuple(claim for _, said_there in voices for claim in said_there)

    def _kind(self, change: Change, pinned: Pinned) -> Kind:
        if pinned == Pinned():
            return Kind.REMOVE
        if any(self._undid(change, oid) for oid in reverted(change.commit.message)):
            return Kind.REVERT
        return Kind.EDIT if change.before.pins or change.before.problem else Kind.ADD

    def _undid(self, change: Change, oid: str) -> bool:
        """Whether the commit `oid` did here the opposite of `change`."""
        try:
            parent = self._repository.objects.read(oid, "commit").split(b"\n", 2)[1].removeprefix(b"parent ").decode()
            after, before = (pinned_by(self._repository.snapshot(commit), change.where) for commit in (oid, parent))
        except (PromoteError, IndexError, UnicodeDecodeError):
            return False  # no such commit here, or none with such a parent: then nobody can say that it was undone
        return (after.pins, before.pins) == (change.before.pins, change.after.pins)


def _joined(together: Sequence[Record]) -> Iterator[Record]:
    """The records of one commit, those that differ only in the overlay as one."""
    found: dict[Record, list[str]] = {}
    for record in together:
        found.setdefault(replace(record, overlays=()), []).extend(record.overlays)
    for record, overlays in found.items():
        yield replace(record, overlays=tuple(dict.fromkeys(overlays)))


def _odd_dates(when: datetime, older: datetime | None, now: datetime) -> tuple[str, ...]:
    """What is wrong with a date, which is only what somebody's clock said."""
    notes: tuple[str, ...] = ()
    if when > now + _CLOCKS_DIFFER:
        notes += (IN_THE_FUTURE,)
    if older is not None and when < older:
        notes += (BEFORE_AN_OLDER,)
    return notes


def _digest(pinned: Pinned) -> Digest | None:
    return Digest.parse(pinned.digest) if pinned.digest else None
