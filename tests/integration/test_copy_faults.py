"""A copy on bad days: hosts that ask for a pause, transfers that stall, tokens that run out, connections that drop."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import stamina
from support.fake_clock import FakeClock, MeetingClock
from support.image_builder import put_image
from support.registry_server import Answer, Drop, Hook, RegistryServer, Request, Tamper, once, when
from support.store_contract import described, got, in_parallel, put

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.manifest import RawManifest
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import Copied, copy_image
from promote.oci.graph import gather
from promote.oci.patience import Patience, SystemClock
from promote.oci.retry import ATTEMPTS, MAX_RETRY_AFTER
from promote.oci.sending import SENDS
from promote.oci.store import BLOCK, Store
from promote.oci.stores import Stores
from promote.oci.throttle import SPREAD

MIB = 1024 * 1024
SHORT = Patience(idle=0.3, window=0.3, least=64 * 1024)


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield


class World:
    """Two registries, logged in to by token, and the stores of one repository in each."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self._stack = stack
        self.source = stack.enter_context(RegistryServer(auth="token"))
        self.target = stack.enter_context(RegistryServer(auth="token"))
        login = {"username": self.source.username, "password": self.source.password}
        self._file = directory / "auth.json"
        self._file.write_text(json.dumps({"auths": {s.address: login for s in (self.source, self.target)}}))
        self.open(Patience())

    def open(self, patience: Patience) -> None:
        stores = self._stack.enter_context(Stores({}, {"REGISTRY_AUTH_FILE": str(self._file)}, patience))
        self.staging = stores.open(Repository(self.source.address, "acme/web"))
        self.prod = stores.open(Repository(self.target.address, "acme/web"))

    def image(self, *layers: bytes) -> RawManifest:
        root = put_image(self.staging, *layers, tag="v1")
        self.source.forget_requests()
        return root

    def copy(self) -> Copied:
        root = self.staging.resolve("v1")
        assert root is not None
        return copy_image(self.staging, self.prod, gather(self.staging, root), "v1", jobs=2, observer=Silent())

    def uploads(self, content: bytes) -> list[Request]:
        """The PUTs of a layer at the target."""
        digest = str(Digest.of(content))
        return [r for r in self.target.requests if r.method == "PUT" and r.query.get("digest") == digest]

    def arrived(self, content: bytes) -> bool:
        return self.target.repository("acme/web").blobs.get(str(Digest.of(content))) == content


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack, tmp_path)


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with RegistryServer() as running:
        yield running


# -- hosts that ask for a pause


@pytest.mark.parametrize("status", [429, 503])
def test_one_answer_pauses_every_worker_of_that_host(server: RegistryServer, status: int) -> None:
    clock = MeetingClock(parties=9)
    with Stores({}, {}, Patience(clock=clock)) as stores:
        store = stores.open(Repository(server.address, "acme/web"))
        other = stores.open(Repository(server.address, "acme/other"))
        server.faults = [once(lambda _: Answer(status, {"Retry-After": "7"}))]
        seen: list[int] = []
        clock.met = lambda: seen.append(len(server.requests))
        first_is_paused = threading.Event()
        clock.meet = _after(first_is_paused, clock.meet)

        def ask(which: Store, number: int) -> None:
            if number:
                assert first_is_paused.wait(20)
            which.has_blob(Digest.of(b"%d" % number))

        assert in_parallel([lambda n=n: ask((store, other)[n % 2], n) for n in range(9)]) == []
    assert seen == [1]  # all nine waited, and only the first had asked
    assert len(server.requests) == 10
    assert all(7.0 - 0.001 <= wait <= 7.0 + SPREAD for wait in clock.waits)


def _after(event: threading.Event, meet: Callable[[], None]) -> Callable[[], None]:
    def noted() -> None:
        event.set()
        meet()

    return noted


def test_another_host_is_not_paused(world: World) -> None:
    clock = FakeClock()
    world.open(Patience(clock=clock))
    world.source.faults = [once(when("GET", "/manifests/", Answer(429, {"Retry-After": "9"})))]
    world.staging.has_blob(Digest.of(b"x"))
    assert world.staging.resolve("v1") is None
    waited = list(clock.waits)
    assert len(waited) == 1
    clock.time -= 5.0  # still within the pause of the first
    world.prod.has_blob(Digest.of(b"x"))
    assert clock.waits == waited


@pytest.mark.parametrize("asked", ["3600", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_pauses_are_capped_and_so_is_their_number(server: RegistryServer, asked: str) -> None:
    clock = FakeClock()
    server.faults = [lambda _: Answer(429, {"Retry-After": asked})]
    with Stores({}, {}, Patience(clock=clock)) as stores, pytest.raises(Fault) as caught:
        stores.open(Repository(server.address, "acme/web")).resolve("v1")
    assert caught.value.exit_code == 3
    assert "429" in caught.value.message
    assert len(server.requests) == ATTEMPTS
    assert len(clock.waits) == ATTEMPTS - 1
    assert all(MAX_RETRY_AFTER - 0.001 <= wait <= MAX_RETRY_AFTER + SPREAD for wait in clock.waits)


def test_a_busy_token_service_pauses_its_registry(world: World) -> None:
    clock = FakeClock()
    world.open(Patience(clock=clock))
    world.source.faults = [once(when("GET", "/token", Answer(503, {"Retry-After": "4"})))]
    assert world.staging.resolve("v1") is None
    assert len(clock.waits) == 1
    assert clock.waits[0] >= 4.0


def test_an_upload_that_met_a_pause_is_sent_again_after_it(world: World) -> None:
    clock = FakeClock()
    layer = b"layer" * 100_000
    world.image(layer)
    world.open(Patience(clock=clock))
    world.target.faults = [once(when("PUT", "/blobs/uploads/", Answer(429, {"Retry-After": "5"})))]
    world.copy()
    assert world.arrived(layer)
    assert any(wait >= 5.0 - 0.001 for wait in clock.waits)


# -- transfers that stall


class Standstill:
    """A body that stops after `after` bytes until the test is over."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.over = threading.Event()

    def body(self, whole: bytes) -> Iterator[bytes]:
        yield whole[: self.after]
        self.over.wait(20)

    def hook(self, content: bytes) -> Hook:
        headers = {"Content-Length": str(len(content)), "Content-Type": "application/octet-stream"}
        return lambda r: (
            Answer(200, headers, self.body(content)) if r.method == "GET" and "/blobs/" in r.target else None
        )


@pytest.fixture
def standstill() -> Iterator[Standstill]:
    still = Standstill(after=1024 * 1024)
    yield still
    still.over.set()


def test_a_download_that_stops_is_left_and_taken_up_where_it_stopped(world: World, standstill: Standstill) -> None:
    layer = bytes(range(256)) * 8192
    world.image(layer)
    world.open(SHORT)
    digest = str(Digest.of(layer))
    stops = standstill.hook(layer)
    world.source.faults = [once(lambda r: stops(r) if digest in r.target and "range" not in r.headers else None)]
    world.copy()
    assert world.arrived(layer)
    asked = [r.headers.get("range") for r in world.source.requests if r.method == "GET" and digest in r.target]
    assert asked == [None, f"bytes={standstill.after}-"]
    assert len(world.uploads(layer)) == 1


def test_a_download_that_stops_every_time_is_given_up(server: RegistryServer, standstill: Standstill) -> None:
    content = b"x" * (2 * MIB)
    standstill.after = 1000

    def stops(request: Request) -> Answer | None:
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        headers = {"Content-Length": str(len(content) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Answer(206 if start else 200, headers, standstill.body(content[start:]))

    server.faults = [stops]
    with Stores({}, {}, SHORT) as stores, pytest.raises(Fault) as caught:
        got(stores.open(Repository(server.address, "acme/web")), described(content))
    assert caught.value.code == "download-broken"
    assert [r.headers.get("range") for r in server.requests] == [None, "bytes=1000-", "bytes=2000-"]


class CreepingClock(SystemClock):
    """A clock on which each look at it takes a second."""

    def __init__(self) -> None:
        self._time = 0.0

    def now(self) -> float:
        self._time += 1.0
        return self._time


def test_a_download_that_creeps_is_left_although_bytes_keep_coming(server: RegistryServer) -> None:
    content = b"x" * (4 * BLOCK)
    creeping = Patience(window=30.0, least=100_000, clock=CreepingClock())

    def creep(request: Request) -> Answer | None:
        if "range" in request.headers:
            return None
        headers = {"Content-Length": str(len(content))}
        return Answer(200, headers, _one_by_one(content))

    server.repository("acme/web").add_blob(content)
    server.faults = [creep]
    with Stores({}, {}, creeping) as stores:
        assert got(stores.open(Repository(server.address, "acme/web")), described(content)) == content
    assert len(server.requests) == 2
    assert "range" in server.requests[1].headers


def _one_by_one(content: bytes) -> Iterator[bytes]:
    pause = threading.Event()
    for at in range(0, len(content), 100):
        pause.wait(0.002)
        yield content[at : at + 100]


def test_an_upload_that_nobody_reads_is_given_up(server: RegistryServer) -> None:
    over = threading.Event()

    def deaf(request: Request) -> Drop | None:
        if request.method != "PUT":
            return None
        over.wait(20)
        return Drop()

    server.faults = [deaf]
    with Stores({}, {}, SHORT) as stores, pytest.raises(Fault) as caught:
        try:
            put(stores.open(Repository(server.address, "acme/web")), b"x" * (32 * MIB))
        finally:
            over.set()
    assert caught.value.code == "registry-unreachable"
    assert "no answer in time" in caught.value.message
    assert [r.method for r in server.requests] == ["POST", "PUT", "HEAD"]
    assert server.repository("acme/web").blobs == {}


# -- tokens that run out


def test_a_token_that_runs_out_between_post_and_put_is_renewed_once_and_the_blob_arrives(world: World) -> None:
    layer = b"layer" * 100_000
    world.image(layer)
    digest = str(Digest.of(layer))

    asked: list[int] = []

    def revoke(request: Request) -> Tamper | None:
        if request.method != "PUT" or request.query.get("digest") != digest:
            return None
        world.target.revoke_tokens()
        asked.append(world.target.count("GET", "/token"))
        return Tamper()

    world.target.faults = [once(revoke)]
    world.copy()
    assert world.arrived(layer)
    assert len(world.uploads(layer)) == 2
    assert world.target.count("GET", "/token") == asked[0] + 1


def test_twenty_uploads_whose_token_ran_out_ask_for_one_new_token(world: World) -> None:
    put(world.prod, b"first")
    asked = world.target.count("GET", "/token")
    world.target.revoke_tokens()
    assert in_parallel([lambda n=n: world.prod.has_blob(Digest.of(b"%d" % n)) for n in range(20)]) == []
    assert world.target.count("GET", "/token") == asked + 1


def test_credentials_that_are_refused_again_are_exit_4_and_the_blob_is_sent_twice_at_most(world: World) -> None:
    layer = b"layer" * 100_000
    world.image(layer)
    challenge = {"WWW-Authenticate": f'Bearer realm="{world.target.url}/token",service="registry.test"'}
    world.target.faults = [
        lambda r: Answer(401, challenge) if r.method == "PUT" and r.query.get("digest") else None,
    ]
    with pytest.raises(Fault) as caught:
        world.copy()
    assert caught.value.exit_code == 4
    assert len(world.uploads(layer)) <= 2
    assert "v1" not in world.target.repository("acme/web").tags


def test_a_token_that_runs_out_in_mid_download_is_renewed_and_the_download_goes_on(world: World) -> None:
    layer = bytes(range(256)) * 16384
    world.image(layer)
    digest = str(Digest.of(layer))
    root = world.staging.resolve("v1")
    assert root is not None
    graph = gather(world.staging, root)

    def halves() -> Iterator[bytes]:
        yield layer[: 2 * MIB]
        world.source.revoke_tokens()

    half = Answer(200, {"Content-Length": str(len(layer)), "Connection": "close"}, halves())
    world.source.faults = [once(lambda r: half if r.method == "GET" and digest in r.target else None)]
    before = world.source.count("GET", "/token")
    copy_image(world.staging, world.prod, graph, "v1", jobs=1, observer=Silent())
    assert world.arrived(layer)
    assert world.source.count("GET", "/token") == before + 1
    asked = [r.headers.get("range") for r in world.source.requests if r.method == "GET" and digest in r.target]
    assert asked == [None, f"bytes={2 * MIB}-", f"bytes={2 * MIB}-"]
    assert len(world.uploads(layer)) == 1


# -- connections that drop


@pytest.mark.parametrize("said", [Drop(), Answer(500), Answer(503), Answer(408), Answer(425), Answer(429)])
def test_an_upload_that_broke_is_looked_for_and_then_sent_again(world: World, said: Answer | Drop) -> None:
    layer = b"layer" * 100_000
    world.image(layer)
    digest = str(Digest.of(layer))
    world.target.faults = [once(lambda r: said if r.method == "PUT" and r.query.get("digest") == digest else None)]
    world.copy()
    assert world.arrived(layer)
    allowed = [r for r in world.target.requests if "authorization" in r.headers]
    about = [r for r in allowed if digest in r.target and r.method in {"PUT", "HEAD"}]
    # asked before the copy, sent, looked for, sent again, and read back
    assert [r.method for r in about] == ["HEAD", "PUT", "HEAD", "PUT", "HEAD"]


def test_an_upload_whose_answer_was_lost_is_not_sent_again(world: World) -> None:
    layer = b"layer" * 100_000
    world.image(layer)
    digest = str(Digest.of(layer))
    world.target.faults = [
        once(lambda r: Tamper(silent=True) if r.method == "PUT" and r.query.get("digest") == digest else None)
    ]
    world.copy()
    assert world.arrived(layer)
    assert len(world.uploads(layer)) == 1


def test_an_upload_that_breaks_every_time_is_a_fault_after_a_few(world: World) -> None:
    layer = b"layer" * 100_000
    world.image(layer)
    digest = str(Digest.of(layer))
    world.target.faults = [lambda r: Drop() if r.method == "PUT" and r.query.get("digest") == digest else None]
    with pytest.raises(Fault) as caught:
        world.copy()
    assert (caught.value.code, caught.value.exit_code) == ("upload-broken", 3)
    assert len(world.uploads(layer)) == SENDS
    assert "v1" not in world.target.repository("acme/web").tags
    assert world.target.repository("acme/web").manifests == {}


@pytest.mark.parametrize("status", [400, 404, 405, 409, 507])
def test_an_upload_that_is_refused_is_not_sent_again(world: World, status: int) -> None:
    layer = b"layer" * 100_000
    world.image(layer)
    world.target.faults = [
        lambda r: Answer(status) if r.method == "PUT" and r.query.get("digest") == str(Digest.of(layer)) else None
    ]
    with pytest.raises(Fault):
        world.copy()
    assert len(world.uploads(layer)) == 1
