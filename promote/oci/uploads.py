"""Upload sessions: one POST, one PUT of the whole, and DELETE for those that come to nothing.

Source: OCI distribution-spec 1.1, "Pushing blobs", monolithic upload in two requests.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from promote.errors import Fault
from promote.model.manifest import Descriptor
from promote.oci.answer import not_written, unexpected
from promote.oci.registry import Registry
from promote.oci.token import Access
from promote.oci.transfer import UploadBody, with_digest


@dataclass(frozen=True)
class Uploads:
    """The sessions of the repository at `path`, which `access` lets write."""

    registry: Registry
    path: str
    access: Access

    def start(self) -> str:
        """The location of a new session; raises `Fault` or `CredentialsFault`."""
        url = f"{self.registry.origin}/v2/{self.path}/blobs/uploads/"
        response = self.registry.ask("POST", url, self.access, body=b"")
        location = response.headers.get("Location")
        if response.status_code != 202 or not location:
            doing = f"the start of an upload to {self.path}"
            raise not_written(self.registry.host, response, self.path, doing, "202 and a Location")
        return self.registry.target(response, location)

    def finish(self, location: str, blob: Descriptor, body: UploadBody) -> Fault | None:
        """The PUT; None when the blob is stored, else what the registry said instead."""
        headers = {"Content-Type": "application/octet-stream"}
        url = with_digest(location, blob)
        response = self.registry.ask("PUT", url, self.access, headers=headers, body=body.sendable())
        if response.status_code == 201:
            return None
        return unexpected(self.registry.host, response, f"the upload of {blob.digest} to {self.path}", "201")

    def cancel(self, location: str) -> None:
        """End a session that will not be finished, so that the registry need not keep it; best effort."""
        with contextlib.suppress(Fault):
            self.registry.ask("DELETE", location, self.access)
