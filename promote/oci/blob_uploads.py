"""Blobs sent to one repository: whole or in chunks, looked for where it is unclear what came of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from promote.errors import CredentialsFault, Fault
from promote.model.digest import Digest
from promote.model.manifest import Descriptor
from promote.oci.chunks import CHUNK, SMALLEST, ChunkedUpload
from promote.oci.retry import Transient
from promote.oci.store import Reader
from promote.oci.transfer import UploadBody
from promote.oci.uploads import Session, Uploads

if TYPE_CHECKING:
    from requests import Response


class BlobUploads:
    """The uploads of one store; safe to use from several threads, each for another blob."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads
        self._registry = uploads.registry
        self._opened: dict[Digest, Session] = {}
        self._renewed: set[Digest] = set()

    def keep(self, digest: Digest, response: Response) -> None:
        """Use the session that `response`, which has a Location, has opened for the next upload of `digest`."""
        self._opened[digest] = self._uploads.opened(response)

    def put(self, blob: Descriptor, content: Reader, is_there: Callable[[Digest], bool]) -> None:
        """One POST, one PUT of the whole; in chunks once a whole was too large for one request.

        Where it is unclear what came of it, `is_there` is asked.  Raises as `promote.oci.store.Store.put_blob`.
        """
        session = self._opened.pop(blob.digest, None) or self._uploads.start()
        body = UploadBody(content, blob)
        try:
            body.prepare()
            problem = self._send(session, blob, body)
        except Transient as broken:
            problem = self._resendable(broken.fault, blob)
        except CredentialsFault:
            raise
        except Fault as fault:
            if body.fault:
                self._uploads.cancel(session.location)
                raise body.fault from None
            problem = fault
        if problem and not is_there(blob.digest):
            raise problem

    def _send(self, session: Session, blob: Descriptor, body: UploadBody) -> Fault | None:
        """None when the blob is stored, else why not."""
        size = self._registry.chunk
        if size is None or blob.size <= size:
            problem = self._uploads.finish(session, blob, body)
            if problem and problem.code == "upload-too-large" and blob.size > SMALLEST:
                # From here on in chunks: this blob when it is sent again, and those after it.
                self._registry.chunk = min(size or CHUNK, max(blob.size // 2, SMALLEST))
                return _with_code("upload-in-chunks", problem)
            return problem
        chunked = ChunkedUpload(self._uploads, session, blob, size)
        problem = chunked.send(body)
        self._registry.chunk = min(size, chunked.size)
        return problem

    def _resendable(self, fault: Fault, blob: Descriptor) -> Fault:
        """`fault` as one that sending all of `blob` again may mend; credentials are renewed once a blob."""
        if not isinstance(fault, CredentialsFault):
            return _with_code("upload-broken", fault)
        if blob.digest in self._renewed:
            return fault
        self._renewed.add(blob.digest)
        return CredentialsFault(
            "credentials-expired", fault.message, expected=fault.expected, actual=fault.actual, hint=fault.hint
        )


def _with_code(code: str, fault: Fault) -> Fault:
    return Fault(code, fault.message, expected=fault.expected, actual=fault.actual, hint=fault.hint)
