"""Upload sessions: one POST, one PUT of the whole, and DELETE for those that come to nothing.

Where one request may not be that large the whole goes in chunks, see `promote.oci.chunks`.
Source: OCI distribution-spec 1.1, "Pushing blobs", monolithic upload in two requests.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promote.errors import Fault
from promote.model.manifest import Descriptor
from promote.oci.answer import not_written, unexpected
from promote.oci.registry import Registry
from promote.oci.token import Access
from promote.oci.transfer import UploadBody, with_digest

if TYPE_CHECKING:
    from requests import Response

TOO_LARGE = frozenset({413, 416})
"""What a body that is too large for one request is answered with, by a proxy (413) or a registry (GHCR: 416)."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open upload.  `location` is where it goes on, `least` how many bytes a chunk needs that is not the last."""

    location: str
    least: int = 0


@dataclass(frozen=True)
class Uploads:
    """The sessions of the repository at `path`, which `access` lets write."""

    registry: Registry
    path: str
    access: Access

    def start(self) -> Session:
        """A new session; raises `Fault` or `CredentialsFault`."""
        url = f"{self.registry.origin}/v2/{self.path}/blobs/uploads/"
        response = self.registry.ask("POST", url, self.access, body=b"")
        if response.status_code != 202 or not response.headers.get("Location"):
            doing = f"the start of an upload to {self.path}"
            raise not_written(self.registry.host, response, self.path, doing, "202 and a Location")
        return self.opened(response)

    def opened(self, response: Response) -> Session:
        """The session that `response` opens, which has a Location; raises `Fault` for one that nobody should follow.

        Source: distribution-spec 1.1, "Pushing a blob in chunks", OCI-Chunk-Min-Length.
        """
        least = response.headers.get("OCI-Chunk-Min-Length", "")
        location = self.registry.target(response, response.headers["Location"])
        return Session(location, int(least[:15]) if least.isascii() and least.isdigit() else 0)

    def finish(self, session: Session, blob: Descriptor, body: UploadBody) -> Fault | None:
        """The PUT; None when the blob is stored, else what the registry said instead.

        Raises `Transient` where what was sent may arrive when it is sent again.
        """
        response = self._put(session.location, blob, body.sendable())
        if response.status_code in TOO_LARGE:
            return self.too_large(response, blob)
        return self._result(response, blob)

    def commit(self, location: str, blob: Descriptor) -> Fault | None:
        """The PUT after the last chunk, without a body; None when the blob is stored."""
        return self._result(self._put(location, blob, b""), blob)

    def too_large(self, response: Response, blob: Descriptor) -> Fault:
        """The error for a body that was too large for one request."""
        host = self.registry.host
        return Fault(
            "upload-too-large",
            f"{host} answers {response.status_code} to {blob.size} bytes of {blob.digest}, expected it to take them",
            expected="201",
            actual=str(response.status_code),
            hint=f"raise the limit of a request's body at {host} or at the proxy before it",
        )

    def cancel(self, location: str) -> None:
        """End a session that will not be finished, so that the registry need not keep it; best effort."""
        with contextlib.suppress(Fault):
            self.registry.ask("DELETE", location, self.access)

    def _put(self, location: str, blob: Descriptor, body: UploadBody | bytes) -> Response:
        headers = {"Content-Type": "application/octet-stream"}
        return self.registry.send("PUT", with_digest(location, blob), self.access, headers=headers, body=body)

    def _result(self, response: Response, blob: Descriptor) -> Fault | None:
        if response.status_code == 201:
            return None
        return unexpected(self.registry.host, response, f"the upload of {blob.digest} to {self.path}", "201")
