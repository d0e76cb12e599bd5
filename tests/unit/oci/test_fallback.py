"""The list of referrers under a fallback tag: read, added to, and never taken from."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stamina

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST, Descriptor, RawManifest
from promote.oci.fallback import add_to_fallback
from promote.oci.referrer_list import listed, merged, referrer

SUBJECT = Digest.of(b"subject")
OURS = Descriptor(OCI_MANIFEST, Digest.of(b"ours"), 4, "application/x", {"a": "b"})
THEIRS = {"mediaType": OCI_MANIFEST, "digest": str(Digest.of(b"theirs")), "size": 6, "x-unknown": [1], "data": "e30="}


def index(*entries: Any, **more: Any) -> RawManifest:
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries), **more}
    return RawManifest(json.dumps(document).encode(), OCI_INDEX)


def test_first_entry_makes_the_list() -> None:
    made = merged(None, SUBJECT, OURS, "here")
    assert made is not None
    assert listed(made, SUBJECT, "here") == (OURS,)


def test_other_entries_and_fields_stay_as_they_are() -> None:
    made = merged(index(THEIRS, annotations={"kept": "yes"}), SUBJECT, OURS, "here")
    assert made is not None
    document = json.loads(made.content)
    assert document["manifests"] == [THEIRS, OURS.as_json()]
    assert document["annotations"] == {"kept": "yes"}


def test_entry_that_is_there_is_not_added_again() -> None:
    assert merged(index(THEIRS, OURS.as_json()), SUBJECT, OURS, "here") is None


def test_tag_that_is_the_subject_itself_lists_nothing() -> None:
    found = index(THEIRS)
    subject = Digest.of(found.content)
    assert listed(found, subject, "here") == ()
    made = merged(found, subject, OURS, "here")
    assert made is not None
    assert listed(made, subject, "here") == (OURS,)


def test_tag_of_something_else_is_not_overwritten() -> None:
    found = RawManifest(b'{"schemaVersion":2,"config":{},"layers":[]}', OCI_MANIFEST)
    assert listed(found, SUBJECT, "here") == ()
    with pytest.raises(Fault) as caught:
        merged(found, SUBJECT, OURS, "here")
    assert caught.value.code == "fallback-tag-taken"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"schemaVersion":2,"manifests":[{"digest":"sha256:../x"}]}'])
def test_malformed_list_is_a_fault(content: bytes) -> None:
    for work in (lambda f: listed(f, SUBJECT, "here"), lambda f: merged(f, SUBJECT, OURS, "here")):
        with pytest.raises(Fault):
            work(RawManifest(content, OCI_INDEX))


def test_list_does_not_outgrow_a_manifest() -> None:
    with pytest.raises(Fault) as caught:
        merged(index(annotations={"a": "x" * (MAX_MANIFEST_BYTES - 300)}), SUBJECT, OURS, "here")
    assert caught.value.code == "fallback-tag-full"


def test_referrer_without_artifact_type_has_that_of_its_config() -> None:
    config = Descriptor("application/vnd.example.config", Digest.of(b"{}"), 2)
    document = {"schemaVersion": 2, "config": config.as_json(), "layers": [], "annotations": {"k": "v"}}
    manifest = RawManifest(json.dumps(document).encode(), OCI_MANIFEST)
    entry = referrer(manifest)
    assert (entry.artifact_type, dict(entry.annotations)) == (config.media_type, {"k": "v"})
    assert (entry.digest, entry.size) == (manifest.digest, len(manifest.content))


class _Overwritten:
    """Tags where somebody else's list replaces ours the first `times` times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.puts = 0
        self.current: RawManifest | None = None

    def resolve(self, tag: str) -> RawManifest | None:
        assert tag == SUBJECT.tag
        return self.current

    def put_tag(self, tag: str, manifest: RawManifest) -> None:
        self.puts += 1
        self.current = index(THEIRS) if self.puts <= self.times else manifest


def test_list_that_was_overwritten_is_written_again() -> None:
    tags = _Overwritten(times=3)
    with stamina.set_testing(True, attempts=8, cap=True):
        add_to_fallback(tags, SUBJECT, OURS, "here")
    assert [e.digest for e in listed(tags.current, SUBJECT, "here")] == [Digest.of(b"theirs"), OURS.digest]


def test_list_that_is_always_overwritten_is_a_fault() -> None:
    tags = _Overwritten(times=100)
    with stamina.set_testing(True, attempts=8, cap=True), pytest.raises(Fault) as caught:
        add_to_fallback(tags, SUBJECT, OURS, "here")
    assert caught.value.code == "fallback-tag-contended"
    assert tags.puts == 8
