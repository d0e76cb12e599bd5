"""What every store promises, as one suite of tests: a directory, a scripted registry, and every real registry runs it.

    class TestMyRegistry(StoreContract):
        @pytest.fixture
        def store_of(self) -> Callable[[str], Store]:
            return lambda path: stores.open(Repository("127.0.0.1:5000", path))

Each test uses repositories of its own, so that one server may serve the whole suite.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable

import pytest

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, RawManifest
from promote.oci.store import BLOCK, Store

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"

StoreOf = Callable[[str], Store]


class Bytes:
    """A reader of bytes in memory, which breaks off with `Fault` after `fail_at` of them."""

    def __init__(self, content: bytes, fail_at: int | None = None) -> None:
        self._content = content
        self._fail_at = fail_at
        self._position = 0

    def read(self, size: int = BLOCK, /) -> bytes:
        if self._fail_at is not None and self._position >= self._fail_at:
            raise Fault("planted", "the source broke off")
        block = self._content[self._position : self._position + size]
        self._position += len(block)
        return block


def described(content: bytes, media_type: str = LAYER_TYPE, algorithm: str = "sha256") -> Descriptor:
    """The descriptor of `content`."""
    return Descriptor(media_type, Digest.of(content, algorithm), len(content))


def put(store: Store, content: bytes, media_type: str = LAYER_TYPE) -> Descriptor:
    """Store `content` as a blob; its descriptor."""
    blob = described(content, media_type)
    store.put_blob(blob, Bytes(content))
    return blob


def got(store: Store, blob: Descriptor) -> bytes:
    """A blob's bytes."""
    with store.open_blob(blob) as reader:
        parts = []
        while part := reader.read(BLOCK):
            parts.append(part)
    return b"".join(parts)


def image(store: Store, marker: str = "", **more: object) -> RawManifest:
    """An image manifest with odd but legal white space, its blobs stored; not itself stored."""
    config = put(store, json.dumps({"architecture": "amd64", "os": "linux", "marker": marker}).encode(), CONFIG_TYPE)
    layer = put(store, b"layer " + marker.encode())
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.as_json(), "layers": [layer.as_json()]}
    return RawManifest(json.dumps({**document, **more}, indent=3).encode() + b"\n", OCI_MANIFEST)


def signature(store: Store, subject: RawManifest, marker: str = "") -> RawManifest:
    """A referrer of `subject` with artifact type and annotations, its blobs stored; not itself stored."""
    empty = put(store, b"{}", "application/vnd.oci.empty.v1+json")
    layer = put(store, b"signature " + marker.encode(), "application/octet-stream")
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "config": empty.as_json(),
        "layers": [layer.as_json()],
        "subject": {"mediaType": subject.media_type, "digest": str(subject.digest), "size": len(subject.content)},
        "annotations": {"org.example.marker": marker or "none"},
    }
    return RawManifest(json.dumps(document).encode(), OCI_MANIFEST)


def in_parallel(work: list[Callable[[], object]]) -> list[BaseException]:
    """Run all at once; what was raised."""
    raised: list[BaseException] = []
    ready = threading.Barrier(len(work))

    def run(one: Callable[[], object]) -> None:
        ready.wait()
        try:
            one()
        except BaseException as problem:  # noqa: BLE001 - shown by the test that asked
            raised.append(problem)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


class StoreContract:
    """Bind by a subclass with a fixture `store_of`: from a repository path to its store, empty at first."""

    @pytest.fixture
    def store_of(self) -> StoreOf:
        raise NotImplementedError

    @pytest.fixture
    def path(self) -> str:
        """A repository that nobody used before."""
        return f"contract/{secrets.token_hex(6)}"

    @pytest.fixture
    def store(self, store_of: StoreOf, path: str) -> Store:
        return store_of(path)

    def test_store_says_which_repository_it_is(self, store: Store, path: str) -> None:
        assert store.repository.path == path

    def test_access_is_granted(self, store: Store) -> None:
        store.check_access(push=False)
        store.check_access(push=True)

    def test_what_is_not_there_is_an_answer(self, store: Store) -> None:
        nothing = Digest.of(b"nothing")
        assert store.resolve("latest") is None
        assert store.manifest(nothing) is None
        assert store.has_manifest(nothing) is False
        assert store.has_blob(nothing) is False
        assert store.referrers(nothing) == ()
        assert list(store.tags()) == []

    def test_opening_an_absent_blob_is_a_fault(self, store: Store) -> None:
        put(store, b"something else")
        with pytest.raises(Fault), store.open_blob(described(b"absent")) as reader:
            reader.read(1)

    @pytest.mark.parametrize("size", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
    def test_blob_comes_back_as_it_went(self, store: Store, size: int) -> None:
        content = hashlib.shake_128(str(size).encode()).digest(size)
        blob = put(store, content)
        assert store.has_blob(blob.digest)
        assert got(store, blob) == content

    def test_empty_blob_comes_back(self, store: Store) -> None:
        blob = put(store, b"")
        assert store.has_blob(blob.digest)
        assert got(store, blob) == b""

    def test_blob_is_put_twice(self, store: Store) -> None:
        assert put(store, b"twice") == put(store, b"twice")
        assert got(store, described(b"twice")) == b"twice"

    def test_blob_of_another_size_is_refused(self, store: Store) -> None:
        blob = put(store, b"seven b")
        for size in (6, 8):
            with pytest.raises(Fault), store.open_blob(Descriptor(LAYER_TYPE, blob.digest, size)) as reader:
                while reader.read(3):
                    pass

    def test_source_that_fails_leaves_no_blob(self, store: Store) -> None:
        content = b"x" * (2 * BLOCK)
        with pytest.raises(Fault) as caught:
            store.put_blob(described(content), Bytes(content, fail_at=BLOCK))
        assert caught.value.code == "planted"
        assert not store.has_blob(described(content).digest)

    def test_source_that_ends_early_leaves_no_blob(self, store: Store) -> None:
        blob = described(b"the whole of it")
        with pytest.raises(Fault):
            store.put_blob(blob, Bytes(b"the whole"))
        assert not store.has_blob(blob.digest)

    def test_wrong_content_leaves_no_blob(self, store: Store) -> None:
        blob = described(b"what was promised")
        with pytest.raises(Fault):
            store.put_blob(blob, Bytes(b"what is delivered"))
        assert not store.has_blob(blob.digest)

    def test_manifest_keeps_every_byte(self, store: Store) -> None:
        manifest = image(store)
        store.put_manifest(manifest)
        assert store.has_manifest(manifest.digest)
        assert store.manifest(manifest.digest) == manifest
        assert list(store.tags()) == []

    def test_tag_names_the_manifest(self, store: Store) -> None:
        manifest = image(store)
        store.put_manifest(manifest)
        store.put_tag(TAG, manifest)
        assert store.resolve(TAG) == manifest
        assert list(store.tags()) == [TAG]

    def test_tag_moves(self, store: Store) -> None:
        for marker in ("one", "two"):
            manifest = image(store, marker)
            store.put_manifest(manifest)
            store.put_tag("moving", manifest)
        assert store.resolve("moving") == manifest
        assert list(store.tags()) == ["moving"]

    def test_two_tags_name_one_manifest(self, store: Store) -> None:
        manifest = image(store)
        store.put_manifest(manifest)
        for tag in ("one", "two"):
            store.put_tag(tag, manifest)
        assert sorted(store.tags()) == ["one", "two"]
        assert store.resolve("one") == store.resolve("two") == manifest

    def test_index_and_its_children(self, store: Store) -> None:
        children = [image(store, marker) for marker in ("amd64", "arm64")]
        for child in children:
            store.put_manifest(child)
        listed = [child.descriptor.as_json() for child in children]
        content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()
        index = RawManifest(content, OCI_INDEX)
        store.put_manifest(index)
        store.put_tag(TAG, index)
        assert store.resolve(TAG) == index
        assert [store.manifest(child.digest) for child in index.parsed.children] == children

    def test_referrers_are_found(self, store: Store) -> None:
        subject = image(store)
        store.put_manifest(subject)
        assert store.referrers(subject.digest) == ()
        signatures = [signature(store, subject, marker) for marker in ("one", "two")]
        for one in signatures:
            store.put_manifest(one)
        found = {d.digest: d for d in store.referrers(subject.digest)}
        assert set(found) == {one.digest for one in signatures}
        for one in signatures:
            entry = found[one.digest]
            assert (entry.media_type, entry.size) == (OCI_MANIFEST, len(one.content))
            assert store.manifest(one.digest) == one

    def test_referrer_is_listed_once(self, store: Store) -> None:
        subject = image(store)
        store.put_manifest(subject)
        one = signature(store, subject)
        store.put_manifest(one)
        store.put_manifest(one)
        assert [d.digest for d in store.referrers(subject.digest)] == [one.digest]

    def test_referrer_of_a_referrer_is_found(self, store: Store) -> None:
        subject = image(store)
        store.put_manifest(subject)
        sbom = signature(store, subject, "sbom")
        store.put_manifest(sbom)
        above = signature(store, sbom, "signature of the SBOM")
        store.put_manifest(above)
        assert [d.digest for d in store.referrers(sbom.digest)] == [above.digest]

    def test_referrers_pushed_at_once_are_all_found(self, store: Store) -> None:
        subject = image(store)
        store.put_manifest(subject)
        signatures = [signature(store, subject, str(number)) for number in range(20)]
        assert in_parallel([lambda one=one: store.put_manifest(one) for one in signatures]) == []
        assert {d.digest for d in store.referrers(subject.digest)} == {one.digest for one in signatures}

    def test_blobs_go_in_parallel(self, store: Store) -> None:
        contents = [str(number).encode() * 70_000 for number in range(12)]
        assert in_parallel([lambda content=content: put(store, content) for content in contents]) == []
        assert [got(store, described(content)) for content in contents] == contents

    def test_mounted_blob_is_there_whole(self, store_of: StoreOf, store: Store, path: str) -> None:
        other = store_of(f"{path}-target")
        blob = put(store, b"to be mounted")
        if not other.mount_blob(blob.digest, store.repository):
            other.put_blob(blob, Bytes(b"to be mounted"))
        assert got(other, blob) == b"to be mounted"

    def test_blob_that_is_nowhere_is_not_mounted(self, store_of: StoreOf, store: Store, path: str) -> None:
        put(store, b"something")
        other = store_of(f"{path}-target")
        assert other.mount_blob(Digest.of(b"nowhere"), store.repository) is False
        assert not other.has_blob(Digest.of(b"nowhere"))
