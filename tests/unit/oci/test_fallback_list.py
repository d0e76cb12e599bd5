"""Threads of one process that write one fallback tag: nobody's entry is lost, and those that wait go together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import OCI_MANIFEST, Descriptor
from promote.oci.fallback import FallbackList
from promote.oci.referrer_list import listed

SUBJECT = Digest.of(b"subject")


def entry(number: int) -> Descriptor:
    return Descriptor(OCI_MANIFEST, Digest.of(str(number).encode()), 1)


class Tags:
    """A registry's tags; the first question waits until `go`, and `asked` says that it came."""

    def __init__(self):
        self.tags, self.writes = {}, 0
        self.asked, self.go = Event(), Event()
        self.broken = 0

    def resolve(self, tag):
        if not self.asked.is_set():
            self.asked.set()
            assert self.go.wait(10)
        return self.tags.get(tag)

    def put_tag(self, tag, manifest):
        if self.broken:
            self.broken -= 1
            raise Fault("registry-unreachable", "gone")
        self.writes += 1
        self.tags[tag] = manifest

    def digests(self):
        return {found.digest for found in listed(self.tags.get(SUBJECT.tag), SUBJECT, "here")}


def together(count, tags, fallback):
    """`count` threads that add an entry each, the first of which is let go when the others wait."""
    with ThreadPoolExecutor(count) as pool:
        first = pool.submit(fallback.add, tags, SUBJECT, entry(0), "here")
        assert tags.asked.wait(10)
        others = [pool.submit(fallback.add, tags, SUBJECT, entry(n), "here") for n in range(1, count)]
        while len(fallback._waiting) < count:
            pass
        tags.go.set()
        return [future.exception(10) for future in [first, *others]]


def test_entries_that_come_while_the_list_is_read_are_written_with_it():
    tags = Tags()
    assert together(5, tags, FallbackList()) == [None] * 5
    assert tags.digests() == {entry(n).digest for n in range(5)}
    assert tags.writes == 1


def test_an_entry_that_comes_later_is_written_later():
    tags, fallback = Tags(), FallbackList()
    tags.go.set()
    for number in range(3):
        fallback.add(tags, SUBJECT, entry(number), "here")
    assert (len(tags.digests()), tags.writes) == (3, 3)


def test_a_write_that_fails_fails_its_writer_alone():
    tags = Tags()
    tags.broken = 1
    first, *others = together(4, tags, FallbackList())
    assert isinstance(first, Fault)
    assert others == [None] * 3
    assert tags.digests() == {entry(n).digest for n in (1, 2, 3)}


def test_an_entry_that_is_there_already_is_not_written():
    tags, fallback = Tags(), FallbackList()
    tags.go.set()
    fallback.add(tags, SUBJECT, entry(0), "here")
    fallback.add(tags, SUBJECT, entry(0), "here")
    assert tags.writes == 1


def test_a_list_that_others_keep_overwriting_is_given_up(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    tags = Tags()
    tags.go.set()
    tags.put_tag = lambda _tag, _manifest: None
    with pytest.raises(Fault) as caught:
        FallbackList().add(tags, SUBJECT, entry(0), "here")
    assert caught.value.code == "fallback-tag-contended"
