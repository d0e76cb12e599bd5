"""Hosts that lie, break and never end: every answer ends in one of promote's errors, and no token is ever told."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.errors import Fault, PromoteError
from promote.gitops.forge import api as api_module
from promote.gitops.forge import bitbucket, gitea, github, gitlab, proposing
from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api
from promote.gitops.forge.forge import Offer

SECRET = "s3cr3t-t0ken"
OFFER = Offer("promote/prod/shop/0", "main", "t", "b")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
HOSTS = {
    "github": github.GitHub,
    "gitlab": gitlab.GitLab,
    "gitea": gitea.Gitea,
    "bitbucket": bitbucket.Bitbucket,
}


class Liar(BaseHTTPRequestHandler):
    """Answers everything with `server.status` and `server.content`, or the next of `server.answers`."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.count += 1
        if self.server.answers:
            self.server.content = self.server.answers.pop(0)
        self.send_response(self.server.status)
        for name, value in self.server.extra.items():
            self.send_header(name, value)
        if self.server.blocks is None:
            self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        with suppress(OSError):  # the client left
            for block in self.server.blocks or [self.server.content]:
                self.wfile.write(block)

    do_GET = do_POST = do_PATCH = do_PUT = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def lying() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.status, server.content, server.extra, server.count = 200, b"{}", {}, 0
    server.answers, server.blocks = [], None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def asking(server: ThreadingHTTPServer) -> Iterator[Api]:
    base = f"http://127.0.0.1:{server.server_port}"
    client = Api(base, Token(f"Bearer {SECRET}", SECRET), {}, sleep=lambda _seconds: None)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def liar():
    with lying() as server:
        yield server


@pytest.fixture
def client(liar):
    with asking(liar) as client:
        yield client


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


def test_a_reason_that_is_nested_without_end_is_left_out(client, liar):
    liar.status = 422
    for depth in range(900, 1000):  # where what can be read can not be written any more
        liar.content = b'{"message": "no", "errors": ' + b"[" * depth + b"]" * depth + b"}"
        with pytest.raises(Fault) as fault:
            client.send("POST", "/x", {})
        assert fault.value.code == "forge-rejected"


def test_an_answer_without_end_is_left(client, liar, monkeypatch):
    monkeypatch.setattr(api_module, "LARGEST", 100_000)
    liar.content = b" " * 200_000
    with pytest.raises(Fault) as fault:
        client.get("/x")
    assert fault.value.code == "forge-answer"


def drops() -> Iterator[bytes]:
    while True:
        time.sleep(0.005)
        yield b" "


def test_an_answer_that_drips_is_left(client, liar, monkeypatch):
    monkeypatch.setattr(api_module, "WHOLE", 0.02)
    liar.blocks = drops()
    with pytest.raises(Fault) as fault:
        client.send("POST", "/x", {})
    assert (fault.value.code, liar.count) == ("forge-transport", 1)
    assert "was not there in 0.02 seconds" in fault.value.message


def test_an_answer_in_pieces_is_put_together(client, liar):
    liar.blocks = [b'{"number"', b": ", b"7}"]
    assert client.number(client.get("/x"), "number") == 7


def test_an_answer_that_is_cut_short_is_none_even_where_its_beginning_could_be_read(client, liar):
    liar.extra, liar.blocks = {"Content-Length": "100"}, [b"[]"]
    with pytest.raises(Fault) as fault:
        client.get("/x")
    assert (fault.value.code, liar.count) == ("forge-transport", 4)


def test_a_compressed_answer_counts_as_large_as_it_is(client, liar, monkeypatch):
    monkeypatch.setattr(api_module, "LARGEST", 100_000)
    liar.extra, liar.content = {"Content-Encoding": "gzip"}, gzip.compress(b" " * 200_000 + b"{}")
    with pytest.raises(Fault) as fault:
        client.get("/x")
    assert fault.value.code == "forge-answer"
    assert len(liar.content) < 1000


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


def request_of(kind: str, **wrong) -> dict:
    """An open request as a host of `kind` tells it, with `wrong` instead of its number, url, branch, head or title."""
    told = {
        "number": 1,
        "url": "https://git.example/acme/deploy/1",
        "branch": "b",
        "head": "0" * 40,
        "title": "t",
        **wrong,
    }
    if kind == "gitlab":
        ids = {"source_project_id": 1, "target_project_id": 1, "source_branch": told["branch"], "sha": told["head"]}
        return {"iid": told["number"], "web_url": told["url"], "title": told["title"], "state": "opened", **ids}
    if kind == "bitbucket":
        repository = {"repository": {"full_name": "acme/deploy"}}
        source = {"branch": {"name": told["branch"]}, "commit": {"hash": told["head"]}, **repository}
        into = {"branch": {"name": "main"}, **repository}
        links = {"links": {"html": {"href": told["url"]}}}
        return {
            "id": told["number"],
            "title": told["title"],
            "state": "OPEN",
            "source": source,
            "destination": into,
            **links,
        }
    sides = {"repo": {"id": 1}, "repo_id": 1}
    head = {"ref": told["branch"], "sha": told["head"], **sides}
    named = {
        "number": told["number"],
        "html_url": told["url"],
        "node_id": "PR_1",
        "title": told["title"],
        "state": "open",
    }
    return {**named, "head": head, "base": {"ref": "main", **sides}}


NUMBERS = [0, -1, -(2**63), 2**63, 10**300, 1.0, 1e308, "1", "1/../2", True, None, [1], {"number": 1}]
LINKS = [
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "//git.example/acme/deploy/1",
    "/acme/deploy/1",
    "https://",
    "https://git.example",
    "https:///acme/deploy/1",
    "https://github.com@evil.example/acme/deploy/1",
    "https://user:s3cret@git.example/acme/deploy/1",
    "https://git.example\\@evil.example/1",
    "https://git.example:port/1",
    "https://git.example/acme deploy/1",
    "https://git.example/1\nPromote-Id: 1",
    "https://git.example/1\r\x1b]8;;http://evil.example\x1b\\",
    "https://git.example/1)](https://evil.example/)",
    "https://git.example/`1`",
    'https://git.example/"onclick="x',
    "https://git.example/<script>",
    "https://git.example/1\u202e",
    "https://g\u0456t.example/1",
    "https://git.example/" + "x" * 3000,
    7,
    None,
    ["https://git.example/1"],
]


@pytest.mark.parametrize("kind", HOSTS)
def test_a_request_of_its_kind_is_read(kind, client, liar):
    liar.content = json.dumps(request_of(kind)).encode()
    assert forge(kind, client).read(1).url == "https://git.example/acme/deploy/1"


@pytest.mark.parametrize("kind", ["gitlab", "bitbucket"])
def test_a_request_whose_branch_is_gone_hides_no_other(kind, client, liar):
    gone, there = request_of(kind, head=None), request_of(kind, number=2)
    if kind == "bitbucket":
        gone["source"]["commit"] = None
    liar.content = json.dumps({"values": [gone, there]} if kind == "bitbucket" else [gone, there]).encode()
    found = forge(kind, client).open_requests("main")
    assert [(request.number, request.head) for request in found] == [(1, ""), (2, "0" * 40)]


@pytest.mark.parametrize("kind", HOSTS)
def test_a_number_that_is_none_is_in_no_path_of_a_request(kind, client, liar):
    for number in NUMBERS:
        liar.content = json.dumps(request_of(kind, number=number)).encode()
        with pytest.raises(Fault) as fault:
            forge(kind, client).create(OFFER)
        assert fault.value.code == "forge-answer"


@pytest.mark.parametrize("kind", HOSTS)
def test_a_link_that_leads_elsewhere_than_it_says_or_ends_its_markdown_is_not_told(kind, client, liar):
    for link in LINKS:
        liar.content = json.dumps(request_of(kind, url=link)).encode()
        with pytest.raises(Fault) as fault:
            forge(kind, client).create(OFFER)
        assert fault.value.code == "forge-answer"
        assert fault.value.message.isprintable()


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:3000/acme/deploy/pulls/1",
        "http://[::1]:3000/acme/deploy/pulls/1",
        "https://git_server.internal/git/acme/deploy/pulls/1",
        "https://gitlab.com/acme/sub.group/deploy/-/merge_requests/1",
        "https://github.com/acme/deploy/pull/1?x=%20&y=1#issuecomment-1",
    ],
)
def test_links_as_hosts_have_them_are_told(link, client, liar):
    liar.content = json.dumps(request_of("github", url=link)).encode()
    assert forge("github", client).read(1).url == link


@pytest.mark.parametrize("kind", HOSTS)
def test_a_page_of_html_with_any_status_is_told_as_no_answer(kind, client, liar):
    liar.content, liar.extra = b"<html><script>alert(1)</script>" + b"x" * 100_000, {"Content-Type": "text/html"}
    codes = set()
    for status in (200, 201, 203, 401, 404, 422, 502):
        liar.status = status
        with pytest.raises(PromoteError) as error:
            forge(kind, client).create(OFFER)
        assert "<" not in error.value.message
        codes.add(error.value.code)
    assert codes == {"forge-answer", "forge-credentials", "forge-rejected", "forge-transport"}


@pytest.mark.parametrize("kind", HOSTS)
def test_a_request_whose_branch_changed_hands_is_told_without_its_escapes(kind, client, liar):
    nobody = {"values": []} if kind == "bitbucket" else []
    other = request_of(kind, branch="promote/prod/shop/0\x1b[2J" + "x" * 5000)
    # The third is asked for another that some other run made at the same moment.
    liar.answers = [json.dumps(answer).encode() for answer in (nobody, other, nobody, other)]
    with pytest.raises(Fault) as fault:
        proposing.propose(
            forge(kind, client),
            OFFER,
            "0" * 40,
            lambda _: False,
            fresh=False,
            auto_merge=False,
            delete=lambda _: None,
        )
    assert fault.value.code == "pull-request-unconfirmed"
    assert all(str(value).isprintable() for value in vars(fault.value).values())


@pytest.mark.parametrize("kind", HOSTS)
@given(told=st.dictionaries(st.sampled_from(["number", "url", "branch", "head", "title"]), JSON, max_size=3))
@settings(max_examples=30, deadline=None)
def test_whatever_a_field_holds_it_is_read_or_refused(kind, told):
    with lying() as server, asking(server) as client:
        server.content = json.dumps(request_of(kind, **told)).encode()
        try:
            request = forge(kind, client).read(1)
        except PromoteError as error:
            said = error.message
        else:
            said = request.url
            assert request.number >= 1
        assert said.isprintable()
