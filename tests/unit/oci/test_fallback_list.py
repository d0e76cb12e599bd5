"""Threads of one process that write one fallback tag: nobody's entry is lost, and those that wait go together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import sleep

import pytest

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import OCI_MANIFEST, Descriptor
from promote.oci.fallback import FallbackList
from promote.oci.referrer_list import listed, merged

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


class Registry:
    """A registry's tags, which say what they were asked, in order."""

    def __init__(self):
        self.tags, self.log = {}, []
        self.broken = 0

    def resolve(self, tag):
        self.log.append("read")
        if self.broken:
            self.broken -= 1
            raise Fault("registry-unreachable", "gone")
        return self.tags.get(tag)

    def put_tag(self, tag, manifest):
        self.log.append("write")
        self.tags[tag] = manifest

    def digests(self):
        return {found.digest for found in listed(self.tags.get(SUBJECT.tag), SUBJECT, "here")}


def put(fallback, tags, number, put_it=lambda: None):
    """What a store does with one referrer."""
    with fallback.on_its_way(SUBJECT, tags) as arrived:
        put_it()
        arrived(entry(number))
    fallback.add(tags, SUBJECT, entry(number), "here")


def test_the_list_is_read_while_the_referrer_is_on_its_way():
    tags, fallback = Registry(), FallbackList()

    def put_it():
        while not tags.log:
            pass
        tags.log.append("put")

    put(fallback, tags, 0, put_it)
    assert tags.log == ["read", "put", "write", "read"]
    assert tags.digests() == {entry(0).digest}


def test_referrers_that_are_on_their_way_together_are_written_together():
    tags, fallback, count = Registry(), FallbackList(), 6
    all_there = Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        puts = [pool.submit(put, fallback, tags, n, all_there.wait) for n in range(count)]
        assert [future.exception(10) for future in puts] == [None] * count
    assert tags.log == ["read", "write", "read"]
    assert len(tags.digests()) == count


def test_one_that_does_not_arrive_is_not_waited_for_and_not_listed():
    tags, fallback = Registry(), FallbackList()

    def fail():
        raise Fault("upload-broken", "gone")

    with pytest.raises(Fault):
        put(fallback, tags, 0, fail)
    put(fallback, tags, 1)
    assert tags.digests() == {entry(1).digest}


def test_a_list_that_was_read_long_ago_is_read_again(monkeypatch):
    monkeypatch.setattr("promote.oci.fallback.FRESH", -1000.0)
    tags, fallback = Registry(), FallbackList()

    def put_it():
        while not tags.log:
            pass
        sleep(0.05)
        tags.tags[SUBJECT.tag] = merged(None, SUBJECT, entry(9), "here")

    put(fallback, tags, 0, put_it)
    assert tags.log == ["read", "read", "write", "read"]
    assert tags.digests() == {entry(0).digest, entry(9).digest}


def test_a_list_that_could_not_be_read_ahead_is_read_in_time():
    tags, fallback = Registry(), FallbackList()
    tags.broken = 1
    put(fallback, tags, 0)
    assert tags.log == ["read", "read", "write", "read"]
    assert tags.digests() == {entry(0).digest}


def test_somebody_who_wrote_in_between_is_seen_when_it_is_read_back():
    tags, fallback = Registry(), FallbackList()
    plain_put = tags.put_tag

    def overwritten(tag, manifest):
        plain_put(tag, manifest)
        tags.put_tag = plain_put
        tags.tags[tag] = merged(None, SUBJECT, entry(9), "here")

    tags.put_tag = overwritten
    put(fallback, tags, 0)
    assert tags.digests() == {entry(0).digest, entry(9).digest}
    assert tags.log == ["read", "write", "read", "read", "write", "read"]
