"""The gates that ask, tier by tier: what the overlay says, what the tag names, what the image says, what was signed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from promote.errors import Fault, PromoteError, Refusal
from promote.gates import effect, overlay, source_tag, target_tag
from promote.gates import tag as tag_gate
from promote.model.digest import Digest
from promote.model.evidence import Findings
from promote.model.graph import Graph
from promote.model.manifest import RawManifest
from promote.model.policy import Gates, Trust
from promote.model.release import Release
from promote.model.verdict import Reason, Verdict, unknown
from promote.oci.copy import survey
from promote.oci.scouting import access_and_tag
from promote.oci.store import Blobs, Store
from promote.promotion import edits, holds, inspection, records, running, selection, twins
from promote.promotion.declared import Declared
from promote.promotion.parallel import together
from promote.promotion.planned import PlannedRelease
from promote.promotion.prefetch import Prefetch
from promote.promotion.request import Request, Wanted
from promote.promotion.workplace import Workplace

PLACEHOLDER = Digest("sha256", "0" * 64)
"""Stands for the digest while it is only asked whether the overlay can be edited at all."""


def _verdict_of(refusal: Refusal) -> Verdict:
    """A refusal of the rooms below as the verdict of the gate that it belongs to."""
    if refusal.code in {reason.code for reason in effect.CODES}:
        return effect.refuse(refusal.code, refusal.message, refusal.expected, refusal.actual, refusal.hint)
    if refusal.exit_code == Reason.NO_OVERLAY.exit_code:
        return overlay.refuse(refusal.code, refusal.message, refusal.expected, refusal.actual, refusal.hint)
    return inspection.refusal_of_evidence(refusal)


@dataclass(frozen=True)
class Tiers:
    """The gates that ask: git, then the registries, then cryptography."""

    workplace: Workplace
    request: Request
    gates: Gates
    declared: Declared | None
    prefetches: Mapping[str, Prefetch]
    claims: Future[holds.Claims] | None = None

    def judge(self, draft: PlannedRelease, item: Wanted) -> None:
        """Judge tier by tier, and stop after the first that does not pass whole."""
        try:
            source = self.workplace.store(self.request.origin(draft.app), draft.app)
            try:
                self._select(draft, source, item)
            except Fault as fault:
                self._could_not_judge(draft, source_tag.GATE, fault)
            draft.ran = item.ran
            for tier in (self._overlay, self._references, self._labels, self._evidence):
                if draft.docket.open:
                    tier(draft, source)
        except Refusal as refusal:
            draft.docket.add(_verdict_of(refusal))
        except PromoteError as fault:
            begun = {effect.GATE} if draft.effects else set()
            self._could_not_judge(draft, draft.docket.next_gate(begun), fault)

    @staticmethod
    def _could_not_judge(draft: PlannedRelease, gate: str, fault: PromoteError) -> None:
        draft.error = draft.error or fault
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
            draft.docket.add(overlay.judge((), 0), effect.judge((), 0, (), effect.Notes(), required=False))
            return
        overlays = self.declared.overlays(self.request.target, draft.app)
        scene, release = self._scene(self.declared), Release(draft.app, draft.tag, PLACEHOLDER)
        try:
            made = edits.of_release(scene, release)
            found = self.declared.current(self.request.target, draft.app)
            draft.docket.add(overlay.judge(overlays, len(found)))
            edits.screen(scene, release, made, self.workplace.builder)
        except Refusal as no:
            draft.docket.add(_verdict_of(no))

    def _scene(self, declared: Declared) -> edits.Scene:
        prefix, target = declared.git.prefix, self.request.target
        return edits.Scene(self.workplace.configuration, target, declared.snapshot, prefix, declared.parsed)

    def _edit(self, draft: PlannedRelease, release: Release) -> None:
        """Make the edits, and begin to look at what they do."""
        if self.declared is not None:
            scene = self._scene(self.declared)
            draft.edits = edits.of_release(scene, release)
            start = self.workplace.background.start
            draft.effects = start(edits.effects, scene, release, draft.edits, self.workplace.builder)

    def _effect(self, draft: PlannedRelease) -> None:
        """Judge what the edits do."""
        if self.declared is None or draft.effects is None:
            return
        try:
            seen = draft.effects.result()
        except Refusal as no:
            draft.docket.add(_verdict_of(no))
            return
        except Fault as fault:
            self._could_not_judge(draft, effect.GATE, fault)
            return
        notes = effect.Notes(
            doubts=[doubt for e in seen for doubt in (*e.blind, *e.doubts)],
            warnings=[warning for e in seen for warning in e.warnings],
        )
        overlays = self.declared.overlays(self.request.target, draft.app)
        images, builders = sum(len(e.images) for e in seen), [e.by for e in seen if e.by]
        draft.docket.add(effect.judge(overlays, images, builders, notes, required=self.gates.effect_required))

    def _references(self, draft: PlannedRelease, source: Store) -> None:
        """One request each, all at once: the credentials, the tag at the source, the tag at every target."""
        targets = [self.workplace.store(place, draft.app) for place in self.request.target.places_of(draft.app)]
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
        if draft.ran is not None:
            draft.recorded = draft.recorded.with_run(draft.ran)
        draft.docket.add(*records.judge(draft.recorded, self.request.source, draft.release, self.gates))
        self._held(draft, draft.release)
        draft.docket.add(*self._running(draft.release))
        if draft.docket.open:
            self._edit(draft, draft.release)

    def _held(self, draft: PlannedRelease, release: Release) -> None:
        """Whether the target was rolled back from it."""
        verdict, draft.hold = holds.judge(
            self.declared,
            self.claims.result() if self.claims else holds.Claims(),
            self.request.target,
            release,
            arrived=any(draft.at_target),
            lift=self.request.lift,
            now=self.workplace.now,
        )
        draft.docket.add(verdict)

    def _running(self, release: Release) -> tuple[Verdict, ...]:
        """For how long the source has run it, and who approved it since."""
        if self.request.is_rollback:
            return running.not_asked()
        way = (self.request.source, self.request.target)
        return running.judge(self.declared, release, way, self.gates, self.workplace.now)

    def _prefetch(self, draft: PlannedRelease) -> Prefetch | None:
        found = self.prefetches.get(draft.app.name)
        return found if found and found.tag == draft.tag else None

    def _labels(self, draft: PlannedRelease, source: Store) -> None:
        """The labels; what comes next, if they are right, is begun meanwhile."""
        subject, jobs, start = draft.subject(self.gates), self.workplace.jobs, self.workplace.background.start
        prefetched = self._prefetch(draft)
        graph = prefetched.graph.result() if prefetched else None
        draft.graph = graph = graph or inspection.look(source, subject.manifest, jobs)
        blobs: Blobs = prefetched.blobs if prefetched else source
        draft.findings = start(self._find_evidence, draft, blobs, graph)
        targets = [self.workplace.store(place, draft.app) for place in self.request.target.places_of(draft.app)]
        asked = [scout.asked for scout in prefetched.scouts] if prefetched else [None] * len(targets)
        draft.surveys = tuple(
            start(survey, source, target, graph, draft.tag, jobs=jobs, asked=coming)
            for target, coming in zip(targets, asked, strict=True)
        )
        draft.blobs = blobs
        draft.platforms = inspection.read_platforms(blobs, draft.graph, self.workplace.jobs)
        named = [p.labels for p in draft.platforms]
        draft.docket.add(inspection.judge_labels(subject, named, self.gates))
        draft.tagged = prefetched.other if prefetched else None
        if draft.tagged is None:
            revisions = [n.revision for n in named]
            draft.tagged = start(twins.tagged, source, subject.manifest.digest, draft.tag, self.gates.tag, revisions)

    def _evidence(self, draft: PlannedRelease, source: Store) -> None:
        self._effect(draft)
        if draft.graph is None or draft.findings is None:
            return
        findings, trust, now = draft.findings.result(), self._trust(draft), self.workplace.now
        if draft.release is not None:
            others = twins.recorded(records.namesakes(draft.recorded, draft.release, self.gates))
            others += draft.tagged.result() if draft.tagged else ()
            draft.twins = twins.examine(source, others, trust, self.gates, self.workplace.jobs, now=now)
        draft.docket.add(
            *inspection.judge_evidence(draft.subject(self.gates), draft.graph, findings, self.gates, trust, now=now)
        )

    def _find_evidence(self, draft: PlannedRelease, source: Blobs, graph: Graph) -> Findings:
        jobs, now = self.workplace.jobs, self.workplace.now
        return inspection.find_evidence(source, graph, self._trust(draft), self.gates, jobs, now=now)

    def _trust(self, draft: PlannedRelease) -> Trust:
        return self.workplace.configuration.trust.within(draft.app.name, self.request.target.name)
