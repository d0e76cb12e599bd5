"""A strict, scriptable OCI registry on 127.0.0.1, in this process and in memory.

    with RegistryServer(referrers=False, auth="token") as server:
        load_layout(layout_directory, server, "acme/web")
        ...                             # talk to server.address, plain HTTP
        assert server.count("PUT", "/blobs/uploads/") == 3

It keeps to distribution-spec 1.1 and is strict where real registries differ: a body needs its Content-Length, a PUT is
committed only when all of it came and has its digest, a manifest is refused while a blob or child of it is missing, and
a manifest is served only to who accepts its media type.

`faults` are hooks that see each request before it is handled and may answer in the registry's stead (`Answer`), close
the connection (`Drop`), or change what the registry answers (`Tamper`).  The first hook that returns something wins.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import json
import re
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
BLOCK = 256 * 1024

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_NAME = r"(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
_ROUTES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("base", re.compile(r"/v2/")),
    ("token", re.compile(r"/token")),
    ("tags", re.compile(rf"/v2/{_NAME}/tags/list")),
    ("manifest", re.compile(rf"/v2/{_NAME}/manifests/(?P<ref>[A-Za-z0-9_][A-Za-z0-9._:-]*)")),
    ("referrers", re.compile(rf"/v2/{_NAME}/referrers/(?P<ref>[a-z0-9]+:[0-9a-f]+)")),
    ("uploads", re.compile(rf"/v2/{_NAME}/blobs/uploads/?")),
    ("upload", re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<ref>[0-9a-f]{{32}})")),
    ("blob", re.compile(rf"/v2/{_NAME}/blobs/(?P<ref>[a-z0-9]+:[0-9a-f]+)")),
)


@dataclass(frozen=True)
class Request:
    """One request as it came.  `target` is path and query, `headers` has lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What to answer.  An iterable `body` is sent as it comes; it needs a Content-Length among the headers."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""


@dataclass(frozen=True)
class Drop:
    """Close the connection without an answer."""


@dataclass(frozen=True)
class Tamper:
    """Let the registry answer, and change that: headers (None removes one), the body, or cut it after `cut` bytes.

    `silent`: what was asked for is done, and then the connection closes without an answer.
    """

    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: Callable[[bytes], bytes] | None = None
    cut: int | None = None
    silent: bool = False


Hook = Callable[[Request], "Answer | Drop | Tamper | None"]


def once(hook: Hook, times: int = 1) -> Hook:
    """`hook`, but it has something to say only the first `times` times."""
    lock, left = threading.Lock(), [times]

    def limited(request: Request) -> Answer | Drop | Tamper | None:
        with lock:
            said = hook(request) if left[0] > 0 else None
            left[0] -= said is not None
        return said

    return limited


def when(method: str, part: str, said: Answer | Drop | Tamper) -> Hook:
    """A hook that says `said` to every `method` request whose target contains `part`."""
    return lambda request: said if request.method == method and part in request.target else None


@dataclass(frozen=True)
class Repeated:
    """A large blob that takes no memory: `block` again and again, `size` bytes in all."""

    block: bytes
    size: int

    @property
    def digest(self) -> str:
        found = hashlib.sha256()
        for part in self.blocks(0):
            found.update(part)
        return f"sha256:{found.hexdigest()}"

    def blocks(self, start: int) -> Iterator[bytes]:
        while start < self.size:
            part = self.block[start % len(self.block) :][: self.size - start]
            start += len(part)
            yield part


@dataclass
class Repository:
    """What one repository holds.  Digests are text; a manifest is its media type and its bytes."""

    blobs: dict[str, bytes | Repeated] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)

    def add_blob(self, content: bytes) -> str:
        """Put `content` in without a request; its digest."""
        self.blobs[digest := digest_of(content)] = content
        return digest

    def add_manifest(self, content: bytes, media_type: str, tag: str | None = None) -> str:
        """Put a manifest in without a request and without a check; its digest."""
        self.manifests[digest := digest_of(content)] = (media_type, content)
        if tag:
            self.tags[tag] = digest
        return digest

    def referrers(self, subject: str) -> list[dict[str, Any]]:
        """The descriptors of what names `subject`, in the order of their digests."""
        found = []
        for digest, (media_type, content) in sorted(self.manifests.items()):
            document = json.loads(content)
            if (document.get("subject") or {}).get("digest") == subject:
                found.append(referrer_descriptor(document, digest, media_type, len(content)))
        return found


class RegistryServer:
    """The registry; a context manager that listens while it is entered.  Every option may be changed while it runs."""

    def __init__(
        self,
        *,
        referrers: bool = True,
        auth: Literal["basic", "token"] | None = None,
        username: str = "promoter",
        password: str = "right-password",
        anonymous_pull: bool = False,
        identity_token: str | None = None,
        token_lifetime: int = 300,
        mount: bool = True,
        absolute_locations: bool = False,
        page_size: int = 100,
        forget_above: int | None = None,
        headers: Mapping[str, str] | None = None,
        realm: str | None = None,
        scope: str | None = None,
        one_scope: bool = False,
        create_on_push: bool = True,
        patch_status: int = 202,
        immutable: Answer | None = None,
        storage: str | None = None,
        faults: Iterable[Hook] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.referrers = referrers
        self.auth = auth
        self.username, self.password = username, password
        self.anonymous_pull = anonymous_pull
        self.identity_token = identity_token
        self.token_lifetime = token_lifetime
        self.mount = mount
        self.absolute_locations = absolute_locations
        self.page_size = page_size
        self.forget_above = forget_above
        """Uploads larger than this many bytes are checked and then only remembered: served again they are zeros."""
        self.headers = dict(headers or {})
        """Sent with every answer."""
        self.realm = realm
        """Where tokens are to be had when that is not here; who gives them out shares `tokens` with this registry."""
        self.scope = scope
        """What a challenge says instead of the scope that is needed."""
        self.one_scope = one_scope
        """Of several scopes in one request for a token only the last is granted."""
        self.create_on_push = create_on_push
        """Whether a push makes its repository; otherwise `repository` must have been called for it."""
        self.patch_status = patch_status
        self.immutable = immutable
        """What a PUT of a tag that exists is answered with; None where tags move."""
        self.storage = storage
        """The URL of who hands out the blobs, to whom leads a `signed` address; None where they come from here."""
        self.faults: list[Hook] = list(faults)
        self.repositories: dict[str, Repository] = {}
        self.tokens: dict[str, tuple[float, set[tuple[str, str]]]] = {}
        self.requests: list[Request] = []
        self.connections = 0
        """How many were ever opened."""
        self.at_once = 0
        self.most_at_once = 0
        """How many requests are, and at most ever were, between their arrival and the last bytes of their answer."""
        self.lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.registry = self
        self.scheme = "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address}"

    def __enter__(self) -> RegistryServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()

    def repository(self, name: str) -> Repository:
        """What the repository called `name` holds; made when there is none."""
        with self.lock:
            return self.repositories.setdefault(name, Repository())

    def count(self, method: str, part: str = "") -> int:
        """How many `method` requests had `part` in path or query."""
        return sum(1 for r in self.requests if r.method == method and part in r.target)

    def forget_requests(self) -> None:
        """Empty the log."""
        with self.lock:
            self.requests.clear()

    def revoke_tokens(self) -> None:
        """Let every token issued so far be unknown."""
        with self.lock:
            self.tokens.clear()

    def issue_token(self, scopes: Iterable[str]) -> str:
        """A token good for `scopes` (``repository:NAME:pull,push``); one of another form is good for everything."""
        named = [s.split(":") for s in scopes]
        granted = {(s[1], action) for s in named if len(s) == 3 for action in s[2].split(",")}
        granted |= {("*", action) for s in named if len(s) != 3 for action in ("pull", "push")}
        token = secrets.token_hex(16)
        with self.lock:
            self.tokens[token] = (time.monotonic() + self.token_lifetime, granted)
        return token


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    registry: RegistryServer

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        self.registry.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """End connections that clients keep alive, so that no thread outlives the server."""
        for request in tuple(self._open):
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the server's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: _Server

    def log_message(self, *_: Any) -> None:
        """The log is `RegistryServer.requests`."""

    def _handle(self) -> None:
        registry = self.server.registry
        self._unread = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
        with registry.lock:
            registry.requests.append(request)
            registry.at_once += 1
            registry.most_at_once = max(registry.most_at_once, registry.at_once)
        self._counted = True
        try:
            self._answered(registry, request)
        finally:
            self._done()

    def _done(self) -> None:
        """The client may ask the next thing now."""
        with self.server.registry.lock:
            self.server.registry.at_once -= self._counted
        self._counted = False

    def _answered(self, registry: RegistryServer, request: Request) -> None:
        said = next((s for hook in tuple(registry.faults) if (s := hook(request)) is not None), None)
        if isinstance(said, Drop):
            self.close_connection = True
            return
        tamper = said if isinstance(said, Tamper) else Tamper()
        answer = said if isinstance(said, Answer) else self._answer(request)
        while self._unread and self._read_block():
            pass
        if tamper.silent:
            self.close_connection = True
            return
        self._send(answer, tamper)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 - http.server's names

    def _send(self, answer: Answer, tamper: Tamper) -> None:
        headers, body = {**self.server.registry.headers, **answer.headers}, answer.body
        if tamper.body:
            body = tamper.body(body if isinstance(body, bytes) else b"".join(body))
            headers.pop("Content-Length", None)
        as_it_comes = not isinstance(body, bytes)
        if isinstance(body, bytes):
            headers.setdefault("Content-Length", str(len(body)))
            body = [body]
        for name, value in tamper.headers.items():
            headers.pop(name, None)
            if value is not None:
                headers[name] = value
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        left = tamper.cut
        unsent = int(headers.get("Content-Length") or 0)
        for block in body if self.command != "HEAD" else ():
            unsent -= len(block)
            if unsent <= 0:
                self._done()
            self.wfile.write(block if left is None else block[:left])
            if left is not None and (left := left - len(block)) <= 0:
                self.close_connection = True
                break
            if as_it_comes:
                self.wfile.flush()
        self._done()
        self.wfile.flush()

    def _read_block(self) -> bytes:
        block = self.rfile.read(min(BLOCK, self._unread))
        self._unread -= len(block)
        if not block:
            self.close_connection = True
            self._unread = 0
        return block

    def _body(self) -> bytes:
        parts = []
        while self._unread and (block := self._read_block()):
            parts.append(block)
        return b"".join(parts)

    def _answer(self, request: Request) -> Answer:
        if "transfer-encoding" in request.headers:
            self.close_connection = True
            return _error(411, "UNSUPPORTED", "a body needs its Content-Length")
        if request.method in {"PUT", "PATCH"} and "content-length" not in request.headers:
            return _error(411, "UNSUPPORTED", "a body needs its Content-Length")
        for route, pattern in _ROUTES:
            if match := pattern.fullmatch(request.path):
                if route == "token":
                    return self._token(request)
                name = match.groupdict().get("name")
                if refused := self._refused(request, name):
                    return refused
                if name and request.method in {"POST", "PUT", "PATCH"} and not self._may_hold(name):
                    return _error(404, "NAME_UNKNOWN", "no such repository")
                method = request.method.lower()
                handler = getattr(self, f"_{route}_{'get' if method == 'head' else method}", None)
                if handler is None:
                    return _error(405, "UNSUPPORTED", "no such method here")
                answer: Answer = handler(request, **match.groupdict())
                return answer
        return _error(404, "NAME_INVALID", "no such route")

    # -- who may do what

    def _refused(self, request: Request, name: str | None) -> Answer | None:
        registry = self.server.registry
        if registry.auth is None:
            return None
        action = "pull" if request.method in {"GET", "HEAD"} else "push"
        if self._allowed(request, name, action):
            return None
        challenge = 'Basic realm="registry"'
        if registry.auth == "token":
            challenge = f'Bearer realm="{registry.realm or registry.url + "/token"}",service="registry.test"'
            if name or registry.scope:
                scope = registry.scope or f"repository:{name}:{'pull' if action == 'pull' else 'pull,push'}"
                challenge += f',scope="{scope}"'
        return _error(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge})

    def _allowed(self, request: Request, name: str | None, action: str) -> bool:
        registry = self.server.registry
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if registry.auth == "basic":
            return scheme == "Basic" and self._knows(value)
        with registry.lock:
            expiry, granted = registry.tokens.get(value, (0.0, set[tuple[str, str]]()))
        allowed = name is None or bool({(name, action), ("*", action)} & granted)
        return scheme == "Bearer" and expiry > time.monotonic() and allowed

    def _may_hold(self, name: str) -> bool:
        registry = self.server.registry
        return registry.create_on_push or name in registry.repositories

    def _knows(self, value: str) -> bool:
        registry = self.server.registry
        return value == base64.b64encode(f"{registry.username}:{registry.password}".encode()).decode()

    def _token(self, request: Request) -> Answer:
        registry = self.server.registry
        if request.method == "POST":
            form = parse_qs(self._body().decode())
            known = form.get("grant_type") == ["refresh_token"] and form.get("refresh_token") == [
                registry.identity_token
            ]
            scopes = " ".join(form.get("scope", [])).split()
        else:
            scheme, _, value = request.headers.get("authorization", "").partition(" ")
            known = scheme == "Basic" and self._knows(value)
            if scheme and not known:
                return _error(401, "UNAUTHORIZED", "wrong credentials")
            pairs = parse_qsl(urlsplit(request.target).query)
            scopes = " ".join(v for k, v in pairs if k == "scope").split()
            if not known and registry.anonymous_pull:
                scopes = [f"{s.rsplit(':', 1)[0]}:pull" for s in scopes]
                known = True
        if not known:
            return _error(401, "UNAUTHORIZED", "wrong credentials")
        token = registry.issue_token(scopes[-1:] if registry.one_scope else scopes)
        key = "access_token" if request.method == "POST" else "token"
        return _json({key: token, "expires_in": registry.token_lifetime})

    # -- reading

    def _base_get(self, _: Request) -> Answer:
        return _json({})

    def _tags_get(self, request: Request, name: str) -> Answer:
        repository = self.server.registry.repositories.get(name)
        if repository is None:
            return _error(404, "NAME_UNKNOWN", "no such repository")
        query = request.query
        tags = sorted(t for t in tuple(repository.tags) if t > query.get("last", ""))
        limit = min(int(query.get("n") or 10**9), self.server.registry.page_size)
        headers = {}
        if len(tags) > limit:
            tags = tags[:limit]
            headers["Link"] = f'</v2/{name}/tags/list?n={limit}&last={quote(tags[-1])}>; rel="next"'
        return _json({"name": name, "tags": tags}, headers)

    def _manifest_get(self, request: Request, name: str, ref: str) -> Answer:
        repository = self.server.registry.repositories.get(name, Repository())
        digest = ref if ":" in ref else repository.tags.get(ref, "")
        media_type, content = repository.manifests.get(digest, ("", b""))
        accepted = {a.split(";")[0].strip() for a in request.headers.get("accept", "*/*").split(",")}
        if not media_type or not accepted & {media_type, "*/*"}:
            return _error(404, "MANIFEST_UNKNOWN", "no such manifest")
        return Answer(200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, content)

    def _referrers_get(self, request: Request, name: str, ref: str) -> Answer:
        registry = self.server.registry
        if not registry.referrers:
            return _error(404, "NOT_FOUND", "no such route")
        headers, query = {"Content-Type": OCI_INDEX}, request.query
        with registry.lock:
            found = registry.repositories.get(name, Repository()).referrers(ref)
        if wanted := query.get("artifactType"):
            found = [d for d in found if d.get("artifactType") == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        start = int(query.get("next", 0))
        if len(found) > start + registry.page_size:
            headers["Link"] = f'</v2/{name}/referrers/{ref}?next={start + registry.page_size}>; rel="next"'
        found = found[start : start + registry.page_size]
        return _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}, headers)

    def _blob_get(self, request: Request, name: str, ref: str) -> Answer:
        content = self.server.registry.repositories.get(name, Repository()).blobs.get(ref)
        if content is None:
            return _error(404, "BLOB_UNKNOWN", "no such blob")
        if storage := self.server.registry.storage:
            return Answer(307, {"Location": f"{storage}{signed(request.path)}"})
        size = content.size if isinstance(content, Repeated) else len(content)
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": ref, "Accept-Ranges": "bytes"}
        status, start, end = 200, 0, size
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", "")):
            start, end = int(asked[1]), min(size, int(asked[2]) + 1 if asked[2] else size)
            if start >= size:
                return Answer(416, {"Content-Range": f"bytes */{size}"})
            status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{size}"
        headers["Content-Length"] = str(end - start)
        if isinstance(content, Repeated):
            return Answer(status, headers, content.blocks(start))
        return Answer(status, headers, (content[at : min(at + BLOCK, end)] for at in range(start, end, BLOCK)))

    # -- writing

    def _manifest_put(self, request: Request, name: str, ref: str) -> Answer:
        registry, content = self.server.registry, self._body()
        if len(content) != int(request.headers["content-length"]):
            return _error(400, "SIZE_INVALID", "the body was cut")
        algorithm = ref.split(":", maxsplit=1)[0] if ":" in ref else "sha256"
        digest = digest_of(content, algorithm)
        media_type = request.headers.get("content-type", "")
        repository = registry.repository(name)
        with registry.lock:
            if problem := _manifest_problem(repository, content, media_type, digest, ref):
                return problem
            if registry.immutable and ref in repository.tags:
                return registry.immutable
            repository.manifests[digest] = (media_type, content)
            if ":" not in ref:
                repository.tags[ref] = digest
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
        subject = (json.loads(content).get("subject") or {}).get("digest")
        if subject and registry.referrers:
            headers["OCI-Subject"] = subject
        return Answer(201, headers)

    def _manifest_delete(self, _: Request, name: str, ref: str) -> Answer:
        registry = self.server.registry
        with registry.lock:
            repository = registry.repository(name)
            gone = repository.manifests.pop(ref, None) if ":" in ref else repository.tags.pop(ref, None)
        return Answer(202) if gone else _error(404, "MANIFEST_UNKNOWN", "no such manifest")

    def _uploads_post(self, request: Request, name: str) -> Answer:
        registry, query = self.server.registry, request.query
        mounted, source = query.get("mount", ""), query.get("from", "")
        if mounted and registry.mount and (registry.auth != "token" or self._allowed(request, source, "pull")):
            with registry.lock:
                content = registry.repositories.get(source, Repository()).blobs.get(mounted)
                if content is not None:
                    registry.repository(name).blobs[mounted] = content
                    return self._created(name, mounted)
        session = secrets.token_hex(16)
        with registry.lock:
            registry.repository(name).uploads[session] = bytearray()
        return Answer(202, {"Location": self._session(name, session), "Range": "0-0"})

    def _session(self, name: str, session: str) -> str:
        origin = self.server.registry.url if self.server.registry.absolute_locations else ""
        return f"{origin}/v2/{name}/blobs/uploads/{session}?_state={session[::-1]}%3D"

    def _has_session(self, request: Request, name: str, ref: str) -> bool:
        """Whether the session is open and the client kept the Location's query (distribution keeps its state there)."""
        open_ones = self.server.registry.repository(name).uploads
        return ref in open_ones and request.query.get("_state") == f"{ref[::-1]}="

    def _upload_patch(self, request: Request, name: str, ref: str) -> Answer:
        if not self._has_session(request, name, ref):
            return _error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload")
        upload, content = self.server.registry.repository(name).uploads[ref], self._body()
        asked = re.match(r"(\d+)-", request.headers.get("content-range", ""))
        if asked and int(asked[1]) != len(upload):
            return Answer(416, {"Location": self._session(name, ref), "Range": f"0-{max(len(upload) - 1, 0)}"})
        upload.extend(content)
        return Answer(
            self.server.registry.patch_status, {"Location": self._session(name, ref), "Range": f"0-{len(upload) - 1}"}
        )

    def _upload_get(self, request: Request, name: str, ref: str) -> Answer:
        if not self._has_session(request, name, ref):
            return _error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload")
        size = len(self.server.registry.repository(name).uploads[ref])
        return Answer(204, {"Location": self._session(name, ref), "Range": f"0-{max(size - 1, 0)}"})

    def _upload_delete(self, request: Request, name: str, ref: str) -> Answer:
        if not self._has_session(request, name, ref):
            return _error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload")
        del self.server.registry.repository(name).uploads[ref]
        return Answer(204)

    def _upload_put(self, request: Request, name: str, ref: str) -> Answer:
        registry, digest = self.server.registry, request.query.get("digest", "")
        if not self._has_session(request, name, ref):
            return _error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload")
        if not _DIGEST.fullmatch(digest):
            return _error(400, "DIGEST_INVALID", "a digest is needed")
        repository = registry.repository(name)
        kept = bytearray(repository.uploads[ref])
        found, size = hashlib.new(digest.split(":")[0], kept), len(kept)
        expected = size + int(request.headers["content-length"])
        while self._unread and (block := self._read_block()):
            found.update(block)
            size += len(block)
            if registry.forget_above is None or size <= registry.forget_above:
                kept.extend(block)
            else:
                kept.clear()
        if size != expected:
            return _error(400, "SIZE_INVALID", "the body was cut")
        if found.hexdigest() != digest.split(":")[1]:
            return _error(400, "DIGEST_INVALID", "the content has another digest")
        with registry.lock:
            repository.blobs[digest] = bytes(kept) if len(kept) == size else Repeated(b"\0" * BLOCK, size)
            repository.uploads.pop(ref, None)
        return self._created(name, digest)

    def _created(self, name: str, digest: str) -> Answer:
        return Answer(201, {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest of `content` as text."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def self_signed(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for 127.0.0.1 made in `directory`, as a server's context and as a bundle that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry.test")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (bundle := directory / "server-ca.pem").write_bytes(certificate.public_bytes(pem))
    (private := directory / "server-key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, private)
    return context, bundle


def signed(path: str) -> str:
    """`path` as a presigned address: its signature is good for this path and in no need of credentials."""
    return f"{path}?X-Signature={hashlib.sha256(path.encode()).hexdigest()}%2F%3D"


def referrer_descriptor(document: dict[str, Any], digest: str, media_type: str, size: int) -> dict[str, Any]:
    """What a referrers index says about a manifest: its artifact type is its config's where it names none."""
    descriptor = {"mediaType": media_type, "digest": digest, "size": size}
    artifact_type = document.get("artifactType") or document.get("config", {}).get("mediaType")
    if artifact_type:
        descriptor["artifactType"] = artifact_type
    if document.get("annotations"):
        descriptor["annotations"] = document["annotations"]
    return descriptor


def load_layout(layout: Path, server: RegistryServer, name: str) -> None:
    """Put a whole OCI layout directory into the repository called `name`.

    A server without the referrers API gets fallback tags, beside those that the layout has itself.
    """

    def read(digest: str) -> bytes:
        return (layout / "blobs" / digest.replace(":", "/")).read_bytes()

    def add(descriptor: dict[str, Any], tag: str | None) -> None:
        document = json.loads(content := read(descriptor["digest"]))
        for child in document.get("manifests", []):
            if (layout / "blobs" / child["digest"].replace(":", "/")).exists():
                add(child, None)
        for blob in [*([document["config"]] if "config" in document else []), *document.get("layers", [])]:
            repository.blobs[blob["digest"]] = read(blob["digest"])
        repository.add_manifest(content, descriptor["mediaType"], tag)

    repository = server.repository(name)
    index = json.loads((layout / "index.json").read_text())
    with server.lock:
        for descriptor in index["manifests"]:
            add(descriptor, descriptor.get("annotations", {}).get("org.opencontainers.image.ref.name"))
        if not server.referrers:
            add_fallback_tags(repository)


def add_fallback_tags(repository: Repository) -> None:
    """Write the fallback tag of every subject that has none (distribution-spec 1.1, "Referrers Tag Schema")."""
    documents = [json.loads(content) for _, content in repository.manifests.values()]
    for subject in {d["subject"]["digest"] for d in documents if d.get("subject")}:
        tag = subject.replace(":", "-")
        if tag not in repository.tags:
            found = repository.referrers(subject)
            content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}).encode()
            repository.add_manifest(content, OCI_INDEX, tag)


def _manifest_problem(repository: Repository, content: bytes, media_type: str, digest: str, ref: str) -> Answer | None:
    if ":" in ref and digest != ref:
        return _error(400, "DIGEST_INVALID", "the manifest has another digest")
    try:
        document = json.loads(content)
    except ValueError:
        return _error(400, "MANIFEST_INVALID", "not JSON")
    if not isinstance(document, dict) or document.get("mediaType", media_type) != media_type or not media_type:
        return _error(400, "MANIFEST_INVALID", "the media types differ")
    blobs = [*([document["config"]] if "config" in document else []), *document.get("layers", [])]
    missing = [b["digest"] for b in blobs if b["digest"] not in repository.blobs and not b.get("urls")]
    missing += [c["digest"] for c in document.get("manifests", []) if c["digest"] not in repository.manifests]
    return _error(404, "MANIFEST_BLOB_UNKNOWN", missing[0]) if missing else None


def _json(value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(200, {"Content-Type": "application/json", **(headers or {})}, json.dumps(value).encode())


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Answer(status, {"Content-Type": "application/json", **(headers or {})}, body)
