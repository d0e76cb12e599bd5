"""What of an image is at a target: asked once, compared with what shall be there, and proved after a copy.

The plan is the graph that was verified at the source, so its digests are asked for and nothing is searched: one request
per blob, per manifest and per subject.  What was seen is kept; after a copy only what was lacking is asked for again.
Evidence is read where layers are only asked for: who verifies it next has it then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from promote.errors import Fault, Refusal
from promote.model.digest import Digest
from promote.model.graph import Graph, Node, Relation
from promote.model.manifest import Descriptor, RawManifest
from promote.oci.graph import readable
from promote.oci.store import ABSENT, Store, read_blob
from promote.oci.workers import Workers

MAX_READ_BYTES = 1024 * 1024
"""How large a blob of evidence may be to be read whole; what is larger is read by who verifies it."""

Contents = Mapping[Digest, bytes]
"""Blobs whole, by digest."""

_FOREIGN = (
    "application/vnd.docker.image.rootfs.foreign.diff.",
    "application/vnd.oci.image.layer.nondistributable.",
)


def is_foreign(blob: Descriptor) -> bool:
    """Whether the layer may live elsewhere (image-spec 1.1, layer.md, "Non-Distributable Layers").

    Its `urls` are never followed: an image must not choose which host this machine talks to (CVE-2020-15157).
    """
    return blob.media_type.startswith(_FOREIGN)


def holds(held: RawManifest, other: RawManifest) -> bool:
    """Whether an evidence manifest has every layer of another, annotations and all: nothing is lost by keeping it.

    Annotations count because cosign's tag scheme keeps the signature itself there.
    """
    if held.digest == other.digest:
        return True
    if held.parsed.is_index or other.parsed.is_index or not other.parsed.layers:
        return False
    return all(layer in held.parsed.layers for layer in other.parsed.layers)


@dataclass(frozen=True)
class Sight:
    """What was seen at a target.  `listed` are the referrers by subject, `tags` what each tag names.

    `contents` are the bytes of those blobs that were read whole.
    """

    blobs: frozenset[Digest] = frozenset()
    contents: Contents = field(default_factory=dict)
    manifests: Mapping[Digest, RawManifest] = field(default_factory=dict)
    listed: Mapping[Digest, frozenset[Digest]] = field(default_factory=dict)
    tags: Mapping[str, RawManifest] = field(default_factory=dict)

    @classmethod
    def of_tag(cls, tag: str, manifest: RawManifest | None) -> Sight:
        """That `tag` names `manifest`, or nothing; raises `Fault` for a manifest that is malformed."""
        return cls(tags={tag: readable(manifest)} if manifest else {})


@dataclass(frozen=True, slots=True)
class Lack:
    """What is not there.  `links` are (subject, referrer) that the target does not list, whether or not it has both."""

    blobs: tuple[Descriptor, ...]
    manifests: tuple[Digest, ...]
    links: tuple[tuple[Digest, Digest], ...]
    tags: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.blobs or self.manifests or self.links or self.tags)

    def names(self) -> list[str]:
        """Each thing that is not there, in words."""
        return [
            *(f"blob {blob.digest}" for blob in self.blobs),
            *(f"manifest {digest}" for digest in self.manifests),
            *(f"{referrer} as a referrer of {subject}" for subject, referrer in self.links),
            *(f"tag {tag}" for tag in self.tags),
        ]


@dataclass(frozen=True)
class Goal:
    """What shall be at the target: the graph, the `tag` that names its root, and these of its blobs.

    The root is asked for by its tag, and evidence that only a cosign tag leads to by that tag.
    """

    graph: Graph
    tag: str
    blobs: tuple[Descriptor, ...]

    @property
    def readable(self) -> frozenset[Digest]:
        """The blobs that are read and not only asked for: what evidence consists of, unless it is large."""
        parts = (blob for node in self.graph.evidence for blob in node.manifest.parsed.layers)
        return frozenset(blob.digest for blob in parts if blob.size <= MAX_READ_BYTES)

    @property
    def evidence_tags(self) -> dict[str, RawManifest]:
        """Each cosign tag and what it shall name, or be held by."""
        return {node.tag: node.manifest for node in self.graph.nodes if node.tag is not None}

    def lack(self, sight: Sight) -> Lack:
        """What of the goal was not seen; everything when nothing was."""
        wanted = {n.digest for n in self.graph.nodes if n.relation is not Relation.ROOT and _by_digest(n)}
        wanted.discard(self.graph.root.digest)
        links = dict.fromkeys(
            (n.parent, n.digest) for n in self.graph.nodes if n.relation is Relation.REFERRER and n.parent is not None
        )
        tags = [tag for tag, manifest in self.evidence_tags.items() if not _held(sight.tags.get(tag), manifest)]
        named = sight.tags.get(self.tag)
        if named is None or named.digest != self.graph.root.digest:
            tags.append(self.tag)
        return Lack(
            blobs=tuple(blob for blob in self.blobs if blob.digest not in sight.blobs),
            manifests=tuple(sorted(wanted - sight.manifests.keys())),
            links=tuple(link for link in links if link[1] not in sight.listed.get(link[0], frozenset())),
            tags=tuple(tags),
        )

    def shares(self, sight: Sight, links: Iterable[tuple[Digest, Digest]]) -> bool:
        """Whether a list that one of `links` was added to has entries of others too."""
        return any(sight.listed.get(subject, frozenset()) - self.graph.digests for subject, _ in links)

    def check_tags(self, sight: Sight, target: Store) -> None:
        """Raises `Refusal` when a tag at the target names what must not be replaced.

        The image tag: anything else.  An evidence tag: something that neither holds all of ours nor is held by it.
        """
        named = sight.tags.get(self.tag)
        if named is not None and named.digest != self.graph.root.digest:
            raise _refusal("rebuilt-at-target", 15, f"{target.repository}:{self.tag}", named, self.graph.root.manifest)
        for tag, manifest in self.evidence_tags.items():
            there = sight.tags.get(tag)
            if there is not None and not holds(there, manifest) and not holds(manifest, there):
                raise _refusal("evidence-tag-differs", 10, f"{target.repository}:{tag}", there, manifest)

    def arrived(self, sight: Sight, target: Store) -> Graph:
        """The graph as it was read from the target; raises `Fault` (``not-arrived``) naming what was not seen."""
        lack = self.lack(sight)
        if lack:
            names = lack.names()
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise Fault(
                "not-arrived",
                f"{target.repository} lacks parts of {self.graph.root.digest}: got no {', '.join(names[:3])}{more}",
                expected=f"{self.graph.root.digest} with everything that belongs to it",
                actual=f"without {', '.join(names)}",
                hint="run the same command again; what did arrive is not sent twice",
            )
        return Graph(tuple(self._as_seen(node, sight) for node in self.graph.nodes))

    def _as_seen(self, node: Node, sight: Sight) -> Node:
        if node.digest == self.graph.root.digest and node.tag is None:
            return Node(sight.tags[self.tag], node.relation, node.parent)
        seen = sight.manifests[node.digest] if node.tag is None else sight.tags[node.tag]
        return Node(seen, node.relation, node.parent, node.tag)


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask of a target: `kind` of ``tag``, ``listed``, ``manifest``, ``has`` and ``read``, `name` of what.

    `blob` is what is to be read, or asked for.
    """

    kind: str
    name: str
    blob: Descriptor | None = field(default=None, compare=False)

    def ask(self, target: Store) -> Sight:
        """What is seen; raises whatever the store says, `Fault` for a tag that names a malformed manifest."""
        if self.kind == "tag":
            return Sight.of_tag(self.name, target.resolve(self.name))
        digest = Digest.parse(self.name)
        if self.kind == "listed":
            return Sight(listed={digest: frozenset(descriptor.digest for descriptor in target.referrers(digest))})
        if self.kind == "manifest":
            manifest = target.manifest(digest)
            return Sight(manifests={digest: manifest} if manifest else {})
        if self.kind == "read" and self.blob is not None:
            return _read_blob(target, self.blob)
        return Sight(blobs=frozenset({digest}) if target.has_blob(digest) else frozenset())


def questions_about(node: Node, *, is_image: bool) -> Iterator[Question]:
    """What `look` asks about one node of a goal when nothing was seen, but for the image's own tag."""
    if node.tag is not None:
        yield Question("tag", node.tag)
    if node.relation is Relation.REFERRER and node.parent is not None:
        yield Question("listed", str(node.parent))
    if node.relation is not Relation.ROOT and _by_digest(node):
        yield Question("manifest", str(node.digest))
    parsed = node.manifest.parsed
    read = set() if is_image else {blob.digest for blob in parsed.layers if blob.size <= MAX_READ_BYTES}
    for blob in parsed.blobs:
        if not is_foreign(blob):
            yield Question("read" if blob.digest in read else "has", str(blob.digest), blob)


def questions(goal: Goal, sight: Sight) -> list[Question]:
    """What `look` asks: about everything that `goal` lacks in `sight`, each thing once."""
    lack, small = goal.lack(sight), goal.readable
    return [
        *(Question("tag", tag) for tag in lack.tags),
        *(Question("listed", str(subject)) for subject in dict.fromkeys(link[0] for link in lack.links)),
        *(Question("manifest", str(digest)) for digest in lack.manifests),
        *(Question("read" if blob.digest in small else "has", str(blob.digest), blob) for blob in lack.blobs),
    ]


def look(
    target: Store, goal: Goal, sight: Sight, workers: Workers, asked: Mapping[Question, Future[Sight]] | None = None
) -> Sight:
    """`sight` and what the target answers now about everything that `goal` lacks in it, each thing asked once.

    What was `asked` a moment ago is not asked again.
    """
    coming = asked or {}

    def answer(question: Question) -> Sight:
        future = coming.get(question)
        return future.result() if future else question.ask(target)

    return _together([sight, *workers.map(answer, questions(goal, sight))])


def _by_digest(node: Node) -> bool:
    return node.relation is not Relation.COSIGN_TAG or node.manifest.parsed.subject is not None


def _held(there: RawManifest | None, manifest: RawManifest) -> bool:
    return there is not None and holds(there, manifest)


def _read_blob(target: Store, blob: Descriptor) -> Sight:
    try:
        content = read_blob(target, blob, MAX_READ_BYTES)
    except Fault as problem:
        if problem.code in ABSENT:
            return Sight()
        raise
    return Sight(blobs=frozenset({blob.digest}), contents={blob.digest: content})


def _together(sights: list[Sight]) -> Sight:
    return Sight(
        blobs=frozenset().union(*(sight.blobs for sight in sights)),
        contents={digest: content for sight in sights for digest, content in sight.contents.items()},
        manifests={digest: manifest for sight in sights for digest, manifest in sight.manifests.items()},
        listed={subject: listed for sight in sights for subject, listed in sight.listed.items()},
        tags={tag: manifest for sight in sights for tag, manifest in sight.tags.items()},
    )


def _refusal(code: str, exit_code: int, reference: str, there: RawManifest, ours: RawManifest) -> Refusal:
    return Refusal(
        code,
        f"{reference} names {there.digest} already, expected {ours.digest} or nothing; it is not overwritten",
        exit_code=exit_code,
        expected=str(ours.digest),
        actual=str(there.digest),
        hint=f"look at what is there with `crane manifest {reference}`, and remove that tag when it should give way",
    )
