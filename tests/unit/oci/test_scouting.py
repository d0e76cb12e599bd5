"""What is asked of a target, and read at a source, while an image's graph is still being read."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Future

import pytest
from support.image_builder import SIGNATURE, put_image, put_index

from promote.errors import CredentialsFault, Fault
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci import scouting
from promote.oci.copy import copy_image, survey
from promote.oci.graph import gather
from promote.oci.layout import LayoutStore
from promote.oci.scouting import AheadBlobs, Scout
from promote.oci.store import read_blob


class AskedStore(LayoutStore):
    """A directory that counts what it is asked."""

    def __init__(self, repository):
        super().__init__(repository)
        self.asked: Counter[tuple[str, str]] = Counter()
        self._counting = threading.Lock()

    def _count(self, kind, what):
        with self._counting:
            self.asked[kind, str(what)] += 1

    def resolve(self, tag):
        self._count("tag", tag)
        return super().resolve(tag)

    def manifest(self, digest):
        self._count("manifest", digest)
        return super().manifest(digest)

    def referrers(self, digest):
        self._count("listed", digest)
        return super().referrers(digest)

    def has_blob(self, digest):
        self._count("has", digest)
        return super().has_blob(digest)

    def open_blob(self, blob):
        self._count("read", blob.digest)
        return super().open_blob(blob)


def begun(act, *arguments):
    """`act` done at once, as a future."""
    future: Future = Future()
    try:
        future.set_result(act(*arguments))
    except Fault as problem:
        future.set_exception(problem)
    return future


@pytest.fixture
def stores(tmp_path):
    return tuple(AskedStore(Repository(f"oci:{tmp_path}/{name}", "acme/web")) for name in ("staging", "prod"))


def signed(store, tag="v1"):
    """An index of two images, of which one is signed and the index has an SBOM, which is signed too."""
    images = [put_image(store, f"layer {n}".encode()) for n in range(2)]
    root = put_index(store, *images, tag=tag)
    sbom = put_image(store, b"packages", subject=root, media_type="application/spdx+json")
    put_image(store, b"a signature of the SBOM", subject=sbom, media_type=SIGNATURE)
    signature = put_image(store, b"a signature", subject=images[0], media_type=SIGNATURE)
    store.put_tag(f"{images[0].digest.tag}.sig", signature)
    store.asked.clear()
    return root


def answered(value):
    future: Future = Future()
    future.set_result(value)
    return future


def test_a_survey_after_a_scout_asks_nothing_more(stores):
    source, target = stores
    root = signed(source)
    scout = Scout(target, "v1", answered(None), begun)
    graph = gather(source, root, met=scout.meet)
    asked = Counter(target.asked)
    seen = survey(source, target, graph, "v1", asked=scout.asked)
    assert target.asked == asked
    assert set(asked.values()) == {1}
    assert seen == survey(source, target, graph, "v1")


def test_what_a_scout_saw_is_what_a_survey_sees_where_all_of_it_is_there(stores):
    source, target = stores
    root = signed(source)
    copy_image(source, target, gather(source, root), "v1", observer=Silent())
    scout = Scout(target, "v1", answered(target.resolve("v1")), begun)
    graph = gather(source, root, met=scout.meet)
    target.asked.clear()
    seen = survey(source, target, graph, "v1", asked=scout.asked)
    assert not target.asked
    assert not seen.goal.lack(seen.sight)


def test_nothing_is_asked_of_a_target_that_refuses(stores):
    source, target = stores
    root = signed(source)
    refused: Future = Future()
    refused.set_exception(CredentialsFault("credentials-refused", "no"))
    scout = Scout(target, "v1", refused, begun)
    graph = gather(source, root, met=scout.meet)
    assert not target.asked
    with pytest.raises(CredentialsFault):
        survey(source, target, graph, "v1", asked=scout.asked)


def test_every_node_is_heard_of_once_and_after_its_parent(stores):
    source, _ = stores
    heard = []
    graph = gather(source, signed(source), met=heard.append)
    assert tuple(heard) == graph.nodes
    for place, node in enumerate(heard):
        assert node.parent is None or node.parent in {earlier.digest for earlier in heard[:place]}


def test_evidence_and_configs_are_read_once_and_layers_not(stores):
    source, _ = stores
    root = signed(source)
    ahead = AheadBlobs(source, begun)
    graph = gather(source, root, met=ahead.meet)
    parts = {blob for node in graph.evidence for blob in node.manifest.parsed.layers}
    configs = {node.manifest.parsed.config for node in graph.images if node.manifest.parsed.config}
    read = {what for (kind, what), _ in source.asked.items() if kind == "read"}
    assert read == {str(blob.digest) for blob in parts | configs}
    for blob in parts | configs:
        assert read_blob(ahead, blob, blob.size) == read_blob(source, blob, blob.size)
    assert {times for (kind, _), times in source.asked.items() if kind == "read"} == {2}  # the second is this test's


def test_what_is_not_at_hand_is_read_from_the_store(stores):
    source, _ = stores
    root = signed(source)
    graph = gather(source, root)
    ahead = AheadBlobs(source, begun)
    assert all(read_blob(ahead, blob, blob.size) == read_blob(source, blob, blob.size) for blob in graph.blobs())
    assert ahead.repository == source.repository


def test_a_blob_that_cannot_be_read_fails_where_it_is_wanted(stores, monkeypatch):
    source, _ = stores
    root = signed(source)

    def broken(_blob):
        raise Fault("blob-missing", "gone")

    monkeypatch.setattr(source, "open_blob", broken)
    ahead = AheadBlobs(source, begun)
    graph = gather(source, root, met=ahead.meet)
    [blob, *_] = graph.evidence[0].manifest.parsed.layers
    with pytest.raises(Fault) as caught:
        read_blob(ahead, blob, blob.size)
    assert caught.value.code == "blob-missing"


@pytest.mark.parametrize(("name", "most"), [("MAX_AHEAD_BYTES", 12), ("MAX_AHEAD_BLOBS", 1)])
def test_no_more_is_read_ahead_than_is_allowed(stores, monkeypatch, name, most):
    source, _ = stores
    root = signed(source)
    monkeypatch.setattr(scouting, name, most)
    ahead = AheadBlobs(source, begun)
    graph = gather(source, root, met=ahead.meet)
    assert len([kind for kind, _ in source.asked if kind == "read"]) < 3
    assert all(read_blob(ahead, blob, blob.size) for blob in graph.blobs())


def test_a_copy_takes_from_memory_what_was_read_ahead(stores):
    source, target = stores
    root = signed(source)
    ahead = AheadBlobs(source, begun)
    graph = gather(source, root, met=ahead.meet)
    copied = copy_image(source, target, graph, "v1", observer=Silent(), blobs=ahead)
    assert copied.blobs_copied == len(tuple(graph.blobs()))
    assert {times for (kind, _), times in source.asked.items() if kind == "read"} == {1}
    assert all(read_blob(target, blob, blob.size) == read_blob(source, blob, blob.size) for blob in graph.blobs())
