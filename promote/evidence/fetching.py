"""The blobs of the candidates, a few at a time, and all of them within a time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from promote.errors import Refusal
from promote.evidence.discovery import MAX_BLOB_BYTES
from promote.model.digest import Digest
from promote.model.manifest import Descriptor
from promote.oci.store import Blobs, read_blob

MAX_SECONDS = 300.0
"""For all of an image's evidence: 256 MiB at a slow 1 MiB a second.  A registry that drips never ends by itself."""


def fetch(blobs: Sequence[Descriptor], store: Blobs, jobs: int, seconds: float = MAX_SECONDS) -> Mapping[Digest, bytes]:
    """The content of `blobs` (no digest twice), `jobs` at a time.

    Raises `Fault` when one cannot be had, `Refusal` (``evidence-too-slow``, exit 12) when they are not here after
    `seconds`.
    """
    todo: SimpleQueue[Descriptor] = SimpleQueue()
    done: SimpleQueue[tuple[Digest, bytes | BaseException]] = SimpleQueue()
    for blob in blobs:
        todo.put(blob)

    def work() -> None:
        while True:
            try:
                blob = todo.get_nowait()
            except Empty:
                return
            try:
                done.put((blob.digest, read_blob(store, blob, MAX_BLOB_BYTES)))
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                _drain(todo)
                done.put((blob.digest, error))
                return

    # Daemons, and no pool: a pool waits at the end of the process for the answer that never comes.
    for _ in range(min(max(1, jobs), len(blobs))):
        Thread(target=work, name="promote-evidence", daemon=True).start()
    return _collect(len(blobs), todo, done, seconds)


def _collect(
    count: int,
    todo: SimpleQueue[Descriptor],
    done: SimpleQueue[tuple[Digest, bytes | BaseException]],
    seconds: float,
) -> Mapping[Digest, bytes]:
    contents: dict[Digest, bytes] = {}
    deadline = time.monotonic() + seconds
    try:
        while len(contents) < count:
            digest, content = done.get(timeout=max(0.0, deadline - time.monotonic()))
            if isinstance(content, BaseException):
                raise content
            contents[digest] = content
    except Empty:
        got = f"{len(contents)} of {count} blobs"
        raise Refusal(
            "evidence-too-slow",
            f"the evidence did not arrive within {seconds:g} seconds: got {got}, expected all of them",
            exit_code=12,
            expected=f"{count} blobs within {seconds:g} seconds",
            actual=got,
            hint="look at the registry's speed, or remove evidence that is no longer needed",
        ) from None
    finally:
        _drain(todo)
    return contents


def _drain(todo: SimpleQueue[Descriptor]) -> None:
    """Leave nothing to begin for those who still work."""
    try:
        while True:
            todo.get_nowait()
    except Empty:
        return
