"""A registry that lies: about content, about where to go, about how long it will take."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st
from support.registry_server import Answer, RegistryServer, Request, Tamper, digest_of, once, when
from support.store_contract import Bytes, described, got, image, put

from promote.errors import Fault, PromoteError
from promote.model.digest import Digest
from promote.model.manifest import MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST, RawManifest
from promote.model.reference import Repository
from promote.oci.store import BLOCK, Store
from promote.oci.stores import Stores

CANARY = "canary-Pa55word"


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with RegistryServer(auth="token", password=CANARY) as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[RegistryServer]:
    with RegistryServer() as running:
        yield running


@pytest.fixture
def store(server: RegistryServer, tmp_path: Path) -> Iterator[Store]:
    """A store that is logged in, its token in use."""
    file = tmp_path / "auth.json"
    file.write_text(json.dumps({"auths": {server.address: {"username": server.username, "password": CANARY}}}))
    with Stores({}, {"REGISTRY_AUTH_FILE": str(file)}) as stores:
        opened = stores.open(Repository(server.address, "acme/web"))
        opened.check_access(push=True)
        server.forget_requests()
        yield opened


def fault(work: Callable[[], object]) -> Fault:
    with pytest.raises(Fault) as caught:
        work()
    text = repr(vars(caught.value)) + str(caught.value)
    assert CANARY not in text
    assert "Bearer" not in text
    assert text.isprintable()
    return caught.value


def nothing_secret(server: RegistryServer) -> None:
    """Assert that `server` was asked, and never told who we are."""
    assert server.requests
    for request in server.requests:
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers


# -- content


@pytest.mark.parametrize("where", ["first", "last"])
def test_manifest_with_a_flipped_byte_is_refused(server: RegistryServer, store: Store, where: str) -> None:
    manifest = image(store)
    store.put_manifest(manifest)

    def flip(body: bytes) -> bytes:
        at = 0 if where == "first" else len(body) - 1
        return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]

    server.faults = [when("GET", "/manifests/", Tamper({"Docker-Content-Digest": None}, flip))]
    problem = fault(lambda: store.manifest(manifest.digest))
    assert problem.code == "content-mismatch"
    assert problem.expected == str(manifest.digest)


def test_manifest_that_is_another_one_is_refused(server: RegistryServer, store: Store) -> None:
    one, two = image(store, "one"), image(store, "two")
    server.repository("acme/web").manifests[str(one.digest)] = (OCI_MANIFEST, two.content)
    assert fault(lambda: store.manifest(one.digest)).code == "content-mismatch"


@pytest.mark.parametrize("said", [str(Digest.of(b"other")), "sha256:../../x", "nonsense"])
def test_digest_header_that_contradicts_the_body_is_refused(server: RegistryServer, store: Store, said: str) -> None:
    manifest = image(store)
    store.put_manifest(manifest)
    store.put_tag("latest", manifest)
    server.faults = [lambda request: Tamper({"Docker-Content-Digest": said})]
    fault(lambda: store.resolve("latest"))
    fault(lambda: store.put_tag("latest", manifest))
    fault(lambda: store.put_manifest(manifest))


@pytest.mark.parametrize("at", [0, 2 * BLOCK, 3 * BLOCK + 6])
def test_blob_with_a_flipped_byte_is_never_complete(server: RegistryServer, store: Store, at: int) -> None:
    content = b"x" * (3 * BLOCK + 7)
    blob = put(store, content)
    server.repository("acme/web").blobs[str(blob.digest)] = content[:at] + b"y" + content[at + 1 :]
    read = []
    with store.open_blob(blob) as reader, pytest.raises(Fault) as caught:
        while block := reader.read():
            read.append(block)
    assert caught.value.code == "content-mismatch"
    assert sum(map(len, read)) < len(content)


def test_blob_with_a_flipped_byte_does_not_reach_the_target(
    server: RegistryServer, store: Store, elsewhere: RegistryServer
) -> None:
    content = b"x" * (2 * BLOCK + 1)
    blob = put(store, content)
    server.repository("acme/web").blobs[str(blob.digest)] = content[:-1] + b"y"
    with Stores({}, {}) as stores:
        target = stores.open(Repository(elsewhere.address, "acme/web"))
        with store.open_blob(blob) as reader:
            assert fault(lambda: target.put_blob(blob, reader)).code == "content-mismatch"
        assert not target.has_blob(blob.digest)
    assert elsewhere.repository("acme/web").blobs == {}
    assert elsewhere.repository("acme/web").uploads == {}


@pytest.mark.parametrize("wrong", [b"", b"shor", b"longer than it was said"])
@pytest.mark.parametrize("length", [True, False])
def test_blob_of_another_length_is_refused(server: RegistryServer, store: Store, wrong: bytes, length: bool) -> None:
    blob = put(store, b"right")
    headers = {} if length else {"Content-Length": None, "Connection": "close"}
    server.faults = [when("GET", "/blobs/", Tamper(headers, lambda _: wrong))]
    fault(lambda: got(store, blob))


@pytest.mark.parametrize(
    "resumed",
    [
        Answer(200, {}, b"x" * 4096),
        Answer(206, {"Content-Range": "bytes 0-4095/4096"}, b"x" * 4096),
        Answer(206, {"Content-Range": "bytes 1000-4095/9999"}, b"x" * 3096),
        Answer(206, {"Content-Range": "bytes 1001-4095/4096"}, b"x" * 3095),
        Answer(206, {}, b"x" * 3096),
        Answer(206, {"Content-Range": "bytes 1000-4095/4096"}, b"y" * 3096),
        Answer(206, {"Content-Range": "bytes 1000-4095/4096"}, b"x" * 9000),
        Answer(416),
        Answer(403),
    ],
)
def test_resumed_download_that_lies_is_never_joined(server: RegistryServer, store: Store, resumed: Answer) -> None:
    blob = put(store, b"x" * 4096)
    server.faults = [
        once(when("GET", "/blobs/", Tamper(cut=1000))),
        lambda request: resumed if request.headers.get("range") == "bytes=1000-" else None,
    ]
    fault(lambda: got(store, blob))


def test_compressed_answer_is_refused(server: RegistryServer, store: Store) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    blob = described(bomb)
    server.repository("acme/web").add_blob(bomb)
    server.faults = [when("GET", "", Tamper({"Content-Encoding": "gzip"}))]
    assert fault(lambda: got(store, blob)).code == "content-encoding"
    assert fault(lambda: list(store.tags())).code == "content-encoding"
    assert all(r.headers["accept-encoding"] == "identity" for r in server.requests)


def test_registry_that_says_created_and_keeps_nothing_is_found_out_by_asking(
    server: RegistryServer, store: Store
) -> None:
    server.faults = [when("PUT", "", Answer(201))]
    blob = put(store, b"content")
    assert store.has_blob(blob.digest) is False
    manifest = image(store)
    store.put_manifest(manifest)
    assert store.has_manifest(manifest.digest) is False


# -- where it leads


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_token_does_not_follow_a_redirect(
    server: RegistryServer, store: Store, elsewhere: RegistryServer, status: int
) -> None:
    manifest = image(store)
    blob = put(store, b"content")
    elsewhere.repository("acme/web").add_manifest(manifest.content, OCI_MANIFEST, "latest")
    elsewhere.repository("acme/web").add_blob(b"content")
    server.faults = [lambda request: Answer(status, {"Location": f"{elsewhere.url}{request.target}"})]
    assert store.resolve("latest") == manifest
    assert got(store, blob) == b"content"
    assert store.has_blob(blob.digest)
    assert all("authorization" in r.headers for r in server.requests)
    nothing_secret(elsewhere)


def test_token_is_not_sent_again_after_a_detour(
    server: RegistryServer, store: Store, elsewhere: RegistryServer
) -> None:
    server.faults = [
        when("GET", "/manifests/latest", Answer(307, {"Location": f"{elsewhere.url}/detour"})),
        when("GET", "/back", Answer(404)),
    ]
    elsewhere.faults = [lambda _: Answer(307, {"Location": f"{server.url}/back"})]
    assert store.resolve("latest") is None
    assert [("authorization" in r.headers) for r in server.requests] == [True, False]
    nothing_secret(elsewhere)


def test_401_from_elsewhere_gets_no_credentials(
    server: RegistryServer, store: Store, elsewhere: RegistryServer
) -> None:
    server.faults = [when("GET", "/manifests/", Answer(307, {"Location": f"{elsewhere.url}/v2/x/manifests/y"}))]
    elsewhere.faults = [lambda _: Answer(401, {"WWW-Authenticate": f'Bearer realm="{elsewhere.url}/token"'})]
    fault(lambda: store.resolve("latest"))
    nothing_secret(elsewhere)
    assert elsewhere.count("GET", "/token") == 0
    assert server.count("GET", "/token") == 0


def test_token_does_not_follow_an_upload_elsewhere(
    server: RegistryServer, store: Store, elsewhere: RegistryServer
) -> None:
    location = f"{elsewhere.url}/bucket?signature=a%2Fb&x"
    server.faults = [when("POST", "/blobs/uploads/", Answer(202, {"Location": location}))]
    elsewhere.faults = [when("PUT", "/bucket", Answer(201))]
    store.put_blob(described(b"content"), Bytes(b"content"))
    (request,) = elsewhere.requests
    assert request.target == f"/bucket?signature=a%2Fb&x&digest={digest_of(b'content')}"
    nothing_secret(elsewhere)


@pytest.mark.parametrize(
    "location", ["ftp://x.invalid/y", "file:///etc/passwd", "http://user:pw@x.invalid/", "http://[", "http://x y/"]
)
def test_upload_that_leads_nowhere_safe_is_refused(server: RegistryServer, store: Store, location: str) -> None:
    server.faults = [when("POST", "/blobs/uploads/", Answer(202, {"Location": location}))]
    problem = fault(lambda: put(store, b"content"))
    assert problem.code == "unsafe-redirect"
    assert "pw" not in problem.message
    assert [r.method for r in server.requests] == ["POST"]


@pytest.mark.parametrize("listing", ["referrers", "tags"])
def test_list_does_not_continue_elsewhere(
    server: RegistryServer, store: Store, elsewhere: RegistryServer, listing: str
) -> None:
    link = {"Link": f'<{elsewhere.url}/v2/acme/web/next>; rel="next"'}
    store.put_manifest(image(store))
    server.faults = [when("GET", f"/{listing}/", Tamper(link))]
    assert (
        fault(lambda: list(store.tags()) if listing == "tags" else store.referrers(Digest.of(b"x"))).code
        == "unsafe-page"
    )
    assert elsewhere.requests == []


def test_redirects_end(server: RegistryServer, store: Store) -> None:
    server.faults = [lambda request: Answer(307, {"Location": f"{request.path}?{len(server.requests)}"})]
    assert fault(lambda: store.resolve("latest")).code == "too-many-redirects"
    assert len(server.requests) == 6


def test_cookies_are_not_kept(server: RegistryServer, store: Store) -> None:
    server.faults = [lambda _: Tamper({"Set-Cookie": "csrf=1; Path=/"})]
    for _ in range(2):
        store.resolve("latest")
    assert all("cookie" not in r.headers for r in server.requests)


# -- how much


def endless() -> Answer:
    return Answer(200, {"Content-Type": OCI_INDEX, "Content-Length": str(2**40)}, itertools.repeat(b"[" * 65536))


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.resolve("latest"),
        lambda store: store.manifest(Digest.of(b"x")),
        lambda store: store.referrers(Digest.of(b"x")),
        lambda store: list(store.tags()),
        lambda store: store.check_access(push=False),
    ],
)
def test_endless_answer_is_cut(server: RegistryServer, store: Store, ask: Callable[[Store], object]) -> None:
    server.faults = [lambda _: endless()]
    tracemalloc.start()
    try:
        assert fault(lambda: ask(store)).code == "answer-too-large"
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_MANIFEST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("listing", ["referrers", "tags"])
def test_list_that_goes_in_circles_ends(server: RegistryServer, store: Store, listing: str) -> None:
    store.put_manifest(image(store))
    circle = Tamper(
        {"Link": f'</v2/acme/web/{listing}/{"list" if listing == "tags" else Digest.of(b"x")}>; rel="next"'}
    )
    server.faults = [when("GET", f"/{listing}/", circle)]
    fault(lambda: list(store.tags()) if listing == "tags" else store.referrers(Digest.of(b"x")))
    assert server.count("GET", f"/{listing}/") <= 2


def test_list_of_referrers_that_never_ends_is_cut(server: RegistryServer, store: Store) -> None:
    def more(request: Request) -> Tamper | None:
        number = len(server.requests)
        link = {"Link": f'<{request.path}?page={number}>; rel="next"'}
        return Tamper(link) if "/referrers/" in request.target else None

    server.faults = [more]
    assert fault(lambda: store.referrers(Digest.of(b"x"))).code == "list-too-long"
    assert server.count("GET", "/referrers/") == len(server.requests) - 1 == 101


# -- what it says


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"schemaVersion":2,"manifests":null}',
        b'{"schemaVersion":2,"manifests":[7]}',
        b'{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:../../x","size":1}]}',
        b'{"schemaVersion":2,"manifests":[],"manifests":[]}',
        b'{"schemaVersion":2,"manifests":[],"layers":[]}',
        b"[" * 100_000,
    ],
)
def test_list_of_referrers_that_is_malformed_is_a_fault(server: RegistryServer, store: Store, body: bytes) -> None:
    """Never an empty list: that would look like a missing signature."""
    server.faults = [when("GET", "/referrers/", Answer(200, {"Content-Type": OCI_INDEX}, body))]
    fault(lambda: store.referrers(Digest.of(b"x")))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"tags":7}', b'{"tags":[7]}', b'{"tags":["../x"]}', b'{"tags":["a\\u001b[2J"]}']
)
def test_list_of_tags_that_is_malformed_is_a_fault(server: RegistryServer, store: Store, body: bytes) -> None:
    server.faults = [when("GET", "/tags/", Answer(200, {}, body))]
    fault(lambda: list(store.tags()))


def test_words_of_a_registry_are_not_repeated(server: RegistryServer, store: Store) -> None:
    def reflecting(request: Request) -> Answer:
        errors = [{"code": "DENIED", "message": f"\x1b[2J {request.headers.get('authorization')} {CANARY}"}]
        return Answer(400, {"Content-Type": "application/json"}, json.dumps({"errors": errors}).encode())

    server.faults = [reflecting]
    assert fault(lambda: store.resolve("latest")).actual == "400 DENIED"
    server.faults = [lambda request: Answer(400, {}, json.dumps({"errors": [{"code": f"X {CANARY}"}]}).encode())]
    assert fault(lambda: store.resolve("latest")).actual == "400"


def test_manifest_that_is_not_what_it_says_is_not_stored(server: RegistryServer, store: Store) -> None:
    for content in (b"", b"[]", b'{"schemaVersion":2,"manifests":[],"layers":[]}', b'{"schemaVersion":2,"subject":7}'):
        fault(lambda content=content: store.put_manifest(RawManifest(content, OCI_MANIFEST)))  # type: ignore[misc]
    assert server.requests == []


@pytest.mark.parametrize("tag", ["../x", "a b", "", "x" * 129, "a\nb", "@sha256"])
def test_tag_that_is_none_asks_nobody(server: RegistryServer, store: Store, tag: str) -> None:
    fault(lambda: store.resolve(tag))
    assert server.requests == []


def test_secrets_are_nowhere_in_the_objects(server: RegistryServer, store: Store) -> None:
    token = next(iter(server.tokens))
    for thing in (store, vars(store), vars(store)["_registry"]):
        assert CANARY not in repr(thing)
        assert token not in repr(thing)


@settings(max_examples=40)
@given(
    status=st.sampled_from([200, 201, 202, 204, 206, 300, 304, 400, 404, 418]),
    body=st.binary(max_size=200),
    kind=st.sampled_from(["", OCI_INDEX, OCI_MANIFEST, "text/html; x=y", "application/json"]),
    location=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
)
def test_any_answer_is_an_answer_or_a_fault(status: int, body: bytes, kind: str, location: str) -> None:
    """No other exception leaves the room, whatever comes."""
    answer = Answer(
        status, {"Content-Type": kind, "Location": location, "Link": location}, b"" if status in {204, 304} else body
    )
    digest = Digest.of(b"x")
    with RegistryServer(faults=[lambda _: answer]) as server, Stores({}, {}) as stores:
        store = stores.open(Repository(server.address, "acme/web"))
        subject = RawManifest(b'{"schemaVersion":2,"manifests":[]}', OCI_INDEX)
        for ask in (
            lambda: store.resolve("latest"),
            lambda: store.manifest(digest),
            lambda: store.referrers(digest),
            lambda: list(store.tags()),
            lambda: store.has_blob(digest),
            lambda: got(store, described(b"content")),
            lambda: put(store, b"content"),
            lambda: store.put_manifest(subject),
            lambda: store.mount_blob(digest, store.repository),
        ):
            try:
                ask()
            except PromoteError as problem:
                assert problem.message.isprintable()  # noqa: PT017 - either outcome is right
