"""A bundle beside an image, stored as cosign v3 stores one: a referrer with an empty config and one layer.

Source: sigstore/cosign specs/BUNDLE_SPEC.md; OCI image-spec 1.1, "Guidelines for Artifact Usage".
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

from promote.evidence.signed_bundle import BUNDLE_TYPE
from promote.model.digest import Digest
from promote.model.manifest import OCI_MANIFEST, Descriptor, RawManifest
from promote.oci.store import Store

EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY = b"{}"


def put_bundle(store: Store, subject: RawManifest, bundle: bytes, predicate_type: str, created: datetime) -> Digest:
    """Store `bundle` as a referrer of `subject`; the digest of its manifest.  Raises what the store raises.

    Blobs first: a run that is stopped leaves nothing that names what is not there.
    """
    manifest = RawManifest(_manifest(subject, bundle, predicate_type, created), OCI_MANIFEST)
    for media_type, content in ((EMPTY_TYPE, EMPTY), (BUNDLE_TYPE, bundle)):
        blob = Descriptor(media_type, Digest.of(content), len(content))
        if not store.has_blob(blob.digest):
            store.put_blob(blob, io.BytesIO(content))
    store.put_manifest(manifest)
    return manifest.digest


def _manifest(subject: RawManifest, bundle: bytes, predicate_type: str, created: datetime) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {**_descriptor(EMPTY_TYPE, EMPTY), "artifactType": BUNDLE_TYPE},
        "layers": [_descriptor(BUNDLE_TYPE, bundle)],
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": predicate_type,
            "org.opencontainers.image.created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "subject": _descriptor(subject.media_type, subject.content),
        "artifactType": BUNDLE_TYPE,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": str(Digest.of(content))}
