"""Hosts that lie, break and never end: every answer ends in one of promote's errors, and no token is ever told."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from promote.errors import Fault, PromoteError
from promote.gitops.forge import api as api_module
from promote.gitops.forge import bitbucket, gitea, github, gitlab
from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api
from promote.gitops.forge.forge import Offer

SECRET = "s3cr3t-t0ken"
OFFER = Offer("promote/prod/shop/0", "main", "t", "b", ("x",))
HOSTS = {
    "github": github.GitHub,
    "gitlab": gitlab.GitLab,
    "gitea": gitea.Gitea,
    "bitbucket": bitbucket.Bitbucket,
}


class Liar(BaseHTTPRequestHandler):
    """Answers everything with `server.status` and `server.content`."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.count += 1
        self.send_response(self.server.status)
        for name, value in self.server.extra.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def liar():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.status, server.content, server.extra, server.count = 200, b"{}", {}, 0
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(liar):
    base = f"http://127.0.0.1:{liar.server_port}"
    client = Api(base, Token(f"Bearer {SECRET}", SECRET), {}, sleep=lambda _seconds: None)
    yield client
    client.close()


def forge(kind: str, client: Api):
    return HOSTS[kind](Address(kind, client.host, client.base, "acme/deploy", f"{client.base}/graphql"), client)


ANSWERS = [
    b"",
    b"null",
    b"7",
    b'"text"',
    b"[]",
    b"{}",
    b"[7]",
    b"[[]]",
    b"[{}]",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"values": 7}',
    b'{"values": [{}], "next": "http://127.0.0.1:9/"}',
    json.dumps([{"head": {"repo": {"id": 1}}, "base": {"repo": {"id": 1}}}]).encode(),
    json.dumps([{"head": None, "base": 7, "number": True}]).encode(),
    json.dumps([{"source_project_id": 1, "target_project_id": 1, "iid": "1", "web_url": 7}]).encode(),
    json.dumps({"number": 1, "html_url": "javascript:alert(1)", "state": "open", "title": 7}).encode(),
]


@pytest.mark.parametrize("kind", HOSTS)
def test_whatever_is_answered_nothing_but_our_errors_come_out(kind, client, liar):
    host, errors = forge(kind, client), []
    for answer in ANSWERS:
        liar.content = answer
        for work in (lambda: host.open_requests("main"), lambda: host.read(1), lambda: host.create(OFFER)):
            try:
                work()
            except PromoteError as error:
                errors.append(error)
    assert len(errors) > len(ANSWERS)
    assert {error.exit_code for error in errors} <= {3, 4}
    assert all(error.message.isprintable() for error in errors)


@pytest.mark.parametrize("kind", HOSTS)
def test_a_list_that_never_ends_is_left(kind, client, liar):
    item = {"head": None, "source": None}
    page = [item] * 100
    liar.content = json.dumps({"values": page, "next": "more"} if kind == "bitbucket" else page).encode()
    with pytest.raises(Fault):
        forge(kind, client).open_requests("main")
    assert liar.count == 100


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 405, 409, 418, 422, 429, 500, 502, 503])
def test_the_token_is_in_no_error_whatever_the_host_repeats(status, client, liar):
    liar.status = status
    liar.content = json.dumps({"message": f"bad Bearer {SECRET}\x1b[31m", "errors": [{"token": SECRET}]}).encode()
    liar.extra = {"Location": "http://127.0.0.1:9/"}
    for work in (lambda: client.get("/x"), lambda: client.send("POST", "/x", {})):
        with pytest.raises(PromoteError) as error:
            work()
        told = "".join(str(value) for value in vars(error.value).values())
        assert SECRET not in told
        assert "\x1b" not in told
        assert error.value.exit_code in (3, 4)


def test_an_answer_without_end_is_left(client, liar, monkeypatch):
    monkeypatch.setattr(api_module, "LARGEST", 100_000)
    liar.content = b" " * 200_000
    with pytest.raises(Fault) as fault:
        client.get("/x")
    assert fault.value.code == "forge-answer"


def test_reading_is_tried_again_and_writing_only_where_the_host_was_too_busy(client, liar):
    liar.status = 503
    with pytest.raises(Fault):
        client.get("/x")
    assert liar.count == 4
    with pytest.raises(Fault):
        client.send("POST", "/x", {})
    assert liar.count == 5
    liar.status, liar.extra = 429, {"Retry-After": "1"}
    with pytest.raises(Fault):
        client.send("POST", "/x", {})
    assert liar.count == 9


def test_a_pause_of_hours_is_not_waited_for(client, liar):
    liar.status, liar.extra = 429, {"Retry-After": "7200"}
    with pytest.raises(Fault):
        client.get("/x")
    assert liar.count == 1


def test_githubs_limit_is_no_matter_of_the_token(client, liar):
    liar.status, liar.extra = 403, {"X-RateLimit-Remaining": "0"}
    with pytest.raises(Fault) as fault:
        client.get("/x")
    assert (fault.value.exit_code, fault.value.code) == (3, "forge-transport")


def test_a_host_that_is_not_there_is_a_fault():
    client = Api("http://127.0.0.1:9", Token(f"Bearer {SECRET}", SECRET), {}, sleep=lambda _seconds: None)
    for work in (lambda: client.get("/x"), lambda: client.send("POST", "/x", {})):
        with pytest.raises(Fault) as fault:
            work()
        assert fault.value.code == "forge-transport"
        assert SECRET not in str(vars(fault.value))
    client.close()
