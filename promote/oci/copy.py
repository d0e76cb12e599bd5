"""The copy of an image with everything that belongs to it: planned, done by digest, read back.

Order: blobs, then manifests so that each one's parts and subject are there before it, then cosign's tags, and the
image's tag last.  A copy that is stopped anywhere has no tag, and the same copy run again sends only what is lacking.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event

import stamina

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.graph import Graph
from promote.model.manifest import Descriptor, RawManifest
from promote.model.progress import Arrival, Blob, Cargo, Observer, watcher
from promote.oci.arrival import Contents, Goal, Lack, Sight, is_foreign, look
from promote.oci.store import BLOCK, RESENDABLE, Reader, Store
from promote.oci.workers import Workers

QUESTIONS = 2
"""How many questions are asked at a time where one blob would be sent: they are short, and wait for the link only."""

SENDS = 4
"""How often all of a blob is sent, at most, where the connection to the target breaks."""

LOOKS = 12
"""How often a list of referrers that others write too is looked at before it is given up."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did.

    `manifests` are those of the graph that are at the target now, `manifests_sent` how many of them this copy put.
    `bytes` are those of blobs that went through this machine, in `seconds` from the first act to the proof.
    `arrived` is the graph as read back from the target, `contents` the blobs of evidence that were read back whole.
    """

    manifests: int
    manifests_sent: int
    blobs_copied: int
    blobs_mounted: int
    blobs_present: int
    bytes: int
    arrived: Graph
    contents: Contents = field(hash=False)
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Survey:
    """What shall be at a target, and what of it was there when it was asked."""

    goal: Goal
    sight: Sight


def survey(source: Store, target: Store, graph: Graph, tag: str, *, jobs: int = 10) -> Survey:
    """Ask `target` for everything of `graph`, and for `tag`; nothing is written.  Raises whatever a store says."""
    with Workers(QUESTIONS * jobs) as workers:
        goal = Goal(graph, tag, _obtainable(source, graph, workers))
        return Survey(goal, look(target, goal, Sight(), workers))


def copy_image(
    source: Store,
    target: Store,
    graph: Graph,
    tag: str,
    *,
    jobs: int = 10,
    observer: Observer,
    seen: Survey | None = None,
) -> Copied:
    """Let `target` have all of `graph`, from `source`, with `tag` naming its root; at most `jobs` acts at a time.

    `seen` is a `survey` of the same a moment ago, when there is one.

    What is there already is not sent, and nothing is believed to be there because something that needs it is.  Layers
    that may live elsewhere are copied when the source has them.  Before each act that others can see, `observer` hears
    ``blob``, ``manifest``, ``evidence-tag`` or ``tag`` and of what; a `Watcher` hears of lacking blobs too.
    In the end everything was read from the target, before the copy or after it; see `promote.oci.arrival`.

    Raises `Refusal` before anything is sent: ``rebuilt-at-target`` when `tag` names another image there,
    ``evidence-tag-differs`` when a cosign tag there has signatures that the source lacks and the other way round.
    Raises `Fault`: whatever a store says, or ``not-arrived``.
    """
    found = seen or survey(source, target, graph, tag, jobs=jobs)
    goal, sight = found.goal, found.sight
    goal.check_tags(sight, target)
    lack = goal.lack(sight)
    present, begun = len(goal.blobs) - len(lack.blobs), time.monotonic()
    with Workers(jobs) as workers, Workers(jobs) as openers:
        sending = _Sending(source, target, observer, workers, openers)
        sending.announce(goal.tag, lack.blobs, present)
        mounted = sending.blobs(lack.blobs)
        sent = sending.manifests(_in_order(goal, lack))
        sent += sending.tags(goal, lack)
        proof = sending.proof(goal, sight, jobs)
    arrived = goal.arrived(proof, target)
    copied = Copied(
        manifests=len(arrived.digests),
        manifests_sent=len(set(sent)),
        blobs_copied=len(lack.blobs) - len(mounted),
        blobs_mounted=len(mounted),
        blobs_present=present,
        bytes=sum(blob.size for blob in lack.blobs if blob.digest not in mounted),
        arrived=arrived,
        contents=proof.contents,
        seconds=time.monotonic() - begun,
    )
    if lack.blobs:
        watcher(observer).arrives(_arrival(str(target.repository.tag(goal.tag)), copied))
    return copied


def _arrival(target: str, copied: Copied) -> Arrival:
    blobs = (copied.blobs_copied, copied.blobs_mounted, copied.blobs_present)
    return Arrival(target, *blobs, copied.bytes, copied.seconds)


class _Sending:
    """The acts of a copy."""

    def __init__(self, source: Store, target: Store, observer: Observer, workers: Workers, openers: Workers) -> None:
        self._source = source
        self._target = target
        self._observer = observer
        self._watcher = watcher(observer)
        self._workers = workers
        self._openers = openers
        here, there = source.repository, target.repository
        self._may_mount = here.registry == there.registry and here != there
        self._name = str(there)

    def announce(self, tag: str, blobs: tuple[Descriptor, ...], present: int) -> None:
        """Tell who watches what is to come."""
        self._name = str(self._target.repository.tag(tag))
        if blobs:
            self._watcher.expects(Cargo(self._name, len(blobs), sum(blob.size for blob in blobs), present))

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

    def proof(self, goal: Goal, sight: Sight, jobs: int) -> Sight:
        """What is seen at the target in the end.

        A referrer that was listed when it was put may be gone from a fallback list since: somebody who had read the
        list before has written it after, and distribution-spec 1.1 has no compare-and-swap.  It is put again.  A list
        that others write too counts when it was whole twice, with a wait in between.  A directory is written under a
        lock and looked at once.
        """
        sent = () if self._target.repository.is_layout else goal.lack(sight).links
        calm = 0
        with contextlib.suppress(_DisturbedError), Workers(QUESTIONS * jobs) as askers:
            for attempt in stamina.retry_context(
                on=_DisturbedError, attempts=LOOKS, timeout=None, wait_initial=0.1, wait_max=2.0, wait_jitter=0.5
            ):
                with attempt:
                    sight = look(self._target, goal, sight, askers)
                    lost = {referrer for _, referrer in goal.lack(sight).links} & sight.manifests.keys()
                    calm = 0 if lost else calm + 1
                    if sent and attempt.num < LOOKS and (lost or (calm < 2 and goal.shares(sight, sent))):
                        self.manifests(iter([[sight.manifests[digest] for digest in sorted(lost)]]))
                        sight = replace(sight, listed={})
                        raise _DisturbedError
        return sight

    def _blob(self, blob: Descriptor) -> bool:
        self._observer.step("blob", str(blob.digest))
        seen = Blob(self._name, str(blob.digest), blob.size)
        self._watcher.begins(seen)
        mounted = self._may_mount and self._target.mount_blob(blob.digest, self._source.repository)
        if not mounted:
            self._send(blob, partial(self._watcher.moves, seen))
        self._watcher.ends(seen)
        return mounted

    def _send(self, blob: Descriptor, moved: Callable[[int], None]) -> None:
        """Send all of a blob, and again where it did not arrive for a reason that may pass."""
        for attempt in stamina.retry_context(
            on=_may_be_resent, attempts=SENDS, timeout=None, wait_initial=0.25, wait_max=5.0, wait_jitter=0.5
        ):
            with attempt, self._openers.ahead(self._source.open_blob(blob)) as opened:
                self._target.put_blob(blob, _Opening(opened, self._workers.stop, moved))

    def _manifest(self, manifest: RawManifest) -> Digest:
        self._observer.step("manifest", str(manifest.digest))
        self._target.put_manifest(manifest)
        return manifest.digest

    def _evidence_tag(self, tag: str, manifest: RawManifest) -> Digest:
        self._observer.step("evidence-tag", str(self._target.repository.tag(tag)))
        self._target.put_tag(tag, manifest)
        return manifest.digest


def _may_be_resent(problem: Exception) -> bool:
    return isinstance(problem, Fault) and problem.code in RESENDABLE


class _DisturbedError(Exception):
    """A list of referrers lost some of ours, or may be about to."""


class _Opening:
    """A reader that may still be on its way while the target opens its upload: two round trips at once.

    It raises once the copy was given up: an error elsewhere does not wait for a large layer.
    """

    def __init__(self, reader: Future[Reader], stop: Event, moved: Callable[[int], None]) -> None:
        self._reader = reader
        self._stop = stop
        self._moved = moved

    def read(self, size: int = BLOCK, /) -> bytes:
        if self._stop.is_set():
            raise Fault("stopped", "the copy was stopped", hint="run the same command again")
        block = self._reader.result().read(size)
        self._moved(len(block))
        return block


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
