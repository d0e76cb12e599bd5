"""Blobs in chunks: what is done where a request may not be as large as a layer."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
import stamina
from support.image_builder import put_image
from support.registry_profiles import ECR, GHCR, Profile, running
from support.registry_server import Answer, Drop, Hook, RegistryServer, Request, Tamper, once, when

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.chunks import CHUNK, SMALLEST
from promote.oci.copy import copy_image
from promote.oci.graph import gather
from promote.oci.layout import LayoutStore
from promote.oci.stores import Stores

MIB = 1024 * 1024
LAYER = os.urandom(20 * MIB + 12345)
DIGEST = str(Digest.of(LAYER))


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


def at_most(size: int) -> Hook:
    """A proxy that refuses larger bodies, as nginx does: client_max_body_size."""

    def refuse(request: Request) -> Answer | None:
        large = int(request.headers.get("content-length", "0")) > size
        return Answer(413, {"Content-Type": "text/html"}, b"<html>413</html>") if large else None

    return refuse


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with RegistryServer() as running_server:
        running_server.faults = [at_most(9 * MIB)]
        yield running_server


def promote_to(server: RegistryServer, tmp_path: object, *layers: bytes, environ: dict[str, str] | None = None) -> None:
    source = LayoutStore(Repository(f"oci:{tmp_path}/staging", "acme/web"))
    root = put_image(source, *(layers or (LAYER,)), tag="v1")
    with Stores({}, environ or {}) as stores:
        target = stores.open(Repository(server.address, "acme/web"))
        copy_image(source, target, gather(source, root), "v1", jobs=1, observer=Silent())


def patches(server: RegistryServer) -> list[tuple[int, int]]:
    """First and last byte of each chunk, as sent."""
    found = []
    for request in server.requests:
        if request.method == "PATCH":
            asked = re.fullmatch(r"(\d+)-(\d+)", request.headers["content-range"])
            assert asked, request
            first, last = int(asked[1]), int(asked[2])
            assert request.headers["content-length"] == str(last - first + 1)
            assert "transfer-encoding" not in request.headers
            found.append((first, last))
    return found


def in_chunks(size: int, chunk: int = CHUNK) -> list[tuple[int, int]]:
    return [(first, min(first + chunk, size) - 1) for first in range(0, size, chunk)]


def test_a_whole_that_is_refused_goes_in_chunks_of_one_session(server: RegistryServer, tmp_path: object) -> None:
    promote_to(server, tmp_path)
    assert patches(server) == in_chunks(len(LAYER))
    repository = server.repository("acme/web")
    assert repository.blobs[DIGEST] == LAYER
    sessions = {r.path.rpartition("/")[2] for r in server.requests if r.method == "PATCH"}
    assert len(sessions) == 1
    commits = [r for r in server.requests if r.method == "PUT" and r.query.get("digest") == DIGEST]
    assert [int(r.headers["content-length"]) for r in commits] == [len(LAYER), 0]


def test_the_next_layer_is_not_tried_whole(server: RegistryServer, tmp_path: object) -> None:
    other = os.urandom(10 * MIB)
    promote_to(server, tmp_path, LAYER, other)
    refused = [r for r in server.requests if r.method == "PUT" and int(r.headers["content-length"]) > 9 * MIB]
    assert len(refused) == 1
    assert server.repository("acme/web").blobs[str(Digest.of(other))] == other


def test_chunks_that_are_too_large_are_halved_within_the_session(server: RegistryServer, tmp_path: object) -> None:
    server.faults = [at_most(MIB)]
    promote_to(server, tmp_path)
    assert server.repository("acme/web").blobs[DIGEST] == LAYER
    sizes = [last - first + 1 for first, last in patches(server)]
    assert sizes[:4] == [8 * MIB, 4 * MIB, 2 * MIB, MIB]
    assert set(sizes[4:-1]) == {MIB}
    sessions = {r.path.rpartition("/")[2] for r in server.requests if r.method == "PATCH"}
    assert len(sessions) == 1


def test_where_nothing_is_small_enough_it_is_a_fault(server: RegistryServer, tmp_path: object) -> None:
    server.faults = [at_most(100_000)]
    with pytest.raises(Fault) as caught:
        promote_to(server, tmp_path)
    assert (caught.value.code, caught.value.exit_code) == ("upload-too-large", 3)
    assert "413" in caught.value.message
    assert min(last - first + 1 for first, last in patches(server)) == SMALLEST
    assert "v1" not in server.repository("acme/web").tags


@pytest.mark.parametrize("least", [8 * MIB + 1, 9 * MIB])
def test_chunks_are_as_large_as_the_registry_wants_them(server: RegistryServer, tmp_path: object, least: int) -> None:
    server.faults = [at_most(9 * MIB), _least(least)]
    promote_to(server, tmp_path)
    assert patches(server) == in_chunks(len(LAYER), least)


def _least(size: int) -> Hook:
    return lambda r: Tamper(headers={"OCI-Chunk-Min-Length": str(size)}) if r.method == "POST" else None


def test_a_registry_that_wants_huge_chunks_is_not_given_the_memory(server: RegistryServer, tmp_path: object) -> None:
    server.faults = [at_most(9 * MIB), _least(2**40)]
    with pytest.raises(Fault) as caught:
        promote_to(server, tmp_path)
    assert caught.value.code == "chunk-too-large"
    assert patches(server) == []


@pytest.mark.parametrize("nonsense", ["-1", "many", "9" * 400, "1e9", "\u0663"])
def test_a_least_length_that_is_none_does_no_harm(server: RegistryServer, tmp_path: object, nonsense: str) -> None:
    text = nonsense.encode().decode("latin-1")
    opened = Tamper(headers={"OCI-Chunk-Min-Length": text})
    server.faults = [at_most(9 * MIB), when("POST", "/blobs/uploads/", opened)]
    try:
        promote_to(server, tmp_path)
    except Fault as problem:
        assert problem.code == "chunk-too-large"  # noqa: PT017 - four hundred nines are a number


@pytest.mark.parametrize("said", [Drop(), Tamper(silent=True), Answer(500), Answer(503), Answer(408)])
def test_a_chunk_whose_fate_is_unknown_is_asked_about_and_then_gone_on_with(
    server: RegistryServer, tmp_path: object, said: Answer | Drop | Tamper
) -> None:
    server.faults = [at_most(9 * MIB), once(_second_chunk(said))]
    promote_to(server, tmp_path)
    assert server.repository("acme/web").blobs[DIGEST] == LAYER
    asked = [r.method for r in server.requests if "/uploads/" in r.path and r.method in {"PATCH", "GET"}]
    kept = isinstance(said, Tamper)
    assert asked == ["PATCH", "PATCH", "GET", *(["PATCH"] if kept else ["PATCH", "PATCH"])]


def _second_chunk(said: Answer | Drop | Tamper) -> Hook:
    return lambda r: said if r.method == "PATCH" and r.headers["content-range"].startswith(f"{CHUNK}-") else None


def test_a_chunk_that_arrived_in_part_is_gone_on_with_from_there(server: RegistryServer, tmp_path: object) -> None:
    part = 1_000_000

    def half(request: Request) -> Drop | None:
        if request.method != "PATCH" or not request.headers["content-range"].startswith(f"{CHUNK}-"):
            return None
        server.repository("acme/web").uploads[request.path.rpartition("/")[2]] += LAYER[CHUNK : CHUNK + part]
        return Drop()

    server.faults = [at_most(9 * MIB), once(half)]
    promote_to(server, tmp_path)
    assert server.repository("acme/web").blobs[DIGEST] == LAYER
    assert (CHUNK + part, 2 * CHUNK - 1) in patches(server)


def test_a_session_that_was_lost_is_begun_anew(server: RegistryServer, tmp_path: object) -> None:
    def forget(request: Request) -> Drop | None:
        if request.method != "PATCH" or not request.headers["content-range"].startswith(f"{CHUNK}-"):
            return None
        server.repository("acme/web").uploads.clear()
        return Drop()

    server.faults = [at_most(9 * MIB), once(forget)]
    promote_to(server, tmp_path)
    assert server.repository("acme/web").blobs[DIGEST] == LAYER
    assert patches(server)[-3:] == in_chunks(len(LAYER))


@pytest.mark.parametrize("told", ["0-99999999999", "5-9", "0-", "bytes */*", "", "0-" + "9" * 100])
def test_a_status_that_lies_is_never_believed_to_the_harm_of_the_blob(
    server: RegistryServer, tmp_path: object, told: str
) -> None:
    server.faults = [
        at_most(9 * MIB),
        once(_second_chunk(Drop())),
        once(lambda r: Tamper(headers={"Range": told}) if r.method == "GET" and "/uploads/" in r.path else None),
    ]
    promote_to(server, tmp_path)
    assert server.repository("acme/web").blobs[DIGEST] == LAYER


def test_a_registry_that_never_gets_in_step_is_given_up(server: RegistryServer, tmp_path: object) -> None:
    turn = [0]

    def toggle(request: Request) -> Answer | None:
        if request.method == "PATCH":
            return Answer(416)
        if request.method == "GET" and "/uploads/" in request.path:
            turn[0] += 1
            return Answer(204, {"Range": f"0-{turn[0] % 2 + 10}"})
        return None

    server.faults = [at_most(9 * MIB), toggle]
    with pytest.raises(Fault):
        promote_to(server, tmp_path)
    assert len(server.requests) < 100


def test_content_that_is_wrong_is_never_committed(server: RegistryServer, tmp_path: object) -> None:
    with RegistryServer() as source, Stores({}, {}) as stores:
        staging = stores.open(Repository(source.address, "acme/web"))
        root = put_image(staging, LAYER, tag="v1")
        source.repository("acme/web").blobs[DIGEST] = LAYER[:-1] + bytes([LAYER[-1] ^ 1])
        prod = stores.open(Repository(server.address, "acme/web"))
        with pytest.raises(Fault) as caught:
            copy_image(staging, prod, gather(staging, root), "v1", jobs=1, observer=Silent())
    assert caught.value.code == "content-mismatch"
    assert DIGEST not in server.repository("acme/web").blobs
    assert not [r for r in server.requests if r.method == "PUT" and r.headers["content-length"] == "0"]
    assert server.count("DELETE", "/blobs/uploads/") == 1


@pytest.mark.parametrize("profile", [GHCR, ECR], ids=lambda profile: profile.name)
def test_behind_a_proxy_that_limits_bodies_it_works_there_too(profile: Profile, tmp_path: object) -> None:
    """GHCR refuses chunks above 4 MiB, ECR answers them with 201."""
    with running(profile) as world:
        world.server.repository("acme/web")
        world.server.faults = [at_most(9 * MIB), *world.server.faults]
        auth = tmp_path / "auth.json"  # type: ignore[operator]
        auth.write_text(world.auth_file)
        promote_to(world.server, tmp_path, environ={"REGISTRY_AUTH_FILE": str(auth)})
        sent = patches(world.server)
        assert sent == ([(0, CHUNK - 1), *in_chunks(len(LAYER), 4 * MIB)] if profile is GHCR else in_chunks(len(LAYER)))
        assert world.server.repository("acme/web").blobs[DIGEST] == LAYER
