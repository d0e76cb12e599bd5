from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.image_builder import describe, index_of, put, put_image, put_index

from promote.errors import Fault, Refusal
from promote.model.digest import Digest
from promote.model.manifest import DOCKER_MANIFEST, OCI_MANIFEST, Descriptor, RawManifest
from promote.model.reference import Repository
from promote.oci import graph as graph_module
from promote.oci.graph import MAX_BYTES, MAX_DEPTH, MAX_MANIFESTS, gather
from promote.oci.layout import LayoutStore


class LyingStore(LayoutStore):
    """A registry that says about referrers, tags and manifests what it is told to."""

    def __init__(self, repository):
        super().__init__(repository)
        self.lists: dict[Digest, tuple[Descriptor, ...]] = {}
        self.serves: dict[Digest, RawManifest] = {}

    def referrers(self, digest):
        return self.lists.get(digest) or super().referrers(digest)

    def manifest(self, digest):
        return self.serves.get(digest) or super().manifest(digest)


@pytest.fixture
def store(tmp_path):
    return LyingStore(Repository(f"oci:{tmp_path}", "acme/web"))


def refused(store, root):
    with pytest.raises((Fault, Refusal)) as caught:
        gather(store, root)
    return caught.value


def test_a_referrer_that_names_another_subject_or_none_is_dropped(store):
    other, root = put_image(store, b"other"), put_image(store, b"image")
    foreign, plain = put_image(store, b"of other", subject=other), put_image(store, b"plain")
    store.lists[root.digest] = (foreign.descriptor, plain.descriptor, root.descriptor)
    assert [n.digest for n in gather(store, root).nodes] == [root.digest]


def test_content_that_is_not_what_was_asked_for_is_refused(store):
    root, child = put_image(store, b"image"), put_image(store, b"child")
    index = put_index(store, child)
    store.serves[child.digest] = root
    assert refused(store, index).code == "manifest-malformed"


def test_a_child_of_another_type_than_its_index_says_is_refused(store):
    child = put_image(store, b"child")
    document = json.loads(index_of(child).content)
    document["manifests"][0]["mediaType"] = DOCKER_MANIFEST
    root = RawManifest(json.dumps(document).encode(), document["mediaType"])
    found = refused(store, root)
    assert (found.code, found.actual) == ("manifest-malformed", OCI_MANIFEST)


def test_a_manifest_named_by_sha512_is_refused_and_not_lost(store):
    child = put_image(store, b"child")
    long = Descriptor(OCI_MANIFEST, Digest.of(child.content, "sha512"), len(child.content))
    root = put_image(store, b"image")
    store.lists[root.digest] = (long,)
    store.serves[long.digest] = child
    assert refused(store, root).code == "manifest-malformed"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schemaVersion":2,"schemaVersion":2}',
        b'{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}',
        b'{"schemaVersion":2,"config":{"mediaType":"a/b","size":1,"digest":"sha256:../../../etc/passwd"},"layers":[]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_malformed_manifest_is_refused_with_its_digest(store, content):
    child = put(store, content, OCI_MANIFEST)
    root = put_image(store, b"image")
    store.lists[root.digest] = (child,)
    found = refused(store, root)
    assert found.code == "manifest-malformed"
    assert str(child.digest) in found.message
    assert found.message.isprintable()
    assert refused(store, RawManifest(content, OCI_MANIFEST)).code == "manifest-malformed"


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["manifests", "layers", "config", "subject", "digest", "size", "mediaType", "annotations"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_raises_anything_but_a_fault(store, value):
    content = json.dumps({"schemaVersion": 2, **value} if isinstance(value, dict) else value).encode()
    child = put(store, content, OCI_MANIFEST)
    root = put_image(store, b"image")
    store.lists[root.digest] = (child,)
    with contextlib.suppress(Fault):
        gather(store, root)


def test_a_chain_of_referrers_deeper_than_the_bound_is_refused(store):
    root = tip = put_image(store, b"image")
    for n in range(MAX_DEPTH):
        tip = put_image(store, f"level {n}".encode(), subject=tip)
    assert len(gather(store, root).nodes) == MAX_DEPTH + 1
    put_image(store, b"one more", subject=tip)
    found = refused(store, root)
    assert (found.code, found.expected) == ("graph-too-large", f"at most {MAX_DEPTH} levels")


def test_a_long_list_of_referrers_is_refused_before_any_is_fetched(store):
    root = put_image(store, b"image")
    fetched = []
    store.manifest = fetched.append
    store.lists[root.digest] = tuple(describe(str(n).encode(), OCI_MANIFEST) for n in range(MAX_MANIFESTS))
    found = refused(store, root)
    assert (found.code, found.expected) == ("graph-too-large", f"at most {MAX_MANIFESTS} manifests")
    assert fetched == []


def test_many_lists_are_refused_together(store, monkeypatch):
    monkeypatch.setattr(graph_module, "MAX_MANIFESTS", 9)
    children = [put_image(store, str(n).encode()) for n in range(4)]
    root = put_index(store, *children)
    for child in children:
        put_image(store, b"of " + child.digest.hex.encode(), subject=child)
    assert len(gather(store, root).digests) == 9
    put_image(store, b"tenth", subject=root)
    assert refused(store, root).code == "graph-too-large"


def test_more_bytes_than_the_bound_are_refused(store, monkeypatch):
    monkeypatch.setattr(graph_module, "MAX_BYTES", 5000)
    assert MAX_BYTES == 64 * 1024 * 1024
    root = put_image(store, b"image")
    for n in range(3):
        put_image(store, str(n).encode(), subject=root)
    assert len(gather(store, root).nodes) == 4
    for n in range(3, 12):
        put_image(store, str(n).encode(), subject=root)
    found = refused(store, root)
    assert (found.code, found.expected) == ("graph-too-large", "at most 5000 bytes")


def test_evidence_tags_that_name_each_other_end(store):
    root = put_image(store, b"image")
    first, second = put_image(store, b"first"), put_image(store, b"second")
    store.put_tag(root.digest.tag + ".sbom", first)
    store.put_tag(first.digest.tag + ".sig", second)
    store.put_tag(second.digest.tag + ".sig", first)
    store.put_tag(first.digest.tag + ".att", root)
    assert gather(store, root).digests == {root.digest, first.digest, second.digest}


def test_a_network_error_is_an_error_and_never_a_missing_signature(store):
    root = put_image(store, b"image")

    def fail(_):
        raise Fault("unreachable", "no answer")

    store.referrers = fail
    assert refused(store, root).code == "unreachable"
