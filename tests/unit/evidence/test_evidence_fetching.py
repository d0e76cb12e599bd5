"""Evidence is fetched whole, or refused, within its caps."""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager

import pytest
from support.cosign_fixtures import BUNDLE, MemoryStore, image, manifest_node

from promote.errors import Fault, Refusal
from promote.evidence.discovery import MAX_BLOB_BYTES, MAX_TOTAL_BYTES, discover
from promote.evidence.fetching import fetch
from promote.evidence.verify import verify
from promote.model.digest import Digest
from promote.model.graph import Node, Relation
from promote.model.manifest import Descriptor, RawManifest


def blob(content: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", Digest.of(content), len(content))


@pytest.mark.parametrize("jobs", [0, 1, 3, 50])
def test_every_blob_comes_once(jobs):
    store = MemoryStore()
    contents = [b"%d" % n for n in range(20)]
    for content in contents:
        store.put(content)
    found = fetch([blob(c) for c in contents], store, jobs)
    assert found == {Digest.of(c): c for c in contents}
    assert sorted(store.asked, key=str) == sorted(found, key=str)


def test_nothing_to_fetch_starts_nothing():
    before = threading.active_count()
    assert fetch([], MemoryStore(), 8) == {}
    assert threading.active_count() == before


def test_the_first_failure_is_raised_and_the_rest_is_left():
    store = MemoryStore()
    missing = [blob(b"%d" % n) for n in range(50)]
    with pytest.raises(Fault) as caught:
        fetch(missing, store, 1)
    assert caught.value.code == "connection-lost"
    assert len(store.asked) == 1


class Dripping(MemoryStore):
    """A registry that answers everything but never ends one of its blobs."""

    def __init__(self, slow: Digest) -> None:
        super().__init__()
        self.slow, self.released = slow, threading.Event()

    @contextmanager
    def open_blob(self, blob):
        if blob.digest == self.slow:
            self.released.wait(60)
        with super().open_blob(blob) as reader:
            yield io.BytesIO(reader.read())


def test_a7_a_registry_that_never_ends_is_a_refusal_that_says_so():
    contents = [b"a", b"b", b"never"]
    store = Dripping(Digest.of(b"never"))
    for content in contents:
        store.put(content)
    with pytest.raises(Refusal) as caught:
        fetch([blob(c) for c in contents], store, 3, seconds=0.2)
    error = caught.value
    assert (error.code, error.exit_code, error.expected) == ("evidence-too-slow", 12, "3 blobs within 0.2 seconds")
    assert "of 3 blobs" in (error.actual or "")
    assert error.hint
    store.released.set()


def test_a7_the_time_is_one_for_all_the_evidence_of_an_image():
    target = image("v3-key")
    slow = next(layer.digest for n in target.graph.evidence for layer in n.manifest.parsed.layers)
    store = Dripping(slow)
    store.blobs = target.store.blobs
    with pytest.raises(Refusal) as caught:
        verify(target.graph, store, target.trust, seconds=0.2)
    assert caught.value.code == "evidence-too-slow"
    store.released.set()


def test_a7_many_large_blobs_are_too_much_together():
    target = image("v3-key").bare()
    count = MAX_TOTAL_BYTES // MAX_BLOB_BYTES + 1
    for number in range(count):
        node = manifest_node(target, [(BUNDLE, b"%d" % number, {})])
        content = node.manifest.content.replace(b'"size": 1, "ann', b'"size": %d, "ann' % MAX_BLOB_BYTES)
        assert content != node.manifest.content
        target = target.with_nodes(
            Node(RawManifest(content, node.manifest.media_type), Relation.REFERRER, target.digest)
        )
    with pytest.raises(Refusal) as caught:
        discover(target.graph)
    assert (caught.value.code, caught.value.actual) == ("too-much-evidence", f"{count * MAX_BLOB_BYTES} bytes")
    assert caught.value.expected == f"at most {MAX_TOTAL_BYTES} bytes"
