"""Fetch and push over HTTP with a password, and over ssh: what works, and what is said when it does not."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.git_world import FILE, NEW, executable, git, isolate, make_remote

from promote.errors import CredentialsFault, Fault, Misuse
from promote.gitops.backoff import Backoff
from promote.gitops.push import Change, land
from promote.gitops.repository import Repository
from promote.model.progress import Silent

PASSWORD = "s3cret-p4ss"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


class Backend(BaseHTTPRequestHandler):
    """git-http-backend(1) behind Basic authentication."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_arguments: object) -> None:
        pass

    def _serve(self) -> None:
        server = self.server
        path, _, query = self.path.partition("?")
        server.seen.append(f"{self.command} {self.path}")
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        expected = "Basic " + base64.b64encode(f"bot:{PASSWORD}".encode()).decode()
        status = server.refuse(self.path) or (None if self.headers.get("Authorization") == expected else 401)
        if status:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="deploy"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "REMOTE_USER": "bot",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(size),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def served(tmp_path):
    """A server, the bare repository it serves, and a clone whose origin it is (with the password in its URL)."""
    bare, clone = make_remote(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    server.root, server.seen, server.refuse = bare.parent, [], lambda _path: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    point(server, clone, f"bot:{PASSWORD}@")
    yield server, bare, clone
    server.shutdown()
    thread.join()
    server.server_close()


def point(server, clone: Path, userinfo: str) -> None:
    git(clone, "remote", "set-url", "origin", f"http://{userinfo}127.0.0.1:{server.server_port}/deploy.git")


def promote(clone: Path):
    with Repository.open(clone, branch="main", remote="origin") as repository:
        tip = repository.fetch()
        repository.check_push()
        return land(
            repository,
            lambda snapshot: None if snapshot.read(FILE) == NEW else Change({FILE: NEW}, "promote\n"),
            tip=tip,
            push=True,
            observer=Silent(),
            backoff=Backoff(sleep=lambda _seconds: None),
        )


def test_a_promotion_lands_over_http(served):
    _, bare, clone = served
    landed = promote(clone)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert (clone / FILE).read_bytes() == NEW


def test_the_url_that_is_shown_has_no_password(served):
    server, _, clone = served
    with Repository.open(clone, branch="main", remote="origin") as repository:
        assert repository.remote_url == f"http://***@127.0.0.1:{server.server_port}/deploy.git"
        assert repository.remote_host == f"127.0.0.1:{server.server_port}"


@pytest.mark.parametrize("userinfo", ["bot:wrong-p4ss@", ""])
def test_wrong_or_missing_credentials_are_exit_4_with_the_host_and_without_the_password(served, userinfo):
    server, _, clone = served
    point(server, clone, userinfo)
    with pytest.raises(CredentialsFault) as fault:
        promote(clone)
    assert fault.value.exit_code == 4
    assert f"127.0.0.1:{server.server_port}" in fault.value.message
    assert "p4ss" not in "".join(map(str, vars(fault.value).values()))


def test_credentials_that_may_read_and_not_push_are_found_before_anything_is_written(served):
    server, bare, clone = served
    server.refuse = lambda path: 403 if "git-receive-pack" in path else None
    objects = git(clone, "count-objects")
    with pytest.raises(CredentialsFault):
        promote(clone)
    assert git(clone, "count-objects") == objects
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_the_check_of_the_push_right_posts_nothing(served):
    server, _, clone = served
    with Repository.open(clone, branch="main", remote="origin") as repository:
        repository.fetch()
        server.seen.clear()
        repository.check_push()
    assert all(line.startswith("GET ") and "service=git-receive-pack" in line for line in server.seen)
    assert server.seen


def test_a_credential_helper_of_the_user_is_asked(served, tmp_path, monkeypatch):
    server, bare, clone = served
    point(server, clone, "")
    monkeypatch.setenv("DEPLOY_PASSWORD", PASSWORD)
    helper = executable(tmp_path / "askpass", 'case "$1" in Username*) echo bot;; *) echo "$DEPLOY_PASSWORD";; esac')
    monkeypatch.setenv("GIT_ASKPASS", str(helper))
    landed = promote(clone)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert git(bare, "rev-list", "--count", "main") == "2"


def test_a_server_that_fails_is_a_fault_and_never_credentials(served):
    server, bare, clone = served
    server.refuse = lambda _path: 503
    with pytest.raises(Fault) as fault:
        promote(clone)
    assert (fault.value.code, fault.value.exit_code) == ("git-transport", 3)
    assert PASSWORD not in fault.value.message
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_a_server_that_breaks_off_the_push_once_is_asked_again(served):
    server, bare, clone = served
    broken = []

    def refuse(path: str) -> int | None:
        if path.endswith("/git-receive-pack") and not broken:
            broken.append(path)
            return 502
        return None

    server.refuse = refuse
    landed = promote(clone)
    assert landed.tries == 2
    assert git(bare, "rev-list", "--count", "main") == "2"


def test_nobody_listening_is_a_fault(served):
    _, _, clone = served
    git(clone, "remote", "set-url", "origin", f"http://bot:{PASSWORD}@127.0.0.1:1/deploy.git")
    with pytest.raises(Fault) as fault:
        promote(clone)
    assert (fault.value.code, fault.value.exit_code) == ("git-transport", 3)
    assert "127.0.0.1:1" in fault.value.message
    assert PASSWORD not in fault.value.message


def test_a_branch_that_the_remote_has_not_is_misuse(served):
    _, _, clone = served
    with Repository.open(clone, branch="release", remote="origin") as repository, pytest.raises(Misuse) as misuse:
        repository.fetch()
    assert misuse.value.code == "branch-missing"


def test_a_promotion_lands_over_ssh_with_the_users_own_command(tmp_path, monkeypatch):
    bare, clone = make_remote(tmp_path)
    log = tmp_path / "log"
    ssh = executable(
        tmp_path / "ssh", f'while [ "$1" != deploy.example ]; do shift; done\necho "$2" >> {log}\nexec sh -c "$2"'
    )
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    git(clone, "remote", "set-url", "origin", f"ssh://deploy.example{bare}")
    landed = promote(clone)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert "git-receive-pack" in log.read_text()


def test_a_refused_ssh_key_is_exit_4(tmp_path, monkeypatch):
    _, clone = make_remote(tmp_path)
    ssh = executable(tmp_path / "ssh", "echo 'git@deploy.example: Permission denied (publickey).' >&2; exit 255")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    git(clone, "remote", "set-url", "origin", "git@deploy.example:acme/deploy.git")
    with pytest.raises(CredentialsFault) as fault:
        promote(clone)
    assert "deploy.example" in fault.value.message


def test_a_host_that_ssh_cannot_find_is_a_fault(tmp_path, monkeypatch):
    _, clone = make_remote(tmp_path)
    ssh = executable(tmp_path / "ssh", "echo 'ssh: Could not resolve hostname deploy.example' >&2; exit 255")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    git(clone, "remote", "set-url", "origin", "git@deploy.example:acme/deploy.git")
    with pytest.raises(Fault) as fault:
        promote(clone)
    assert (fault.value.code, fault.value.exit_code) == ("git-transport", 3)
