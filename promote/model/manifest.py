"""Manifests: bytes as received, and what they say once parsed strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.malformed import Malformed

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST_TYPES = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX)
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_INDEX})

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
"""What a registry must accept at least (distribution-spec 1.1, "Pushing Manifests"); larger ones are refused."""


def nothing() -> Mapping[str, str]:
    """No annotations."""
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says about a piece of content.  `size` is in bytes.

    `artifact_type` and `annotations` are hints written by whoever wrote the manifest: nothing is decided by them.
    `platform` is ``os/architecture[/variant]``.  Source: OCI image-spec 1.1, descriptor.md.
    """

    media_type: str
    digest: Digest
    size: int
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=nothing, hash=False)
    platform: str | None = None

    @classmethod
    def parse(cls, value: object) -> Descriptor:
        """The descriptor in a parsed JSON value; raises `Malformed`."""
        if not isinstance(value, dict):
            raise Malformed("descriptor", value, "a JSON object")
        size = value.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
            raise Malformed("descriptor size", size, "a number of bytes")
        media_type = value.get("mediaType")
        if not isinstance(media_type, str) or not media_type:
            raise Malformed("descriptor mediaType", media_type, "a media type")
        return cls(
            media_type=media_type,
            digest=Digest.parse(value.get("digest")),
            size=size,
            artifact_type=_optional_text(value, "artifactType"),
            annotations=_annotations(value),
            platform=_platform(value.get("platform")),
        )

    def as_json(self) -> dict[str, Any]:
        """The JSON object of this descriptor, for an index that promote writes (never for one that it copies)."""
        result: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.artifact_type:
            result["artifactType"] = self.artifact_type
        if self.annotations:
            result["annotations"] = dict(self.annotations)
        if self.platform:
            result["platform"] = dict(zip(("os", "architecture", "variant"), self.platform.split("/"), strict=False))
        return result

    @property
    def is_index(self) -> bool:
        """Whether the media type is that of an index."""
        return self.media_type in INDEX_TYPES


@dataclass(frozen=True)
class RawManifest:
    """A manifest exactly as it was received; its digest is computed from `content`, never believed.

    Promote copies `content` and never writes it anew: anything that re-encodes a manifest orphans its signatures.
    """

    content: bytes
    media_type: str

    @cached_property
    def digest(self) -> Digest:
        """The sha256 digest of the bytes."""
        return Digest.of(self.content)

    @cached_property
    def parsed(self) -> Manifest:
        """What the bytes say; raises `Malformed`, also where they contradict `media_type`."""
        return Manifest.parse(self.content, self.media_type)

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor that an index would hold for this manifest."""
        return Descriptor(self.media_type, self.digest, len(self.content), self.parsed.artifact_type)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A parsed image manifest or index.

    `blobs` are config and layers in order, config first; `children` are an index's manifests.  Exactly one of the two
    is used (CVE-2021-41190: a document that is both is refused).  `config` is None for an index.
    """

    media_type: str
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    children: tuple[Descriptor, ...]
    subject: Descriptor | None
    artifact_type: str | None
    annotations: Mapping[str, str] = field(hash=False)

    @classmethod
    def parse(cls, content: bytes, media_type: str) -> Manifest:
        """The manifest in `content`, served as `media_type`; raises `Malformed`."""
        if len(content) > MAX_MANIFEST_BYTES:
            raise Malformed("manifest", f"{len(content)} bytes", f"at most {MAX_MANIFEST_BYTES}")
        value = strict_json.loads_object(content, "manifest")
        if media_type not in MANIFEST_TYPES:
            raise Malformed("manifest media type", media_type, "an OCI or Docker schema 2 manifest or index")
        if value.get("schemaVersion") != 2:
            raise Malformed("manifest schemaVersion", value.get("schemaVersion"), "2")
        if value.get("mediaType", media_type) != media_type:
            raise Malformed("manifest mediaType", value["mediaType"], f"{media_type}, which it was served as")
        is_index = media_type in INDEX_TYPES
        foreign = ("layers", "config") if is_index else ("manifests",)
        if any(key in value for key in foreign):
            raise Malformed("manifest", "both an image and an index", "one of the two")
        return cls(
            media_type=media_type,
            config=None if is_index else Descriptor.parse(value.get("config")),
            layers=() if is_index else _descriptors(value, "layers"),
            children=_descriptors(value, "manifests") if is_index else (),
            subject=Descriptor.parse(value["subject"]) if value.get("subject") is not None else None,
            artifact_type=_optional_text(value, "artifactType"),
            annotations=_annotations(value),
        )

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config and layers, config first."""
        return (*([self.config] if self.config else []), *self.layers)

    @property
    def is_index(self) -> bool:
        """Whether this is an index."""
        return self.media_type in INDEX_TYPES


def _descriptors(value: dict[str, Any], key: str) -> tuple[Descriptor, ...]:
    items = value.get(key)
    if not isinstance(items, list):
        raise Malformed(f"manifest {key}", items, "a list of descriptors")
    return tuple(Descriptor.parse(item) for item in items)


def _optional_text(value: dict[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is not None and not isinstance(text, str):
        raise Malformed(key, text, "a string")
    return text or None


def _annotations(value: dict[str, Any]) -> Mapping[str, str]:
    items = value.get("annotations")
    if items is None:
        return nothing()
    if not isinstance(items, dict) or not all(isinstance(v, str) for v in items.values()):
        raise Malformed("annotations", items, "an object of strings")
    return MappingProxyType(items)


def _platform(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Malformed("platform", value, "a JSON object")
    parts = [value.get(key) for key in ("os", "architecture", "variant")]
    return "/".join(p for p in parts if isinstance(p, str) and p) or None
