"""Connections that are opened before they are needed: how many, to whom, and what is wrong with them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import stamina
from support.registry_server import RegistryServer

from promote.errors import Fault
from promote.model.configuration import RegistryOptions
from promote.model.digest import Digest
from promote.model.reference import Repository
from promote.oci.patience import Patience
from promote.oci.store import Store
from promote.oci.stores import Stores

NOBODY = Digest.of(b"nobody")


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@contextmanager
def store_of(server: RegistryServer, environ: dict[str, str] | None = None, **options: int) -> Iterator[Store]:
    with Stores({server.address: RegistryOptions(**options)}, environ or {}) as stores:
        yield stores.open(Repository(server.address, "acme/web"))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def opened(store: Store) -> int:
    """How many connections wait in the pool."""
    [pool] = _pools(store)
    return sum(connection is not None and connection.is_connected for connection in pool.pool.queue)


def _pools(store: Store) -> list:
    manager = store._registry._transport._adapter.poolmanager
    return [manager.pools[key] for key in manager.pools.keys()]  # noqa: SIM118 - not a dict


def test_as_many_are_opened_as_were_expected_and_nothing_is_asked() -> None:
    with RegistryServer() as server, store_of(server) as store:
        store.expect(7)
        wait_for(lambda: opened(store) == server.connections == 7)
        assert not server.requests


def test_requests_use_them_and_open_no_others() -> None:
    with RegistryServer() as server, store_of(server) as store:
        store.expect(6)
        wait_for(lambda: opened(store) == server.connections == 6)
        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(store.has_blob, [NOBODY] * 24)) == {False}
        assert server.connections == 6


def test_what_is_open_already_is_not_opened_again() -> None:
    with RegistryServer() as server, store_of(server) as store:
        for expected in (3, 3, 2, 5, 4):
            store.expect(expected)
        wait_for(lambda: opened(store) == server.connections == 5)
        store.expect(5)
        assert store.has_blob(NOBODY) is False
        assert server.connections == 5


@pytest.mark.parametrize(("options", "most"), [({"concurrency": 2}, 2), ({}, 32)])
def test_no_more_are_opened_than_there_may_be_requests_or_are_kept(options, most) -> None:
    with RegistryServer() as server, store_of(server, **options) as store:
        store.expect(1000)
        wait_for(lambda: opened(store) == server.connections == most)


def test_those_in_use_again_and_again_are_used_first() -> None:
    with RegistryServer() as server, store_of(server) as store:
        store.has_blob(NOBODY)
        store.expect(4)
        wait_for(lambda: opened(store) == 4)
        [pool] = _pools(store)
        first = next(connection for connection in reversed(pool.pool.queue) if connection)
        store.has_blob(NOBODY)
        assert next(connection for connection in reversed(pool.pool.queue) if connection) is first


def test_a_registry_that_is_not_there_is_an_error_of_the_question_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Stores({}, {}) as stores:
        store = stores.open(Repository(f"127.0.0.1:{port}", "acme/web"))
        store.expect(3)
        wait_for(lambda: not any(thread.name == "connect" for thread in threading.enumerate()))
        assert opened(store) == 0
        [pool] = _pools(store)
        assert pool.pool.qsize() == 32
        with pytest.raises(Fault) as caught:
            store.has_blob(NOBODY)
    assert caught.value.code == "registry-unreachable"


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with RegistryServer() as server, store_of(server) as store:
        store.expect(2)
        wait_for(lambda: opened(store) == server.connections == 2)
        server._server.close_connections()
        wait_for(lambda: opened(store) == 0)
        assert store.has_blob(NOBODY) is False


def test_nothing_is_opened_through_a_proxy() -> None:
    with RegistryServer() as proxy, Stores({}, {"HTTPS_PROXY": proxy.url, "HTTP_PROXY": proxy.url}) as stores:
        store = stores.open(Repository("registry.example", "acme/web"))
        store.expect(5)
        assert not _pools(store)
        assert proxy.connections == 0


def test_a_bundle_that_is_not_there_is_an_error_of_the_question_alone(tmp_path) -> None:
    environ = {"SSL_CERT_FILE": str(tmp_path / "gone.pem")}
    with RegistryServer() as server, Stores({server.address: RegistryOptions(plain_http=False)}, environ) as stores:
        store = stores.open(Repository(server.address, "acme/web"))
        store.expect(3)
        with pytest.raises(Fault):
            store.has_blob(NOBODY)


def test_a_certificate_that_is_not_trusted_leaves_no_connection(tmp_path) -> None:
    with RegistryServer(tls=_own_certificate(tmp_path)) as server:
        options = RegistryOptions(plain_http=False)
        with Stores({server.address: options}, {}) as stores:
            store = stores.open(Repository(server.address, "acme/web"))
            store.expect(3)
            wait_for(lambda: not any(thread.name == "connect" for thread in threading.enumerate()))
            assert opened(store) == 0
            with pytest.raises(Fault):
                store.has_blob(NOBODY)
            assert (server.connections, server.requests) == (0, [])
        with Stores({server.address: RegistryOptions(plain_http=False, ca=tmp_path / "ca.pem")}, {}) as stores:
            store = stores.open(Repository(server.address, "acme/web"))
            store.expect(3)
            wait_for(lambda: opened(store) == server.connections == 3)
            with ThreadPoolExecutor(3) as pool:
                assert set(pool.map(store.has_blob, [NOBODY] * 9)) == {False}
            assert server.connections == 3


def test_a_store_that_is_closed_keeps_none() -> None:
    with RegistryServer() as server:
        with store_of(server) as store:
            store.expect(4)
        wait_for(lambda: not any(thread.name == "connect" for thread in threading.enumerate()))
        del store
        wait_for(lambda: not server._server._open)


def test_an_answer_has_the_time_of_an_answer_on_a_connection_that_was_opened_ahead() -> None:
    patience = Patience(connect=30.0, idle=0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, Stores({}, {}, patience) as stores:
        store = stores.open(Repository(f"127.0.0.1:{silent.getsockname()[1]}", "acme/web"))
        store.expect(1)
        wait_for(lambda: opened(store) == 1)
        with pytest.raises(Fault):
            store.has_blob(NOBODY)


def _own_certificate(directory):
    import datetime
    import ipaddress
    import ssl

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry.test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = directory / "ca.pem", directory / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context
