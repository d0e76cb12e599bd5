"""The plan: every gate judged in the order of cost, and what would be copied and edited.  Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from promote.errors import Fault, PromoteError, Refusal
from promote.gates import overlay, path, source_tag, target_tag
from promote.gates import tag as tag_gate
from promote.model.digest import Digest
from promote.model.evidence import Findings
from promote.model.graph import Graph
from promote.model.manifest import RawManifest
from promote.model.policy import Gates, Trust
from promote.model.release import FileEdit, Release
from promote.model.verdict import Reason, Verdict, unknown
from promote.oci.copy import survey
from promote.oci.store import Store
from promote.promotion import edits, inspection, records, selection
from promote.promotion.declared import Declared, begin_to_look
from promote.promotion.late_imports import import_ahead
from promote.promotion.parallel import in_parallel, together
from promote.promotion.planned import Plan, PlannedRelease
from promote.promotion.prefetch import APPS, Prefetch, access_and_tag, prefetch
from promote.promotion.request import Request, Wanted
from promote.promotion.workplace import Workplace

PLACEHOLDER = Digest("sha256", "0" * 64)
"""Stands for the digest while it is only asked whether the overlay can be edited at all."""


def plan(workplace: Workplace, request: Request) -> Plan:
    """Judge every gate for every app asked for.

    Raises `Fault` or `Misuse` only where the git repository itself cannot be read; what goes wrong for one release is
    in its verdicts and its `error`.
    """
    gates = workplace.configuration.gates[request.target.name]
    drafts = tuple(_draft(request, item, gates) for item in request.wanted)
    if not all(draft.docket.open for draft in drafts):
        return Plan(request, drafts)
    prefetches = _prefetches(workplace, request, gates)  # first, because this way is the longer one
    looking = begin_to_look(workplace)
    import_ahead()
    declared = looking.result()
    allowed = _push_right(workplace, request, declared)
    planner = _Planner(workplace, request, gates, declared, prefetches)
    pairs = list(zip(drafts, request.wanted, strict=True))
    in_parallel(lambda pair: planner.judge(*pair), pairs, workplace.jobs)
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
        return {item.app.name: prefetch(workplace, request, item.app, item.tag) for item in whole if item.tag}
    except PromoteError:
        return {}  # options that cannot be: said where the gates ask


def _push_right(workplace: Workplace, request: Request, declared: Declared | None) -> Future[None] | None:
    """Begin to prove that the commit could be pushed; None when none will be."""
    if declared is None or not workplace.push or not any(place.overlays for place in request.target.places):
        return None
    return workplace.background.start(declared.git.check_push)


def _draft(request: Request, item: Wanted, gates: Gates) -> PlannedRelease:
    """The gates that cost nothing."""
    draft = PlannedRelease(item.app, item.tag or "")
    if item.tag is not None and not tag_gate.may_abbreviate(item.tag, gates.tag):
        draft.docket.add(tag_gate.judge(item.tag, gates.tag))
    draft.docket.add(path.judge(request.source, request.target))
    return draft


def _verdict_of(refusal: Refusal) -> Verdict:
    """A refusal of the rooms below as the verdict of the gate that it belongs to."""
    if refusal.exit_code == Reason.NO_OVERLAY.exit_code:
        return overlay.refuse(refusal.code, refusal.message, refusal.expected, refusal.actual, refusal.hint)
    return inspection.refusal_of_evidence(refusal)


@dataclass(frozen=True)
class _Planner:
    """The gates that ask: git, then the registries, then cryptography."""

    workplace: Workplace
    request: Request
    gates: Gates
    declared: Declared | None
    prefetches: Mapping[str, Prefetch]

    def judge(self, draft: PlannedRelease, item: Wanted) -> None:
        """Judge tier by tier, and stop after the first that does not pass whole."""
        try:
            source = self.workplace.store(self.request.source.places[0], draft.app)
            try:
                self._select(draft, source, item)
            except Fault as fault:
                self._could_not_judge(draft, source_tag.GATE, fault)
            for tier in (self._overlay, self._references, self._labels, self._evidence):
                if draft.docket.open:
                    tier(draft, source)
        except Refusal as refusal:
            draft.docket.add(_verdict_of(refusal))
        except PromoteError as fault:
            self._could_not_judge(draft, draft.docket.next_gate, fault)

    @staticmethod
    def _could_not_judge(draft: PlannedRelease, gate: str, fault: PromoteError) -> None:
        draft.error = fault
        draft.docket.add(unknown(gate, fault.message, actual=fault.actual, hint=fault.hint))

    def _select(self, draft: PlannedRelease, source: Store, item: Wanted) -> None:
        environment = self.request.source
        if item.tag is None:
            selected = selection.running(item.app, environment, self.declared)
        else:
            prefetched = self.prefetches.get(item.app.name)
            search = selection.Search(
                item.app, environment, source, self.declared, prefetched.manifest if prefetched else None
            )
            selected = selection.spelled(item.tag, self.gates.tag, search)
        if isinstance(selected, Verdict):
            draft.docket.add(selected)
            return
        draft.tag, draft.manifest = selected.tag, selected.manifest
        draft.docket.add(tag_gate.judge(selected.tag, self.gates.tag))

    def _overlay(self, draft: PlannedRelease, _source: Store) -> None:
        if self.declared is None:
            draft.docket.add(overlay.judge((), 0, ()))
            return
        overlays = self.declared.overlays(self.request.target, draft.app)
        configuration, target, git = self.workplace.configuration, self.request.target, self.declared.git
        try:
            self._edits(Release(draft.app, draft.tag, PLACEHOLDER))
            notes = edits.notes(configuration, target, draft.app, self.declared.snapshot, git.prefix)
        except Refusal as no:
            draft.docket.add(_verdict_of(no))
            return
        found = self.declared.current(self.request.target, draft.app)
        draft.docket.add(overlay.judge(overlays, len(found), notes))

    def _edits(self, release: Release) -> tuple[FileEdit, ...]:
        if self.declared is None:
            return ()
        return edits.of_release(
            self.workplace.configuration, self.request.target, release, self.declared.snapshot, self.declared.git.prefix
        )

    def _references(self, draft: PlannedRelease, source: Store) -> None:
        """One request each, all at once: the credentials, the tag at the source, the tag at every target."""
        targets = [self.workplace.store(place, draft.app) for place in self.request.target.places]
        prefetched = self._prefetch(draft)
        at_target: dict[Store, RawManifest | None] = {}

        def resolve_source() -> None:
            draft.manifest = draft.manifest or source.resolve(draft.tag)

        def look_at_target(number: int, store: Store) -> None:
            asked = prefetched and prefetched.at_target[number]
            at_target[store] = asked.result() if asked else access_and_tag(store, draft.tag)

        together(resolve_source, *(partial(look_at_target, *target) for target in enumerate(targets)))
        digest = draft.manifest.digest if draft.manifest else None
        draft.docket.add(source_tag.judge(f"{source.repository}:{draft.tag}", digest))
        if digest is None:
            return
        there = {f"{s.repository}:{draft.tag}": (m.digest if m else None) for s, m in at_target.items()}
        draft.docket.add(target_tag.judge(digest, there))
        draft.at_target = tuple(at_target[store] is not None for store in targets)
        draft.release = Release(draft.app, draft.tag, digest)
        draft.recorded = records.look_up(
            self.workplace.configuration, self.declared, self.request.source, draft.release, self.gates
        )
        draft.docket.add(*records.judge(draft.recorded, self.request.source, draft.release, self.gates))
        if draft.docket.open:
            draft.edits = self._edits(draft.release)

    def _prefetch(self, draft: PlannedRelease) -> Prefetch | None:
        found = self.prefetches.get(draft.app.name)
        return found if found and found.tag == draft.tag else None

    def _labels(self, draft: PlannedRelease, source: Store) -> None:
        """The labels; what comes next, if they are right, is begun meanwhile."""
        subject, jobs, start = draft.subject(self.gates), self.workplace.jobs, self.workplace.background.start
        prefetched = self._prefetch(draft)
        graph = prefetched.graph.result() if prefetched else None
        draft.graph = graph = graph or inspection.look(source, subject.manifest, jobs)
        draft.findings = start(self._find_evidence, draft, source, graph)
        draft.surveys = tuple(
            start(survey, source, self.workplace.store(place, draft.app), graph, draft.tag, jobs=jobs)
            for place in self.request.target.places
        )
        draft.platforms = inspection.read_platforms(source, draft.graph, self.workplace.jobs)
        draft.docket.add(inspection.judge_labels(subject, [p.labels for p in draft.platforms], self.gates))

    def _evidence(self, draft: PlannedRelease, source: Store) -> None:
        if draft.graph is None or draft.findings is None:
            return
        findings, trust, now = draft.findings.result(), self._trust(draft), self.workplace.now
        if draft.release is not None:
            others = records.namesakes(draft.recorded, draft.release, self.gates)
            draft.twins = inspection.find_twins(source, others, trust, self.gates, self.workplace.jobs, now=now)
        draft.docket.add(
            *inspection.judge_evidence(draft.subject(self.gates), draft.graph, findings, self.gates, trust, now=now)
        )

    def _find_evidence(self, draft: PlannedRelease, source: Store, graph: Graph) -> Findings:
        jobs, now = self.workplace.jobs, self.workplace.now
        return inspection.find_evidence(source, graph, self._trust(draft), self.gates, jobs, now=now)

    def _trust(self, draft: PlannedRelease) -> Trust:
        return self.workplace.configuration.trust.within(draft.app.name, self.request.target.name)
