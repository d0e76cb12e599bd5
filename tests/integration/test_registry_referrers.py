"""Where referrers are listed, asked in one round trip although nobody knows yet where that is."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from support.registry_server import Answer, RegistryServer, Request, when
from support.store_contract import image, signature

from promote.errors import Fault
from promote.model.reference import Repository
from promote.oci.store import Store
from promote.oci.stores import Stores


@pytest.fixture(params=[True, False], ids=["api", "fallback"])
def server(request: pytest.FixtureRequest) -> Iterator[RegistryServer]:
    with RegistryServer(referrers=request.param) as running:
        yield running


@pytest.fixture
def store(server: RegistryServer) -> Iterator[Store]:
    with Stores({}, {}) as stores:
        yield stores.open(Repository(server.address, "acme/web"))


def test_api_and_fallback_tag_are_asked_at_once_and_once_only(server: RegistryServer, store: Store) -> None:
    subject = image(store)
    store.put_manifest(subject)
    server.forget_requests()
    together = threading.Barrier(2)

    def meet(request: Request) -> None:
        if request.method == "GET" and subject.digest.hex in request.target:
            together.wait(20)  # neither is answered before the other was asked

    server.faults = [meet]
    assert store.referrers(subject.digest) == ()
    assert sorted(r.path.split("/")[4] for r in server.requests) == ["manifests", "referrers"]
    server.faults = []
    server.forget_requests()
    for _ in range(3):
        assert store.referrers(subject.digest) == ()
    kind = "referrers" if server.referrers else "manifests"
    assert [r.path.split("/")[4] for r in server.requests] == [kind] * 3


def test_fallback_tag_that_fails_is_no_matter_where_the_api_answers(server: RegistryServer, store: Store) -> None:
    subject = image(store)
    store.put_manifest(subject)
    store.put_manifest(one := signature(store, subject))
    server.faults = [when("GET", f"/manifests/{subject.digest.tag}", Answer(400))]
    if server.referrers:
        assert [d.digest for d in store.referrers(subject.digest)] == [one.digest]
    else:
        with pytest.raises(Fault):
            store.referrers(subject.digest)
