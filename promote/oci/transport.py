"""HTTP as promote speaks it: timeouts, redirects by hand, and credentials to their own origin only."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import requests
import urllib3
from requests.adapters import HTTPAdapter

from promote.errors import Fault, Misuse
from promote.model.malformed import shown
from promote.oci.challenge import is_loopback
from promote.oci.connecting import Opener, TlsPool
from promote.oci.patience import Pace, Patience
from promote.oci.retry import connection_problem
from promote.oci.store import BLOCK

if TYPE_CHECKING:
    from requests import Response

Body = Any
"""What is sent: bytes, or an object with `read` and `__len__`."""

MAX_REDIRECTS = 5
POOL = 32
"""How many connections to one origin are kept."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Transport:
    """A requests session for what one registry leads to.  `host` names the registry in errors.

    The session's own reading of the environment is off, because it takes netrc for a Bearer's better (requests
    `trust_env`); proxies and CA bundles are read from `environ` here.
    """

    def __init__(
        self, session: requests.Session, host: str, ca: Path | None, environ: Mapping[str, str], patience: Patience
    ) -> None:
        session.trust_env = False
        session.headers.clear()
        session.headers.update({"User-Agent": "promote", "Accept-Encoding": "identity"})
        self._adapter = _Adapter(_trust(ca) if ca else None)
        session.mount("https://", self._adapter)
        session.mount("http://", self._adapter)
        self._opener = Opener()
        self._session = session
        self._host = host
        self.patience = patience
        self._proxies = _proxies(environ)
        self._no_proxy = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
        bundle = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or environ.get("SSL_CERT_FILE")
        self._verify: str | bool = bundle or True

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        body: Body = None,
        authorization: str | None = None,
        follow: bool = True,
    ) -> Response:
        """The answer to one request, its body not read yet; redirects of GET and HEAD are followed where `follow`.

        `authorization` goes to the origin of `url` and nowhere else, and is not sent again once a redirect left it.
        Raises `Transient` for a broken connection, `Fault` for one that cannot be made, for a redirect from HTTPS to
        HTTP, for more than `MAX_REDIRECTS`, and for an answer in a content encoding, which nobody asked for.
        """
        sent = dict(headers)
        if authorization:
            sent["Authorization"] = authorization
        for _ in range(MAX_REDIRECTS + 1):
            response = self._once(method, url, sent, body)
            location = response.headers.get("Location", "")
            if response.status_code not in REDIRECTS or not follow or method not in {"GET", "HEAD"} or not location:
                self._refuse_encoding(method, response)
                return response
            discard(response)
            target = self.target(url, location)
            if origin_of(target) != origin_of(url):
                sent = {name: value for name, value in sent.items() if name in {"Accept", "Range"}}
            url = target
        raise Fault(
            "too-many-redirects",
            f"{self._host} redirects more than {MAX_REDIRECTS} times",
            expected=f"at most {MAX_REDIRECTS} redirects",
        )

    def connect(self, url: str, count: int) -> None:
        """Begin to open connections to the origin of `url` until `count` wait to be used; raises nothing.

        Whoever uses one finds out what is wrong with it.  Through a proxy nothing is opened.
        """
        if self._proxies_for(url):
            return
        with contextlib.suppress(OSError, urllib3.exceptions.HTTPError):
            self._opener.open(self._adapter.pool(url, self._verify), min(count, POOL), self.patience)

    def target(self, url: str, location: str) -> str:
        """Where `location`, an answer to a request to `url`, leads; raises `Fault` where nobody should follow."""
        try:
            target = urljoin(url, location).partition("#")[0]
            parts = urlsplit(target)
            usable = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        except ValueError:
            target, parts, usable = "", urlsplit(""), False
        plain_enough = parts.scheme == "https" or (parts.scheme == "http" and url.startswith("http://"))
        if not usable or not plain_enough or not (target.isascii() and target.isprintable() and " " not in target):
            shape = f"{parts.scheme}://{parts.hostname}"
            raise Fault(
                "unsafe-redirect",
                f"{self._host} leads to {shown(shape)}, expected an address that is as safe as {origin_of(url)}",
                expected=f"an address that is as safe as {origin_of(url)}",
                actual=shown(shape),
            )
        return target

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: Body) -> Response:
        request = self._session.prepare_request(requests.Request(method, url, headers=dict(headers), data=body))
        request.url = url  # as given: requests rewrites escapes, and some upload addresses are signed
        # urllib3 lets the time to connect count for each block that is sent, too.
        connect = self.patience.idle if body else self.patience.connect
        try:
            # Not by `Session.send`: told to follow no redirect it still reads the body of one, whole and unpacked.
            return self._session.get_adapter(url).send(
                request,
                stream=True,
                timeout=(connect, self.patience.idle),
                verify=self._verify,
                proxies=self._proxies_for(url),
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as problem:
            raise connection_problem(self._host, url, problem) from None

    def _proxies_for(self, url: str) -> dict[str, str]:
        """As Go's tools have it: a proxy from the environment, never for this machine."""
        netloc = urlsplit(url).netloc
        if is_loopback(netloc) or proxy_bypass_environment(netloc, {"no": self._no_proxy}):
            return {}
        return self._proxies

    def _refuse_encoding(self, method: str, response: Response) -> None:
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if method != "HEAD" and response.ok and encoding not in {"identity", ""}:
            response.close()
            raise Fault(
                "content-encoding",
                f"{self._host} answers in the content encoding {shown(encoding, 40)}, expected the bytes themselves",
                expected="identity",
                actual=shown(encoding, 40),
                hint=f"look for a proxy between here and {self._host} that compresses",
            )


def origin_of(url: str) -> str:
    """Scheme, host and port of `url`, in one spelling: what may see credentials that belong to `url`."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def blocks_of(response: Response, size: int = BLOCK) -> Iterator[bytes]:
    """The body as it comes, not decoded, in blocks of at most `size` bytes; raises what urllib3 raises.

    What was received is handed out and not waited with: so a body that creeps is seen to.
    """
    while block := response.raw.read1(size, decode_content=False):
        yield block


def discard(response: Response) -> None:
    """Be done with an answer; its connection is kept when the body is short."""
    with contextlib.suppress(urllib3.exceptions.HTTPError, OSError):
        response.raw.read1(BLOCK, decode_content=False)
    response.close()


def read_capped(response: Response, limit: int, host: str, patience: Patience) -> bytes:
    """The whole body, for which there is `patience`.

    Raises `Fault` where it has more than `limit` bytes or creeps, `Transient` where the connection breaks.
    """
    parts, size = [], 0
    pace, before = Pace(patience, host, "an answer"), patience.clock.now()
    try:
        for block in blocks_of(response):
            size += len(block)
            now = patience.clock.now()
            pace.moved(len(block), now - before)
            before = now
            if size > limit:
                raise Fault(
                    "answer-too-large",
                    f"{host} answers with more than {limit} bytes where at most that many are expected",
                    expected=f"at most {limit} bytes",
                )
            parts.append(block)
    except (urllib3.exceptions.HTTPError, OSError) as problem:
        raise connection_problem(host, response.url, problem) from None
    finally:
        response.close()
    return b"".join(parts)


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for scheme in ("http", "https"):
        for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"):
            if value := environ.get(name):
                found.setdefault(scheme, value)
    return found


def _trust(ca: Path) -> ssl.SSLContext:
    context = urllib3.util.ssl_.create_urllib3_context()
    try:
        context.load_verify_locations(cafile=str(ca))
    except (OSError, ssl.SSLError) as problem:
        raise Misuse(
            "ca-unusable",
            f"the CA bundle {ca} cannot be used: {problem.strerror or 'it holds no certificate in PEM'}",
            hint="let `ca` name a file of certificates in PEM",
        ) from None
    return context


class _Adapter(HTTPAdapter):
    """Blocks of 256 KiB where http.client takes 16, and a CA bundle that is trusted beside the usual ones."""

    def __init__(self, trust: ssl.SSLContext | None) -> None:
        self._extra: dict[str, Any] = {"blocksize": BLOCK, **({"ssl_context": trust} if trust else {})}
        super().__init__(pool_connections=16, pool_maxsize=POOL, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:  # noqa: FBT001, FBT002
        super().init_poolmanager(connections, maxsize, block, **options, **self._extra)
        self.poolmanager.pool_classes_by_scheme = {**self.poolmanager.pool_classes_by_scheme, "https": TlsPool}

    def pool(self, url: str, verify: str | bool) -> urllib3.HTTPConnectionPool:  # noqa: FBT001 - as requests has it
        """The connections to the origin of `url`, set up as requests does it before each request."""
        pool: Any = self.get_connection_with_tls_context(requests.Request("GET", url).prepare(), verify)
        self.cert_verify(pool, url, verify, None)  # type: ignore[no-untyped-call]
        found: urllib3.HTTPConnectionPool = pool
        return found

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, **self._extra)
