"""A host of git repositories in this process: git over HTTP, and the API of GitHub, GitLab, Gitea or Bitbucket.

    with forge_server(bare, "gitlab") as host:     # bare is served as acme/deploy
        git(clone, "remote", "set-url", "origin", host.url)
        ...
        assert [r.title for r in host.requests] == [...]

It keeps state, reads heads from the real branches, and is strict: an unknown path, key or parameter, a missing one, a
wrong type or token is answered as the host would, and noted in `complaints`, which a test can demand to be empty.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from support.git_world import git

TOKEN = "t0ken-of-a-b0t"
NAME = "acme/deploy"


class Problem(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Hosted:
    """A request as the host keeps it; `fork` True: its branch is in somebody's fork."""

    number: int
    branch: str
    base: str
    title: str
    body: str
    fork: bool = False
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    auto_merge: str | None = None
    written: int = 1


@dataclass
class Asked:
    """One request to the API, parsed."""

    method: str
    path: str
    query: dict[str, str]
    body: Any

    def demand(self, required: dict[str, type], optional: dict[str, type] | None = None) -> dict[str, Any]:
        """The body, with these keys and no others."""
        known = {**required, **(optional or {})}
        body = self.body if isinstance(self.body, dict) else {}
        for name in [*(n for n in required if n not in body), *(n for n in body if n not in known)]:
            raise Problem(422, f"missing or unknown: {name}")
        for name, value in body.items():
            if not isinstance(value, known[name]):
                raise Problem(422, f"wrong type: {name}")
        return body

    def only(self, **parameters: str) -> None:
        """Refuse a query parameter that is not here, or has a value that the pattern of `parameters` is not."""
        for name, value in self.query.items():
            if name not in parameters or parameters[name] not in ("*", value):
                raise Problem(400, f"unexpected parameter {name}={value}")


@dataclass
class Settings:
    """What a host is set up to do, which promote finds out by asking.

    `most` items are in one page of a list of Gitea's; for `checking` more looks at a request the host does not know yet
    whether that can be merged; `unready` is what main still waits for, and `repository` what is different about the
    repository.  `excluded` are methods of merging that rules of GitHub exclude.  Where `twins`, another run makes its
    request of the same branch at the very moment at which one is made.
    """

    most: int = 50
    checking: int = 0
    unready: str = ""
    twins: bool = False
    excluded: tuple[str, ...] = ()
    repository: dict[str, Any] = field(default_factory=dict)


class ForgeServer:
    """The state of one repository on one host, for tests to look at and to change.

    `operations` are those of GraphQL: the query, its variables, and what was answered.
    """

    def __init__(self, bare: Path, kind: str) -> None:
        self.bare, self.kind = bare, kind
        self.requests: list[Hosted] = []
        self.labels: dict[str, int] = {}
        self.seen: list[str] = []
        self.complaints: list[str] = []
        self.authorizations: list[str] = []
        self.before: Callable[[Asked], None] = lambda _asked: None
        self.after: Callable[[Asked], None] = lambda _asked: None
        self.accepted = {f"Bearer {TOKEN}", f"token {TOKEN}"}
        self.operations: list[tuple[str, Any, Any]] = []
        self.settings = Settings()
        self.url = self.origin = ""
        self.lock = threading.RLock()

    def head(self, request: Hosted) -> str:
        """The commit that the request's branch is at."""
        return "f" * 40 if request.fork else git(self.bare, "rev-parse", f"refs/heads/{request.branch}")

    def open(self) -> list[Hosted]:
        """The open requests."""
        return [request for request in self.requests if request.state == "open"]

    def add(self, branch: str, base: str, title: str, body: str, *, fork: bool = False) -> Hosted:
        """A new request; raises `Problem` (409 or 422) when there is one of the branch already."""
        if not fork and any(r.branch == branch and r.base == base and not r.fork for r in self.open()):
            raise Problem(409 if self.kind != "github" else 422, f"A pull request already exists for {branch}.")
        if (
            not fork
            and subprocess.run(
                ["git", "rev-parse", "--verify", "-q", f"refs/heads/{branch}"],
                cwd=self.bare,
                capture_output=True,
                check=False,
            ).returncode
        ):
            raise Problem(422, f"no branch {branch}")
        request = Hosted(len(self.requests) + 1, branch, base, title, body, fork)
        self.requests.append(request)
        return request

    def create(self, branch: str, base: str, title: str, body: str) -> Hosted:
        """As `add`, for one who asks by the API; with `Settings.twins` the second of two."""
        made = self.add(branch, base, title, body)
        if self.settings.twins:
            made = Hosted(made.number + 1, branch, base, title, body)
            self.requests.append(made)
        return made

    def find(self, number: str) -> Hosted:
        """The request of that number."""
        for request in self.requests:
            if str(request.number) == number:
                return request
        raise Problem(404, "Not Found")

    def merge(self, request: Hosted, method: str = "fast-forward") -> str:
        """Merge, by a fast-forward as a person would with a button; the new tip.

        A `method` of GitHub's makes a merge commit (``merge``), or another commit of the same files.
        """
        head, tip = self.head(request), git(self.bare, "rev-parse", f"refs/heads/{request.base}")
        if method != "fast-forward":
            parents = ["-p", tip, *(["-p", head] if method == "merge" else [])]
            identity = ["-c", "user.name=GitHub", "-c", "user.email=noreply@github.example"]
            message = f"{request.title} (#{request.number})\n\n{request.body}".encode()
            head = git(self.bare, *identity, "commit-tree", *parents, "-F", "-", f"{head}^{{tree}}", stdin=message)
        git(self.bare, "update-ref", f"refs/heads/{request.base}", head)
        request.state = "merged"
        return head

    def looked_at(self) -> bool:
        """Whether it is known by now if a request can be merged; each time counts as a look."""
        known, self.settings.checking = not self.settings.checking, max(0, self.settings.checking - 1)
        return known


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        size = int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(size)
        if path.startswith(f"/{NAME}.git/"):
            self._git(path, query, content)
            return
        state: ForgeServer = self.server.state
        asked = Asked(self.command, path, dict(parse_qsl(query, keep_blank_values=True)), None)
        state.seen.append(f"{self.command} {unquote(path)}")
        state.authorizations.append(self.headers.get("Authorization", ""))
        try:
            with state.lock:
                if content:
                    if self.headers.get("Content-Type") != "application/json":
                        raise Problem(415, "expected application/json")
                    asked.body = json.loads(content)
                state.before(asked)
                if self.headers.get("Authorization") not in state.accepted:
                    raise Problem(401, f"Bad credentials: {self.headers.get('Authorization')}")
                status, answer = self.server.route(state, asked)
                state.after(asked)
        except Problem as problem:
            status, answer = problem.status, self.server.error(problem.status, problem.message)
            state.complaints.append(f"{problem.status} {self.command} {path}: {problem.message}")
        except ConnectionAbortedError:
            self.close_connection = True
            return
        self._answer(status, json.dumps(answer).encode())

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {"Content-Type": "application/json"}).items():
            self.send_header(name, value)
        if 300 <= status < 400:
            self.send_header("Location", "http://127.0.0.1:9/stolen")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _git(self, path: str, query: str, content: bytes) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "REMOTE_USER": "bot",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path.removeprefix("/acme"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(content)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=content, capture_output=True, check=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._answer(int(headers.pop("Status", "200 OK").split()[0]), body, headers)


@contextmanager
def forge_server(bare: Path, kind: str, *, port: int = 0) -> Iterator[ForgeServer]:
    """A running host of `kind` that serves `bare`, which must be called deploy.git, as acme/deploy.

    `port` 0 is any that is free.
    """
    from support.forge_hosts import ERRORS, ROUTES

    state = ForgeServer(bare, kind)
    git(bare, "config", "http.receivepack", "true")
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    server.state, server.root, server.route, server.error = state, bare.parent, ROUTES[kind], ERRORS[kind]
    state.origin = f"http://127.0.0.1:{server.server_port}"
    state.url = f"{state.origin}/{NAME}.git"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def commit_on(bare: Path, branch: str, expected: str, message: str, files: dict[str, bytes]) -> str | None:
    """A commit of `files` on `branch`, made in the bare repository; None when the branch is not at `expected`."""
    with tempfile.TemporaryDirectory() as directory:
        index = {**os.environ, "GIT_INDEX_FILE": f"{directory}/index"}

        def run(*arguments: str, stdin: bytes = b"") -> str:
            identity = ["-c", "user.name=GitHub", "-c", "user.email=noreply@github.example"]
            command = ["git", *identity, *arguments]
            done = subprocess.run(command, cwd=bare, env=index, input=stdin, capture_output=True, check=True)
            return done.stdout.decode().strip()

        run("read-tree", f"{expected}^{{tree}}")
        for path, content in files.items():
            blob = run("hash-object", "-w", "--stdin", stdin=content)
            run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        commit = run("commit-tree", "-p", expected, "-F", "-", run("write-tree"), stdin=message.encode())
        swapped = subprocess.run(
            ["git", "update-ref", f"refs/heads/{branch}", commit, expected], cwd=bare, capture_output=True, check=False
        )
        return commit if swapped.returncode == 0 else None
