"""What is sure to be asked about an image, asked while its graph is still being read.

By the time that the graph is whole, most of it is known.  Reads only; an answer that nobody comes to want is dropped.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Protocol

from promote.model.digest import Digest
from promote.model.graph import Node, Relation
from promote.model.manifest import Descriptor, RawManifest
from promote.model.reference import Repository
from promote.oci.arrival import MAX_READ_BYTES, Question, Sight, questions_about
from promote.oci.store import Blobs, Reader, Store, read_blob

MAX_AHEAD_BYTES = 32 * 1024 * 1024
MAX_AHEAD_BLOBS = 200
"""How much of an image's evidence is read before anybody has asked for it; verification refuses more than a part."""


class Start(Protocol):
    """Begins work in another thread, in the order that it is given."""

    def __call__(self, act: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """The answer of `act`, on its way."""


def access_and_tag(target: Store, tag: str) -> RawManifest | None:
    """What `tag` names at `target`, which may be written to; raises `CredentialsFault` when it may not."""
    target.check_access(push=True)
    return target.resolve(tag)


class _Images:
    """Which manifests of a graph are the image, and which evidence, as they are met: parents first."""

    def __init__(self) -> None:
        self._digests: set[Digest] = set()

    def has(self, node: Node) -> bool:
        """Whether `node` is the root, or a child of an image; see `promote.model.graph.Graph.images`."""
        if node.relation is Relation.ROOT or (node.relation is Relation.CHILD and node.parent in self._digests):
            self._digests.add(node.digest)
        return node.digest in self._digests


class Scout:
    """What `target` has of the nodes that are met.

    `tagged` is `access_and_tag`, on its way: nothing is asked before it is known that the target may be written to, so
    that wrong credentials are refused once.  What a question raises is raised where its answer is asked for.
    """

    def __init__(self, target: Store, tag: str, tagged: Future[RawManifest | None], start: Start) -> None:
        self._target = target
        self._tagged = tagged
        self._start = start
        self._images = _Images()
        self.asked: dict[Question, Future[Sight]] = {Question("tag", tag): _named(tag, tagged)}
        """The answers on their way."""

    def meet(self, node: Node) -> None:
        """Begin to ask about `node`; its parent was met before."""
        for question in questions_about(node, is_image=self._images.has(node)):
            if question not in self.asked:
                self.asked[question] = self._start(self._answer, question)

    def _answer(self, question: Question) -> Sight:
        self._tagged.result()
        return question.ask(self._target)


def _named(tag: str, tagged: Future[RawManifest | None]) -> Future[Sight]:
    """`tagged` as what is seen of `tag`."""
    seen: Future[Sight] = Future()

    def tell(ended: Future[RawManifest | None]) -> None:
        try:
            seen.set_result(Sight.of_tag(tag, ended.result()))
        except BaseException as problem:  # noqa: BLE001 - raised again where it is waited for
            seen.set_exception(problem)

    tagged.add_done_callback(tell)
    return seen


class AheadBlobs:
    """The blobs of `store`, of which those that are read to judge an image begin to come when their node is met.

    That is what evidence consists of, and what images say of themselves (`Manifest.config`); a `Blobs`.
    """

    def __init__(self, store: Blobs, start: Start) -> None:
        self._store = store
        self._start = start
        self._images = _Images()
        self._left = MAX_AHEAD_BYTES
        self._coming: dict[Digest, tuple[int, Future[bytes]]] = {}

    @property
    def repository(self) -> Repository:
        """The store's."""
        return self._store.repository

    def meet(self, node: Node) -> None:
        """Begin to read what `node` is judged by; its parent was met before."""
        parsed = node.manifest.parsed
        config = (parsed.config,) if parsed.config else ()
        wanted = config if self._images.has(node) else parsed.layers
        for blob in wanted:
            fits = blob.size <= min(MAX_READ_BYTES, self._left) and len(self._coming) < MAX_AHEAD_BLOBS
            if fits and blob.digest not in self._coming:
                self._left -= blob.size
                self._coming[blob.digest] = (blob.size, self._start(read_blob, self._store, blob, MAX_READ_BYTES))

    @contextmanager
    def open_blob(self, blob: Descriptor) -> Iterator[Reader]:
        """See `promote.oci.store.Store`; raises what reading it has raised."""
        size, coming = self._coming.get(blob.digest, (0, None))
        if coming is not None and size == blob.size:
            yield io.BytesIO(coming.result())
            return
        with self._store.open_blob(blob) as reader:
            yield reader
