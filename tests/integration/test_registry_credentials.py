"""Credentials on the wire: how many requests they cost, and where they go."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina
from support.registry_server import Answer, Drop, RegistryServer, Request, once, when
from support.store_contract import Bytes, described, image, in_parallel, put

from promote.errors import CredentialsFault, Fault
from promote.model.configuration import RegistryOptions
from promote.model.digest import Digest
from promote.model.reference import Repository
from promote.oci.store import Store
from promote.oci.stores import Stores

CANARY = "canary-Pa55word"
Open = Callable[..., Store]


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Open]:
    """Open a repository of a server, with a password, an auth file's entry, or nothing."""
    opened: list[Stores] = []

    def open_one(server: RegistryServer, path: str = "acme/web", *, entry: object = None, **environ: str) -> Store:
        file = tmp_path / f"auth{len(opened)}.json"
        file.write_text(json.dumps({"auths": {server.address: entry} if entry else {}}))
        stores = Stores({}, {"REGISTRY_AUTH_FILE": str(file), "HOME": str(tmp_path), **environ})
        opened.append(stores)
        return stores.open(Repository(server.address, path))

    yield open_one
    for stores in opened:
        stores.close()


def right(server: RegistryServer) -> dict[str, str]:
    return {"username": server.username, "password": server.password}


WRONG = {"username": "promoter", "password": CANARY}


def refused(server: RegistryServer, work: Callable[[], object]) -> CredentialsFault:
    with pytest.raises(CredentialsFault) as caught:
        work()
    assert caught.value.exit_code == 4
    assert server.address in caught.value.message
    everything = repr(vars(caught.value)) + str(caught.value) + repr(caught.value)
    assert CANARY not in everything
    assert base64.b64encode(f"promoter:{CANARY}".encode()).decode() not in everything
    return caught.value


def test_wrong_password_costs_two_requests(open_store: Open) -> None:
    with RegistryServer(auth="basic") as server:
        problem = refused(server, lambda: open_store(server, entry=WRONG).check_access(push=True))
        assert problem.code == "credentials-refused"
        assert [(r.method, r.path) for r in server.requests] == [("GET", "/v2/")] * 2


def test_wrong_password_for_a_token_costs_two_requests(open_store: Open) -> None:
    with RegistryServer(auth="token") as server:
        refused(server, lambda: open_store(server, entry=WRONG).check_access(push=True))
        assert [r.path for r in server.requests] == ["/v2/", "/token"]


def test_no_password_where_one_is_wanted_costs_one_request(open_store: Open) -> None:
    with RegistryServer(auth="basic") as server:
        problem = refused(server, lambda: open_store(server).resolve("latest"))
        assert problem.code == "credentials-missing"
        assert problem.hint is not None
        assert f"docker login {server.address}" in problem.hint
        assert len(server.requests) == 1


def test_401_without_a_challenge_costs_one_request(open_store: Open) -> None:
    with RegistryServer(faults=[lambda _: Answer(401)]) as server:
        refused(server, lambda: open_store(server, entry=WRONG).resolve("latest"))
        assert len(server.requests) == 1


def test_403_costs_one_request(open_store: Open) -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": CANARY}]}).encode()
    with RegistryServer(faults=[lambda _: Answer(403, {}, body)]) as server:
        problem = refused(server, lambda: open_store(server, entry=WRONG).resolve("latest"))
        assert "403 DENIED" in problem.message
        assert len(server.requests) == 1


def test_token_that_is_refused_is_asked_for_once(open_store: Open) -> None:
    challenge = {"WWW-Authenticate": "Bearer realm=REALM"}

    def never(request: Request) -> Answer | None:
        return Answer(401, challenge) if request.path.startswith("/v2/") else None

    with RegistryServer(auth="token", faults=[never]) as server:
        challenge["WWW-Authenticate"] = f'Bearer realm="{server.url}/token",service="x"'
        refused(server, lambda: open_store(server, entry=right(server)).resolve("latest"))
        assert [r.path for r in server.requests] == [
            "/v2/acme/web/manifests/latest",
            "/token",
            "/v2/acme/web/manifests/latest",
        ]


def test_password_is_sent_straight_away_once_it_was_asked_for(open_store: Open) -> None:
    with RegistryServer(auth="basic") as server:
        store = open_store(server, entry=right(server))
        store.check_access(push=True)
        server.forget_requests()
        put(store, b"content")
        assert store.resolve("latest") is None
        assert [r.method for r in server.requests] == ["POST", "PUT", "GET"]


def test_one_token_serves_reading_and_writing(open_store: Open) -> None:
    with RegistryServer(auth="token") as server:
        store = open_store(server, entry=right(server))
        store.check_access(push=True)
        manifest = image(store)
        store.put_manifest(manifest)
        assert store.manifest(manifest.digest) == manifest
        assert server.count("GET", "/token") == 1
        asked = next(r for r in server.requests if r.path == "/token")
        assert asked.query == {"service": "registry.test", "scope": "repository:acme/web:pull,push"}


def test_reading_asks_for_no_more_than_reading(open_store: Open) -> None:
    with RegistryServer(auth="token") as server:
        store = open_store(server, entry=right(server))
        store.resolve("latest")
        assert [r.query["scope"] for r in server.requests if r.path == "/token"] == ["repository:acme/web:pull"]
        put(store, b"content")
        assert server.count("GET", "/token") == 2


def test_repositories_have_tokens_of_their_own(tmp_path: Path) -> None:
    with RegistryServer(auth="token", anonymous_pull=True) as server, Stores({}, {}) as stores:
        for path in ("acme/web", "acme/api"):
            assert stores.open(Repository(server.address, path)).resolve("latest") is None
        scopes = [r.query["scope"] for r in server.requests if r.path == "/token"]
        assert scopes == ["repository:acme/web:pull", "repository:acme/api:pull"]
        assert len(server.requests) == 5


def test_twenty_threads_ask_for_one_token(open_store: Open) -> None:
    with RegistryServer(auth="token") as server:
        store = open_store(server, entry=right(server))
        assert in_parallel([lambda: store.has_blob(Digest.of(b"x"))] * 20) == []
        assert server.count("GET", "/token") == 1


def test_token_that_was_revoked_is_asked_for_again(open_store: Open) -> None:
    with RegistryServer(auth="token") as server:
        store = open_store(server, entry=right(server))
        store.resolve("latest")
        server.revoke_tokens()
        assert in_parallel([lambda: store.has_blob(Digest.of(b"x"))] * 8) == []
        assert server.count("GET", "/token") == 2


def test_token_service_that_is_busy_is_asked_again(open_store: Open) -> None:
    with RegistryServer(auth="token") as server:
        server.faults = [
            once(when("GET", "/token", Answer(503, {"Retry-After": "0"}))),
            once(when("GET", "/token", Drop())),
        ]
        assert open_store(server, entry=right(server)).resolve("latest") is None
        assert server.count("GET", "/token") == 3


def test_token_service_that_stays_busy_is_no_matter_of_credentials(open_store: Open) -> None:
    with RegistryServer(auth="token", faults=[when("GET", "/token", Answer(500))]) as server:
        with pytest.raises(Fault) as caught:
            open_store(server, entry=right(server)).resolve("latest")
        assert caught.value.exit_code == 3


def test_identity_token_is_exchanged_by_post(open_store: Open) -> None:
    with RegistryServer(auth="token", identity_token=CANARY) as server:
        store = open_store(server, entry={"identitytoken": CANARY})
        assert store.resolve("latest") is None
        assert server.count("POST", "/token") == 1
        assert all(CANARY not in r.target + repr(r.headers) for r in server.requests)


def test_wrong_identity_token_is_a_credentials_fault(open_store: Open) -> None:
    with RegistryServer(auth="token", identity_token="another") as server:
        refused(server, lambda: open_store(server, entry={"identitytoken": CANARY}).resolve("latest"))


def test_netrc_is_never_read(open_store: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login promoter password {CANARY}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with RegistryServer(auth="token") as server:
        assert open_store(server, entry=right(server)).resolve("latest") is None
        assert open_store(server, "acme/open", NETRC=str(netrc))
        said = {r.headers.get("authorization", "").partition(" ")[0] for r in server.requests if r.path != "/token"}
        assert said == {"", "Bearer"}


@pytest.mark.parametrize(
    "realm", ["http://auth.example.invalid/token", "https://169.254.169.254/token", "https://10.1.2.3/t", "ftp://x/"]
)
def test_realm_that_is_not_safe_gets_nothing(open_store: Open, realm: str) -> None:
    answer = Answer(401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'})
    with RegistryServer(faults=[lambda _: answer]) as server:
        with pytest.raises(Fault) as caught:
            open_store(server, entry=WRONG).resolve("latest")
        assert caught.value.code == "unsafe-token-realm"
        assert len(server.requests) == 1


def test_token_service_that_redirects_elsewhere_does_not_pass_the_password_on(open_store: Open) -> None:
    with RegistryServer() as elsewhere, RegistryServer(auth="token") as server:
        server.faults = [when("GET", "/token", Answer(307, {"Location": f"{elsewhere.url}/token"}))]
        refused(server, lambda: open_store(server, entry=WRONG).resolve("latest"))
        assert [r.headers.get("authorization") for r in elsewhere.requests] == [None]


def test_endless_token_is_cut(open_store: Open) -> None:
    endless = Answer(200, {"Content-Length": str(2**40)}, (b"x" * 65536 for _ in range(10**6)))
    with RegistryServer(auth="token", faults=[when("GET", "/token", endless)]) as server:
        with pytest.raises(Fault) as caught:
            open_store(server, entry=right(server)).resolve("latest")
        assert caught.value.code == "answer-too-large"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"token": 7}', b'{"token": "a\\r\\nb"}', b'{"token": ""}', b"\xff"])
def test_token_that_is_none_is_a_fault(open_store: Open, body: bytes) -> None:
    with RegistryServer(auth="token", faults=[when("GET", "/token", Answer(200, {}, body))]) as server:
        with pytest.raises(Fault):
            open_store(server, entry=right(server)).resolve("latest")
        assert len(server.requests) == 2


def test_mount_asks_for_both_repositories(open_store: Open) -> None:
    with RegistryServer(auth="token") as server:
        source = server.repository("acme/source")
        source.add_blob(b"content")
        store = open_store(server, entry=right(server))
        assert store.mount_blob(Digest.of(b"content"), Repository(server.address, "acme/source"))
        asked = next(r for r in server.requests if r.path == "/token")
        assert asked.target.count("scope=") == 2


def test_mount_that_is_not_allowed_is_an_answer(open_store: Open) -> None:
    with RegistryServer(auth="basic", faults=[when("POST", "mount=", Answer(403))]) as server:
        store = open_store(server, entry=right(server))
        assert store.mount_blob(Digest.of(b"content"), Repository(server.address, "acme/source")) is False
        store.put_blob(described(b"content"), Bytes(b"content"))
        assert store.has_blob(Digest.of(b"content"))


def test_plain_http_proxy_is_used_but_not_for_this_machine() -> None:
    with RegistryServer() as server:
        environ = {"HTTP_PROXY": server.url}
        far = Repository("registry.example.invalid", "acme/web")
        with Stores({far.registry: RegistryOptions(plain_http=True)}, environ) as stores:
            assert stores.open(far).resolve("latest") is None
            assert server.requests[-1].target == "http://registry.example.invalid/v2/acme/web/manifests/latest"
            assert stores.open(Repository(server.address, "acme/web")).resolve("latest") is None
            assert server.requests[-1].target == "/v2/acme/web/manifests/latest"


def test_password_of_a_proxy_is_not_shown() -> None:
    environ = {"HTTPS_PROXY": f"http://user:{CANARY}@127.0.0.1:1"}
    with Stores({}, environ) as stores, pytest.raises(Fault, match="connection refused") as caught:
        stores.open(Repository("registry.example.invalid", "acme/web")).resolve("latest")
    assert CANARY not in repr(vars(caught.value)) + str(caught.value)
