"""Small images, indexes and referrers, put into a store through its own door."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from promote.model.digest import Digest
from promote.model.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, RawManifest
from promote.oci.store import Store

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"


def describe(content: bytes, media_type: str = LAYER, **more: Any) -> Descriptor:
    """The descriptor of `content`."""
    return Descriptor(media_type, Digest.of(content), len(content), **more)


def put(store: Store, content: bytes, media_type: str = LAYER, **more: Any) -> Descriptor:
    """`content` as a blob of `store`; its descriptor."""
    descriptor = describe(content, media_type, **more)
    store.put_blob(descriptor, io.BytesIO(content))
    return descriptor


def manifest_of(
    layers: Iterable[Descriptor],
    *,
    config: Descriptor,
    subject: RawManifest | None = None,
    annotations: Mapping[str, str] | None = None,
    artifact_type: str | None = None,
) -> RawManifest:
    """An OCI image manifest."""
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
    if artifact_type:
        document["artifactType"] = artifact_type
    document |= {"config": config.as_json(), "layers": [layer.as_json() for layer in layers]}
    if subject:
        document["subject"] = subject.descriptor.as_json()
    if annotations:
        document["annotations"] = dict(annotations)
    return RawManifest(json.dumps(document).encode(), OCI_MANIFEST)


def put_image(
    store: Store,
    *contents: bytes,
    tag: str | None = None,
    subject: RawManifest | None = None,
    media_type: str = LAYER,
    artifact_type: str | None = None,
    layer_annotations: Mapping[str, str] | None = None,
) -> RawManifest:
    """An image (or, with `subject`, a referrer) whose layers are `contents`, in `store` under `tag` if there is one."""
    more = {"annotations": layer_annotations} if layer_annotations else {}
    layers = [put(store, content, media_type, **more) for content in contents]
    manifest = manifest_of(layers, config=put(store, b"{}", CONFIG), subject=subject, artifact_type=artifact_type)
    store.put_manifest(manifest)
    if tag:
        store.put_tag(tag, manifest)
    return manifest


def index_of(*children: RawManifest, subject: RawManifest | None = None) -> RawManifest:
    """An OCI index of `children`."""
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [child.descriptor.as_json() for child in children],
    }
    if subject:
        document["subject"] = subject.descriptor.as_json()
    return RawManifest(json.dumps(document).encode(), OCI_INDEX)


def put_index(
    store: Store, *children: RawManifest, tag: str | None = None, subject: RawManifest | None = None
) -> RawManifest:
    """An index of `children` in `store`."""
    manifest = index_of(*children, subject=subject)
    store.put_manifest(manifest)
    if tag:
        store.put_tag(tag, manifest)
    return manifest
