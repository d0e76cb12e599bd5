"""A stored bundle has the very manifest that cosign v3 writes for it, and nothing names what is not there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.cosign_fixtures import image

from promote.errors import Fault
from promote.evidence.bundle_manifest import EMPTY_TYPE, put_bundle
from promote.evidence.signed_bundle import BUNDLE_TYPE
from promote.model.digest import Digest
from promote.model.graph import Relation
from promote.model.manifest import OCI_MANIFEST, RawManifest
from promote.model.reference import Repository
from promote.oci.layout import LayoutStore

PREDICATE = "dev.sigstore.bundle.predicateType"
CREATED = "org.opencontainers.image.created"


class Recording(LayoutStore):
    """A layout that says what was put, in order."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self.put: list[str] = []

    def put_blob(self, blob, content) -> None:
        self.put.append(blob.media_type)
        super().put_blob(blob, content)

    def put_manifest(self, manifest: RawManifest) -> None:
        self.put.append(manifest.media_type)
        super().put_manifest(manifest)


@pytest.fixture
def store(tmp_path: Path) -> Recording:
    return Recording(Repository(f"oci:{tmp_path}", "acme/shop"))


def cosigns(case: str) -> list[tuple[dict[str, Any], bytes]]:
    """The manifests and bundles that cosign stored as referrers."""
    target = image(case)
    referrers = [n.manifest for n in target.graph.nodes if n.relation is Relation.REFERRER]
    return [(json.loads(m.content), target.store.blobs[m.parsed.layers[0].digest]) for m in referrers]


@pytest.mark.parametrize("case", ["v3-key", "v3-keyless"])
def test_it_is_what_cosign_writes_for_the_same_bundle(store, case):
    root = image(case).graph.root.manifest
    stored = cosigns(case)
    assert len(stored) == 4
    for expected, bundle in stored:
        notes = expected["annotations"]
        created = datetime.fromisoformat(notes[CREATED])
        digest = put_bundle(store, root, bundle, notes[PREDICATE], created)
        manifest = store.manifest(digest)
        assert manifest is not None
        assert json.loads(manifest.content) == expected
        assert digest in {d.digest for d in store.referrers(root.digest)}


def test_blobs_come_before_the_manifest_and_the_empty_config_once(store):
    root = image("v3-key").graph.root.manifest
    kinds = []
    for bundle in (b'{"a": 1}', b'{"b": 2}'):
        put_bundle(store, root, bundle, "https://predicate.example", datetime.now(UTC))
        kinds.append(list(store.put))
        store.put.clear()
    assert kinds == [[EMPTY_TYPE, BUNDLE_TYPE, OCI_MANIFEST], [BUNDLE_TYPE, OCI_MANIFEST]]


def test_a_blob_that_cannot_be_stored_leaves_no_manifest(store, monkeypatch):
    def refuse(*_: object) -> None:
        raise Fault("disk-full", "no space left")

    root = image("v3-key").graph.root.manifest
    monkeypatch.setattr(store, "put_blob", refuse)
    with pytest.raises(Fault):
        put_bundle(store, root, b"{}x", "https://predicate.example", datetime.now(UTC))
    assert (store.put, store.referrers(root.digest)) == ([], ())
    assert store.manifest(Digest.of(b"{}x")) is None
