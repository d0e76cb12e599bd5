"""The fallback tag: the list of referrers that clients keep where a registry has no referrers API.

The specification has no compare-and-swap, so that a list is written, read back, and written again when somebody else's
came between.
"""

from __future__ import annotations

from typing import Protocol

import stamina

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import Descriptor, RawManifest
from promote.oci.referrer_list import listed, merged

ATTEMPTS = 8


class _Tags(Protocol):
    def resolve(self, tag: str) -> RawManifest | None: ...

    def put_tag(self, tag: str, manifest: RawManifest) -> None: ...


class _LostError(Exception):
    """What was written is not there: somebody else wrote the list in between."""


def add_to_fallback(tags: _Tags, subject: Digest, ours: Descriptor, where: str) -> None:
    """Write `ours` into the list of `subject` and read it back, at most `ATTEMPTS` times; raises `Fault`."""
    try:
        for attempt in stamina.retry_context(
            on=_LostError, attempts=ATTEMPTS, timeout=None, wait_initial=0.05, wait_max=2.0, wait_jitter=0.2
        ):
            with attempt:
                wanted = merged(tags.resolve(subject.tag), subject, ours, where)
                if wanted is None:
                    return
                tags.put_tag(subject.tag, wanted)
                if ours.digest not in {entry.digest for entry in listed(tags.resolve(subject.tag), subject, where)}:
                    raise _LostError
    except _LostError:
        raise Fault(
            "fallback-tag-contended",
            f"{where} lost {ours.digest.short} from the list {subject.tag} {ATTEMPTS} times, others write it too",
            hint="run the same command again when fewer promotions run at once",
        ) from None
