"""The fallback tag: the list of referrers that clients keep where a registry has no referrers API.

Source: OCI distribution-spec 1.1, "Referrers Tag Schema".  The specification has no compare-and-swap, so that a list is
written, read back, and written again when somebody else's came between.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

import stamina

from promote.errors import Fault
from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.model.manifest import INDEX_TYPES, MAX_MANIFEST_BYTES, OCI_INDEX, Descriptor, Manifest, RawManifest
from promote.oci.answer import malformed

ATTEMPTS = 8


class _Tags(Protocol):
    def resolve(self, tag: str) -> RawManifest | None: ...

    def put_tag(self, tag: str, manifest: RawManifest) -> None: ...


class _LostError(Exception):
    """What was written is not there: somebody else wrote the list in between."""


def listed(found: RawManifest | None, subject: Digest, where: str) -> tuple[Descriptor, ...]:
    """The referrers that the fallback tag of `subject` lists, which resolves to `found`.

    None where the tag names the subject itself (GitLab resolves ``sha256-<hex>`` as a digest) or anything else that is
    no index.  Raises `Fault` for an index that is malformed.
    """
    if not _is_list(found, subject):
        return ()
    try:
        return Manifest.parse(found.content, found.media_type).children if found else ()
    except Malformed as problem:
        raise malformed(where, problem) from None


def referrer(manifest: RawManifest) -> Descriptor:
    """The descriptor of a referrer as a list has it, its artifact type and annotations included.

    Source: distribution-spec 1.1, "Listing Referrers": the config's media type where there is no artifact type.
    """
    parsed = manifest.parsed
    kind = parsed.artifact_type or (parsed.config.media_type if parsed.config else None)
    return Descriptor(manifest.media_type, manifest.digest, len(manifest.content), kind, parsed.annotations)


def merged(found: RawManifest | None, subject: Digest, ours: Descriptor, where: str) -> RawManifest | None:
    """The list with `ours` in it, every other entry as it was; None when it is there already.

    Raises `Fault` when the tag names something that is no list, or a list that would be too long.
    """
    if ours.digest in {entry.digest for entry in listed(found, subject, where)}:
        return None
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    if found and not subject.matches(found.content):
        if found.media_type != OCI_INDEX:
            raise Fault(
                "fallback-tag-taken",
                f"{where} has something else under {subject.tag}, where its list of signatures belongs",
                expected=OCI_INDEX,
                actual=found.media_type,
                hint=f"delete the tag {subject.tag} there when it is of no use",
            )
        document = strict_json.loads_object(found.content)
    document["manifests"] = [*document["manifests"], ours.as_json()]
    content = json.dumps(document, separators=(",", ":")).encode()
    if len(content) > MAX_MANIFEST_BYTES:
        raise Fault(
            "fallback-tag-full",
            f"{where} lists so many signatures under {subject.tag} that the list exceeds {MAX_MANIFEST_BYTES} bytes",
            expected=f"at most {MAX_MANIFEST_BYTES} bytes",
        )
    return RawManifest(content, OCI_INDEX)


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


def _is_list(found: RawManifest | None, subject: Digest) -> bool:
    return found is not None and found.media_type in INDEX_TYPES and not subject.matches(found.content)
