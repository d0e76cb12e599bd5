from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from support.image_builder import SIGNATURE, put_image, put_index

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.graph import Relation
from promote.model.reference import Repository
from promote.oci.graph import gather
from promote.oci.layout import LayoutStore

FIXTURES = Path(__file__).parents[2] / "fixtures" / "cosign"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"


class AskedStore(LayoutStore):
    """A layout that counts the questions of a search."""

    def __init__(self, repository):
        super().__init__(repository)
        self.asked: Counter[tuple[str, str]] = Counter()

    def resolve(self, tag):
        self.asked["resolve", tag] += 1
        return super().resolve(tag)

    def manifest(self, digest):
        self.asked["manifest", str(digest)] += 1
        return super().manifest(digest)

    def referrers(self, digest):
        self.asked["referrers", str(digest)] += 1
        return super().referrers(digest)


@pytest.fixture
def store(tmp_path: Path) -> AskedStore:
    return AskedStore(Repository(f"oci:{tmp_path}", "acme/web"))


def fixture(case: str) -> AskedStore:
    return AskedStore(Repository(f"oci:{FIXTURES / case}", "layout"))


@pytest.mark.parametrize(
    ("case", "relations"),
    [
        ("v3-keyless", {Relation.ROOT: 1, Relation.REFERRER: 4}),
        ("v3-keyless-fallback", {Relation.ROOT: 1, Relation.REFERRER: 2}),
        ("v3-keyless-index", {Relation.ROOT: 1, Relation.CHILD: 2, Relation.REFERRER: 2}),
        ("v2-keyless", {Relation.ROOT: 1, Relation.COSIGN_TAG: 2}),
        ("v2-key-referrers", {Relation.ROOT: 1, Relation.REFERRER: 1, Relation.COSIGN_TAG: 1}),
    ],
)
def test_everything_that_cosign_wrote_is_found(case, relations):
    store = fixture(case)
    graph = gather(store, store.resolve(TAG))
    assert Counter(node.relation for node in graph.nodes) == relations
    assert graph.root.digest == store.resolve(TAG).digest
    assert all(node.manifest == LayoutStore.manifest(store, node.digest) for node in graph.nodes)


def test_no_question_is_asked_twice_and_signatures_are_asked_for_referrers_only():
    store = fixture("v3-keyless")
    root = store.resolve(TAG)
    store.asked.clear()
    graph = gather(store, root)
    assert set(store.asked.values()) == {1}
    kinds = Counter(question for question, _ in store.asked)
    assert kinds == {"referrers": 5, "resolve": 3, "manifest": 4}
    assert len(graph.digests) == 5


def test_nested_evidence_is_found_on_children_and_on_evidence_in_breadth_first_order(store):
    amd, arm = put_image(store, b"amd64"), put_image(store, b"arm64")
    root = put_index(store, amd, arm, tag="v1")
    sbom = put_image(store, b"sbom", subject=amd)
    of_sbom = put_image(store, b"note", subject=sbom)
    signature = put_image(store, b"sig", media_type=SIGNATURE, tag=sbom.digest.tag + ".sig")
    of_signature = put_image(store, b"on sig", subject=signature)
    tagged = put_image(store, b"sbom of arm", tag=arm.digest.tag + ".sbom")
    graph = gather(store, root)
    assert [(n.digest, n.relation, n.parent) for n in graph.nodes] == [
        (root.digest, Relation.ROOT, None),
        (amd.digest, Relation.CHILD, root.digest),
        (arm.digest, Relation.CHILD, root.digest),
        (sbom.digest, Relation.REFERRER, amd.digest),
        (tagged.digest, Relation.COSIGN_TAG, arm.digest),
        (of_sbom.digest, Relation.REFERRER, sbom.digest),
        (signature.digest, Relation.COSIGN_TAG, sbom.digest),
        (of_signature.digest, Relation.REFERRER, signature.digest),
    ]
    assert [n.digest for n in graph.images] == [root.digest, amd.digest, arm.digest]
    assert graph.nodes[6].tag == sbom.digest.tag + ".sig"
    assert set(store.asked.values()) == {1}


def test_the_result_does_not_depend_on_how_many_ask(store):
    children = [put_image(store, str(n).encode()) for n in range(6)]
    root = put_index(store, *children)
    for child in children:
        put_image(store, b"of " + child.digest.hex.encode(), subject=child)
    assert gather(store, root, jobs=1) == gather(store, root, jobs=8)


def test_a_manifest_reached_in_two_ways_stands_once_for_each_and_is_fetched_once(store):
    root = put_image(store, b"image")
    both = put_image(store, b"sig", subject=root, tag=root.digest.tag + ".sig")
    graph = gather(store, root)
    assert [(n.digest, n.relation) for n in graph.nodes[1:]] == [
        (both.digest, Relation.REFERRER),
        (both.digest, Relation.COSIGN_TAG),
    ]
    assert store.asked["manifest", str(both.digest)] <= 1


def test_an_index_among_the_evidence_brings_its_children(store):
    root = put_image(store, b"image")
    part = put_image(store, b"part")
    bundle = put_index(store, part, subject=root)
    graph = gather(store, root)
    assert [(n.digest, n.relation) for n in graph.nodes[1:]] == [
        (bundle.digest, Relation.REFERRER),
        (part.digest, Relation.CHILD),
    ]
    assert [n.digest for n in graph.images] == [root.digest]


def test_the_fallback_list_itself_is_no_part_of_the_graph():
    store = fixture("v3-keyless-fallback")
    root = store.resolve(TAG)
    assert store.resolve(root.digest.tag).digest not in gather(store, root).digests


def test_a_missing_platform_is_an_error_that_names_it(store, tmp_path):
    child = put_image(store, b"child")
    root = put_index(store, child)
    (tmp_path / "acme/web/blobs/sha256" / child.digest.hex).unlink()
    with pytest.raises(Fault) as caught:
        gather(store, root)
    assert caught.value.code == "index-sparse"
    assert caught.value.expected == str(child.digest)


def test_a_listed_referrer_that_is_gone_does_not_belong(store, tmp_path):
    root = put_image(store, b"image")
    gone = put_image(store, b"gone", subject=root)
    root_index = put_index(store, gone, tag=root.digest.tag)
    (tmp_path / "acme/web/blobs/sha256" / gone.digest.hex).unlink()
    assert root_index.parsed.children[0].digest == gone.digest
    assert len(gather(store, root).nodes) == 1


def test_blobs_are_said_once_each(store):
    root = put_index(store, put_image(store, b"shared", b"1"), put_image(store, b"shared", b"2"))
    digests = [blob.digest for blob in gather(store, root).blobs()]
    assert len(digests) == len(set(digests)) == 4
    assert Digest.of(b"shared") in digests
