"""A stream that never hands out wrong content complete."""

from __future__ import annotations

import hashlib
from typing import Protocol

from promote.errors import Fault
from promote.model.manifest import Descriptor
from promote.oci.store import BLOCK


class _Source(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class CheckedReader:
    """`source` as exactly the bytes of `blob`: the last block is held back until size and digest are known to be right.

    A consumer that is promised a length and sees this fail has a short body, which no registry commits and no
    directory keeps.  `where` names the source in errors.  Reads with `size` < 1 are not supported.
    """

    def __init__(self, source: _Source, blob: Descriptor, where: str) -> None:
        self._source = source
        self._blob = blob
        self._where = where
        self._hash = hashlib.new(blob.digest.algorithm)
        self._left = blob.size
        self._checked = False

    def read(self, size: int = BLOCK, /) -> bytes:
        """See `promote.oci.store.Reader`."""
        block = self._source.read(min(size, self._left)) or b"" if self._left else b""
        self._hash.update(block)
        self._left -= len(block)
        if self._left and not block:
            raise self._fault(f"{self._blob.size - self._left} bytes", f"{self._blob.size} bytes")
        if not self._left and not self._checked:
            self._check_end()
        return block

    def _check_end(self) -> None:
        if self._source.read(1):
            raise self._fault(f"more than {self._blob.size} bytes", f"{self._blob.size} bytes")
        got = f"{self._blob.digest.algorithm}:{self._hash.hexdigest()}"
        if got != str(self._blob.digest):
            raise self._fault(got, str(self._blob.digest))
        self._checked = True

    def _fault(self, got: str, expected: str) -> Fault:
        return Fault(
            "content-mismatch",
            f"{self._where} has the wrong content for {self._blob.digest}: got {got}, expected {expected}",
            expected=expected,
            actual=got,
            hint="push the image to the source again; what is there now is damaged",
        )
