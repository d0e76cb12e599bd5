"""The fallback tag: the list of referrers that clients keep where a registry has no referrers API.

The specification has no compare-and-swap, so that a list is written, read back, and written again when somebody else's
came between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Condition, Lock, Thread
from typing import Protocol

import stamina

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import Descriptor, RawManifest
from promote.oci.referrer_list import listed, merged

ATTEMPTS = 8
FRESH = 0.25
"""For how many seconds a list may be written upon after it was read, or for as long as reading it took.

What others write in between is lost to them: the specification has no way to say what a tag must name to be moved.
"""


class _Tags(Protocol):
    def resolve(self, tag: str) -> RawManifest | None: ...

    def put_tag(self, tag: str, manifest: RawManifest) -> None: ...


class _LostError(Exception):
    """What was written is not there: somebody else wrote the list in between."""


class FallbackList:
    """The list of one subject, as the threads of this process write it: one at a time, and all that wait in one go."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._changed = Condition()
        self._waiting: dict[Digest, Descriptor] = {}
        self._under_way = 0
        self._ahead: _Ahead | None = None

    @contextmanager
    def on_its_way(self, subject: Digest, tags: _Tags | None) -> Iterator[Callable[[Descriptor], None]]:
        """A referrer is put while the block runs, which then calls what it is given with its entry, and `add` later.

        Whoever writes meanwhile waits for it, so that one write has all that come at once.  With `tags` the list is
        read while the referrer is on its way.
        """
        with self._changed:
            self._under_way += 1
            if tags is not None and self._ahead is None:
                self._ahead = _Ahead(tags, subject)
        try:
            yield self._enter
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def add(self, tags: _Tags, subject: Digest, ours: Descriptor, where: str) -> None:
        """As `add_to_fallback`; returns when `ours` was read back, whichever thread wrote it."""
        self._enter(ours)
        with self._turn:
            if ours.digest not in self._waiting:
                return
            with self._changed:
                self._changed.wait_for(lambda: not self._under_way)
                ahead, self._ahead = self._ahead, None
            try:
                written = _write(tags, subject, self._entries, where, ahead)
            except BaseException:
                written = [ours]  # the others are not done, and each will try for itself
                raise
            finally:
                with self._changed:
                    for entry in written:
                        self._waiting.pop(entry.digest, None)

    def _enter(self, entry: Descriptor) -> None:
        with self._changed:
            self._waiting[entry.digest] = entry

    def _entries(self) -> list[Descriptor]:
        with self._changed:
            return list(self._waiting.values())


class _Ahead:
    """The list as it is read while a referrer is on its way."""

    def __init__(self, tags: _Tags, subject: Digest) -> None:
        self._answer: Future[tuple[RawManifest | None, float]] = Future()
        Thread(target=self._read, args=(tags, subject, time.monotonic()), name="fallback", daemon=True).start()

    def _read(self, tags: _Tags, subject: Digest, began: float) -> None:
        try:
            found = tags.resolve(subject.tag)
            now = time.monotonic()
            self._answer.set_result((found, now + max(now - began, FRESH)))
        except BaseException as problem:  # noqa: BLE001 - judged where it is waited for
            self._answer.set_exception(problem)

    def read(self) -> tuple[RawManifest | None, bool]:
        """What was read, and whether it may be written upon: not when it is old, or could not be read."""
        try:
            found, until = self._answer.result()
        except Fault:
            return None, False
        return found, time.monotonic() <= until


def add_to_fallback(tags: _Tags, subject: Digest, ours: Descriptor, where: str) -> None:
    """Write `ours` into the list of `subject` and read it back, at most `ATTEMPTS` times; raises `Fault`."""
    _write(tags, subject, lambda: [ours], where)


def _write(
    tags: _Tags,
    subject: Digest,
    entries: Callable[[], Sequence[Descriptor]],
    where: str,
    ahead: _Ahead | None = None,
) -> Sequence[Descriptor]:
    """What of `entries` is in the list now: those that there were when the list had been read."""
    ours: Sequence[Descriptor] = ()
    try:
        for attempt in stamina.retry_context(
            on=_LostError, attempts=ATTEMPTS, timeout=None, wait_initial=0.05, wait_max=2.0, wait_jitter=0.2
        ):
            with attempt:
                found, fresh = ahead.read() if ahead and attempt.num == 1 else (None, False)
                if not fresh:
                    found = tags.resolve(subject.tag)
                ours = entries()
                wanted = _merged(found, subject, ours, where)
                if wanted is None:
                    return ours
                tags.put_tag(subject.tag, wanted)
                found = tags.resolve(subject.tag)
                if found and subject.matches(found.content):
                    raise _unusable(subject, where)
                there = {entry.digest for entry in listed(found, subject, where)}
                if not all(entry.digest in there for entry in ours):
                    raise _LostError
    except _LostError:
        raise Fault(
            "fallback-tag-contended",
            f"{where} lost {ours[0].digest.short} from the list {subject.tag} {ATTEMPTS} times, others write it too",
            hint="run the same command again when fewer promotions run at once",
        ) from None
    return ours


def _merged(found: RawManifest | None, subject: Digest, ours: Sequence[Descriptor], where: str) -> RawManifest | None:
    """The list with all of `ours` in it; None when they are there already."""
    wanted: RawManifest | None = None
    for entry in ours:
        wanted = merged(wanted or found, subject, entry, where) or wanted
    return wanted


def _unusable(subject: Digest, where: str) -> Fault:
    return Fault(
        "fallback-tag-unusable",
        f"{where} takes the tag {subject.tag} for the image itself, expected the list of signatures that was put there",
        expected="a tag as any other",
        hint="sign with cosign's tag scheme, or promote to a registry that has the referrers API",
    )
