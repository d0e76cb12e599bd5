"""The copy of an image with everything that belongs to it: planned, done by digest, read back.

Order: blobs, then manifests so that each one's parts and subject are there before it, then cosign's tags, and the
image's tag last.  A copy that is stopped anywhere has no tag, and the same copy run again sends only what is lacking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.graph import Graph
from promote.model.manifest import Descriptor, RawManifest
from promote.model.progress import Observer
from promote.oci.arrival import Goal, Lack, Sight, is_foreign, look
from promote.oci.store import BLOCK, Reader, Store
from promote.oci.workers import Workers


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did.

    `manifests` are those of the graph that are at the target now, `manifests_sent` how many of them this copy put.
    `bytes` are those of blobs that went through this machine.  `arrived` is the graph as read back from the target.
    """

    manifests: int
    manifests_sent: int
    blobs_copied: int
    blobs_mounted: int
    blobs_present: int
    bytes: int
    arrived: Graph


def copy_image(source: Store, target: Store, graph: Graph, tag: str, *, jobs: int = 8, observer: Observer) -> Copied:
    """Let `target` have all of `graph`, from `source`, with `tag` naming its root; at most `jobs` acts at a time.

    What is there already is not sent, and nothing is believed to be there because something that needs it is.  Layers
    that may live elsewhere are copied when the source has them.  Before each act that others can see, `observer` hears
    ``blob``, ``manifest``, ``evidence-tag`` or ``tag`` and of what.  In the end everything was read from the target,
    before the copy or after it; see `promote.oci.arrival`.

    Raises `Refusal` before anything is sent: ``rebuilt-at-target`` when `tag` names another image there,
    ``evidence-tag-differs`` when a cosign tag there has signatures that the source lacks and the other way round.
    Raises `Fault`: whatever a store says, or ``not-arrived``.
    """
    with Workers(jobs) as workers:
        goal = Goal(graph, tag, _obtainable(source, graph, workers))
        sight = look(target, goal.lack(Sight()), Sight(), workers)
        goal.check_tags(sight, target)
        lack = goal.lack(sight)
        sending = _Sending(source, target, observer, workers)
        mounted = sending.blobs(lack.blobs)
        sent = sending.manifests(_in_order(goal, lack))
        sent += sending.tags(goal, lack)
        arrived = goal.arrived(look(target, lack, sight, workers), target)
    return Copied(
        manifests=len(arrived.digests),
        manifests_sent=len(set(sent)),
        blobs_copied=len(lack.blobs) - len(mounted),
        blobs_mounted=len(mounted),
        blobs_present=len(goal.blobs) - len(lack.blobs),
        bytes=sum(blob.size for blob in lack.blobs if blob.digest not in mounted),
        arrived=arrived,
    )


class _Sending:
    """The acts of a copy."""

    def __init__(self, source: Store, target: Store, observer: Observer, workers: Workers) -> None:
        self._source = source
        self._target = target
        self._observer = observer
        self._workers = workers
        here, there = source.repository, target.repository
        self._may_mount = here.registry == there.registry and here != there

    def blobs(self, blobs: tuple[Descriptor, ...]) -> frozenset[Digest]:
        """Send blobs, the largest first; the digests of those that were taken over without moving bytes."""
        largest_first = sorted(blobs, key=lambda blob: -blob.size)
        mounted = self._workers.map(self._blob, largest_first)
        return frozenset(blob.digest for blob, was in zip(largest_first, mounted, strict=True) if was)

    def manifests(self, waves: Iterator[list[RawManifest]]) -> list[Digest]:
        """Put manifests by digest, one wave after the other."""
        return [digest for wave in waves for digest in self._workers.map(self._manifest, wave)]

    def tags(self, goal: Goal, lack: Lack) -> list[Digest]:
        """Put cosign's tags, then the image's; the digests that only a tag leads to."""
        evidence = {tag: manifest for tag, manifest in goal.evidence_tags.items() if tag in lack.tags}
        sent = self._workers.map(lambda tag: self._evidence_tag(tag, evidence[tag]), evidence)
        if goal.tag in lack.tags:
            self._observer.step("tag", str(self._target.repository.tag(goal.tag)))
            self._target.put_tag(goal.tag, goal.graph.root.manifest)
        return sent

    def _blob(self, blob: Descriptor) -> bool:
        self._observer.step("blob", str(blob.digest))
        if self._may_mount and self._target.mount_blob(blob.digest, self._source.repository):
            return True
        with self._source.open_blob(blob) as reader:
            self._target.put_blob(blob, _Stoppable(reader, self._workers.stop))
        return False

    def _manifest(self, manifest: RawManifest) -> Digest:
        self._observer.step("manifest", str(manifest.digest))
        self._target.put_manifest(manifest)
        return manifest.digest

    def _evidence_tag(self, tag: str, manifest: RawManifest) -> Digest:
        self._observer.step("evidence-tag", str(self._target.repository.tag(tag)))
        self._target.put_tag(tag, manifest)
        return manifest.digest


class _Stoppable:
    """A reader that raises once the copy was given up: an error elsewhere does not wait for a large layer."""

    def __init__(self, reader: Reader, stop: Event) -> None:
        self._reader = reader
        self._stop = stop

    def read(self, size: int = BLOCK, /) -> bytes:
        if self._stop.is_set():
            raise Fault("stopped", "the copy was stopped", hint="run the same command again")
        return self._reader.read(size)


def _obtainable(source: Store, graph: Graph, workers: Workers) -> tuple[Descriptor, ...]:
    """The blobs of the graph, without those that may live elsewhere and are not at the source."""
    blobs = tuple(graph.blobs())
    foreign = [blob.digest for blob in blobs if is_foreign(blob)]
    there = workers.map(source.has_blob, foreign)
    elsewhere = {digest for digest, has in zip(foreign, there, strict=True) if not has}
    return tuple(blob for blob in blobs if blob.digest not in elsewhere)


def _in_order(goal: Goal, lack: Lack) -> Iterator[list[RawManifest]]:
    """The manifests to put by digest, in waves: everything that one needs is in an earlier wave than itself.

    A manifest needs its children (a registry may refuse an index that is sparse) and its subject (some refuse a
    signature whose subject is absent, although distribution-spec 1.1 says that they must not).  Images go before
    evidence.  Content hashes cannot be circular, so there is always a next wave; tags can be, and so do not count.
    """
    manifests = {node.digest: node.manifest for node in goal.graph.nodes}
    images = {node.digest for node in goal.graph.images}
    needs = {digest: _needs(manifest) & manifests.keys() for digest, manifest in manifests.items()}
    wanted = {*lack.manifests, *(referrer for _, referrer in lack.links)}
    if goal.tag in lack.tags:
        wanted.add(goal.graph.root.digest)
    needed = {digest for need in needs.values() for digest in need}
    wanted |= {m.digest for tag, m in goal.evidence_tags.items() if tag in lack.tags and m.digest in needed}
    left = list(manifests)
    while left:
        done = manifests.keys() - set(left)
        ready = [digest for digest in left if needs[digest] <= done]
        ready = [digest for digest in ready if digest in images] or ready
        left = [digest for digest in left if digest not in set(ready)]
        wave = [manifests[digest] for digest in ready if digest in wanted]
        if wave:
            yield wave


def _needs(manifest: RawManifest) -> set[Digest]:
    parsed = manifest.parsed
    return {child.digest for child in parsed.children} | ({parsed.subject.digest} if parsed.subject else set())
