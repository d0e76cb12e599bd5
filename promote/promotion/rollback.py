"""Going back: which release an environment ran before, where its image still is, and the plan to return to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from promote.errors import Misuse, PromoteError, Refusal
from promote.gates import tag as tag_gate
from promote.model.digest import Digest
from promote.model.environment import App, Environment, Place
from promote.model.malformed import shown
from promote.model.record import Hold, Kind, Record, Sighting
from promote.model.release import Pin
from promote.model.verdict import Reason
from promote.promotion import holds
from promote.promotion.declared import Declared, look
from promote.promotion.parallel import in_parallel
from promote.promotion.plan import plan
from promote.promotion.planned import Plan
from promote.promotion.request import Request, Wanted
from promote.promotion.workplace import Workplace

BACK = frozenset({Kind.ROLLBACK, Kind.REVERT})
"""Records that undo: what they took out is no release to go back to."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A release that the environment ran, and the record that says so; `source` is where it was promoted from."""

    tag: str
    digest: Digest | None
    record: Record
    source: str | None = None

    @property
    def key(self) -> str:
        """What makes two of them the same release: the digest, and where there is none the tag."""
        return str(self.digest) if self.digest else self.tag

    def sighting(self) -> Sighting:
        """The same as the gates take it."""
        overlay = self.record.overlays[0] if self.record.overlays else ""
        pin = Pin(overlay, 1, "", self.tag, self.digest)
        return Sighting(self.record.commit, self.record.when, self.record.by, pin)


def plan_rollback(workplace: Workplace, request: Request) -> Plan:
    """The plan to let `request.target` go back; a tag that `request.wanted` has may be an abbreviation.

    Without a tag it is the release before, or, where a rollback was the last that happened, the one that this led to.
    Raises `Refusal` (10): ``no-release-before``, ``not-deployed``, ``ambiguous-tag``; `Misuse` where no overlay says
    what ran; `Fault` when git or a registry could not be asked.
    """
    target = request.target
    if any(target.lacks(item.app) for item in request.wanted):
        return plan(workplace, request)  # its overlay gate refuses, before anything is asked
    declared = look(workplace)
    if declared is None or not all(declared.overlays(target, item.app) for item in request.wanted):
        raise Misuse(
            "no-overlays",
            f"got the environment {target.name} without overlays, expected one whose overlays say what it ran",
            hint="promote the release that you want to go back to",
        )
    complete = declared.history_complete
    try:
        chosen = _choose(workplace, declared, request)
    except Refusal:
        if not declared.look_further(seen_complete=complete):
            raise
        chosen = _choose(workplace, declared, request)
    return plan(workplace, replace(request, wanted=chosen), declared)


def _choose(workplace: Workplace, declared: Declared, request: Request) -> tuple[Wanted, ...]:
    from promote.insight.records import records  # noqa: PLC0415 - ruamel.yaml, once git was asked

    names = [item.app.name for item in request.wanted]
    history = tuple(
        records(
            declared.git,
            declared.tip,
            declared.configuration,
            environments=[request.target.name],
            apps=names,
            now=workplace.now,
        )
    )

    def wanted(item: Wanted) -> Wanted:
        mine = tuple(record for record in history if record.app == item.app.name)
        past = Past(request.target, item.app, mine, declared)
        pattern = workplace.configuration.gates[request.target.name].tag
        ran = (past.gone_back() or past.before()) if item.tag is None else past.named(item.tag, pattern)
        if ran is None:
            return item  # a tag that names no commit: the tag gate says so
        return Wanted(item.app, ran.tag, ran.sighting(), _origin(workplace, request.target, item.app, ran))

    return tuple(in_parallel(wanted, request.wanted, workplace.jobs))


@dataclass(frozen=True)
class Past:
    """What `environment` ran of `app`: `records`, newest first."""

    environment: Environment
    app: App
    records: Sequence[Record]
    declared: Declared

    def gone_back(self) -> Ran | None:
        """The release that runs now, where a rollback brought it and nothing has changed since.

        Then a rollback that names nothing is done: whoever repeats one that was killed, or that a job runs twice, means
        the same step and not another one.  None in any other case.
        """
        keys = self._running()
        for record in self.records:
            ran = next(_brought(record), None)
            if ran is None or keys != {ran.key}:
                return None
            if record.kind is Kind.ROLLBACK:
                return ran
        return None

    def before(self) -> Ran:
        """The release before the one that runs now; raises `Refusal` when there is none, or several run now."""
        now, keys = self.declared.current(self.environment, self.app), self._running()
        if len(keys) > 1:
            tags = sorted({pin.tag or "(no tag)" for pin in now})
            raise _refusal(
                Reason.AMBIGUOUS_TAG.code,
                f"{self.environment.name} runs several releases of {self.app.name}",
                expected="one release to go back from",
                actual=", ".join(tags),
                hint=f"say where to, as in promote rollback {self.environment.name} {self.app.name}=sha-4f2a91c",
            )
        below = list(self._below(keys))
        for ran, hold in below:
            if hold is None:
                return ran
        raise self._none_before(now, [(ran, hold) for ran, hold in below if hold is not None])

    def next_below(self, keys: Collection[str]) -> Ran | None:
        """The release that a rollback from those called `keys` leads to; None where there is none."""
        return next((ran for ran, hold in self._below(keys) if hold is None), None)

    def _running(self) -> set[str]:
        """The keys of what runs now."""
        now = self.declared.current(self.environment, self.app)
        return {str(pin.digest) if pin.digest else (pin.tag or "") for pin in now}

    def _below(self, keys: Collection[str]) -> Iterator[tuple[Ran, Hold | None]]:
        """The releases that lead to those called `keys`, nearest first, each with the hold on it."""
        for ran in reversed(stack(self.records)):
            if ran.key not in keys:
                yield ran, holds.told(self.records, ran.digest) if ran.digest else None

    def named(self, text: str, pattern: re.Pattern[str]) -> Ran | None:
        """The newest run of the release whose tag is `text`, or begins so; raises `Refusal` for none, and for several.

        None when no commit tag can begin so.
        """
        if not tag_gate.may_abbreviate(text, pattern) and not pattern.fullmatch(text):
            return None
        every = [ran for ran in _every(self.records) if ran.tag.startswith(text) and pattern.fullmatch(ran.tag)]
        tags = sorted({ran.tag for ran in every})
        if text in tags:
            tags = [text]
        if len(tags) == 1:
            return next(ran for ran in every if ran.tag == tags[0])
        if tags:
            raise _refusal(
                Reason.AMBIGUOUS_TAG.code,
                f"{shown(text)} is the beginning of {len(tags)} tags that {self.environment.name} ran",
                expected="one tag",
                actual=", ".join(tags[:10]) + (", …" if len(tags) > 10 else ""),
                hint=f"give more of it, such as {tags[0]}",
            )
        raise _refusal(
            Reason.NOT_DEPLOYED.code,
            f"{self.environment.name} never ran {shown(text)} of {self.app.name}{self._as_far}",
            expected=f"a release that {self.environment.name} ran",
            actual=shown(text),
            hint=self._deeper or f"look at `promote history {self.environment.name}`, or promote it",
        )

    @property
    def _as_far(self) -> str:
        return "" if self.declared.history_complete else ", as far as this shallow clone can tell"

    @property
    def _deeper(self) -> str | None:
        return None if self.declared.history_complete else "run `git fetch --unshallow` and try again"

    def _none_before(self, now: Sequence[Pin], held: Sequence[tuple[Ran, Hold]]) -> Refusal:
        runs = next((pin.tag or str(pin.digest) for pin in now), "nothing")
        told = "; ".join(f"{ran.tag} is held by commit {hold.commit[:12]}" for ran, hold in held[:5])
        without = " that is not held" if held else ""
        return _refusal(
            "no-release-before",
            f"{self.environment.name} ran no release of {self.app.name} before {shown(runs)}{without}{self._as_far}",
            expected="a release to go back to",
            actual=told or f"{shown(runs)} and nothing before it",
            hint=self._deeper or f"look at `promote history {self.environment.name}`, and promote a newer build",
        )


def stack(records: Sequence[Record]) -> list[Ran]:
    """The releases of `records` (newest first) that lead to what runs now, oldest first, those gone back from left out.

    A rollback, or a ``git revert``, to a release takes everything above it away, which is all of it where that release
    is older than the history that is here; any other change adds one on top, also of a release that is below already.
    """
    found: list[Ran] = []
    seen: set[str] = set()
    for record in reversed(records):
        if not found:
            found += _previous(record)
        seen |= {ran.key for ran in _previous(record)}
        for ran in _brought(record):
            keys = [below.key for below in found]
            if record.kind in BACK and ran.key in keys:
                last = len(keys) - 1 - keys[::-1].index(ran.key)
                del found[last + 1 :]
            elif record.kind in BACK and ran.key not in seen:
                found = [ran]
            elif not keys or keys[-1] != ran.key:
                found.append(ran)
            seen.add(ran.key)
    return found


def _every(records: Sequence[Record]) -> Iterator[Ran]:
    for record in records:
        yield from _brought(record)
        yield from _previous(record)


def _brought(record: Record) -> Iterator[Ran]:
    if record.tag or record.digest:
        yield Ran(record.tag or "", record.digest, record, record.source)


def _previous(record: Record) -> Iterator[Ran]:
    if record.previous_tag or record.previous_digest:
        yield Ran(record.previous_tag or "", record.previous_digest, record)


def _origin(workplace: Workplace, target: Environment, app: App, ran: Ran) -> Place:
    """Where the image is: at a place of the target, where it was brought once, or where that came from.

    Where nobody has it, a place that has the tag, and else the first of the target: the gates say what is wrong there.
    """
    environments = workplace.configuration.environments
    names = dict.fromkeys(name for name in (ran.source, *target.promoted_from) if name and name != target.name)
    elsewhere = [environments[name].places_of(app)[0] for name in names if name in environments]
    second = None
    own = target.places_of(app)
    for place in (*own, *elsewhere):
        digest = _digest_at(workplace, place, app, ran.tag)
        if digest is not None and ran.digest in {None, digest}:
            return place
        second = second or (place if digest is not None else None)
    return second or own[0]


def _digest_at(workplace: Workplace, place: Place, app: App, tag: str) -> Digest | None:
    try:
        manifest = workplace.store(place, app).resolve(tag) if tag else None
    except PromoteError:
        return None  # the gates ask again, and say what is wrong where it stands in the way
    return manifest.digest if manifest else None


def _refusal(code: str, message: str, *, expected: str, actual: str, hint: str) -> Refusal:
    return Refusal(code, message, exit_code=10, expected=expected, actual=actual, hint=hint)


def safe_hint(environment: str, releases: Collection[tuple[str, str]]) -> str:
    """What to run again after a rollback that could not be finished: with the releases named, it does nothing twice."""
    words = " ".join(f"{app}={tag}" for app, tag in releases)
    return f"run `promote rollback {environment} {words}` (named, it looks first and does nothing twice)"
