"""The plan: every gate judged in the order of cost, and what would be copied and edited.  Nothing is written."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime
from functools import partial

from promote.errors import PromoteError
from promote.gates import freeze, overlay, path
from promote.gates import tag as tag_gate
from promote.model.policy import Gates
from promote.model.progress import Watcher, watcher
from promote.model.verdict import Verdict, skipped
from promote.promotion import holds
from promote.promotion.declared import Declared, begin_to_look
from promote.promotion.docket import Docket
from promote.promotion.late_imports import import_ahead
from promote.promotion.parallel import in_parallel
from promote.promotion.planned import ORDER, Plan, PlannedRelease
from promote.promotion.prefetch import APPS, Prefetch, prefetch
from promote.promotion.request import Request, Wanted
from promote.promotion.tiers import Tiers
from promote.promotion.workplace import Workplace


def plan(workplace: Workplace, request: Request, looked: Declared | None = None) -> Plan:
    """Judge every gate for every app asked for; `looked` is what git declares where that was asked before.

    Raises `Fault` or `Misuse` only where the git repository itself cannot be read; what goes wrong for one release is
    in its verdicts and its `error`.
    """
    gates = workplace.configuration.gates[request.target.name]
    heard = watcher(workplace.observer)
    frozen = _freeze(request, gates, workplace.now)
    drafts = tuple(_draft(request, item, gates, heard) for item in request.wanted)
    for draft in drafts:
        draft.docket.add(frozen)
    if not all(draft.docket.open for draft in drafts):
        return Plan(request, drafts)
    prefetches = _prefetches(workplace, request, gates)  # first, because this way is the longer one
    looking = None if looked else begin_to_look(workplace)
    import_ahead()
    declared = looking.result() if looking else looked
    claims = workplace.background.start(holds.claimed, declared) if declared else None
    allowed = _push_right(workplace, request, declared)
    tiers = Tiers(workplace, request, gates, declared, prefetches, claims)
    pairs = list(zip(drafts, request.wanted, strict=True))
    in_parallel(lambda pair: tiers.judge(*pair), pairs, workplace.jobs)
    if allowed:
        allowed.result()
    if request.only_differing:
        drafts = tuple(d for d in drafts if d.changed or d.stop is not None)
    return Plan(request, drafts, declared)


def _prefetches(workplace: Workplace, request: Request, gates: Gates) -> dict[str, Prefetch]:
    """By app, where the tag was given whole."""
    whole = [item for item in request.wanted if item.tag and gates.tag.fullmatch(item.tag)]
    if len(request.wanted) > APPS:
        return {}
    try:
        return {i.app.name: prefetch(workplace, request, i.app, i.tag, gates.tag) for i in whole if i.tag}
    except PromoteError:
        return {}  # options that cannot be: said where the gates ask


def _push_right(workplace: Workplace, request: Request, declared: Declared | None) -> Future[None] | None:
    """Begin to prove that the commit could be pushed; None when none will be."""
    if declared is None or not workplace.push or not any(place.overlays for place in request.target.places):
        return None
    if workplace.configuration.git.delivery == "github-api":
        return None  # git only reads then
    return workplace.background.start(declared.git.check_push)


def _draft(request: Request, item: Wanted, gates: Gates, heard: Watcher) -> PlannedRelease:
    """The gates that cost nothing."""
    draft = PlannedRelease(item.app, item.tag or "", Docket(ORDER, partial(heard.judged, item.app.name)))
    if item.tag is not None and not tag_gate.may_abbreviate(item.tag, gates.tag):
        draft.docket.add(tag_gate.judge(item.tag, gates.tag))
    draft.docket.add(_path(request))
    if request.target.lacks(item.app):
        draft.docket.add(overlay.lacking(item.app.name, request.target.name))
    return draft


def _freeze(request: Request, gates: Gates, now: datetime) -> Verdict:
    if request.is_rollback:
        return skipped(freeze.GATE, "a rollback does not wait")
    return freeze.judge(gates.freeze, request.target.name, now)


def _path(request: Request) -> Verdict:
    if request.is_rollback:
        return skipped(path.GATE, f"{request.target.name} goes back to what it ran itself")
    return path.judge(request.source, request.target)
