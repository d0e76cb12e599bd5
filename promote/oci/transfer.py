"""Blobs on the wire: a download that survives a broken connection, an upload that is never wrong and complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import urllib3

from promote.errors import Fault
from promote.model.malformed import shown
from promote.model.manifest import Descriptor
from promote.oci.answer import unexpected
from promote.oci.patience import Pace, Patience
from promote.oci.store import BLOCK, Reader
from promote.oci.transport import discard

if TYPE_CHECKING:
    from requests import Response

PROGRESS = 1024 * 1024
ENOUGH = 64 * 1024
"""How many bytes are worth handing on: a smaller piece, such as one TLS record, waits for the next."""
RESUMES = 2
"""How often a download is resumed that did not get on by `PROGRESS` bytes in between."""


class Download:
    """The bytes of `blob` as they come; `fetch` answers with those from an offset on.  Checks no digest.

    A connection that breaks, stalls or creeps is left, and the rest asked for anew.
    """

    def __init__(self, fetch: Callable[[int], Response], blob: Descriptor, host: str, patience: Patience) -> None:
        self._fetch = fetch
        self._blob = blob
        self._host = host
        self._position = 0
        self._mark = 0
        self._fruitless = 0
        self._patience = patience
        self._response = self._open()

    def read(self, size: int = BLOCK, /) -> bytes:
        """At most `size` bytes; empty only where the blob should end."""
        while True:
            block = self._received(min(size, BLOCK))
            self._position += len(block)
            if block or self._position >= self._blob.size:
                return block
            self._resume()

    def close(self) -> None:
        """Be done; a connection whose body was read to its end is kept."""
        self._response.close()

    def _received(self, size: int) -> bytes:
        """What came, at most `size` bytes: `ENOUGH` or more, or what there was before the end or trouble."""
        parts: list[bytes] = []
        length, clock = 0, self._patience.clock
        try:
            while length < min(size, ENOUGH):
                before = clock.now()
                part: bytes = self._response.raw.read1(size - length, decode_content=False)
                if not part:
                    break
                parts.append(part)
                length += len(part)
                self._pace.moved(len(part), clock.now() - before)
        except (urllib3.exceptions.HTTPError, OSError, Fault):
            # What is received is kept; the next read meets the same trouble, or the end.
            self._response.close()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _resume(self) -> None:
        if self._position - self._mark >= PROGRESS:
            self._fruitless = 0
        if self._fruitless == RESUMES:
            raise Fault(
                "download-broken",
                f"{self._host} broke off {self._blob.digest} at {self._position} of {self._blob.size} bytes again",
                expected=f"{self._blob.size} bytes",
                actual=f"{self._position} bytes",
                hint="run the same command again; what has arrived is not sent again",
            )
        self._fruitless += 1
        self._mark = self._position
        self._response.close()
        self._response = self._open()

    def _open(self) -> Response:
        """Source: RFC 9110, 14.4; an answer that is not exactly the rest is refused and never joined."""
        self._pace = Pace(self._patience, self._host, str(self._blob.digest))
        response = self._fetch(self._position)
        rest = self._blob.size - self._position
        doing = f"GET of {self._blob.digest}"
        problem: Fault | None = None
        if response.status_code == 404:
            problem = Fault(
                "blob-missing",
                f"{self._host} does not have {self._blob.digest}",
                expected=str(self._blob.digest),
                hint="push the image to it again; a part of it is missing",
            )
        elif response.status_code != (206 if self._position else 200):
            problem = unexpected(self._host, response, doing, "206" if self._position else "200")
        elif self._position and not self._is_rest(response.headers.get("Content-Range", "")):
            got = shown(response.headers.get("Content-Range", "nothing"), 60)
            problem = Fault(
                "resume-refused",
                f"{self._host} resumes {self._blob.digest} with {got}, expected the bytes from {self._position} on",
                actual=got,
            )
        elif (length := response.headers.get("Content-Length", str(rest))) != str(rest):
            problem = Fault(
                "content-mismatch",
                f"{self._host} has {shown(length, 20)} bytes for {self._blob.digest}, expected {rest}",
                expected=f"{rest} bytes",
                actual=f"{shown(length, 20)} bytes",
            )
        if problem:
            discard(response)
            raise problem
        return response

    def _is_rest(self, content_range: str) -> bool:
        span = f"bytes {self._position}-{self._blob.size - 1}/"
        return content_range in {f"{span}{self._blob.size}", f"{span}*"}


class UploadBody:
    """A stream of exactly `size` bytes for requests to send with a Content-Length.

    A stream that fails or ends early leaves the body short, which no registry commits; `fault` is then why.  Who takes
    it at a creep runs into the socket's timeout, which in Python is for a whole block.
    """

    def __init__(self, content: Reader, blob: Descriptor) -> None:
        self._content = content
        self._blob = blob
        self._left = blob.size
        self._kept: bytes | None = None
        self.fault: Fault | None = None

    def __len__(self) -> int:
        return self._blob.size

    def prepare(self) -> None:
        """Have the first block at hand, so that no request is begun that has to wait for it; raises `Fault`."""
        self._kept = self._next(min(BLOCK, self._left)) if self._left else b""

    def sendable(self) -> UploadBody | bytes:
        """What to give to requests, which would send an object of length 0 in chunks: itself, or empty bytes."""
        if self._blob.size:
            return self
        self._next(1)
        return b""

    def read(self, _size: int = BLOCK, /) -> bytes:
        """The next block, of `BLOCK` bytes whatever is asked for: http.client asks for 16 KiB at a time."""
        kept, self._kept = self._kept, None
        if kept is not None:
            return kept
        return self._next(min(BLOCK, self._left)) if self._left else b""

    def piece(self, size: int) -> bytes:
        """The next `size` bytes, or what is left of the whole, at once."""
        parts, length = [], 0
        while length < size and (block := self.read()):
            part, rest = block[: size - length], block[size - length :]
            self._kept = rest or None
            parts.append(part)
            length += len(part)
        return b"".join(parts)

    def _next(self, size: int) -> bytes:
        try:
            block = self._content.read(size)
            if len(block) > self._left or (self._left and not block):
                raise Fault(
                    "content-length",
                    f"the content of {self._blob.digest} is not of {self._blob.size} bytes",
                    expected=f"{self._blob.size} bytes",
                    actual=f"{self._blob.size - self._left + len(block)} bytes",
                )
        except Fault as problem:
            self.fault = problem
            raise
        self._left -= len(block)
        return block


def with_digest(location: str, blob: Descriptor) -> str:
    """An upload's Location with the digest added, its own query kept.

    Source: OCI distribution-spec 1.1, "Pushing Blobs".
    """
    return f"{location}{'&' if '?' in location else '?'}digest={blob.digest}"
