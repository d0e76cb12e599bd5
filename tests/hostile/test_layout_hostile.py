from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.image_builder import describe, put, put_image

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import OCI_INDEX
from promote.model.reference import Repository
from promote.oci.layout import LayoutStore
from promote.oci.layout_index import REF_NAME

SECRET = b"not for the layout"


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    return LayoutStore(Repository(f"oci:{tmp_path}/staging", "acme/web"))


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return tmp_path / "staging/acme/web"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(SECRET)
    return tmp_path / "outside"


def every_question(store: LayoutStore):
    digest = Digest.of(SECRET)
    yield lambda: store.resolve("v1")
    yield lambda: store.manifest(digest)
    yield lambda: store.referrers(digest)
    yield lambda: list(store.tags())
    yield lambda: store.check_access(push=True)
    yield lambda: store.open_blob(describe(SECRET)).__enter__().read()


def refuses(question) -> Fault:
    with pytest.raises(Fault) as caught:
        question()
    assert caught.value.code == "layout-not-plain"
    assert caught.value.hint
    return caught.value


def test_an_index_that_is_a_link_is_not_read_and_not_written_through(store, layout, outside):
    put(store, b"layer")
    (outside / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": []}))
    (layout / "index.json").unlink()
    (layout / "index.json").symlink_to(outside / "index.json")
    before = (outside / "index.json").read_bytes()
    for question in (lambda: store.resolve("v1"), lambda: list(store.tags()), lambda: put_image(store, b"i", tag="v1")):
        assert "index.json" in refuses(question).message
    assert (outside / "index.json").read_bytes() == before


@pytest.mark.parametrize("part", ["blobs", "blobs/sha256"])
def test_a_directory_that_is_a_link_is_not_entered(store, layout, outside, part):
    (outside / "sha256").mkdir()
    for place in (outside, outside / "sha256"):
        (place / Digest.of(SECRET).hex).write_bytes(SECRET)
    (layout / part).parent.mkdir(parents=True)
    (layout / part).symlink_to(outside if part == "blobs" else outside / "sha256")
    before = sorted(outside.rglob("*"))
    refuses(lambda: store.manifest(Digest.of(SECRET)))
    refuses(lambda: store.has_blob(Digest.of(SECRET)))
    refuses(lambda: store.open_blob(describe(SECRET)).__enter__())
    refuses(lambda: put(store, b"new"))
    assert sorted(outside.rglob("*")) == before


def test_a_blob_that_is_a_link_is_neither_there_nor_read_and_a_put_replaces_it(store, layout, outside):
    put(store, b"other")
    name = layout / "blobs/sha256" / Digest.of(SECRET).hex
    name.symlink_to(outside / "secret")
    assert not store.has_blob(Digest.of(SECRET))
    assert not store.has_manifest(Digest.of(SECRET))
    refuses(lambda: store.open_blob(describe(SECRET)).__enter__())
    refuses(lambda: store.manifest(Digest.of(SECRET)))
    put(store, SECRET)
    assert not name.is_symlink()
    assert (outside / "secret").read_bytes() == SECRET


def test_a_link_is_not_taken_over_by_mount(store, layout, outside, tmp_path):
    put(store, b"other")
    (layout / "blobs/sha256" / Digest.of(SECRET).hex).symlink_to(outside / "secret")
    prod = LayoutStore(Repository(f"oci:{tmp_path}/staging", "acme/prod"))
    assert not prod.mount_blob(Digest.of(SECRET), store.repository)
    assert not prod.has_blob(Digest.of(SECRET))


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_a_pipe_does_not_make_anybody_wait(store, layout, name):
    put(store, b"layer")
    (layout / name).unlink()
    os.mkfifo(layout / name)
    refuses(lambda: store.resolve("v1"))


def test_a_blob_that_is_a_pipe_or_a_directory_is_refused(store, layout):
    put(store, b"layer")
    os.mkfifo(layout / "blobs/sha256" / Digest.of(b"pipe").hex)
    (layout / "blobs/sha256" / Digest.of(b"directory").hex).mkdir()
    for content in (b"pipe", b"directory"):
        assert not store.has_blob(Digest.of(content))
        refuses(lambda c=content: store.open_blob(describe(c)).__enter__())


def test_a_lock_that_is_a_link_is_not_opened(store, layout, outside):
    put(store, b"layer")
    (layout / ".promote.lock").unlink()
    (layout / ".promote.lock").symlink_to(outside / "made")
    refuses(lambda: put_image(store, b"image", tag="v1"))
    assert not (outside / "made").exists()


def test_leftovers_that_are_links_or_pipes_harm_nobody(store, layout, outside):
    put(store, b"layer")
    (layout / ".promote-link").symlink_to(outside / "secret")
    os.mkfifo(layout / ".promote-pipe")
    put_image(store, b"image", tag="v1")
    assert (outside / "secret").read_bytes() == SECRET
    assert store.resolve("v1")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"manifests":{}}',
        b'{"manifests":[1]}',
        b'{"manifests":[],"manifests":[]}',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"[" * 200_000,
        b'{"manifests":[], "n": ' + b"9" * 5000 + b"}",
    ],
)
def test_an_index_that_cannot_be_read_is_a_fault_and_is_left_as_it_is(store, layout, content):
    put(store, b"layer")
    (layout / "index.json").write_bytes(content)
    for question in (
        lambda: store.resolve("v1"),
        lambda: store.referrers(Digest.of(b"x")),
        lambda: store.check_access(push=False),
        lambda: put_image(store, b"image", tag="v1"),
    ):
        with pytest.raises(Fault) as caught:
            question()
        assert caught.value.code == "layout-malformed"
        assert caught.value.message.isprintable()
    assert (layout / "index.json").read_bytes() == content


@pytest.mark.parametrize("version", ["2.0.0", 1, None, "1x"])
def test_a_layout_of_another_version_is_a_fault(store, layout, version):
    put_image(store, b"image", tag="v1")
    (layout / "oci-layout").write_text(json.dumps({"imageLayoutVersion": version}))
    with pytest.raises(Fault, match="imageLayoutVersion"):
        LayoutStore(store.repository).resolve("v1")


@pytest.mark.parametrize(
    "digest",
    ["sha256:../../../../outside/secret", "sha256:" + "A" * 64, "sha256:" + "0" * 63, "md5:" + "0" * 32, 7, None, ""],
)
def test_a_digest_that_is_none_is_a_fault_for_its_tag_and_nothing_to_others(store, layout, digest):
    image = put_image(store, b"image", tag="v1")
    document = json.loads((layout / "index.json").read_text())
    bad = {"mediaType": OCI_INDEX, "digest": digest, "size": 1, "annotations": {REF_NAME: "bad"}}
    document["manifests"].insert(0, bad)
    (layout / "index.json").write_text(json.dumps(document))
    with pytest.raises(Fault) as caught:
        store.resolve("bad")
    assert caught.value.code == "layout-malformed"
    assert store.resolve("v1") == image
    assert store.referrers(image.digest) == ()
    assert sorted(store.tags()) == ["bad", "v1"]


@pytest.mark.parametrize("name", [7, None, "", "../x", "a b", "\x1b[2J", "x" * 200, "host/repo@sha256:" + "0" * 64])
def test_a_name_that_is_no_tag_is_no_tag(store, layout, name):
    put_image(store, b"image", tag="v1")
    document = json.loads((layout / "index.json").read_text())
    document["manifests"].append({**document["manifests"][0], "annotations": {REF_NAME: name}})
    (layout / "index.json").write_text(json.dumps(document))
    assert list(store.tags()) == ["v1"]
    assert store.resolve("0" * 64) is None


def test_an_endless_index_is_not_read_to_its_end(store, layout):
    put(store, b"layer")
    with (layout / "index.json").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with pytest.raises(Fault) as caught:
        store.resolve("v1")
    assert caught.value.code == "content-too-large"


def test_a_manifest_larger_than_any_is_not_read(store, layout):
    put(store, b"layer")
    digest = Digest.of(b"large")
    with (layout / "blobs/sha256" / digest.hex).open("wb") as file:
        file.truncate(5 * 1024 * 1024)
    assert not store.has_manifest(digest)
    with pytest.raises(Fault) as caught:
        store.manifest(digest)
    assert caught.value.code == "content-too-large"


def test_indexes_that_list_each_other_by_lie_do_not_keep_the_search_busy(store, layout):
    image = put_image(store, b"image", tag="v1")
    (layout / "index.json").write_text(
        json.dumps({"schemaVersion": 2, "manifests": [image.descriptor.as_json()] * 5000})
    )
    assert store.referrers(image.digest) == ()


@settings(max_examples=80)
@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,manifestsdigest01 ', max_size=60).map(str.encode))
def test_no_content_of_the_index_raises_anything_but_a_fault(store, layout, content):
    put(store, b"layer")
    (layout / "index.json").write_bytes(content)
    for question in every_question(store):
        with contextlib.suppress(Fault):
            question()
    (layout / "index.json").unlink()


@settings(max_examples=60)
@given(
    entries=st.lists(
        st.dictionaries(
            st.sampled_from(["mediaType", "digest", "size", "annotations", "artifactType", "platform"]),
            st.none()
            | st.integers()
            | st.text(max_size=10)
            | st.dictionaries(st.sampled_from([REF_NAME, "os"]), st.text(max_size=5) | st.integers()),
        ),
        max_size=4,
    )
)
def test_entries_of_any_form_survive_a_change_or_stop_it(store, layout, entries):
    put(store, b"layer")
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
    with contextlib.suppress(Fault):
        put_image(store, b"image", tag="v-new")
    after = json.loads((layout / "index.json").read_text())["manifests"]
    assert after[: len(entries)] == entries


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_stream_that_never_ends_is_cut_at_the_size_that_was_promised(store, layout, algorithm):
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size=-1, /):
            self.taken += size
            return b"\0" * size

    endless = Endless()
    content = describe(b"x" * 1000)
    with pytest.raises(Fault):
        store.put_blob(content, endless)
    assert endless.taken <= 1001
    assert not store.has_blob(content.digest)
