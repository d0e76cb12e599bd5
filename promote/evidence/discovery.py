"""What in an image's graph may be evidence: told by the manifests themselves, in every form they are stored in.

Descriptors that list a manifest, and annotations, are unsigned hints and decide nothing.  The media types that do
decide are unsigned too: they only choose who reads the blob.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from promote.errors import Refusal
from promote.evidence.bundle import MEDIA_TYPE as BUNDLE
from promote.evidence.signed import IN_TOTO
from promote.evidence.tag_scheme import MATERIAL
from promote.model.digest import Digest
from promote.model.evidence import Flaw, Kind, Rejected, Storage
from promote.model.graph import Graph, Node, Relation
from promote.model.malformed import Malformed, shown
from promote.model.manifest import Descriptor, Manifest

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
COSIGN_ARTIFACT = "application/vnd.dev.cosign.artifact.sig.v1+json"
NOTARY = "application/vnd.cncf.notary.signature"
MAX_CANDIDATES = 100
"""What one image digest may have; cosign and notation stop there too (CVE-2023-46737)."""
MAX_BLOB_BYTES = 32 * 1024 * 1024
MAX_TOTAL_BYTES = 256 * 1024 * 1024
"""Of all evidence blobs together: they are in memory at the same time."""

_BUILDKIT_SUBJECT = "vnd.docker.reference.digest"
_SBOM_TYPES = {
    "application/spdx+json": "https://spdx.dev/Document",
    "text/spdx+json": "https://spdx.dev/Document",
    "text/spdx": "https://spdx.dev/Document",
    "application/vnd.cyclonedx+json": "https://cyclonedx.org/bom",
    "application/vnd.cyclonedx+xml": "https://cyclonedx.org/bom",
    "application/vnd.cyclonedx": "https://cyclonedx.org/bom",
}
"""Media types of bare SBOM documents, which `cosign attach sbom` and `oras attach` store beside an image."""


class Form(Enum):
    """How a blob holds what was signed."""

    BUNDLE = "bundle"
    SIMPLE_SIGNING = "simple signing"
    ENVELOPE = "DSSE envelope"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A blob to read: `manifest` carries it, and it hangs on the image digest `subject`."""

    form: Form
    storage: Storage
    manifest: Digest
    subject: Digest
    blob: Descriptor

    @property
    def material(self) -> Mapping[str, str]:
        """The annotations that hold signature material (tag scheme)."""
        return {k: v for k, v in self.blob.annotations.items() if k in MATERIAL}

    @property
    def key(self) -> tuple[object, ...]:
        """What two ways to the same evidence have in common."""
        material = () if self.form is Form.BUNDLE else tuple(sorted(self.material.items()))
        return (self.form, self.subject, self.blob.digest, material)


@dataclass(frozen=True, slots=True)
class Discovery:
    """The candidates, each once, and what is reported without being read."""

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]


def discover(graph: Graph) -> Discovery:
    """Everything in `graph` that claims to be evidence about the image or its children.

    Raises `Refusal` (exit 12) for more than `MAX_CANDIDATES` of one digest, a blob over `MAX_BLOB_BYTES` or blobs over
    `MAX_TOTAL_BYTES` together: a part of the evidence is no ground for an answer.
    """
    images = {node.digest for node in graph.images}
    candidates: dict[tuple[object, ...], Candidate] = {}
    rejected: dict[Rejected, None] = {}
    for item in _each(graph, images):
        if isinstance(item, Rejected):
            rejected[item] = None
        else:
            candidates.setdefault(item.key, item)
    found = Discovery(tuple(candidates.values()), tuple(rejected))
    _check_limits(found.candidates)
    return found


def _each(graph: Graph, images: set[Digest]) -> Iterator[Candidate | Rejected]:
    for node in graph.nodes:
        parent = node.parent
        if parent is None or parent not in images:  # evidence about evidence says nothing about the image
            continue
        try:
            manifest = node.manifest.parsed
        except Malformed as problem:
            if node.relation is not Relation.CHILD:
                yield Rejected(node.digest, parent, Flaw.MALFORMED, f"its manifest cannot be read: {problem}")
            continue
        yield from _READERS[node.relation](node, manifest, parent)


def _nothing(_node: Node, _manifest: Manifest, _parent: Digest) -> Iterator[Candidate | Rejected]:
    return iter(())


def _child(node: Node, manifest: Manifest, parent: Digest) -> Iterator[Candidate | Rejected]:
    """BuildKit's attestation manifests: bare statements inside the index, signed by nobody themselves."""
    for layer in manifest.layers:
        if layer.media_type == IN_TOTO:
            predicate_type = layer.annotations.get("in-toto.io/predicate-type")
            yield _unsigned(node, parent, predicate_type, _what(predicate_type), "BuildKit put it into the index, ")


def _cosign_tag(node: Node, manifest: Manifest, parent: Digest) -> Iterator[Candidate | Rejected]:
    tag = node.tag or ""
    expected = {f"{parent.tag}.{ending}" for ending in ("sig", "att", "sbom")}
    if tag not in expected:
        yield Rejected(node.digest, parent, Flaw.INVALID, "found under the tag of another image", actual=shown(tag))
        return
    ending = tag.rpartition(".")[2]
    if ending == "sbom":
        yield _unsigned(node, parent, _sbom_type(manifest), "an SBOM")
        return
    kind = Kind.SIGNATURE if ending == "sig" else Kind.ATTESTATION
    if manifest.is_index:
        summary = f"the .{ending} tag names an index, where cosign writes a manifest"
        yield Rejected(node.digest, parent, Flaw.UNSUPPORTED, summary, kind)
    storage = Storage.SIGNATURE_TAG if ending == "sig" else Storage.ATTESTATION_TAG
    yield from _layers(node, manifest, parent, storage, kind)


def _referrer(node: Node, manifest: Manifest, parent: Digest) -> Iterator[Candidate | Rejected]:
    if manifest.subject is None or manifest.subject.digest != parent:
        actual = str(manifest.subject.digest) if manifest.subject else "no subject"
        summary = "listed as a referrer of this image, and names another subject"
        yield Rejected(node.digest, parent, Flaw.INVALID, summary, expected=str(parent), actual=actual)
        return
    kinds = {manifest.artifact_type or "", manifest.config.media_type if manifest.config else ""}
    layers = {layer.media_type for layer in manifest.layers}
    if any(BUNDLE.fullmatch(kind) for kind in kinds | layers):
        yield from _bundle(node, manifest, parent)
    elif NOTARY in kinds:
        summary = "a Notary signature, not supported"
        yield Rejected(node.digest, parent, Flaw.UNSUPPORTED, summary, Kind.SIGNATURE)
    elif SIMPLE_SIGNING in layers or COSIGN_ARTIFACT in kinds:
        yield from _layers(node, manifest, parent, Storage.SIGNATURE_REFERRER, Kind.SIGNATURE)
    elif ENVELOPE in layers:
        yield from _layers(node, manifest, parent, Storage.ATTESTATION_REFERRER, Kind.ATTESTATION)
    elif IN_TOTO in layers:
        yield _unsigned(node, parent, None, "a statement")
    elif sbom := _sbom_type(manifest):
        yield _unsigned(node, parent, sbom, "an SBOM")


_READERS = {
    Relation.ROOT: _nothing,
    Relation.CHILD: _child,
    Relation.COSIGN_TAG: _cosign_tag,
    Relation.REFERRER: _referrer,
}


def _bundle(node: Node, manifest: Manifest, parent: Digest) -> Iterator[Candidate | Rejected]:
    if len(manifest.layers) != 1:
        got = f"{len(manifest.layers)} layers"
        summary = f"a bundle manifest with {got}"
        yield Rejected(node.digest, parent, Flaw.MALFORMED, summary, expected="exactly one layer", actual=got)
        return
    yield Candidate(Form.BUNDLE, Storage.BUNDLE, node.digest, parent, manifest.layers[0])


def _layers(
    node: Node, manifest: Manifest, parent: Digest, storage: Storage, kind: Kind
) -> Iterator[Candidate | Rejected]:
    forms = {SIMPLE_SIGNING: Form.SIMPLE_SIGNING, ENVELOPE: Form.ENVELOPE}
    for layer in manifest.layers:
        form = forms.get(layer.media_type)
        if form is None:
            summary = f"a layer of type {shown(layer.media_type)} where cosign keeps its {kind.value}s"
            yield Rejected(node.digest, parent, Flaw.UNSUPPORTED, summary, kind)
        else:
            yield Candidate(form, storage, node.digest, parent, layer)


def _unsigned(node: Node, parent: Digest, predicate_type: str | None, what: str, how: str = "") -> Rejected:
    """`predicate_type` is as unsigned as the rest: for messages only."""
    named = f"{what} ({shown(predicate_type)})" if predicate_type else what
    return Rejected(
        node.digest, parent, Flaw.UNSIGNED, f"{named} is there, {how}unsigned", Kind.ATTESTATION, predicate_type
    )


def _what(predicate_type: str | None) -> str:
    is_sbom = (predicate_type or "").startswith(("https://spdx.dev/Document", "https://cyclonedx.org/bom"))
    return "an SBOM" if is_sbom else "an attestation"


def _sbom_type(manifest: Manifest) -> str | None:
    kinds = [manifest.artifact_type or "", *(layer.media_type for layer in manifest.layers)]
    return next((_SBOM_TYPES[kind] for kind in kinds if kind in _SBOM_TYPES), None)


def _check_limits(candidates: tuple[Candidate, ...]) -> None:
    for subject, count in Counter(c.subject for c in candidates).items():
        if count > MAX_CANDIDATES:
            _too_much(f"{count} signatures and attestations beside {subject}", f"at most {MAX_CANDIDATES}", str(count))
    for candidate in candidates:
        if candidate.blob.size > MAX_BLOB_BYTES:
            size = f"{candidate.blob.size} bytes"
            _too_much(f"{candidate.manifest} has an evidence blob of {size}", f"at most {MAX_BLOB_BYTES} bytes", size)
    total = sum({c.blob.digest: c.blob.size for c in candidates}.values())
    if total > MAX_TOTAL_BYTES:
        size = f"{total} bytes"
        _too_much(f"the evidence blobs have {size} together", f"at most {MAX_TOTAL_BYTES} bytes", size)


def _too_much(message: str, expected: str, actual: str) -> None:
    raise Refusal(
        "too-much-evidence",
        f"{message}, expected {expected}: nothing is decided on a part of the evidence",
        exit_code=12,
        expected=expected,
        actual=actual,
        hint="remove what does not belong there: `cosign tree IMAGE` lists it",
    )
