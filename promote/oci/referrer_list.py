"""The list of an image's referrers as an index: what the fallback tag names, here and in registries.

Source: OCI distribution-spec 1.1, "Referrers Tag Schema".  Pure: bytes in, bytes out.
"""

from __future__ import annotations

import json
from typing import Any

from promote.errors import Fault
from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.model.manifest import INDEX_TYPES, MAX_MANIFEST_BYTES, OCI_INDEX, Descriptor, Manifest, RawManifest
from promote.oci.answer import malformed


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


def _is_list(found: RawManifest | None, subject: Digest) -> bool:
    return found is not None and found.media_type in INDEX_TYPES and not subject.matches(found.content)
