"""Looking at an image: what it is made of, what its labels say, and what is signed about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from promote.errors import Fault, Refusal
from promote.gates import attestations, commit, labels, rebuilt, sbom, signature, vulnerabilities
from promote.gates.labels import REVISION, SOURCE, PlatformLabels
from promote.gates.rebuilt import Twin
from promote.model import strict_json
from promote.model.contents import Contents
from promote.model.digest import Digest
from promote.model.environment import App
from promote.model.evidence import Findings
from promote.model.graph import Graph, Node
from promote.model.malformed import Malformed
from promote.model.manifest import Descriptor, RawManifest
from promote.model.policy import Gates, LogRule, Trust
from promote.model.verdict import Outcome, Reason, Verdict, refused, skipped
from promote.oci.graph import gather
from promote.oci.store import Blobs, Store, read_blob
from promote.promotion.parallel import in_parallel

MAX_CONFIG_BYTES = 8 * 1024 * 1024
GATES = (signature.GATE, commit.GATE, sbom.GATE, vulnerabilities.GATE, attestations.GATE)
"""The gates that rest on evidence."""

REFERENCE_TYPE = "vnd.docker.reference.type"
"""The annotation by which BuildKit marks an index entry that is no platform's image but statements about one."""


@dataclass(frozen=True)
class Subject:
    """The image to look at, and what is expected of it.

    `commit` None: no tag names one.  `contents` are what its platforms are made of, as far as they were read.  `twins`
    are other digests that are known by the same commit, `revisions` the commits that the platforms' labels name.
    """

    app: App
    manifest: RawManifest
    commit: str | None
    contents: tuple[Contents, ...] = ()
    twins: tuple[Twin, ...] = ()
    revisions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Platform:
    """What the config of one platform's image says."""

    labels: PlatformLabels
    contents: Contents


def read_platforms(store: Blobs, graph: Graph, jobs: int) -> tuple[Platform, ...]:
    """What the config of every platform says; raises `Fault` when a config cannot be read."""
    return tuple(in_parallel(lambda node: _platform(store, node), platform_images(graph), jobs))


def judge_labels(subject: Subject, platforms: Sequence[PlatformLabels], gates: Gates) -> Verdict:
    """The verdict of the labels gate."""
    if subject.commit is None:
        return skipped(labels.GATE, "no tag was given that names a commit")
    return labels.judge(subject.commit, subject.app.source, platforms, gates.commit_witnesses)


def find_evidence(store: Blobs, graph: Graph, trust: Trust, gates: Gates, jobs: int, *, now: datetime) -> Findings:
    """Everything signed about the image, checked; empty when no gate asks for evidence.

    `now` is when exceptions from the transparency log are looked at.
    """
    if gates.signature is None and gates.sbom is None and gates.vulnerabilities is None and not gates.attestations:
        return Findings()
    # Here, because cryptography is to be imported while a registry is waited for.
    from promote.evidence.signers import Conditions  # noqa: PLC0415
    from promote.evidence.verify import verify  # noqa: PLC0415

    rule = gates.signature.log_rule if gates.signature else LogRule()
    return verify(graph, store, trust, Conditions(rule, now.astimezone(UTC).date()), jobs=jobs)


def judge_evidence(
    subject: Subject, graph: Graph, findings: Findings, gates: Gates, trust: Trust, *, now: datetime
) -> tuple[Verdict, ...]:
    """The verdicts of the gates that rest on evidence, in order.  `now` is what ages are counted to."""
    digest = subject.manifest.digest
    platforms = [node.digest for node in platform_images(graph)]
    name = subject.app.image.rpartition("/")[2]
    return (
        signature.judge(digest, findings, gates.signature, trust),
        _judge_commit(subject, graph, findings, gates),
        sbom.judge(digest, platforms, findings, gates.sbom, contents=subject.contents, now=now),
        vulnerabilities.judge(digest, platforms, findings, gates.vulnerabilities, name=name, now=now),
        attestations.judge(digest, platforms, findings, gates.attestations, now),
    )


def _judge_commit(subject: Subject, graph: Graph, findings: Findings, gates: Gates) -> Verdict:
    if subject.commit is None:
        return skipped(commit.GATE, "no tag was given that names a commit")
    digest, images = subject.manifest.digest, {node.digest for node in graph.images}
    source, required = subject.app.source, gates.commit_witnesses
    named = commit.judge(digest, subject.commit, source, findings, required, revisions=subject.revisions)
    if named.outcome is Outcome.REFUSE:
        return named
    return rebuilt.judge(digest, subject.commit, images, findings, subject.twins) or named


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
            if child.annotations.get(REFERENCE_TYPE) == "attestation-manifest":
                statements.add(child.digest)
    return tuple(n for n in graph.images if not n.manifest.parsed.is_index and n.digest not in statements)


def _platform(store: Blobs, node: Node) -> Platform:
    config = node.manifest.parsed.config
    if config is None or not config.media_type.endswith("+json"):
        return Platform(PlatformLabels(_name(node), None, None), Contents(node.digest))
    value = _config(store, config)
    section, created = value.get("config"), value.get("created")
    listed = section.get("Labels") if isinstance(section, dict) else None
    found = {k: v for k, v in listed.items() if isinstance(v, str)} if isinstance(listed, dict) else {}
    return Platform(
        PlatformLabels(_name(node), found.get(REVISION), found.get(SOURCE)),
        Contents(node.digest, config.digest, _layers(node, value), created if isinstance(created, str) else None),
    )


def _config(store: Blobs, config: Descriptor) -> dict[str, Any]:
    try:
        return strict_json.loads_object(read_blob(store, config, MAX_CONFIG_BYTES), "image config")
    except Malformed as problem:
        raise Fault(
            "config-malformed",
            f"the image config {config.digest} in {store.repository} cannot be read: {problem}",
            expected=problem.expected,
            actual=problem.got,
            hint="look at it with `crane config`, or build the image again",
        ) from None


def _layers(node: Node, config: dict[str, Any]) -> frozenset[Digest] | None:
    """The layers as stored and, by the config's ``rootfs.diff_ids``, uncompressed; None where it does not list them."""
    section = config.get("rootfs")
    listed = section.get("diff_ids") if isinstance(section, dict) else None
    if not isinstance(listed, list):
        return None
    try:
        return frozenset({*map(Digest.parse, listed), *(layer.digest for layer in node.manifest.parsed.layers)})
    except Malformed:
        return None


def _name(node: Node) -> str:
    return f"the image {node.digest.short}"
