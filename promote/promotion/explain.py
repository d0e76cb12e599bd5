"""`promote verify --explain`: the verdicts, and everything that lies beside the image with what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from promote.errors import PromoteError
from promote.evidence.signers import Conditions
from promote.evidence.verify import verify as verify_evidence
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Rejected
from promote.model.graph import Graph, Node
from promote.model.malformed import Malformed, shown
from promote.model.policy import LogRule
from promote.model.result import FindingResult, Result
from promote.promotion import inspection
from promote.promotion import verify as verification
from promote.promotion.workplace import Workplace


def explain(workplace: Workplace, text: str) -> Result:
    """What `promote verify` says of `text`, with the findings of each image that was found.

    They are looked for even where an earlier gate already refused: who asks why wants all of it.  Raises `Misuse` when
    `text` names nothing, `Fault` or `Refusal` when all gates passed and there is no telling what lies beside an image.
    """
    examined = verification.examine(workplace, text)
    result = verification.outcome(examined)
    try:
        found = [_findings(workplace, e.target, e.digest) if e.digest else None for e in examined]
    except PromoteError:
        if result.ok:
            raise
        return result  # what stopped the gates stops the explanation too, and is in the result
    releases = (replace(release, findings=f) for release, f in zip(result.releases, found, strict=True))
    return replace(result, releases=tuple(releases))


def _findings(workplace: Workplace, target: verification.Target, digest: Digest) -> tuple[FindingResult, ...] | None:
    store = workplace.stores.open(target.repository)
    manifest = store.manifest(digest)
    if manifest is None:
        return None
    graph = inspection.look(store, manifest, workplace.jobs)
    rule = target.gates.signature.log_rule if target.gates.signature else LogRule()
    conditions = Conditions(rule, workplace.now.astimezone(UTC).date())
    return described(graph, verify_evidence(graph, store, target.trust, conditions, jobs=workplace.jobs))


def described(graph: Graph, findings: Findings) -> tuple[FindingResult, ...]:
    """Everything beside the image of `graph`: accepted, then rejected, then what is no evidence at all."""
    known = {e.manifest for e in findings.accepted} | {r.manifest for r in findings.rejected}
    ignored = {node.digest: node for node in graph.evidence if node.digest not in known}
    return (
        *(_accepted(e) for e in findings.accepted),
        *(_rejected(r) for r in findings.rejected),
        *(_ignored(node, graph) for node in ignored.values()),
    )


def _accepted(evidence: Evidence) -> FindingResult:
    return FindingResult(
        verdict="accepted",
        manifest=str(evidence.manifest),
        subject=str(evidence.subject),
        storage=evidence.storage.value,
        kind=evidence.kind.value,
        predicate_type=evidence.predicate_type,
        signed_by=str(evidence.signed_by),
        log=evidence.log.value,
        time=_iso(evidence.time) if evidence.time else None,
        annotations=dict(evidence.annotations),
    )


def _rejected(rejected: Rejected) -> FindingResult:
    return FindingResult(
        verdict=rejected.flaw.value,
        manifest=str(rejected.manifest),
        subject=str(rejected.subject),
        storage=rejected.storage.value if rejected.storage else None,
        kind=rejected.kind.value if rejected.kind else None,
        predicate_type=rejected.predicate_type,
        signed_by=str(rejected.signed_by) if rejected.signed_by else None,
        reason=rejected.summary,
        expected=rejected.expected,
        actual=rejected.actual,
    )


def _ignored(node: Node, graph: Graph) -> FindingResult:
    images = {n.digest for n in graph.images}
    what = f"a {_kind(node)}, which is neither signature nor attestation nor SBOM"
    about_evidence = "it is about evidence, and says nothing about the image"
    return FindingResult(
        verdict="ignored",
        manifest=str(node.digest),
        subject=str(node.parent),
        reason=what if node.parent in images else about_evidence,
    )


def _kind(node: Node) -> str:
    try:
        manifest = node.manifest.parsed
    except Malformed:
        return "manifest that cannot be read"
    kind = manifest.artifact_type or (manifest.config.media_type if manifest.config else None)
    return f"manifest of type {shown(kind)}" if kind else "manifest of no type"


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
