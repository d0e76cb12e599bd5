"""One registry: oras-py's client, with what it gets wrong for a promotion done right.

oras-py 0.2.43 reads whole blobs into memory, writes manifests anew, sends a Bearer wherever a Location leads, and
sleeps 131 s over a wrong password.  Its methods make every request through `do_request`, which is replaced here.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import oras.provider

from promote.errors import Fault
from promote.model.configuration import RegistryOptions
from promote.model.malformed import Malformed, shown
from promote.model.manifest import MAX_MANIFEST_BYTES
from promote.model.reference import Repository
from promote.oci.answer import answer_of, malformed, unexpected
from promote.oci.challenge import is_loopback
from promote.oci.credentials import DOCKER_HUB, find_credential
from promote.oci.fallback import FallbackList
from promote.oci.patience import Patience
from promote.oci.retry import BUSY, RETRIED, Transient, retry_after, retrying
from promote.oci.throttle import Throttle
from promote.oci.token import PULL, PUSH, Access, Authenticator
from promote.oci.transport import Body, Transport, origin_of, read_capped

if TYPE_CHECKING:
    from requests import Response

DOCKER_HUB_ENDPOINT = "registry-1.docker.io"
UNAUTHORIZED = frozenset({401})
DENIED = frozenset({401, 403})

_REPOSITORY_URL = re.compile(r"/v2/(?P<path>.+)/(?:manifests|blobs|tags|referrers)/.*")


class Registry(oras.provider.Registry):  # type: ignore[misc]
    """The client of one host; safe to use from several threads.

    `host` is ``host[:port]`` as references have it.  `environ` is where credentials, proxies and CA bundles are found.
    """

    def __init__(self, host: str, options: RegistryOptions, environ: Mapping[str, str], patience: Patience) -> None:
        plain = is_loopback(host) if options.plain_http is None else options.plain_http
        super().__init__(hostname=host, insecure=plain)
        self.host = host
        self.origin = f"{self.prefix}://{DOCKER_HUB_ENDPOINT if host == DOCKER_HUB else host}"
        self.patience = patience
        self._most = options.concurrency
        self.throttle = Throttle(options.concurrency, options.rate, patience.clock)
        self._transport = Transport(self.session, host, options.ca, environ, patience)
        self.auth = Authenticator(
            host, self.origin, self._transport, self.throttle, lambda wanted: find_credential(wanted, environ)
        )
        self.without_referrers: set[str] = set()
        """Repository paths that were found to have no referrers API."""
        self._wondered: set[str] = set()
        self.chunk: int | None = None
        """How many bytes a request may have, where a whole blob was found to be too large; None where none was."""
        self._lock = threading.Lock()
        self._fallback_lists: dict[str, FallbackList] = {}

    def close(self) -> None:
        """Close every connection; who still waits for a turn gives up."""
        self.throttle.close()
        self.session.close()

    def connect(self, count: int) -> None:
        """Begin to open connections until `count` wait to be used, or as many as there may be requests at a time."""
        self._transport.connect(self.origin, count if self._most is None else min(count, self._most))

    def path(self, repository: Repository) -> str:
        """The path of `repository` in URLs; Docker Hub keeps one-part names under ``library``."""
        official = self.host == DOCKER_HUB and "/" not in repository.path
        return f"library/{repository.path}" if official else repository.path

    def access(self, repository: Repository, actions: str, source: Repository | None = None) -> Access:
        """What a request to `repository` needs; `source` is another repository here that it takes a blob from."""
        return Access(repository, self.path(repository), actions, self.path(source) if source else None)

    def wonders(self, path: str) -> bool:
        """Whether nobody knows yet if the repository at `path` has the referrers API: true once, for who asks first."""
        with self._lock:
            first = path not in self._wondered
            self._wondered.add(path)
        return first

    def fallback_list(self, name: str) -> FallbackList:
        """The one writer in this process of the fallback tag `name` (``path:tag``)."""
        with self._lock:
            return self._fallback_lists.setdefault(name, FallbackList())

    def do_request(  # noqa: PLR0917 - the signature is oras's
        self,
        url: str,
        method: str = "GET",
        data: Body = None,
        headers: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
        stream: bool = False,  # noqa: FBT001, FBT002
    ) -> Response:
        """The door of oras's own methods, see `ask`; a `json` body is refused, for it would be written anew."""
        if json is not None:
            raise Fault("not-raw", "a body must be given as the bytes to send")
        match = _REPOSITORY_URL.fullmatch(urlsplit(url).path)
        try:
            repository = Repository(self.host, match["path"] if match else "unnamed")
        except Malformed as problem:
            raise malformed(self.host, problem) from None
        access = Access(repository, repository.path, PULL if method in {"GET", "HEAD"} else PUSH)
        if stream:
            return self.stream(url, access, headers or {})
        return self.ask(method, url, access, headers=headers or {}, body=data)

    def ask(
        self,
        method: str,
        url: str,
        access: Access,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        follow: bool = True,
        denied: frozenset[int] = DENIED,
    ) -> Response:
        """The answer to one request, its body read, of any status but those that are errors here.

        Raises `CredentialsFault` for the statuses `denied`, `Fault` for a registry that is not reached or still busy
        after a few tries.
        """
        return retrying(
            lambda: self.send(method, url, access, headers=headers, body=body, follow=follow, denied=denied)
        )

    def send(
        self,
        method: str,
        url: str,
        access: Access,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        follow: bool = True,
        denied: frozenset[int] = DENIED,
    ) -> Response:
        """As `ask`, tried once: raises `Transient` for what may pass.

        That includes credentials that ran out while `body`, a stream, was sent: there are new ones now.
        """
        with self.throttle.request():
            response = self._authorised(method, url, dict(headers or {}), access, body, denied, follow=follow)
            self._read(response)
        self._check_busy(response, method, url)
        return response

    def stream(self, url: str, access: Access, headers: Mapping[str, str]) -> Response:
        """The answer to a GET, its body unread; who asks holds a slot of `throttle` until it is.  Raises as `ask`."""

        def once() -> Response:
            self.throttle.begin()
            response = self._authorised("GET", url, dict(headers), access, None, DENIED, follow=True)
            if response.status_code in RETRIED:
                self._read(response)
                self._check_busy(response, "GET", url)
            return response

        return retrying(once)

    def pages(self, url: str, access: Access, *, most: int, most_bytes: int) -> Iterator[Response]:
        """The answers to a GET of a list and of each page that a Link names next, whatever their status.

        Raises `Fault` for a page on another host, one that was there before, and more than `most` pages or bytes.
        """
        seen: set[str] = set()
        size = 0
        while True:
            seen.add(url)
            response = self.ask("GET", url, access, follow=False)
            size += len(response.content)
            if len(seen) > most or size > most_bytes:
                raise Fault(
                    "list-too-long",
                    f"{self.host} lists more than {most} pages or {most_bytes} bytes for {access.path}",
                    expected=f"at most {most} pages and {most_bytes} bytes",
                )
            yield response
            link = response.links.get("next", {}).get("url")
            if not link:
                return
            url = self._transport.target(url, link)
            if origin_of(url) != origin_of(self.origin) or url in seen:
                raise Fault(
                    "unsafe-page",
                    f"{self.host} continues a list at {shown(origin_of(url))}, expected a new page of its own",
                    expected=f"a new page of {self.host}",
                    actual=shown(origin_of(url)),
                )

    def target(self, response: Response, location: str) -> str:
        """Where a Location in `response` leads; raises `Fault` where nobody should follow."""
        return self._transport.target(response.url, location)

    def _authorised(  # noqa: PLR0917 - what `ask` was given
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        access: Access,
        body: Body,
        denied: frozenset[int],
        *,
        follow: bool,
    ) -> Response:
        """One exchange: credentials are sent where they belong, and after a 401 asked for and sent once more."""
        own = origin_of(url) == origin_of(self.origin)
        whole = body is None or isinstance(body, bytes)
        authorization = self.auth.header(access) if own else None
        response = self._transport.send(method, url, headers, body=body, authorization=authorization, follow=follow)
        if self._is_denied(response, UNAUTHORIZED):
            offered = response.headers.get("WWW-Authenticate", "")
            self._read(response)
            authorization = self.auth.renew(access, offered, authorization)
            if not whole:
                raise Transient(self.auth.refusal(access, f"answer {answer_of(response)}"))
            response = self._transport.send(method, url, headers, body=body, authorization=authorization, follow=follow)
        if self._is_denied(response, denied):
            self._read(response)
            raise self.auth.refusal(access, f"answer {answer_of(response)}")
        return response

    def _read(self, response: Response) -> None:
        """Read the body, up to the size of a manifest."""
        # requests keeps a body here once it was read; its own way of reading it knows no limit.
        response._content = read_capped(response, MAX_MANIFEST_BYTES, self.host, self.patience)  # noqa: SLF001

    def _check_busy(self, response: Response, method: str, url: str) -> None:
        """Raise `Transient` where the answer may be another one soon; a Retry-After pauses the whole host."""
        if response.status_code not in RETRIED:
            return
        if response.status_code in BUSY and (seconds := retry_after(response.headers)) is not None:
            self.throttle.pause(seconds)
        raise Transient(unexpected(self.host, response, f"{method} {shown(urlsplit(url).path)}", "an answer"))

    def _is_denied(self, response: Response, statuses: frozenset[int]) -> bool:
        """Whether this registry itself, and not where it redirected to, wants other credentials."""
        return response.status_code in statuses and origin_of(response.url) == origin_of(self.origin)
