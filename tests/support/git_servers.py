"""Git servers on loopback: over HTTP behind the standard library's server, over ssh behind Debian's sshd.

with git_over_http(bare.parent, password="s3cret") as server:
    url = server.url(bare.name, userinfo="bot:s3cret@")
"""

from __future__ import annotations

import base64
import getpass
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def _let_through(_path: str) -> int | None:
    return None


class HttpServer(ThreadingHTTPServer):
    """git-http-backend(1) for the bare repositories under `root`.

    `seen` are the requests as ``METHOD PATH``, `headers` the Authorization headers of each.  `refuse` is given each
    path and may name the status to answer with instead; `cut` may say that the answer is never sent, after git did its
    work.  `password` None lets everybody in.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, root: Path, password: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Backend)
        self.root = root
        self.expected = password and "Basic " + base64.b64encode(f"bot:{password}".encode()).decode()
        self.seen: list[str] = []
        self.authorizations: list[list[str]] = []
        self.received = 0
        self.sent = 0
        self.refuse: Callable[[str], int | None] = _let_through
        self.cut: Callable[[str], bool] = lambda _request: False

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self.server_port}"

    def url(self, name: str, userinfo: str = "") -> str:
        """The URL of the repository `name`."""
        return f"http://{userinfo}{self.address}/{name}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that is killed leaves its connection."""


class _Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one segment, headers and body
    server: HttpServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        pass

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _serve(self) -> None:
        server, given = self.server, self.headers.get_all("Authorization") or []
        server.seen.append(f"{self.command} {self.path}")
        server.authorizations.append(given)
        body = self._body()
        server.received += len(body)
        status = server.refuse(self.path)
        if status is None and len(given) > 1:
            status = 400  # RFC 9110 section 5.3: a field that is no list comes once; what GitHub answers
        if status is None and server.expected and given != [server.expected]:
            status = 401
        if status:
            self._answer(status, {"WWW-Authenticate": 'Basic realm="deploy"'} if status == 401 else {}, b"")
            return
        head, _, content = self._backend(body).partition(b"\r\n\r\n")
        if server.cut(f"{self.command} {self.path}"):
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._answer(int(headers.pop("Status", "200 OK").split()[0]), headers, content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.server.sent += len(content)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _backend(self, body: bytes) -> bytes:
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "REMOTE_USER": "bot",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        backend = ["git", "http-backend"]
        return subprocess.run(backend, env=environment, input=body, capture_output=True, check=True).stdout


@contextmanager
def git_over_http(root: Path, password: str | None = None) -> Iterator[HttpServer]:
    """Serve the bare repositories under `root` while the block runs, to the user bot."""
    server = HttpServer(root, password)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class SshServer:
    """An sshd of our own.  `command` is what GIT_SSH_COMMAND has to be for a client with the deploy key."""

    port: int
    user: str
    directory: Path

    def command(self, key: str = "deploy", hosts: str = "known_hosts") -> str:
        """ssh with nothing of the user's configuration, one key, and host keys that are pinned."""
        return (
            f"ssh -F none -i {self.directory / key} -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes "
            f"-o UserKnownHostsFile={self.directory / hosts} -o GlobalKnownHostsFile=/dev/null "
            "-o StrictHostKeyChecking=yes"
        )

    def url(self, bare: Path) -> str:
        """The URL of the repository at `bare`."""
        return f"ssh://{self.user}@127.0.0.1:{self.port}{bare}"

    @property
    def log(self) -> str:
        """What sshd said."""
        return (self.directory / "sshd.log").read_text()


@contextmanager
def git_over_ssh(sshd: Path, directory: Path, port: int) -> Iterator[SshServer]:
    """Run `sshd` on `port` while the block runs, with a host key and a deploy key that may run git and nothing else.

    `directory` holds all of it: ``deploy`` may come in, ``stranger`` may not, ``known_hosts`` pins the host key and
    ``other_hosts`` another one.
    """
    directory.mkdir()
    for name in ("host", "deploy", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True)
    only_git = 'restrict,command="git-shell -c \\"$SSH_ORIGINAL_COMMAND\\""'
    (directory / "authorized").write_text(f"{only_git} {(directory / 'deploy.pub').read_text()}")
    for name, key in (("known_hosts", "host"), ("other_hosts", "stranger")):
        (directory / name).write_text(f"[127.0.0.1]:{port} {(directory / f'{key}.pub').read_text()}")
    (directory / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {directory / 'host'}\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {directory / 'authorized'}\nStrictModes no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nAcceptEnv GIT_PROTOCOL\n"
        "MaxStartups 200\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as the package's own service does; sshd insists on it
    with (directory / "sshd.log").open("wb") as log:
        process = subprocess.Popen(
            [str(sshd), "-D", "-e", "-f", str(directory / "config")], stdin=subprocess.DEVNULL, stderr=log
        )
    server = SshServer(port, getpass.getuser(), directory)
    try:
        _await(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _await(server: SshServer, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        assert process.poll() is None, server.log
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(server.log)
