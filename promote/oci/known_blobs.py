"""Blobs that were read from a store a moment ago, and are not asked for again."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from promote.model.digest import Digest
from promote.model.manifest import Descriptor
from promote.model.reference import Repository
from promote.oci.store import Blobs, Reader


@dataclass(frozen=True)
class KnownBlobs:
    """The blobs of `store`, those in `contents` from memory; they were checked against their digests when they came."""

    store: Blobs
    contents: Mapping[Digest, bytes] = field(repr=False)

    @property
    def repository(self) -> Repository:
        """The store's."""
        return self.store.repository

    @contextmanager
    def open_blob(self, blob: Descriptor) -> Iterator[Reader]:
        """See `promote.oci.store.Store`."""
        content = self.contents.get(blob.digest)
        if content is not None and len(content) == blob.size:
            yield io.BytesIO(content)
            return
        with self.store.open_blob(blob) as reader:
            yield reader
