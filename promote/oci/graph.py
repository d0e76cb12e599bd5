"""Everything that belongs to an image, found: children, referrers and cosign's tags, nested, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from threading import Lock

from promote.errors import Fault, Refusal
from promote.model.digest import Digest
from promote.model.graph import Graph, Node, Relation
from promote.model.malformed import Malformed
from promote.model.manifest import Descriptor, RawManifest
from promote.oci.store import Store
from promote.oci.workers import Workers

MAX_DEPTH = 8
MAX_MANIFESTS = 2000
MAX_BYTES = 64 * 1024 * 1024
"""How far from the root, how many and how many bytes of manifests are followed; more is refused, never cut off."""

SUFFIXES = (".sig", ".att", ".sbom")
"""What cosign appends to ``sha256-<hex>`` (cosign, specs/SIGNATURE_SPEC.md, "Tag-based discovery")."""

_SIGNATURE_LAYERS = (
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.dsse.envelope.v1+json",
    "application/vnd.dev.cosign.simplesigning.v1+json",
)


def gather(store: Store, root: RawManifest, *, jobs: int = 10, met: Callable[[Node], object] = lambda _: None) -> Graph:
    """The graph of `root` as `store` has it, breadth-first, with at most `jobs` requests at a time.

    Of every manifest its children and referrers are asked for; cosign's tags of the image, its children and all
    evidence but signatures (a signed SBOM, not a signature's signature: that would cost three requests each and nobody
    makes them).  No question is asked twice.  A referrer that names another subject than it was listed for
    (some registries answer a fallback tag with the image itself), or that is listed and not there, does not belong.

    `met` hears of each node as soon as it is known to belong, parents first.

    Raises `Fault`: ``index-sparse`` when a child is absent, ``manifest-malformed`` when one cannot be read or is not
    what it was listed as.  Raises `Refusal` (``graph-too-large``, exit 12) beyond one of the bounds above: nothing is
    decided on a part of the evidence.
    """
    with Workers(jobs) as workers:
        search = _Search(store, workers)
        search.keep(root)
        nodes = [Node(root, Relation.ROOT)]
        met(nodes[0])
        frontier, seen = [root], {root.digest}
        for depth in range(1, MAX_DEPTH + 2):
            links = search.around(frontier)
            if links and depth > MAX_DEPTH:
                raise _too_large(root.digest, f"reaches deeper than {MAX_DEPTH} levels", f"at most {MAX_DEPTH} levels")
            found = [Node(search.known[link.digest], link.relation, link.parent, link.tag) for link in links]
            for node in found:
                met(node)
            nodes += found
            fresh = dict.fromkeys(link.digest for link in links if link.digest not in seen)
            frontier = [search.known[digest] for digest in fresh]
            seen.update(fresh)
            if not frontier:
                break
    return Graph(tuple(nodes))


@dataclass(frozen=True, slots=True)
class _Link:
    relation: Relation
    parent: Digest
    digest: Digest
    tag: str | None = None


class _Search:
    """The manifests met so far, and the questions that lead to more."""

    def __init__(self, store: Store, workers: Workers) -> None:
        self.known: dict[Digest, RawManifest] = {}
        self._store = store
        self._workers = workers
        self._lock = Lock()
        self._bytes = 0

    def around(self, frontier: list[RawManifest]) -> list[_Link]:
        """Every link that leads on from `frontier`, its manifests known.  No manifest may be in two frontiers."""
        children = {child.digest: child for m in frontier for child in m.parsed.children}
        asks: list[Callable[[], tuple[_Link, ...]]] = [
            partial(self._child, c) for c in self._unknown(children.values())
        ]
        for manifest in frontier:
            asks.append(partial(self._referrers, manifest.digest))
            if not _is_signature(manifest):
                asks += [partial(self._tagged, manifest.digest, suffix) for suffix in SUFFIXES]
        answers = self._workers.map(lambda ask: ask(), asks)
        links = [_Link(Relation.CHILD, m.digest, child.digest) for m in frontier for child in m.parsed.children]
        links += [link for answer in answers for link in answer]
        listed = {link.digest: link.digest for link in links if link.digest not in self.known}
        self._check_count(len(listed))
        self._workers.map(self._referrer, listed.values())
        return [link for link in dict.fromkeys(links) if link.relation is not Relation.REFERRER or self._names(link)]

    def keep(self, manifest: RawManifest) -> None:
        """Count `manifest` and remember it; raises `Fault` when it is malformed, `Refusal` when it is too much."""
        readable(manifest)
        with self._lock:
            if manifest.digest in self.known:
                return
            self.known[manifest.digest] = manifest
            self._bytes += len(manifest.content)
            if self._bytes > MAX_BYTES:
                raise _too_large(manifest.digest, f"has more than {MAX_BYTES} bytes", f"at most {MAX_BYTES} bytes")
        self._check_count(0)

    def _unknown(self, descriptors: Iterable[Descriptor]) -> list[Descriptor]:
        unknown = [descriptor for descriptor in descriptors if descriptor.digest not in self.known]
        self._check_count(len(unknown))
        return unknown

    def _child(self, child: Descriptor) -> tuple[_Link, ...]:
        manifest = self._store.manifest(child.digest)
        if manifest is None:
            raise Fault(
                "index-sparse",
                f"{self._store.repository} does not have {child.digest} ({child.platform or child.media_type}), "
                "which its index lists: got nothing, expected every child",
                expected=str(child.digest),
                hint="push the image with all its platforms again",
            )
        if manifest.media_type != child.media_type:
            raise _malformed(child.digest, manifest.media_type, f"{child.media_type}, which the index lists")
        self._keep_as(child.digest, manifest)
        return ()

    def _referrer(self, digest: Digest) -> None:
        manifest = self._store.manifest(digest)
        if manifest is not None:
            self._keep_as(digest, manifest)

    def _referrers(self, parent: Digest) -> tuple[_Link, ...]:
        listed = self._store.referrers(parent)
        self._check_count(len(listed))
        return tuple(_Link(Relation.REFERRER, parent, descriptor.digest) for descriptor in listed)

    def _tagged(self, parent: Digest, suffix: str) -> tuple[_Link, ...]:
        tag = parent.tag + suffix
        manifest = self._store.resolve(tag)
        if manifest is None:
            return ()
        self.keep(manifest)
        return (_Link(Relation.COSIGN_TAG, parent, manifest.digest, tag),)

    def _keep_as(self, digest: Digest, manifest: RawManifest) -> None:
        if manifest.digest != digest:
            # Also a manifest that is named by its sha512: every other question about it would be asked by sha256.
            raise _malformed(digest, str(manifest.digest), "content with the sha256 digest that it is listed by")
        self.keep(manifest)

    def _names(self, link: _Link) -> bool:
        manifest = self.known.get(link.digest)
        subject = manifest.parsed.subject if manifest else None
        return subject is not None and subject.digest == link.parent

    def _check_count(self, more: int) -> None:
        count = len(self.known) + more
        if count > MAX_MANIFESTS:
            root = next(iter(self.known))
            raise _too_large(root, f"has {count} manifests or more", f"at most {MAX_MANIFESTS} manifests")


def _is_signature(manifest: RawManifest) -> bool:
    layers = manifest.parsed.layers
    return bool(layers) and all(layer.media_type.startswith(_SIGNATURE_LAYERS) for layer in layers)


def readable(manifest: RawManifest) -> RawManifest:
    """`manifest` itself; raises `Fault` (``manifest-malformed``) when `parsed` would raise `Malformed`."""
    try:
        _ = manifest.parsed
    except Malformed as problem:
        raise _malformed(manifest.digest, f"{problem.what} {problem.got}", problem.expected) from None
    return manifest


def _malformed(digest: Digest, got: str, expected: str) -> Fault:
    return Fault(
        "manifest-malformed",
        f"the manifest {digest} cannot be read: got {got}, expected {expected}",
        expected=expected,
        actual=got,
        hint="push the image and its signatures again with a tool that writes OCI or Docker schema 2 manifests",
    )


def _too_large(digest: Digest, got: str, expected: str) -> Refusal:
    return Refusal(
        "graph-too-large",
        f"the image with its evidence {got} (at {digest}), expected {expected}",
        exit_code=12,
        expected=expected,
        actual=got,
        hint="remove evidence that is no longer needed from the source repository",
    )
