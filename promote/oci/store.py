"""The one door to image content: a repository, wherever it is kept.

A registry over HTTP and a directory that holds an OCI image layout answer the same questions, so that verification and
copy have one path.  Everything is asked for by digest; a tag is resolved in one place only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import Descriptor, RawManifest
from promote.model.reference import Repository

BLOCK = 256 * 1024
"""How many bytes are read at a time."""


ABSENT = frozenset({"blob-missing", "content-absent"})
"""The codes of the `Fault` of `Store.open_blob` for a blob that is not there."""


RESENDABLE = frozenset({"upload-broken", "upload-in-chunks", "credentials-expired"})
"""The codes of the `Fault` of `Store.put_blob` for a blob that did not arrive, and may when all of it is sent again."""


class Reader(Protocol):
    """Content as a stream."""

    def read(self, size: int = BLOCK, /) -> bytes:
        """At most `size` bytes, empty at the end.

        Raises `promote.errors.Fault` instead of returning the last bytes when the whole does not have the size and the
        digest that were asked for: a consumer that stops at an error never holds wrong content complete.
        """


class Blobs(Protocol):
    """Where blobs are read: a `Store`, or a part of what it has."""

    @property
    def repository(self) -> Repository:
        """Which repository they are of."""

    def open_blob(self, blob: Descriptor) -> AbstractContextManager[Reader]:
        """See `Store`."""


class Store(Protocol):
    """One repository.  Safe to use from several threads.

    Every method raises `Fault` when the question could not be answered, `CredentialsFault` when it was refused for want
    of credentials.  "No such thing" is an answer and not an error: None, False or empty.
    """

    @property
    def repository(self) -> Repository:
        """Which repository this is."""

    def expect(self, questions: int) -> None:
        """Have the way open for about so many questions at once, which come soon; asks and raises nothing."""

    def check_access(self, *, push: bool) -> None:
        """Ask whether this repository may be read, and written to with `push`, before any content moves.

        Raises `CredentialsFault` when not, `Fault` when there is no telling.  A yes is no promise: a registry may still
        refuse the first write.
        """

    def resolve(self, tag: str) -> RawManifest | None:
        """The manifest that `tag` names now; None when there is no such tag or repository."""

    def manifest(self, digest: Digest) -> RawManifest | None:
        """The manifest with this digest, its bytes checked against it; None when absent."""

    def has_manifest(self, digest: Digest) -> bool:
        """Whether a manifest with this digest is there."""

    def put_manifest(self, manifest: RawManifest) -> None:
        """Store the bytes under their digest, and make them findable as a referrer when they name a subject.

        Where the registry has no referrers API this merges the fallback tag; it never loses another writer's entry.
        """

    def put_tag(self, tag: str, manifest: RawManifest) -> None:
        """Store the manifest and let `tag` name it; the blobs and manifests that it names are there already."""

    def has_blob(self, digest: Digest) -> bool:
        """Whether a blob with this digest is there."""

    def open_blob(self, blob: Descriptor) -> AbstractContextManager[Reader]:
        """The blob as a stream of exactly `blob.size` bytes with `blob.digest`; raises `Fault` when it is absent."""

    def put_blob(self, blob: Descriptor, content: Reader) -> None:
        """Store a blob from a stream, in constant memory; visible under its digest only when all of it came.

        A stream is read once: after a `Fault` of the `RESENDABLE`, the caller may come again with a new one.
        """

    def mount_blob(self, digest: Digest, source: Repository) -> bool:
        """Take a blob over from another repository of the same registry, no bytes moved; False when it will not."""

    def referrers(self, digest: Digest) -> tuple[Descriptor, ...]:
        """What names `digest` as its subject, by the referrers API or the fallback tag.

        The descriptors' own claims (media type, artifact type, annotations) are hints: open each manifest.
        """

    def tags(self) -> Iterator[str]:
        """Every tag of the repository, in no promised order."""


def read_blob(store: Blobs, blob: Descriptor, limit: int) -> bytes:
    """A small blob whole; raises `Fault` when it is absent, wrong, or larger than `limit` bytes."""
    if blob.size > limit:
        raise Fault(
            "content-too-large",
            f"{store.repository} declares {blob.size} bytes for {blob.digest}, expected at most {limit}",
            expected=f"at most {limit} bytes",
            actual=f"{blob.size} bytes",
        )
    with store.open_blob(blob) as reader:
        parts = []
        while part := reader.read(BLOCK):
            parts.append(part)
    return b"".join(parts)
