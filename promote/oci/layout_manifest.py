"""What a manifest in a layout says at a glance: enough to find it and to follow it, before anybody calls it valid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.model.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor


@dataclass(frozen=True, slots=True)
class Glance:
    """What the search for referrers needs of a manifest: its descriptor, its subject and, of an index, its children.

    `descriptor` is the one that a referrers API would list.  Parts that cannot be read are as good as absent: whoever
    takes the manifest up parses it strictly.
    """

    descriptor: Descriptor
    subject: Digest | None
    children: tuple[Descriptor, ...]

    @classmethod
    def at(cls, content: bytes, descriptor: Descriptor) -> Glance:
        """The glance at a manifest that is listed as `descriptor`; raises `Malformed` when it is no JSON object."""
        document = strict_json.loads_object(content, "manifest")
        return cls(_described(descriptor, document), _subject(document), _children(document))


def media_type(content: bytes) -> str:
    """What a manifest says it is, else what its form says.

    What cannot be read at all is called an OCI manifest, for `promote.model.manifest.Manifest.parse` to refuse.
    """
    try:
        document = strict_json.loads_object(content, "manifest")
    except Malformed:
        return OCI_MANIFEST
    own = document.get("mediaType")
    if isinstance(own, str) and own:
        return own
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST


def _subject(document: dict[str, Any]) -> Digest | None:
    subject = document.get("subject")
    try:
        return Digest.parse(subject.get("digest")) if isinstance(subject, dict) else None
    except Malformed:
        return None


def _children(document: dict[str, Any]) -> tuple[Descriptor, ...]:
    children = document.get("manifests")
    found: list[Descriptor] = []
    for child in children if isinstance(children, list) else ():
        try:
            found.append(Descriptor.parse(child))
        except Malformed:
            continue
    return tuple(found)


def _described(descriptor: Descriptor, document: dict[str, Any]) -> Descriptor:
    """The descriptor that a referrers API would list (distribution-spec 1.1, "Listing Referrers")."""
    config = document.get("config")
    artifact_type = document.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else None)
    annotations = document.get("annotations")
    try:
        return Descriptor.parse(
            {
                "mediaType": descriptor.media_type,
                "digest": str(descriptor.digest),
                "size": descriptor.size,
                "artifactType": artifact_type,
                "annotations": annotations,
            }
        )
    except Malformed:
        return descriptor
