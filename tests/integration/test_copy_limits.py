"""`concurrency` and `rate` of a registry, seen by the registry."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
from support.fake_clock import FakeClock
from support.image_builder import put_image
from support.registry_server import Hook, RegistryServer

from promote.model.configuration import RegistryOptions
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import Copied, copy_image
from promote.oci.graph import gather
from promote.oci.patience import Patience
from promote.oci.stores import Stores

LAYERS = tuple(b"%d" % number * 100_000 for number in range(12))


def crowd(server: RegistryServer, wanted: int) -> Hook:
    """Holds each request back a little until `wanted` are here at once, if they ever are."""
    pause = threading.Event()

    def hold(_: object) -> None:
        for _try in range(5):
            if server.most_at_once >= wanted:
                break
            pause.wait(0.002)

    return hold


@pytest.fixture
def servers() -> Iterator[tuple[RegistryServer, RegistryServer]]:
    with RegistryServer() as source, RegistryServer() as target:
        source.faults, target.faults = [crowd(source, 10)], [crowd(target, 10)]
        yield source, target


def copy(
    staging: tuple[RegistryServer, str],
    prod: tuple[RegistryServer, str],
    options: Mapping[str, RegistryOptions],
    patience: Patience | None = None,
) -> Copied:
    """An image of twelve layers from one to the other, ten acts at a time; counts begin with the copy."""
    with ExitStack() as stack:
        stores = stack.enter_context(Stores(options, {}, patience or Patience()))
        source, target = (stores.open(Repository(server.address, path)) for server, path in (staging, prod))
        root = put_image(source, *LAYERS, tag="v1")
        for server in (staging[0], prod[0]):
            server.forget_requests()
            server.most_at_once = 0
        return copy_image(source, target, gather(source, root), "v1", observer=Silent())


def test_without_a_limit_there_are_as_many_as_jobs(servers: tuple[RegistryServer, RegistryServer]) -> None:
    source, target = servers
    copy((source, "acme/web"), (target, "acme/web"), {})
    assert source.most_at_once > 3
    assert target.most_at_once > 3


@pytest.mark.parametrize(
    "limits", [(2, 3), *(pytest.param(n, marks=pytest.mark.exhaustive) for n in ((3, 2), (2, 2), (None, 2), (2, None)))]
)
def test_no_registry_sees_more_at_once_than_it_may(
    servers: tuple[RegistryServer, RegistryServer], limits: tuple[int | None, int | None]
) -> None:
    source, target = servers
    options = {s.address: RegistryOptions(concurrency=n) for s, n in zip(servers, limits, strict=True)}
    copied = copy((source, "acme/web"), (target, "acme/web"), options)
    assert (copied.blobs_copied, target.count("PUT", "/blobs/uploads/")) == (13, 13)
    for server, limit in zip(servers, limits, strict=True):
        assert server.most_at_once <= (limit or 1000)
        assert server.most_at_once >= 2


@pytest.mark.parametrize("mount", [True, False])
def test_within_one_registry_two_at_a_time_are_enough(
    servers: tuple[RegistryServer, RegistryServer], mount: bool
) -> None:
    server, _ = servers
    server.mount = mount
    options = {server.address: RegistryOptions(concurrency=2)}
    copied = copy((server, "acme/staging"), (server, "acme/prod"), options)
    assert (copied.blobs_mounted, copied.blobs_copied) == ((13, 0) if mount else (0, 13))
    assert server.most_at_once <= 2


def test_requests_begin_no_faster_than_the_rate(servers: tuple[RegistryServer, RegistryServer]) -> None:
    source, target = servers
    clock = FakeClock()
    times: list[float] = []
    lock = threading.Lock()

    def note(_: object) -> None:
        with lock:
            times.append(clock.now())

    source.faults, target.faults = [], [note]
    options = {target.address: RegistryOptions(rate=2.0)}
    copy((source, "acme/web"), (target, "acme/web"), options, Patience(clock=clock))
    asked = len(target.requests)
    assert asked == len(times)
    assert asked > 40
    assert clock.now() - 1000.0 >= (asked - 1) / 2.0 - 1e-6
