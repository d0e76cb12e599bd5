"""Looking at an image: what it is made of, what its labels say, and what is signed about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promote.errors import Fault, Refusal
from promote.evidence.verify import verify
from promote.gates import attestations, commit, labels, sbom, signature
from promote.gates.labels import REVISION, SOURCE, PlatformLabels
from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.environment import App
from promote.model.evidence import Findings
from promote.model.graph import Graph, Node
from promote.model.malformed import Malformed
from promote.model.manifest import Descriptor, RawManifest
from promote.model.policy import Gates, LogDemand, Trust
from promote.model.verdict import Reason, Verdict, refused, skipped
from promote.oci.graph import gather
from promote.oci.store import Store, read_blob
from promote.promotion.parallel import in_parallel

MAX_CONFIG_BYTES = 8 * 1024 * 1024
GATES = (signature.GATE, commit.GATE, sbom.GATE, attestations.GATE)
"""The gates that rest on evidence."""

ATTESTATION_MANIFEST = "vnd.docker.reference.type"
"""The annotation by which BuildKit marks an index entry that is no platform's image but statements about one."""


@dataclass(frozen=True)
class Subject:
    """The image to look at, and what is expected of it.  `commit` None: no tag names one."""

    app: App
    manifest: RawManifest
    commit: str | None


def read_labels(store: Store, graph: Graph, jobs: int) -> tuple[PlatformLabels, ...]:
    """The labels of every platform's config; raises `Fault` when a config cannot be read."""
    return tuple(in_parallel(lambda node: _labels(store, node), platform_images(graph), jobs))


def judge_labels(subject: Subject, platforms: Sequence[PlatformLabels]) -> Verdict:
    """The verdict of the labels gate."""
    if subject.commit is None:
        return skipped(labels.GATE, "no tag was given that names a commit")
    return labels.judge(subject.commit, subject.app.source, platforms)


def find_evidence(store: Store, graph: Graph, trust: Trust, gates: Gates, jobs: int) -> Findings:
    """Everything signed about the image, checked; empty when no gate asks for evidence."""
    if gates.signature is None and gates.sbom is None and not gates.attestations:
        return Findings()
    demand = gates.signature.log if gates.signature else LogDemand.PROMISE
    return verify(graph, store, trust, log=demand, jobs=jobs)


def judge_evidence(
    subject: Subject, graph: Graph, findings: Findings, gates: Gates, trust: Trust
) -> tuple[Verdict, ...]:
    """The verdicts of the gates that rest on evidence, in order."""
    digest = subject.manifest.digest
    platforms = [node.digest for node in platform_images(graph)]
    return (
        signature.judge(digest, findings, gates.signature, trust),
        skipped(commit.GATE, "no tag was given that names a commit")
        if subject.commit is None
        else commit.judge(digest, subject.commit, subject.app.source, findings),
        sbom.judge(digest, platforms, findings, gates.sbom),
        attestations.judge(digest, findings, gates.attestations),
    )


def look(store: Store, manifest: RawManifest, jobs: int) -> Graph:
    """Every manifest that belongs to the image, evidence included."""
    return gather(store, manifest, jobs=jobs)


def refusal_of_evidence(refusal: Refusal) -> Verdict:
    """The verdict for evidence that was refused as a whole, unread: too much of it."""
    return refused(
        signature.GATE,
        Reason.EVIDENCE_REFUSED,
        refusal.message,
        expected=refusal.expected,
        actual=refusal.actual,
        hint=refusal.hint,
    )


def platform_images(graph: Graph) -> tuple[Node, ...]:
    """The images that run: the root when it is no index, else an index's children without BuildKit's statements."""
    statements: set[Digest] = set()
    for node in graph.images:
        for child in node.manifest.parsed.children:
            if ATTESTATION_MANIFEST in child.annotations:
                statements.add(child.digest)
    return tuple(n for n in graph.images if not n.manifest.parsed.is_index and n.digest not in statements)


def _labels(store: Store, node: Node) -> PlatformLabels:
    config = node.manifest.parsed.config
    if config is None or not config.media_type.endswith("+json"):
        return PlatformLabels(_name(node), None, None)
    found = _config_labels(store, config)
    return PlatformLabels(_name(node), found.get(REVISION), found.get(SOURCE))


def _config_labels(store: Store, config: Descriptor) -> dict[str, str]:
    try:
        value = strict_json.loads_object(read_blob(store, config, MAX_CONFIG_BYTES), "image config")
    except Malformed as problem:
        raise Fault(
            "config-malformed",
            f"the image config {config.digest} in {store.repository} cannot be read: {problem}",
            expected=problem.expected,
            actual=problem.got,
            hint="look at it with `crane config`, or build the image again",
        ) from None
    section = value.get("config")
    found = section.get("Labels") if isinstance(section, dict) else None
    return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


def _name(node: Node) -> str:
    return f"the image {node.digest.short}"
