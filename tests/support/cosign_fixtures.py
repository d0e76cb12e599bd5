"""Images that real cosign signed, as graphs in memory that a test can break one thing at a time."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from promote.errors import Fault
from promote.evidence.signers import Conditions
from promote.evidence.verify import verify
from promote.model.digest import Digest
from promote.model.evidence import Findings
from promote.model.graph import Graph, Node, Relation
from promote.model.manifest import OCI_MANIFEST, Descriptor, RawManifest
from promote.model.policy import KeylessSigner, KeySigner, LogDemand, LogRule, Trust
from promote.model.reference import Repository

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cosign"
CASES = sorted(p.parent.name for p in FIXTURES.glob("*/layout"))
BUILD = KeylessSigner(
    "https://token.actions.githubusercontent.com",
    "https://github.com/acme/shop/.github/workflows/build.yml@refs/heads/main",
)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IN_TOTO = "application/vnd.in-toto+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
CERTIFICATE = "dev.sigstore.cosign/certificate"
CHAIN = "dev.sigstore.cosign/chain"
PROMISE = "dev.sigstore.cosign/bundle"
STAMP = "dev.sigstore.cosign/rfc3161timestamp"

Change = Callable[[dict, bytes], bytes]


@dataclass
class MemoryStore:
    """Blobs by digest: all of a store that verification asks for."""

    blobs: dict[Digest, bytes] = field(default_factory=dict)
    asked: list[Digest] = field(default_factory=list)
    repository: Repository = field(default_factory=lambda: Repository("registry.example", "acme/shop"))

    @contextmanager
    def open_blob(self, blob: Descriptor) -> Iterator[io.BytesIO]:
        self.asked.append(blob.digest)
        if blob.digest not in self.blobs:
            raise Fault("connection-lost", "registry.example closed the connection")
        yield io.BytesIO(self.blobs[blob.digest])

    def put(self, content: bytes) -> Digest:
        digest = Digest.of(content)
        self.blobs[digest] = content
        return digest


@dataclass
class Image:
    """An image with what lies beside it."""

    graph: Graph
    store: MemoryStore
    trust: Trust

    def findings(self, trust: Trust | None = None, log: LogDemand = LogDemand.PROMISE) -> Findings:
        return verify(self.graph, self.store, trust or self.trust, Conditions(LogRule(log)))

    @property
    def digest(self) -> Digest:
        return self.graph.root.digest

    def with_nodes(self, *nodes: Node) -> Image:
        return Image(Graph((*self.graph.nodes, *nodes)), self.store, self.trust)

    def bare(self) -> Image:
        """The image and its children alone."""
        images = {n.digest for n in self.graph.images}
        return Image(Graph(tuple(n for n in self.graph.nodes if n.digest in images)), self.store, self.trust)

    def altered(self, media_type: str, change: Change) -> Image:
        """The same image with each layer of `media_type` replaced by what `change` makes of annotations and content."""
        nodes = tuple(self._alter(node, media_type, change) for node in self.graph.nodes)
        return Image(Graph(nodes), self.store, self.trust)

    def lay(self, directory: Path) -> None:
        """Write everything into `directory` as an OCI image layout, the image tagged with its commit."""
        blobs = directory / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for digest, content in self.store.blobs.items():
            (blobs / digest.hex).write_bytes(content)
        listed = []
        for node in self.graph.nodes:
            manifest = node.manifest
            (blobs / node.digest.hex).write_bytes(manifest.content)
            entry = {"mediaType": manifest.media_type, "digest": str(node.digest), "size": len(manifest.content)}
            name = f"sha-{COMMIT}" if node.relation is Relation.ROOT else node.tag
            if name:
                entry["annotations"] = {"org.opencontainers.image.ref.name": name}
            listed.append(entry)
        (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": listed}))

    def donated_to(self, victim: Image) -> Image:
        """`victim` with all evidence of this image hung on it: its subjects and tags rewritten, its payloads not."""
        nodes = []
        for node in self.graph.evidence:
            document = json.loads(node.manifest.content)
            if "subject" in document:
                document["subject"]["digest"] = str(victim.digest)
            manifest = RawManifest(json.dumps(document).encode(), node.manifest.media_type)
            tag = node.tag.replace(self.digest.tag, victim.digest.tag) if node.tag else None
            nodes.append(Node(manifest, node.relation, victim.digest, tag))
        blobs = {**victim.store.blobs, **self.store.blobs}
        return Image(Graph((*victim.bare().graph.nodes, *nodes)), MemoryStore(blobs), self.trust)

    def _alter(self, node: Node, media_type: str, change: Change) -> Node:
        document = json.loads(node.manifest.content)
        touched = False
        for layer in document.get("layers", []):
            if layer["mediaType"] == media_type:
                annotations = layer.setdefault("annotations", {})
                content = change(annotations, self.store.blobs[Digest.parse(layer["digest"])])
                layer["digest"], layer["size"] = str(self.store.put(content)), len(content)
                touched = True
        if not touched:
            return node
        manifest = RawManifest(json.dumps(document).encode(), node.manifest.media_type)
        return Node(manifest, node.relation, node.parent, node.tag)


def trust_of(case: str) -> Trust:
    """The trust that the fixture was made for."""
    root, key = FIXTURES / case / "trusted_root.json", FIXTURES / case / "key.pub"
    signer = KeySigner("key.pub", key.read_bytes()) if key.exists() else BUILD
    return Trust((signer,), root.read_bytes() if root.exists() else None)


def image(case: str) -> Image:
    """A fixture, read straight from its files."""
    layout = FIXTURES / case / "layout"
    store = MemoryStore()
    for path in (layout / "blobs" / "sha256").iterdir():
        store.put(path.read_bytes())
    listed = [Descriptor.parse(d) for d in json.loads((layout / "index.json").read_bytes())["manifests"]]
    manifests = [(d, RawManifest(store.blobs[d.digest], d.media_type)) for d in listed]
    root = next(m for d, m in manifests if _tag(d).startswith("sha-"))
    nodes = [Node(root, Relation.ROOT)]
    nodes += [
        Node(RawManifest(store.blobs[c.digest], c.media_type), Relation.CHILD, root.digest)
        for c in root.parsed.children
    ]
    for parent in [n.digest for n in nodes]:
        for descriptor, manifest in manifests:
            subject = manifest.parsed.subject
            if subject is not None and subject.digest == parent:
                nodes.append(Node(manifest, Relation.REFERRER, parent))
            if _tag(descriptor).startswith(f"{parent.tag}."):
                nodes.append(Node(manifest, Relation.COSIGN_TAG, parent, _tag(descriptor)))
    return Image(Graph(tuple(nodes)), store, trust_of(case))


def _tag(descriptor: Descriptor) -> str:
    return descriptor.annotations.get("org.opencontainers.image.ref.name", "")


def manifest_node(
    target: Image,
    layers: list[tuple[str, bytes, dict[str, str]]],
    *,
    relation: Relation = Relation.REFERRER,
    tag: str | None = None,
    subject: Digest | None = None,
    artifact_type: str | None = None,
    config_type: str = "application/vnd.oci.empty.v1+json",
) -> Node:
    """A manifest with these layers (media type, content, annotations), hung on the image."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": config_type, "digest": str(target.store.put(b"{}")), "size": 2},
        "layers": [
            {"mediaType": kind, "digest": str(target.store.put(content)), "size": len(content), "annotations": notes}
            for kind, content, notes in layers
        ],
    }
    if artifact_type:
        document["artifactType"] = artifact_type
    if relation is Relation.REFERRER:
        named = subject or target.digest
        document["subject"] = {"mediaType": OCI_MANIFEST, "digest": str(named), "size": 1}
    return Node(RawManifest(json.dumps(document).encode(), OCI_MANIFEST), relation, target.digest, tag)


@dataclass(frozen=True)
class TestKey:
    """A key made for one test."""

    __test__ = False
    private: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, curve: ec.EllipticCurve | None = None) -> TestKey:
        return cls(ec.generate_private_key(curve or ec.SECP256R1()))

    @property
    def signer(self) -> KeySigner:
        pem = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return KeySigner("test.pub", pem)

    def sign(self, message: bytes, algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        return self.private.sign(message, ec.ECDSA(algorithm or hashes.SHA256()))

    def envelope(self, payload: bytes, payload_type: str = IN_TOTO, **more: object) -> bytes:
        """A DSSE envelope around `payload`."""
        encoding = b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)
        document = {
            "payloadType": payload_type,
            "payload": b64(payload),
            "signatures": [{"sig": b64(self.sign(encoding))}],
        }
        return json.dumps(document | more).encode()

    def bundle(self, payload: bytes, **more: object) -> bytes:
        """A bundle without a log entry around `payload`."""
        material = {"publicKey": {"hint": ""}}
        document = {"mediaType": BUNDLE, "verificationMaterial": material}
        return json.dumps(document | {"dsseEnvelope": json.loads(self.envelope(payload))} | more).encode()


def statement(digest: Digest, **more: object) -> dict:
    """An in-toto statement about `digest`."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": digest.hex}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    } | more


def simple_signing(digest: Digest, **more: object) -> dict:
    """A simple-signing payload about `digest`."""
    critical = {
        "identity": {"docker-reference": "registry.example/acme/shop"},
        "image": {"docker-manifest-digest": str(digest)},
        "type": "cosign container image signature",
    }
    return {"critical": critical, "optional": {"commit": COMMIT}} | more


def attested(envelope: bytes, key: TestKey, base: str = "v2-key") -> Image:
    """A bare image with one `.att` layer."""
    target = image(base).bare()
    node = manifest_node(
        target, [(ENVELOPE, envelope, {SIGNATURE: ""})], relation=Relation.COSIGN_TAG, tag=f"{target.digest.tag}.att"
    )
    return Image(target.with_nodes(node).graph, target.store, Trust((key.signer,)))


def signed(payload: bytes, key: TestKey, base: str = "v2-key", signature: bytes | None = None) -> Image:
    """A bare image with one `.sig` layer."""
    target = image(base).bare()
    notes = {SIGNATURE: b64(key.sign(payload) if signature is None else signature)}
    node = manifest_node(
        target, [(SIMPLE_SIGNING, payload, notes)], relation=Relation.COSIGN_TAG, tag=f"{target.digest.tag}.sig"
    )
    return Image(target.with_nodes(node).graph, target.store, Trust((key.signer,)))


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def flipped(encoded: str, at: int = -1) -> str:
    """Base64 text with one bit of one byte changed."""
    raw = bytearray(base64.b64decode(encoded))
    raw[at] ^= 1
    return b64(bytes(raw))
