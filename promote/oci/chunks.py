"""A blob in chunks, for where the whole is too large for one request.

Source: OCI distribution-spec 1.1, "Pushing a blob in chunks".
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from promote.errors import Fault
from promote.model.manifest import Descriptor
from promote.oci.answer import unexpected
from promote.oci.retry import ATTEMPTS, retrying
from promote.oci.transfer import UploadBody
from promote.oci.uploads import TOO_LARGE, Session, Uploads

if TYPE_CHECKING:
    from requests import Response

CHUNK = 8 * 1024 * 1024
"""Bytes of a chunk to begin with: ECR takes none below 5 MiB but the last, GHCR none above 4 MiB and says so (416)."""

SMALLEST = 256 * 1024
MOST = 64 * 1024 * 1024
"""A registry that wants larger chunks is sent none: a chunk is kept in memory until it arrived."""

_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,15})")


class ChunkedUpload:
    """The upload of one blob.  `size` is that of a chunk; it is smaller afterwards where one was too large."""

    def __init__(self, uploads: Uploads, session: Session, blob: Descriptor, size: int) -> None:
        self._uploads = uploads
        self._least = max(session.least, SMALLEST)
        self._blob = blob
        self._sent = 0
        self.size = max(size, self._least)
        self.location = session.location

    def send(self, body: UploadBody) -> Fault | None:
        """All of `body`, then the PUT; None when the blob is stored, else what the registry said instead.

        Raises `Fault`, and `Transient` where it may arrive when it is sent again from the beginning.
        """
        if self._least > MOST:
            return Fault(
                "chunk-too-large",
                f"{self._uploads.registry.host} wants chunks of {self._least} bytes, expected at most {MOST}",
                expected=f"at most {MOST} bytes",
                actual=f"{self._least} bytes",
            )
        while chunk := body.piece(self.size):
            if problem := self._chunk(chunk):
                return problem
        return self._uploads.commit(self.location, self._blob)

    def _chunk(self, chunk: bytes) -> Fault | None:
        """One chunk, in pieces where it is too large for one request."""
        start, end, resyncs = self._sent, self._sent + len(chunk), 0
        while self._sent < end:
            before = self._sent
            response = retrying(self._sending(start, chunk))
            if response is None:
                continue
            if response.status_code == 416:  # out of step with us, or (GHCR) too large
                self._look(start, end)
                resyncs += self._sent != before
                if self._sent != before and resyncs <= ATTEMPTS:
                    continue
            if response.status_code not in TOO_LARGE:
                return unexpected(self._uploads.registry.host, response, f"a chunk of {self._blob.digest}", "202")
            if self.size // 2 < self._least:
                return self._uploads.too_large(response, self._blob)
            self.size //= 2
        return None

    def _sending(self, start: int, chunk: bytes) -> Callable[[], Response | None]:
        """An act that sends the next piece of `chunk`, which begins at `start`.

        Called again, it looks first what arrived.  It gives None for what was taken, else the answer.
        """
        looked = [True]

        def send() -> Response | None:
            if not looked[0]:
                self._look(start, start + len(chunk))
            looked[0] = False
            done = self._sent - start
            return self._patch(chunk[done : done + self.size]) if done < len(chunk) else None

        return send

    def _patch(self, piece: bytes) -> Response | None:
        first, registry = self._sent, self._uploads.registry
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{first}-{first + len(piece) - 1}",
        }
        # As a stream, so that no timeout is for all of it, and that it is looked for before it is sent again.
        body = io.BytesIO(piece)
        response = registry.send("PATCH", self.location, self._uploads.access, headers=headers, body=body)
        if response.status_code not in {201, 202}:  # ECR says 201
            return response
        # Its Range is not believed, because ECR's is stale: whether all arrived is told by the digest in the end.
        self._sent += len(piece)
        self._follow(response)
        return None

    def _look(self, start: int, end: int) -> None:
        """Ask how much arrived, and go on from there; raises `Fault` (resendable) where that is not from `start` on."""
        registry = self._uploads.registry
        response = registry.send("GET", self.location, self._uploads.access)
        found = _RANGE.fullmatch(response.headers.get("Range", ""))
        # 0-0 is said of an upload that has nothing, too: there is no shorter range.
        there = 0 if found is None or found[1] == "0" else int(found[1]) + 1
        if response.status_code != 204 or not start <= there <= end:
            raise Fault(
                "upload-broken",
                f"{registry.host} has lost what it had of {self._blob.digest}: got {there} bytes, expected {start}",
                expected=f"{start} bytes",
                actual=f"{there} bytes",
                hint="run the same command again; what has arrived is not sent again",
            )
        self._sent = there
        self._follow(response)

    def _follow(self, response: Response) -> None:
        if location := response.headers.get("Location"):
            self.location = self._uploads.registry.target(response, location)
