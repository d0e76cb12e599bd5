"""The acts of a copy: what is sent, in what order, and what is seen at the target in the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from threading import BoundedSemaphore, Event
from types import TracebackType

import stamina

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import Descriptor, RawManifest
from promote.model.progress import Blob, Cargo, Observer, watcher
from promote.oci.arrival import Goal, Lack, Sight, look
from promote.oci.store import BLOCK, RESENDABLE, Blobs, Reader, Store
from promote.oci.workers import Workers

QUESTIONS = 2
"""How many questions are asked at a time where one blob would be sent: they are short, and wait for the link only."""

SENDS = 4
"""How often all of a blob is sent, at most, where the connection to the target breaks."""

LOOKS = 12
"""How often a list of referrers that others write too is looked at before it is given up."""


def acts(jobs: int) -> int:
    """How many things are sent at a time, where at most `jobs` of them are larger than a block.

    Small things wait for the link only, and a connection for each was opened to ask for them.
    """
    return jobs * 3 // 2


class Sending:
    """The acts of a copy, at most `acts(jobs)` at a time; a context manager, as its `Workers` are."""

    def __init__(self, source: Blobs, target: Store, observer: Observer, jobs: int) -> None:
        self._source = source
        self._target = target
        self._observer = observer
        self._watcher = watcher(observer)
        self._workers = Workers(acts(jobs))
        self._openers = Workers(acts(jobs))
        self._both = contextlib.ExitStack()
        self._large = BoundedSemaphore(jobs)
        self._jobs = jobs
        here, there = source.repository, target.repository
        self._may_mount = here.registry == there.registry and here != there
        self._name = str(there)

    def __enter__(self) -> Sending:
        self._both.enter_context(self._workers)
        self._both.enter_context(self._openers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._both.__exit__(kind, problem, trace)

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

    def proof(self, goal: Goal, sight: Sight) -> Sight:
        """What is seen at the target in the end.

        A referrer that was listed when it was put may be gone from a fallback list since: somebody who had read the
        list before has written it after, and distribution-spec 1.1 has no compare-and-swap.  It is put again.  A list
        that others write too counts when it was whole twice, with a wait in between.  A directory is written under a
        lock and looked at once.
        """
        sent = () if self._target.repository.is_layout else goal.lack(sight).links
        calm = 0
        with contextlib.suppress(_DisturbedError), Workers(QUESTIONS * self._jobs) as askers:
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
            with self._large if blob.size > BLOCK else contextlib.nullcontext():
                _check_going_on(self._workers.stop)
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


def _check_going_on(stop: Event) -> None:
    if stop.is_set():
        raise Fault("stopped", "the copy was stopped", hint="run the same command again")


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
        _check_going_on(self._stop)
        block = self._reader.result().read(size)
        self._moved(len(block))
        return block
