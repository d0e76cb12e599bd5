"""What planning leaves behind: each release with its verdicts, and what applying it needs."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from promote.errors import PromoteError
from promote.gates import effect, freeze, held, labels, overlay, path, source_tag, target_tag
from promote.gates import tag as tag_gate
from promote.gates.rebuilt import Twin
from promote.model.environment import App
from promote.model.evidence import Findings
from promote.model.graph import Graph
from promote.model.manifest import RawManifest
from promote.model.policy import Gates
from promote.model.record import Hold, Sighting
from promote.model.release import FileEdit, Release
from promote.model.verdict import Verdict, first_stop
from promote.oci.copy import Survey
from promote.oci.store import Blobs
from promote.promotion import inspection, records, running
from promote.promotion.declared import Declared
from promote.promotion.docket import Docket
from promote.promotion.request import Request
from promote.promotion.twins import Namesake

if TYPE_CHECKING:  # ruamel.yaml, while registries are waited for
    from promote.overlays.question import Effect

ORDER = (
    tag_gate.GATE,
    path.GATE,
    freeze.GATE,
    overlay.GATE,
    effect.GATE,
    source_tag.GATE,
    target_tag.GATE,
    *records.GATES,
    held.GATE,
    *running.GATES,
    labels.GATE,
    *inspection.GATES,
)
"""Every gate of the main line, cheapest first; the first refusal in this order decides the exit code."""


@dataclass
class PlannedRelease:
    """One release as planned.  `release`, `manifest` and `graph` are None where a gate stopped before them.

    `ran` says that the target ran it, of a rollback; `hold` is the one on it in the target, whether it is lifted or
    not.  `at_target` says for each place whether the tag is there already; `error` is what kept a gate from judging.
    `findings`, `surveys` (one a place) and `tagged` are on their way since the graph is known; `blobs`
    are the source's, some of them at hand.
    """

    app: App
    tag: str
    docket: Docket = field(default_factory=lambda: Docket(ORDER))
    release: Release | None = None
    recorded: records.Recorded = field(default_factory=records.Recorded)
    ran: Sighting | None = None
    hold: Hold | None = None
    twins: tuple[Twin, ...] = ()
    manifest: RawManifest | None = None
    graph: Graph | None = None
    platforms: tuple[inspection.Platform, ...] = ()
    edits: tuple[FileEdit, ...] = ()
    effects: Future[tuple[Effect, ...]] | None = None
    at_target: tuple[bool, ...] = ()
    findings: Future[Findings] | None = None
    surveys: tuple[Future[Survey], ...] = ()
    blobs: Blobs | None = None
    tagged: Future[tuple[Namesake, ...]] | None = None
    error: PromoteError | None = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict for every gate, in order."""
        return self.docket.verdicts()

    @property
    def stop(self) -> Verdict | None:
        """The verdict that forbids this release; None when it may be promoted."""
        return first_stop(self.verdicts)

    def subject(self, gates: Gates) -> inspection.Subject:
        """The image as the gates that look at it want it; call it only after the source gate passed."""
        if self.manifest is None:
            raise AssertionError("the source gate passed without a manifest")
        commit = tag_gate.commit_of(self.tag, gates.tag)
        contents = tuple(p.contents for p in self.platforms)
        revisions = tuple(p.labels.revision for p in self.platforms if p.labels.revision is not None)
        return inspection.Subject(self.app, self.manifest, commit, contents, self.twins, revisions)

    @property
    def changed(self) -> bool:
        """Whether applying would change anything: a tag at some place, or a line in some overlay."""
        return bool(self.edits) or not all(self.at_target)


@dataclass(frozen=True)
class Plan:
    """What would be done.  `declared` is None when no environment involved has overlays."""

    request: Request
    releases: tuple[PlannedRelease, ...]
    declared: Declared | None = None

    @property
    def may_apply(self) -> bool:
        """Whether every release may be promoted; one that may not forbids all."""
        return all(r.stop is None and r.error is None for r in self.releases)
