from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import pytest
from support.image_builder import CONFIG, describe, index_of, manifest_of, put, put_image, put_index

from promote.errors import Fault, Misuse
from promote.model.digest import Digest
from promote.model.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, RawManifest
from promote.model.reference import Repository
from promote.oci.layout import LayoutStore
from promote.oci.layout_index import REF_NAME, LayoutIndex
from promote.oci.store import read_blob

FIXTURES = Path(__file__).parents[2] / "fixtures" / "cosign"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    return LayoutStore(Repository(f"oci:{tmp_path}/staging", "acme/web"))


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return tmp_path / "staging/acme/web"


def index(layout: Path) -> dict:
    return json.loads((layout / "index.json").read_text())


def files(directory: Path) -> set[str]:
    return {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}


def test_a_missing_directory_is_an_empty_repository_and_reading_does_not_make_it(store, layout):
    nothing = Digest.of(b"nothing")
    assert store.resolve("v1") is None
    assert store.manifest(nothing) is None
    assert not store.has_manifest(nothing)
    assert not store.has_blob(nothing)
    assert store.referrers(nothing) == ()
    assert list(store.tags()) == []
    store.check_access(push=True)
    assert not layout.exists()


def test_the_first_put_makes_a_layout_that_other_tools_read(store, layout):
    blob = put(store, b"layer")
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    assert index(layout) == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    assert (layout / "blobs/sha256" / blob.digest.hex).read_bytes() == b"layer"
    assert read_blob(store, blob, 5) == b"layer"


def test_a_host_is_no_layout():
    with pytest.raises(Misuse, match="expected a registry such as oci:DIRECTORY"):
        LayoutStore(Repository("registry.example", "acme/web"))


def test_a_tag_names_one_manifest_with_its_bytes_and_media_type(store, layout):
    first, second = put_image(store, b"1", tag="v1"), put_image(store, b"2")
    assert store.resolve("v1") == first
    store.put_tag("v1", second)
    store.put_tag("v2", first)
    assert store.resolve("v1") == second
    assert sorted(store.tags()) == ["v1", "v2"]
    assert [e["annotations"][REF_NAME] for e in index(layout)["manifests"]] == ["v1", "v2"]
    assert store.manifest(first.digest) == first


def test_every_fixture_answers_by_tag_and_by_digest():
    for case in ("v3-keyless", "v3-keyless-index", "v3-keyless-fallback", "v2-keyless"):
        store = LayoutStore(Repository(f"oci:{FIXTURES / case}", "layout"))
        root = store.resolve(TAG)
        assert str(root.digest) == json.loads((FIXTURES / case / "case.json").read_text())["digest"]
        assert store.manifest(root.digest) == root
        for child in root.parsed.children:
            assert store.manifest(child.digest).media_type == child.media_type


def test_two_entries_for_one_tag_are_an_error_only_when_their_digests_differ(store, layout):
    first, second = put_image(store, b"1", tag="v1"), put_image(store, b"2", tag="v2")
    document = index(layout)
    document["manifests"].append(document["manifests"][0])
    (layout / "index.json").write_text(json.dumps(document))
    assert store.resolve("v1") == first
    document["manifests"][1]["annotations"][REF_NAME] = "v1"
    (layout / "index.json").write_text(json.dumps(document))
    with pytest.raises(Fault) as caught:
        store.resolve("v1")
    assert caught.value.code == "tag-ambiguous"
    assert str(first.digest) in caught.value.message
    assert str(second.digest) in caught.value.message


def test_a_full_reference_in_the_annotation_counts_only_where_no_entry_has_the_tag_itself(store, layout):
    full, exact = put_image(store, b"1", tag="v1"), put_image(store, b"2")
    document = index(layout)
    document["manifests"][0]["annotations"][REF_NAME] = "registry.example:5000/acme/web:v1"
    (layout / "index.json").write_text(json.dumps(document))
    assert store.resolve("v1") == full
    assert list(store.tags()) == ["v1"]
    store.put_tag("v1", exact)
    assert store.resolve("v1") == exact
    assert len(index(layout)["manifests"]) == 2


def test_what_other_tools_wrote_into_the_index_survives(store, layout):
    put_image(store, b"1", tag="v1")
    document = index(layout) | {"annotations": {"a": "b"}, "x-unknown": [1, {"y": None}]}
    document["manifests"][0] |= {"x-field": 7, "platform": {"os": "linux", "architecture": "arm64", "os.version": "1"}}
    document["manifests"].append({"mediaType": "x/y", "digest": "blake3:00", "size": 1})
    (layout / "index.json").write_text(json.dumps(document))
    second = put_image(store, b"2", tag="v2")
    after = index(layout)
    assert after["manifests"][:2] == document["manifests"]
    assert after["manifests"][2]["digest"] == str(second.digest)
    assert {k: v for k, v in after.items() if k != "manifests"} == {
        k: v for k, v in document.items() if k != "manifests"
    }


def test_a_referrer_is_listed_for_oras_and_for_regctl_and_an_image_is_not_listed_without_a_tag(store, layout):
    image = put_image(store, b"image")
    assert index(layout)["manifests"] == []
    referrer = put_image(store, b"sbom", subject=image, artifact_type="application/spdx+json")
    store.put_manifest(referrer)
    fallback = store.resolve(image.digest.tag)
    assert [d.digest for d in fallback.parsed.children] == [referrer.digest]
    assert {(e["digest"], *e.get("annotations", {}).values()) for e in index(layout)["manifests"]} == {
        (str(referrer.digest),),
        (str(fallback.digest), image.digest.tag),
    }
    (found,) = store.referrers(image.digest)
    assert (found.digest, found.artifact_type, found.size) == (
        referrer.digest,
        "application/spdx+json",
        len(referrer.content),
    )
    assert store.referrers(referrer.digest) == ()


def test_a_tagged_referrer_stays_findable_when_its_tag_moves(store):
    image = put_image(store, b"image", tag="v1")
    first = put_image(store, b"1", subject=image, tag="sbom")
    second = put_image(store, b"2", subject=image, tag="sbom")
    assert {d.digest for d in store.referrers(image.digest)} == {first.digest, second.digest}
    assert store.resolve("sbom") == second


def test_referrers_are_found_below_listed_indexes_and_through_the_fallback_tag(store):
    image = put_image(store, b"image")
    below = manifest_of([put(store, b"below")], config=put(store, b"{}", CONFIG), subject=image)
    put(store, below.content)
    put_index(store, below, tag="all")
    assert [d.digest for d in store.referrers(image.digest)] == [below.digest]
    elsewhere = manifest_of([], config=describe(b"{}", CONFIG))
    store.put_tag(image.digest.tag, index_of(elsewhere))
    assert {d.digest for d in store.referrers(image.digest)} == {below.digest, elsewhere.digest}


def test_a_manifest_that_no_index_lists_has_the_type_that_it_says_or_shows(store):
    put(store, said := b'{"schemaVersion":2,"mediaType":"application/x"}')
    put(store, shown := b'{"schemaVersion":2,"manifests":[]}')
    put(store, other := b'{"schemaVersion":2,"layers":[]}')
    assert store.manifest(Digest.of(said)).media_type == "application/x"
    assert store.manifest(Digest.of(shown)).media_type == OCI_INDEX
    assert store.manifest(Digest.of(other)).media_type == OCI_MANIFEST


def test_a_blob_can_be_named_by_sha512(store, layout):
    blob = Descriptor("x/y", Digest.of(b"content", "sha512"), 7)
    store.put_blob(blob, io.BytesIO(b"content"))
    assert (layout / "blobs/sha512" / blob.digest.hex).read_bytes() == b"content"
    assert store.has_blob(blob.digest)
    assert read_blob(store, blob, 7) == b"content"


@pytest.mark.parametrize("sent", [b"", b"conten", b"CONTENT", b"content and more"])
def test_a_blob_that_is_not_what_it_should_be_leaves_nothing(store, layout, sent):
    put(store, b"other")
    before = files(layout)
    with pytest.raises(Fault) as caught:
        store.put_blob(describe(b"content"), io.BytesIO(sent))
    assert caught.value.code == "content-mismatch"
    assert files(layout) == before
    assert not store.has_blob(Digest.of(b"content"))


def test_the_empty_blob_is_a_blob_and_an_empty_file_of_another_name_is_not(store, layout):
    empty = put(store, b"")
    assert store.has_blob(empty.digest)
    assert read_blob(store, empty, 0) == b""
    crashed = describe(b"content")
    (layout / "blobs/sha256" / crashed.digest.hex).touch()
    assert not store.has_blob(crashed.digest)
    assert put(store, b"content") == crashed
    assert store.has_blob(crashed.digest)


@pytest.mark.parametrize("found", [b"conten", b"CONTENT", b"content and more"])
def test_a_damaged_blob_is_never_read_to_its_end(store, layout, found):
    blob = put(store, b"content")
    (layout / "blobs/sha256" / blob.digest.hex).write_bytes(found)
    got = b""
    with pytest.raises(Fault, match="expected") as caught, store.open_blob(blob) as reader:
        while part := reader.read(3):
            got += part
    assert caught.value.code == "content-mismatch"
    assert len(got) < 7


def test_an_absent_blob_is_an_error_to_open(store):
    with pytest.raises(Fault) as caught, store.open_blob(describe(b"absent")):
        pass
    assert caught.value.code == "content-absent"


def test_a_damaged_manifest_is_not_there_and_is_repaired_by_a_put(store, layout):
    image = put_image(store, b"image", tag="v1")
    (layout / "blobs/sha256" / image.digest.hex).write_bytes(b"{}")
    assert not store.has_manifest(image.digest)
    for question in (lambda: store.manifest(image.digest), lambda: store.resolve("v1")):
        with pytest.raises(Fault) as caught:
            question()
        assert caught.value.code == "content-mismatch"
    store.put_manifest(image)
    assert store.resolve("v1") == image


def test_a_tag_whose_manifest_is_gone_is_an_error_and_not_an_absent_tag(store, layout):
    image = put_image(store, b"image", tag="v1")
    (layout / "blobs/sha256" / image.digest.hex).unlink()
    with pytest.raises(Fault) as caught:
        store.resolve("v1")
    assert caught.value.code == "content-absent"


def test_mount_links_within_one_directory_and_nowhere_else(store, tmp_path):
    blob = put(store, b"layer")
    prod = LayoutStore(Repository(f"oci:{tmp_path}/staging", "acme/prod"))
    other = LayoutStore(Repository(f"oci:{tmp_path}/other", "acme/web"))
    assert prod.mount_blob(blob.digest, store.repository)
    assert prod.mount_blob(blob.digest, store.repository)
    here, there = (tmp_path / f"staging/acme/{name}/blobs/sha256" / blob.digest.hex for name in ("web", "prod"))
    assert here.stat().st_ino == there.stat().st_ino
    assert not other.mount_blob(blob.digest, store.repository)
    assert not prod.mount_blob(Digest.of(b"absent"), store.repository)


def test_mount_does_not_take_over_damaged_content(store, layout, tmp_path):
    blob = put(store, b"layer")
    (layout / "blobs/sha256" / blob.digest.hex).write_bytes(b"other")
    prod = LayoutStore(Repository(f"oci:{tmp_path}/staging", "acme/prod"))
    assert not prod.mount_blob(blob.digest, store.repository)
    assert not prod.has_blob(blob.digest)


def test_push_access_needs_a_directory_that_can_be_written(store, tmp_path):
    (tmp_path / "staging").write_text("a file")
    with pytest.raises(Fault, match="Not a directory") as caught:
        store.check_access(push=True)
    assert caught.value.code == "disk"
    aside = LayoutStore(Repository(f"oci:{tmp_path}/aside", "acme/web"))
    (tmp_path / "aside").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Fault, match="not a directory") as caught:
        aside.check_access(push=True)
    assert caught.value.code == "disk"


def test_a_disk_error_names_the_path_and_the_reason(tmp_path):
    (tmp_path / "staging").write_text("a file")
    store = LayoutStore(Repository(f"oci:{tmp_path}/staging", "acme/web"))
    with pytest.raises(Fault) as caught:
        store.put_blob(describe(b"x"), io.BytesIO(b"x"))
    assert caught.value.exit_code == 3
    assert f"{tmp_path}/staging/acme/web" in caught.value.message


def test_a_manifest_that_does_not_parse_is_not_stored(store, layout):
    with pytest.raises(Fault) as caught:
        store.put_manifest(RawManifest(b"{}", OCI_MANIFEST))
    assert caught.value.code == "manifest-malformed"
    assert not layout.exists()


def test_what_a_killed_writer_left_is_cleared_and_what_a_living_one_writes_is_not(store, layout):
    put(store, b"first")
    (layout / ".promote-0123456789abcdef").write_bytes(b"half a blob")
    writing, go_on = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size=-1, /):
            writing.set()
            go_on.wait(10)
            return super().read(size)

    blob = describe(b"slow")
    thread = threading.Thread(target=store.put_blob, args=(blob, Slow(b"slow")))
    thread.start()
    writing.wait(10)
    put_image(store, b"image", tag="v1")
    go_on.set()
    thread.join()
    assert store.has_blob(blob.digest)
    assert list(layout.glob(".promote-*")) == []


def test_threads_do_not_lose_each_others_entries(store):
    image = put_image(store, b"image", tag="v1")
    threads = [
        threading.Thread(target=put_image, args=(store, str(n).encode()), kwargs={"subject": image}) for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.referrers(image.digest)) == 16
    assert store.resolve("v1") == image


def test_a_change_made_by_somebody_else_is_seen_at_once(store, tmp_path):
    first = put_image(store, b"1", tag="v1")
    other = LayoutStore(store.repository)
    assert other.resolve("v1") == first
    second = put_image(store, b"2", tag="v1")
    assert other.resolve("v1") == second
    referrer = put_image(store, b"r", subject=second)
    assert [d.digest for d in other.referrers(second.digest)] == [referrer.digest]


def test_an_index_change_keeps_the_rest_of_an_entry_that_loses_its_tag():
    image = describe(b"{}", OCI_MANIFEST)
    entry = image.as_json() | {"annotations": {REF_NAME: "v1", "other": "kept"}}
    before = LayoutIndex.parse(json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode())
    after = before.tagging("v1", describe(b"new", OCI_MANIFEST), keeping=frozenset({image.digest}))
    assert after.entries[0] == image.as_json() | {"annotations": {"other": "kept"}}
    assert before.entries == [entry]
