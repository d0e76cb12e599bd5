"""A repository that is a directory: an OCI image layout, as skopeo, crane, regctl and oras read and write it.

Source: OCI image-spec 1.1, image-layout.md.  In a layout manifests are blobs; index.json lists those that are tagged,
and those that are found only through their subject.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from promote.errors import Fault, Misuse
from promote.model.digest import Digest
from promote.model.malformed import Malformed, shown
from promote.model.manifest import MANIFEST_TYPES, MAX_MANIFEST_BYTES, Descriptor, RawManifest
from promote.model.reference import LAYOUT, Repository
from promote.oci.checked import CheckedReader
from promote.oci.layout_files import LayoutFiles
from promote.oci.layout_index import LAYOUT_FILE, LayoutIndex, check_layout_file
from promote.oci.layout_manifest import Glance, media_type
from promote.oci.referrer_list import merged, referrer
from promote.oci.store import BLOCK, Reader

MAX_INDEX_BYTES = 32 * 1024 * 1024
"""How much of an index.json is read: some hundred thousand entries."""


class LayoutStore:
    """The layout at ``DIRECTORY/path`` of a repository ``oci:DIRECTORY/path``; a `promote.oci.store.Store`.

    A directory that does not exist is an empty repository, and is made by the first put.  Every file is written whole
    or not at all; index.json is rewritten under a lock, so that no two processes lose each other's entries.
    """

    def __init__(self, repository: Repository) -> None:
        if not repository.is_layout:
            raise Misuse(
                "not-a-layout",
                f"{repository} is not a directory, expected a registry such as oci:DIRECTORY",
                expected="oci:DIRECTORY",
                actual=repository.registry,
            )
        self._repository = repository
        self._files = _files_of(repository)
        # Both are what content-addressed or compared bytes said: they cannot become wrong when the directory changes.
        self._seen: dict[Digest, Glance] = {}
        self._last: tuple[bytes | None, LayoutIndex] = (None, LayoutIndex())

    @property
    def repository(self) -> Repository:
        """Which repository this is."""
        return self._repository

    def expect(self, questions: int) -> None:
        """See `Store`: a directory is near."""

    def check_access(self, *, push: bool) -> None:
        """Raises `Fault` when what is there cannot be read or, for `push`, the directory cannot be written."""
        self._index()
        if push:
            self._files.check_writable()

    def resolve(self, tag: str) -> RawManifest | None:
        """The manifest that `tag` names; raises `Fault` when index.json names two, or one that is not there."""
        named = self._named(self._index(), tag)
        if not named:
            return None
        if len(named) > 1:
            both = " and ".join(str(descriptor.digest) for descriptor in named)
            raise Fault(
                "tag-ambiguous",
                f"{self._repository}:{shown(tag)} names {both} in index.json, expected one",
                expected="one digest",
                actual=both,
                hint=f"remove the wrong entry from {self._files.shown('index.json')}",
            )
        content = self._content(named[0].digest)
        if content is None:
            raise Fault(
                "content-absent",
                f"{self._repository}:{shown(tag)} names {named[0].digest} in index.json, and there is no such blob",
                expected=str(named[0].digest),
                hint="copy the image into the directory again",
            )
        return RawManifest(content, named[0].media_type)

    def manifest(self, digest: Digest) -> RawManifest | None:
        """The manifest with this digest; its media type as index.json says, else as it says itself, else its form."""
        content = self._content(digest)
        if content is None:
            return None
        listed = (entry.media_type for entry in self._index().descriptors() if entry.digest == digest)
        return RawManifest(content, next((t for t in listed if t in MANIFEST_TYPES), None) or media_type(content))

    def has_manifest(self, digest: Digest) -> bool:
        """Whether the bytes of this digest are there and right."""
        size = self._files.size(*_blob(digest))
        if size is None or size > MAX_MANIFEST_BYTES:
            return False
        content = self._files.read(*_blob(digest), limit=MAX_MANIFEST_BYTES)
        return content is not None and digest.matches(content)

    def put_manifest(self, manifest: RawManifest) -> None:
        """Store the bytes; when they name a subject, list them so that every tool finds the referrer.

        There is no standard for referrers in a layout: oras looks through index.json, regctl at the fallback tag.
        """
        try:
            descriptor, subject = manifest.descriptor, manifest.parsed.subject
        except Malformed as problem:
            raise Fault(
                "manifest-malformed",
                f"{manifest.digest} cannot be stored: {problem}",
                expected=problem.expected,
                actual=problem.got,
                hint="this is no image manifest; name another image",
            ) from None
        self._prepare()
        self._files.write(manifest.content, *_blob(manifest.digest))
        if subject is not None:
            with self._files.locked():
                before = self._index()
                after = before.listing(descriptor)
                fallback = subject.digest.tag
                wanted = merged(self.resolve(fallback), subject.digest, referrer(manifest), str(self._repository))
                if wanted is not None:
                    self._files.write(wanted.content, *_blob(wanted.digest))
                    after = after.tagging(fallback, wanted.descriptor, keeping=frozenset())
                if after is not before:
                    self._files.write(after.dump(), "index.json")

    def put_tag(self, tag: str, manifest: RawManifest) -> None:
        """Store the bytes and let `tag` name them, instead of what it named before.

        What it named before stays listed when it has a subject: it may be found as a referrer too.
        """
        self.put_manifest(manifest)
        with self._files.locked():
            before = self._index()
            replaced = [self._look(entry) for entry in self._named(before, tag) if entry.digest != manifest.digest]
            keeping = frozenset(seen.descriptor.digest for seen in replaced if seen and seen.subject)
            self._files.write(before.tagging(tag, manifest.descriptor, keeping=keeping).dump(), "index.json")

    def has_blob(self, digest: Digest) -> bool:
        """Whether a file of this digest is there.  An empty one counts as absent: a crash leaves such files behind."""
        return bool(self._files.size(*_blob(digest))) or (
            digest.matches(b"") and self._files.size(*_blob(digest)) is not None
        )

    @contextmanager
    def open_blob(self, blob: Descriptor) -> Iterator[Reader]:
        """The blob as a stream; raises `Fault` when it is absent, and at its end when it is not what was asked for."""
        file = self._files.open(*_blob(blob.digest))
        if file is None:
            raise Fault(
                "content-absent",
                f"{self._repository} has no blob {blob.digest}",
                expected=str(blob.digest),
                hint="copy the image into the directory again",
            )
        with file:
            yield CheckedReader(file, blob, self._files.shown(*_blob(blob.digest)))

    def put_blob(self, blob: Descriptor, content: Reader) -> None:
        """Store a blob from a stream, one block at a time."""
        self._prepare()
        checked = CheckedReader(content, blob, f"what was sent to {self._repository}")
        with self._files.replacing(*_blob(blob.digest)) as file:
            while block := checked.read(BLOCK):
                file.write(block)

    def mount_blob(self, digest: Digest, source: Repository) -> bool:
        """Take a blob over by a hard link from another repository of the same directory.

        False where there is none, where its content is wrong (the copy that follows then says so) and where the file
        system has no hard links.
        """
        if source.registry != self._repository.registry:
            return False
        files = _files_of(source)
        size = files.size(*_blob(digest))
        file = files.open(*_blob(digest)) if size is not None else None
        if size is None or file is None:
            return False
        with file:
            checked = CheckedReader(file, Descriptor("application/octet-stream", digest, size), files.path)
            try:
                while checked.read(BLOCK):
                    pass
            except Fault:
                return False
        self._prepare()
        return self._files.link(files, *_blob(digest))

    def referrers(self, digest: Digest) -> tuple[Descriptor, ...]:
        """What names `digest` as its subject among all that index.json leads to, and what the fallback tag lists.

        A listed manifest that is absent or not JSON names nothing; one that is damaged raises `Fault`.
        """
        index = self._index()
        found: dict[Digest, Descriptor] = {}
        met: set[Digest] = set()
        ahead = deque(index.descriptors())
        while ahead:
            descriptor = ahead.popleft()
            if descriptor.digest in met:
                continue
            met.add(descriptor.digest)
            seen = self._look(descriptor)
            if seen is None:
                continue
            ahead += seen.children
            if seen.subject == digest:
                found[descriptor.digest] = seen.descriptor
        for fallback in self._named(index, digest.tag):
            seen = self._look(fallback)
            for child in seen.children if seen else ():
                found.setdefault(child.digest, child)
        return tuple(found.values())

    def tags(self) -> Iterator[str]:
        """Every tag in index.json."""
        yield from self._index().tags()

    def _index(self) -> LayoutIndex:
        """index.json as it is now; empty when it does not exist."""
        content = self._files.read("index.json", limit=MAX_INDEX_BYTES)
        if content is None:
            return LayoutIndex()
        last, index = self._last
        if content != last:
            version = self._files.read("oci-layout", limit=MAX_MANIFEST_BYTES)
            try:
                check_layout_file(LAYOUT_FILE if version is None else version)
                index = LayoutIndex.parse(content)
            except Malformed as problem:
                raise self._malformed(problem) from None
            self._last = (content, index)
        return index

    def _named(self, index: LayoutIndex, tag: str) -> tuple[Descriptor, ...]:
        try:
            return index.tagged(tag)
        except Malformed as problem:
            raise self._malformed(problem) from None

    def _prepare(self) -> None:
        """Make the layout where there is none."""
        if self._files.exists("oci-layout") and self._files.exists("index.json"):
            return
        with self._files.locked():
            if not self._files.exists("oci-layout"):
                self._files.write(LAYOUT_FILE, "oci-layout")
            if not self._files.exists("index.json"):
                self._files.write(LayoutIndex().dump(), "index.json")

    def _content(self, digest: Digest) -> bytes | None:
        content = self._files.read(*_blob(digest), limit=MAX_MANIFEST_BYTES)
        if content is not None and not digest.matches(content):
            got = str(Digest.of(content, digest.algorithm))
            raise Fault(
                "content-mismatch",
                f"{self._files.shown(*_blob(digest))} has the wrong content: got {got}, expected {digest}",
                expected=str(digest),
                actual=got,
                hint="copy the image into the directory again; what is there now is damaged",
            )
        return content

    def _look(self, descriptor: Descriptor) -> Glance | None:
        """What a listed manifest says that leads to referrers; None when it is absent or says nothing readable."""
        digest = descriptor.digest
        if digest not in self._seen:
            if descriptor.size > MAX_MANIFEST_BYTES or (content := self._content(digest)) is None:
                return None
            try:
                self._seen[digest] = Glance.at(content, descriptor)
            except Malformed:
                return None
        return self._seen[digest]

    def _malformed(self, problem: Malformed) -> Fault:
        return Fault(
            "layout-malformed",
            f"{self._files.path} is not a readable image layout: {problem}",
            expected=problem.expected,
            actual=problem.got,
            hint=f"python3 -m json.tool {self._files.shown('index.json')}",
        )


def _files_of(repository: Repository) -> LayoutFiles:
    return LayoutFiles(f"{repository.registry.removeprefix(LAYOUT)}/{repository.path}")


def _blob(digest: Digest) -> tuple[str, str, str]:
    return "blobs", digest.algorithm, digest.hex
