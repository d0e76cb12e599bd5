"""The graph of an image: every manifest that belongs to it, its evidence included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from promote.model.digest import Digest
from promote.model.manifest import Descriptor, RawManifest


class Relation(Enum):
    """How a manifest belongs to the image."""

    ROOT = "root"
    CHILD = "child"
    """Listed by an index."""
    REFERRER = "referrer"
    """Names its parent as `subject`; found through the referrers API or the fallback tag."""
    COSIGN_TAG = "cosign tag"
    """Tagged ``sha256-<hex>.sig``, ``.att`` or ``.sbom``."""


@dataclass(frozen=True)
class Node:
    """One manifest of the graph.  `parent` is the index, subject or signed digest; None for the root only.

    `tag` is the name of the evidence tag when `relation` is COSIGN_TAG, else None.
    """

    manifest: RawManifest
    relation: Relation
    parent: Digest | None = None
    tag: str | None = None

    @property
    def digest(self) -> Digest:
        """The digest of the manifest."""
        return self.manifest.digest


@dataclass(frozen=True)
class Graph:
    """The closure of one image digest, in breadth-first order, the root first.

    A manifest reached in two ways stands once for each; `digests` says each digest once.
    """

    nodes: tuple[Node, ...]

    @property
    def root(self) -> Node:
        """The image itself."""
        return self.nodes[0]

    @property
    def images(self) -> tuple[Node, ...]:
        """The root and its children: what can be the subject of evidence about this image."""
        belongs: set[Digest] = set()
        images: list[Node] = []
        for node in self.nodes:
            if node.relation is Relation.ROOT or (node.relation is Relation.CHILD and node.parent in belongs):
                belongs.add(node.digest)
                images.append(node)
        return tuple(images)

    @property
    def evidence(self) -> tuple[Node, ...]:
        """Every node that is not the image itself."""
        images = {n.digest for n in self.images}
        return tuple(n for n in self.nodes if n.digest not in images)

    @property
    def digests(self) -> frozenset[Digest]:
        """Every manifest's digest."""
        return frozenset(n.digest for n in self.nodes)

    def blobs(self) -> Iterator[Descriptor]:
        """Every blob that some manifest names, each digest once, in the order met."""
        seen: set[Digest] = set()
        for node in self.nodes:
            for blob in node.manifest.parsed.blobs:
                if blob.digest not in seen:
                    seen.add(blob.digest)
                    yield blob
