"""The copy of an image with everything that belongs to it: planned, done by digest, read back.

Order: blobs, then manifests so that each one's parts and subject are there before it, then cosign's tags, and the
image's tag last.  A copy that is stopped anywhere has no tag, and the same copy run again sends only what is lacking.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from promote.model.digest import Digest
from promote.model.graph import Graph
from promote.model.manifest import Descriptor, RawManifest
from promote.model.progress import Arrival, Observer, watcher
from promote.oci.arrival import Contents, Goal, Lack, Question, Sight, is_foreign, look, questions
from promote.oci.sending import QUESTIONS, Sending
from promote.oci.store import Blobs, Store
from promote.oci.workers import Workers


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


def survey(
    source: Store,
    target: Store,
    graph: Graph,
    tag: str,
    *,
    jobs: int = 10,
    asked: Mapping[Question, Future[Sight]] | None = None,
) -> Survey:
    """Ask `target` for everything of `graph`, and for `tag`; nothing is written.  Raises whatever a store says.

    What was `asked` of it while the graph was read (`promote.oci.scouting`) is not asked again.
    """
    with Workers(QUESTIONS * jobs) as workers:
        goal = Goal(graph, tag, _obtainable(source, graph, workers))
        return Survey(goal, look(target, goal, Sight(), workers, asked))


def copy_image(
    source: Store,
    target: Store,
    graph: Graph,
    tag: str,
    *,
    jobs: int = 10,
    observer: Observer,
    seen: Survey | None = None,
    blobs: Blobs | None = None,
) -> Copied:
    """Let `target` have all of `graph`, from `source`, with `tag` naming its root.

    For how much is done at a time see `promote.oci.sending.acts`.

    `seen` is a `survey` of the same a moment ago, when there is one.  `blobs` is where the source's blobs are read when
    some of them are nearer than the source.

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
    target.expect(min(len(questions(goal, sight)), QUESTIONS * jobs))  # which the proof will ask at once
    with Sending(blobs or source, target, observer, jobs) as sending:
        sending.announce(goal.tag, lack.blobs, present)
        mounted = sending.blobs(lack.blobs)
        sent = sending.manifests(_in_order(goal, lack))
        sent += sending.tags(goal, lack)
        proof = sending.proof(goal, sight)
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
