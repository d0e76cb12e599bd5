"""What every environment runs of every app, as git declares it: since when, by whom, and how far behind its source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from promote.gitops.repository import Repository
from promote.insight.changes import Change, Walk
from promote.insight.layout import Slot
from promote.insight.overlay_state import State
from promote.insight.records import Narrator
from promote.model.configuration import Configuration
from promote.model.digest import Digest
from promote.model.record import Pinned
from promote.model.standing import Behind, Standing


def status(
    repository: Repository,
    tip: str,
    configuration: Configuration,
    *,
    environments: Collection[str],
    apps: Collection[str],
    now: datetime,
) -> tuple[Standing, ...]:
    """A row for every overlay of `apps` in `environments`, in the order of promote.yaml; several where it pins several.

    History is read only as far back as some row still lacks its beginning, or its place in the history of the
    environment that it is promoted from.  An overlay that cannot be read is a row with a problem and hides no other.
    `now` is what a date of the future is told by.  Raises `Fault`.
    """
    sources = {s for name in environments for s in configuration.environments[name].promoted_from}
    every = [name for name in configuration.environments if name in sources or name in environments]
    walk = Walk(repository, tip, configuration, every, apps)
    narrator = Narrator(repository, tip, now)
    lookout = _Lookout(walk.at_tip, configuration, frozenset(environments))
    overlays = {slot: where.directory for slot, where in walk.layout.items()}
    for slot in lookout.finished(walk.at_tip):
        walk.forget(slot)
    for change in walk.changes():
        for slot in lookout.take(change):
            walk.forget(slot)
    return tuple(
        standing
        for slot, overlay in overlays.items()
        if slot.environment in environments
        for standing in _standings(_Seen(slot, overlay, walk.at_tip[slot], walk.ends_at), lookout, narrator)
    )


@dataclass(slots=True)
class _Lookout:
    """What is still looked for in the history of each slot.

    `ran` has, newest first, what each slot ran: a source's is needed as far back as what its targets run now.
    """

    at_tip: Mapping[Slot, State]
    configuration: Configuration
    environments: frozenset[str]
    began: dict[Slot, Change] = field(default_factory=dict)
    ran: dict[Slot, list[frozenset[str]]] = field(default_factory=dict)
    _wanted: dict[Slot, set[str]] = field(default_factory=lambda: defaultdict(set))
    _sources: dict[tuple[str, str], list[Slot]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for slot, state in self.at_tip.items():
            self.ran[slot] = [_keys(state)]
            self._sources[slot.environment, slot.app].append(slot)
        for slot, state in self.at_tip.items():
            if slot.environment in self.environments:
                for source in self.configuration.environments[slot.environment].promoted_from:
                    for there in self._sources[source, slot.app]:
                        self._wanted[there] |= _keys(state) - self.ran[there][0]

    def take(self, change: Change) -> Sequence[Slot]:
        """Note `change`; the slots that need no further looking at."""
        slot = change.slot
        self.began.setdefault(slot, change)
        keys = _keys(change.before)
        if keys and keys != self.ran[slot][-1]:  # what could not be read, or was not there, is no release
            self.ran[slot].append(keys)
            self._wanted[slot] -= keys
        return self.finished([slot])

    def finished(self, slots: Collection[Slot]) -> Sequence[Slot]:
        """Those of `slots` of which everything is known."""
        return [s for s in slots if not self._wanted[s] and (s in self.began or not self._is_shown(s))]

    def behind(self, slot: Slot, pinned: Pinned) -> tuple[Behind, ...]:
        """How far what `slot` pins is behind each environment that it is promoted from."""
        found = []
        for source in self.configuration.environments[slot.environment].promoted_from:
            places = self._sources[source, slot.app]
            counts = [n for s in places if (n := _place(self.ran[s], pinned.key)) is not None]
            found.append(Behind(source, min(counts, default=None)))
        return tuple(found)

    def _is_shown(self, slot: Slot) -> bool:
        state = self.at_tip[slot]
        return slot.environment in self.environments and bool(state.pins or state.problem)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One slot at the tip; `ends_at` is where a shallow history ended."""

    slot: Slot
    overlay: str
    state: State
    ends_at: str | None


def _standings(seen: _Seen, lookout: _Lookout, narrator: Narrator) -> list[Standing]:
    """The rows of one slot."""
    slot, state = seen.slot, seen.state
    row = Standing(slot.app, slot.environment, seen.overlay, slot.place)
    if state.problem is not None:
        return [replace(row, problem=state.problem)]
    if not state.pins:
        return [replace(row, notes=("not pinned here" if state.there else "there is no overlay",))]
    change = lookout.began.get(slot)
    brought = {Pinned(r.tag or "", str(r.digest or "")): r for r in narrator.records(change)} if change else {}
    notes = () if len(state.pins) == 1 else (f"one of {len(state.pins)} releases that this overlay pins",)
    rows = []
    for pinned in state.pins:
        record = brought.get(pinned) or next(iter(brought.values()), None)
        rows.append(
            replace(
                row,
                tag=pinned.tag or None,
                digest=Digest.parse(pinned.digest) if pinned.digest else None,
                record=record,
                behind=lookout.behind(slot, pinned),
                notes=notes + (record.notes if record else (_unknown(seen.ends_at),)),
            )
        )
    return rows


def _unknown(ends_at: str | None) -> str:
    if ends_at is None:
        return "since when is unknown"
    return f"unknown since when: this clone is shallow, and its history begins with it at {ends_at[:12]}"


def _keys(state: State) -> frozenset[str]:
    return frozenset(p.key for p in state.pins if p.key)


def _place(ran: Sequence[frozenset[str]], key: str) -> int | None:
    """How many releases came after the one called `key`; None when it is not among those that ran."""
    return next((number for number, keys in enumerate(ran) if key in keys), None)
