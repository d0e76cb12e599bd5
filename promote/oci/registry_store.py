"""A repository in a registry, over HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from promote.errors import CredentialsFault
from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.model.manifest import MANIFEST_TYPES, OCI_INDEX, Descriptor, Manifest, RawManifest
from promote.model.reference import Repository, check_tag
from promote.oci.answer import (
    answer_of,
    check_content_digest,
    error_code,
    malformed,
    media_type,
    mismatch,
    not_moved,
    not_written,
    unexpected,
)
from promote.oci.blob_uploads import BlobUploads
from promote.oci.checked import CheckedReader
from promote.oci.referrer_list import listed, referrer
from promote.oci.registry import DENIED, UNAUTHORIZED, Registry
from promote.oci.store import Reader
from promote.oci.token import PULL, PUSH
from promote.oci.transfer import Download
from promote.oci.transport import discard
from promote.oci.uploads import Uploads

if TYPE_CHECKING:
    from requests import Response

ACCEPT = {"Accept": ", ".join(MANIFEST_TYPES)}
MAX_REFERRER_PAGES = 100
MAX_REFERRER_BYTES = 16 * 1024 * 1024
MAX_TAG_PAGES = 10_000
MAX_TAG_BYTES = 64 * 1024 * 1024
TAGS_A_PAGE = 1000
"""ECR refuses more."""

_NOT_MOVED = frozenset({400, 403, 405, 409, 412})
"""What a PUT of a tag that exists is answered with where tags are immutable: ECR 400, Artifactory 403, ACR 405, Harbor
412.  Each has other meanings too, so that the tag is looked at.
"""

_UNKNOWN_NAME = frozenset({"NAME_UNKNOWN", "MANIFEST_UNKNOWN"})


class RegistryStore:
    """A `promote.oci.store.Store` on a `Registry`; safe to use from several threads.

    Source of every request: OCI distribution-spec 1.1.
    """

    def __init__(self, registry: Registry, repository: Repository) -> None:
        self._registry = registry
        self._repository = repository
        self._host = registry.host
        self._path = registry.path(repository)
        self._read = registry.access(repository, PULL)
        self._write = registry.access(repository, PUSH)
        self._uploads = BlobUploads(Uploads(registry, self._path, self._write))

    @property
    def repository(self) -> Repository:
        """Which repository this is."""
        return self._repository

    def expect(self, questions: int) -> None:
        """See `Store`."""
        self._registry.connect(questions)

    def check_access(self, *, push: bool) -> None:
        """See `Store`: asks for the API's version, with a token that is good for what is to be done."""
        response = self._registry.ask("GET", f"{self._registry.origin}/v2/", self._write if push else self._read)
        if response.status_code != 200:
            raise unexpected(self._host, response, "GET of /v2/", "200")

    # -- manifests

    def resolve(self, tag: str) -> RawManifest | None:
        """See `Store`.

        A 403 may mean that there is no such tag (Artifactory's virtual repositories).  It is taken for that only where
        the list of tags, which the same credentials may read, does not have it, and never where the answer says DENIED.
        """
        response = self._get(self._checked(tag), UNAUTHORIZED)
        if response.status_code != 403:
            return self._received(response, tag)
        if error_code(response) == "DENIED" or tag in self.tags():
            raise self._registry.auth.refusal(self._read, f"answer {answer_of(response)}")
        return None

    def manifest(self, digest: Digest) -> RawManifest | None:
        """See `Store`."""
        found = self._received(self._get(str(digest)), str(digest))
        if found and not digest.matches(found.content):
            raise mismatch(self._host, digest, found.content)
        return found

    def has_manifest(self, digest: Digest) -> bool:
        """See `Store`."""
        return self._exists(f"manifests/{digest}", digest)

    def put_manifest(self, manifest: RawManifest) -> None:
        """See `Store`; raises `Fault` for a manifest that is malformed."""
        try:
            subject = manifest.parsed.subject
            entry = referrer(manifest) if subject else None
        except Malformed as problem:
            raise malformed(str(self._repository), problem) from None
        ref = str(manifest.digest)
        if subject is None or entry is None:
            self._stored(self._put(ref, manifest), ref, manifest)
            return
        fallback = self._registry.fallback_list(f"{self._path}:{subject.digest.tag}")
        known = self._path in self._registry.without_referrers
        with fallback.on_its_way(subject.digest, self if known else None) as arrived:
            response = self._stored(self._put(ref, manifest), ref, manifest)
            if response.headers.get("OCI-Subject"):
                self._registry.without_referrers.discard(self._path)
                return
            arrived(entry)
        fallback.add(self, subject.digest, entry, str(self._repository))

    def put_tag(self, tag: str, manifest: RawManifest) -> None:
        """See `Store`; a registry that will not move a tag is asked what it names, and right already is right."""
        response = self._put(self._checked(tag), manifest, UNAUTHORIZED)
        if response.status_code in _NOT_MOVED and (there := self.resolve(tag)):
            if there.digest != manifest.digest:
                raise not_moved(self._host, response, f"{self._path}:{tag}", there, manifest)
            return
        if response.status_code == 403:
            raise self._registry.auth.refusal(self._write, f"answer {answer_of(response)}")
        self._stored(response, tag, manifest)

    # -- blobs

    def has_blob(self, digest: Digest) -> bool:
        """See `Store`."""
        return self._exists(f"blobs/{digest}", digest)

    @contextlib.contextmanager
    def open_blob(self, blob: Descriptor) -> Iterator[Reader]:
        """See `Store`; a connection that breaks is taken up again where it broke."""

        def fetch(offset: int) -> Response:
            headers = {"Range": f"bytes={offset}-"} if offset else {}
            return self._registry.stream(self._url(f"blobs/{blob.digest}"), self._read, headers)

        with (
            self._registry.throttle.download(),
            contextlib.closing(Download(fetch, blob, self._host, self._registry.patience)) as download,
        ):
            yield CheckedReader(download, blob, str(self._repository))

    def put_blob(self, blob: Descriptor, content: Reader) -> None:
        """See `Store` and `promote.oci.blob_uploads`."""
        self._uploads.put(blob, content, self.has_blob)

    def mount_blob(self, digest: Digest, source: Repository) -> bool:
        """See `Store`.  A registry that will not mount opens an upload instead, which the next `put_blob` uses."""
        if source.registry != self._repository.registry:
            return False
        access = self._registry.access(self._repository, PUSH, source)
        url = self._url(f"blobs/uploads/?mount={digest}&from={self._registry.path(source)}")
        try:
            response = self._registry.ask("POST", url, access, body=b"")
        except CredentialsFault:
            # Without the right to read the source some registries refuse the whole request (Docker Hub, Harbor).
            # Credentials that are wrong altogether fail again at the upload.
            return False
        if response.status_code == 202 and response.headers.get("Location"):
            self._uploads.keep(digest, response)
        return response.status_code == 201

    # -- lists

    def referrers(self, digest: Digest) -> tuple[Descriptor, ...]:
        """See `Store`.  That a repository has no referrers API is asked once, and the fallback tag with it."""
        if self._path in self._registry.without_referrers:
            return listed(self.resolve(digest.tag), digest, str(self._repository))
        with contextlib.ExitStack() as stack:
            ahead: Future[RawManifest | None] | None = None
            if self._registry.wonders(self._path):
                ahead = stack.enter_context(ThreadPoolExecutor(1, "fallback")).submit(self.resolve, digest.tag)
            found = self._referrers_from_api(digest)
            if found is not None:
                return found
            tagged = ahead.result() if ahead else self.resolve(digest.tag)
        return listed(tagged, digest, str(self._repository))

    def tags(self) -> Iterator[str]:
        """See `Store`."""
        url = self._url(f"tags/list?n={TAGS_A_PAGE}")
        for response in self._registry.pages(url, self._read, most=MAX_TAG_PAGES, most_bytes=MAX_TAG_BYTES):
            if response.status_code == 404:
                return
            if response.status_code != 200:
                raise unexpected(self._host, response, f"the list of tags of {self._path}", "200")
            try:
                tags = strict_json.loads_object(response.content, "list of tags").get("tags") or []
                if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
                    raise Malformed("list of tags", type(tags).__name__, "a list of strings")
                checked = [check_tag(tag) for tag in tags]
            except Malformed as problem:
                raise malformed(self._host, problem) from None
            yield from checked

    # -- requests

    def _url(self, rest: str) -> str:
        return f"{self._registry.origin}/v2/{self._path}/{rest}"

    def _checked(self, tag: str) -> str:
        try:
            return check_tag(tag)
        except Malformed as problem:
            raise malformed(str(self._repository), problem) from None

    def _get(self, ref: str, denied: frozenset[int] = DENIED) -> Response:
        return self._registry.ask("GET", self._url(f"manifests/{ref}"), self._read, headers=ACCEPT, denied=denied)

    def _received(self, response: Response, ref: str) -> RawManifest | None:
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise unexpected(self._host, response, f"GET of {self._path} {ref}", "200")
        check_content_digest(self._host, response, response.content)
        return RawManifest(response.content, media_type(response))

    def _exists(self, rest: str, digest: Digest) -> bool:
        url = self._url(rest)
        response = self._registry.ask("HEAD", url, self._read, headers=ACCEPT, denied=UNAUTHORIZED)
        if response.status_code == 403:
            # Artifactory says so of what is absent, object storage of an address that was signed for GET.  The answer
            # to a GET counts, where 403 is an error: not to know is not to be absent.
            headers = {**ACCEPT, "Range": "bytes=0-0"}
            with self._registry.throttle.download():
                response = self._registry.stream(url, self._read, headers)
                discard(response)
            if response.status_code == 206:
                return True
        said = response.headers.get("Docker-Content-Digest", str(digest)).strip()
        if response.status_code == 200 and (not said.startswith(f"{digest.algorithm}:") or said == str(digest)):
            return True
        if response.status_code == 404:
            return False
        raise unexpected(self._host, response, f"HEAD of {self._path} {digest}", "200 or 404")

    def _put(self, ref: str, manifest: RawManifest, denied: frozenset[int] = DENIED) -> Response:
        url, headers = self._url(f"manifests/{ref}"), {"Content-Type": manifest.media_type}
        return self._registry.ask("PUT", url, self._write, headers=headers, body=manifest.content, denied=denied)

    def _stored(self, response: Response, ref: str, manifest: RawManifest) -> Response:
        if response.status_code != 201:
            raise not_written(self._host, response, self._path, f"PUT of {self._path} {ref}", "201")
        check_content_digest(self._host, response, manifest.content)
        return response

    def _referrers_from_api(self, digest: Digest) -> tuple[Descriptor, ...] | None:
        """What the API lists; None where there is none, which is then remembered.

        A registry that does not know the repository yet says nothing about its API.  A server error is no answer.
        """
        found: dict[Digest, Descriptor] = {}
        url = self._url(f"referrers/{digest}")
        pages = self._registry.pages(url, self._read, most=MAX_REFERRER_PAGES, most_bytes=MAX_REFERRER_BYTES)
        for number, response in enumerate(pages):
            if response.status_code != 200 or media_type(response) not in {OCI_INDEX, "application/json"}:
                if number or (response.status_code >= 500 and response.status_code != 501):
                    raise unexpected(self._host, response, f"the list of referrers of {digest}", "200")
                if error_code(response) not in _UNKNOWN_NAME:
                    self._registry.without_referrers.add(self._path)
                return None
            try:
                children = Manifest.parse(response.content, OCI_INDEX).children
            except Malformed as problem:
                raise malformed(self._host, problem) from None
            found.update((child.digest, child) for child in children if child.digest not in found)
        return tuple(found.values())
