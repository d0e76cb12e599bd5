"""A registry over HTTP as it behaves on good and on bad days: bytes, requests, retries, memory."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina
from support.registry_server import (
    Answer,
    Drop,
    RegistryServer,
    Repeated,
    Tamper,
    digest_of,
    load_layout,
    once,
    when,
)
from support.store_contract import Bytes, described, got, image, put, signature

from promote.errors import Fault
from promote.model.configuration import RegistryOptions
from promote.model.digest import Digest
from promote.model.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, RawManifest
from promote.model.reference import Repository
from promote.oci.patience import Patience
from promote.oci.registry import Registry
from promote.oci.store import BLOCK, Store
from promote.oci.stores import Stores

COSIGN = Path(__file__).parent.parent / "fixtures" / "cosign"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with RegistryServer() as running:
        yield running


@pytest.fixture
def store(server: RegistryServer) -> Iterator[Store]:
    with Stores({}, {}) as stores:
        yield stores.open(Repository(server.address, "acme/web"))


@pytest.mark.parametrize("referrers", [True, False])
@pytest.mark.parametrize("case", sorted(p.parent.name for p in COSIGN.glob("*/layout")))
def test_what_cosign_signed_is_read_byte_for_byte(case: str, referrers: bool) -> None:
    with RegistryServer(referrers=referrers) as server, Stores({}, {}) as stores:
        load_layout(COSIGN / case / "layout", server, "acme/web")
        over_http = stores.open(Repository(server.address, "acme/web"))
        in_memory = server.repository("acme/web")
        assert sorted(over_http.tags()) == sorted(in_memory.tags)
        for tag, digest in in_memory.tags.items():
            found = over_http.resolve(tag)
            assert found is not None
            assert (found.media_type, found.content) == in_memory.manifests[digest]
        for digest in in_memory.manifests:
            expected = {d["digest"] for d in in_memory.referrers(digest)}
            assert {str(d.digest) for d in over_http.referrers(Digest.parse(digest))} == expected
        for digest, content in in_memory.blobs.items():
            assert isinstance(content, bytes)
            assert got(over_http, Descriptor("x/y", Digest.parse(digest), len(content))) == content


def test_blob_is_sent_in_one_post_and_one_put(server: RegistryServer, store: Store) -> None:
    put(store, b"x" * (BLOCK + 1))
    assert [r.method for r in server.requests] == ["POST", "PUT"]
    sent = server.requests[1]
    assert sent.headers["content-length"] == str(BLOCK + 1)
    assert "transfer-encoding" not in sent.headers
    assert sent.query["digest"] == digest_of(b"x" * (BLOCK + 1))


def test_mount_moves_no_bytes(server: RegistryServer, store: Store) -> None:
    server.repository("acme/source").add_blob(b"content")
    assert store.mount_blob(Digest.of(b"content"), Repository(server.address, "acme/source"))
    assert [r.method for r in server.requests] == ["POST"]
    assert store.has_blob(Digest.of(b"content"))


def test_upload_that_a_refused_mount_opened_is_used(server: RegistryServer, store: Store) -> None:
    server.mount = False
    blob = described(b"content")
    assert store.mount_blob(blob.digest, Repository(server.address, "acme/source")) is False
    store.put_blob(blob, Bytes(b"content"))
    assert [r.method for r in server.requests] == ["POST", "PUT"]
    assert server.repository("acme/web").uploads == {}


def test_mount_from_another_registry_asks_nobody(server: RegistryServer, store: Store) -> None:
    assert store.mount_blob(Digest.of(b"x"), Repository("other.example", "acme/web")) is False
    assert server.requests == []


def test_upload_that_fails_is_ended(server: RegistryServer, store: Store) -> None:
    content = b"x" * (3 * BLOCK)
    with pytest.raises(Fault) as caught:
        store.put_blob(described(content), Bytes(content, fail_at=2 * BLOCK))
    assert caught.value.code == "planted"
    assert server.count("DELETE", "/blobs/uploads/") == 1
    assert (server.repository("acme/web").blobs, server.repository("acme/web").uploads) == ({}, {})


def test_put_whose_answer_was_lost_is_looked_up(server: RegistryServer, store: Store) -> None:
    server.faults = [when("PUT", "/blobs/uploads/", Tamper(silent=True))]
    put(store, b"content")
    assert [r.method for r in server.requests] == ["POST", "PUT", "HEAD"]


@pytest.mark.parametrize("said", [Drop(), Answer(500), Answer(413), Answer(404)])
def test_put_that_failed_is_looked_up_once_and_not_sent_again(
    server: RegistryServer, store: Store, said: Answer
) -> None:
    server.faults = [when("PUT", "/blobs/uploads/", said)]
    with pytest.raises(Fault):
        put(store, b"content" * BLOCK)
    assert [r.method for r in server.requests] == ["POST", "PUT", "HEAD"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_passing_failure_is_tried_again(server: RegistryServer, store: Store, status: int) -> None:
    server.faults = [once(lambda _: Answer(status, {"Retry-After": "0"}), times=2)]
    assert store.resolve("latest") is None
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [429, 503, 500])
def test_failure_that_stays_is_a_fault_and_not_an_absence(server: RegistryServer, store: Store, status: int) -> None:
    server.faults = [lambda _: Answer(status)]
    asked: list[tuple[Callable[[], object], int]] = [
        (lambda: store.resolve("latest"), 3),
        (lambda: store.has_blob(Digest.of(b"x")), 3),
        (lambda: store.referrers(Digest.of(b"x")), 6),  # of the API and of the fallback tag
        (lambda: list(store.tags()), 3),
    ]
    for ask, requests in asked:
        server.forget_requests()
        with pytest.raises(Fault) as caught:
            ask()
        assert caught.value.exit_code == 3
        assert server.address in caught.value.message
        assert len(server.requests) == requests


@pytest.mark.parametrize("status", [400, 405, 406, 409, 410, 412, 416, 418])
def test_other_refusals_are_not_tried_again(server: RegistryServer, store: Store, status: int) -> None:
    server.faults = [lambda _: Answer(status)]
    for ask in (lambda: store.resolve("latest"), lambda: store.has_blob(Digest.of(b"x"))):
        with pytest.raises(Fault):
            ask()
    assert len(server.requests) == 2


def test_connection_that_breaks_is_made_again(server: RegistryServer, store: Store) -> None:
    server.faults = [once(lambda _: Drop(), times=2)]
    assert store.resolve("latest") is None
    assert len(server.requests) == 3


def test_manifest_that_breaks_off_is_asked_for_again(server: RegistryServer, store: Store) -> None:
    manifest = image(store)
    store.put_manifest(manifest)
    server.faults = [once(when("GET", "/manifests/", Tamper(cut=20)))]
    assert store.manifest(manifest.digest) == manifest


def test_registry_that_is_not_there_is_a_fault() -> None:
    with RegistryServer() as gone:
        address = gone.address
    with Stores({}, {}) as stores, pytest.raises(Fault, match="connection refused") as caught:
        stores.open(Repository(address, "acme/web")).resolve("latest")
    assert caught.value.code == "registry-unreachable"


def test_download_goes_on_where_it_broke_off(server: RegistryServer, store: Store) -> None:
    content = bytes(range(256)) * 24 * 1024
    blob = described(content)
    server.repository("acme/web").add_blob(content)
    server.faults = [once(when("GET", "/blobs/", Tamper(cut=1536 * 1024)), times=3)]
    assert got(store, blob) == content
    asked = [int(r.headers.get("range", "bytes=0-")[6:-1]) for r in server.requests]
    assert asked[0] == 0
    assert asked == sorted(set(asked))
    assert len(asked) == 4


def test_download_that_does_not_get_on_is_given_up(server: RegistryServer, store: Store) -> None:
    content = b"x" * (2 * BLOCK)
    server.repository("acme/web").add_blob(content)
    server.faults = [when("GET", "/blobs/", Tamper(cut=1000))]
    with pytest.raises(Fault) as caught:
        got(store, described(content))
    assert caught.value.code == "download-broken"
    assert len(server.requests) == 3


def test_api_that_is_missing_is_asked_for_once(server: RegistryServer, store: Store) -> None:
    server.referrers = False
    subject = image(store)
    store.put_manifest(subject)
    for _ in range(3):
        assert store.referrers(subject.digest) == ()
    assert server.count("GET", "/referrers/") == 1


def test_repository_that_is_unknown_yet_says_nothing_about_the_api(server: RegistryServer, store: Store) -> None:
    unknown = Answer(404, {}, json.dumps({"errors": [{"code": "NAME_UNKNOWN"}]}).encode())
    server.faults = [once(when("GET", "/referrers/", unknown))]
    subject = image(store)
    assert store.referrers(subject.digest) == ()
    store.put_manifest(subject)
    store.put_manifest(one := signature(store, subject))
    assert [d.digest for d in store.referrers(subject.digest)] == [one.digest]


@pytest.mark.parametrize(
    "said",
    [
        Answer(303, {"Location": "https://github.example.invalid/login"}),
        Answer(400),
        Answer(405),
        Answer(406),
        Answer(501),
        Answer(200, {"Content-Type": "text/html"}, b"<html>not an API</html>"),
    ],
)
def test_answer_that_is_no_list_leads_to_the_fallback_tag(server: RegistryServer, store: Store, said: Answer) -> None:
    server.referrers = False
    server.faults = [when("GET", "/referrers/", said)]
    subject = image(store)
    store.put_manifest(subject)
    store.put_manifest(one := signature(store, subject))
    assert [d.digest for d in store.referrers(subject.digest)] == [one.digest]


def test_fallback_list_keeps_what_others_wrote(server: RegistryServer, store: Store) -> None:
    server.referrers = False
    subject = image(store)
    store.put_manifest(subject)
    theirs = image(store, "theirs")
    store.put_manifest(theirs)
    entry = theirs.descriptor.as_json() | {"data": "e30=", "x-theirs": True}
    listing = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    store.put_tag(subject.digest.tag, RawManifest(listing, OCI_INDEX))
    store.put_manifest(one := signature(store, subject, "ours"))
    digest = server.repository("acme/web").tags[subject.digest.tag]
    entries = json.loads(server.repository("acme/web").manifests[digest][1])["manifests"]
    assert entries[0] == entry
    assert entries[1]["digest"] == str(one.digest)
    assert entries[1]["annotations"] == {"org.example.marker": "ours"}
    assert entries[1]["artifactType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"


def test_tag_that_resolves_as_the_digest_itself_is_no_list(server: RegistryServer, store: Store) -> None:
    """GitLab resolves the tag ``sha256-<hex>`` as the digest (oras issue 2148)."""
    server.referrers = False
    children = [image(store, "child")]
    store.put_manifest(children[0])
    listing = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [children[0].descriptor.as_json()]})
    index = RawManifest(listing.encode(), OCI_INDEX)
    store.put_manifest(index)
    server.repository("acme/web").tags[index.digest.tag] = str(index.digest)
    assert store.referrers(index.digest) == ()


def test_long_lists_come_in_pages(server: RegistryServer, store: Store) -> None:
    server.page_size = 2
    manifest = image(store)
    store.put_manifest(manifest)
    for number in range(7):
        store.put_tag(f"tag-{number}", manifest)
        store.put_manifest(signature(store, manifest, str(number)))
    assert sorted(store.tags()) == [f"tag-{number}" for number in range(7)]
    assert len(store.referrers(manifest.digest)) == 7


def test_sha512_is_checked_too(server: RegistryServer, store: Store) -> None:
    manifest = image(store)
    digest = Digest.of(manifest.content, "sha512")
    server.repository("acme/web").manifests[str(digest)] = (OCI_MANIFEST, manifest.content)
    assert store.manifest(digest) == manifest
    blob = described(b"content", algorithm="sha512")
    store.put_blob(blob, Bytes(b"content"))
    assert got(store, blob) == b"content"
    server.repository("acme/web").manifests[str(digest)] = (OCI_MANIFEST, b"{}")
    with pytest.raises(Fault):
        store.manifest(digest)


def test_redirect_on_the_way_to_a_blob_is_followed(server: RegistryServer, store: Store) -> None:
    with RegistryServer() as storage:
        storage.repository("bucket").add_blob(b"content")
        digest = digest_of(b"content")
        server.faults = [when("GET", "/blobs/", Answer(307, {"Location": f"{storage.url}/v2/bucket/blobs/{digest}"}))]
        assert got(store, described(b"content")) == b"content"


def test_oras_methods_work_on_our_registry(server: RegistryServer) -> None:
    """What oras-py's own methods ask goes through our session and our credentials."""
    manifest_bytes = b'{"schemaVersion":2,"mediaType":"%s","config":{},"layers":[]}' % OCI_MANIFEST.encode()
    server.repository("acme/web").add_manifest(manifest_bytes, OCI_MANIFEST, TAG)
    server.auth, server.anonymous_pull = "token", True
    registry = Registry(server.address, RegistryOptions(), {}, Patience())
    assert registry.get_tags(f"{server.address}/acme/web") == [TAG]
    assert server.count("GET", "/token") == 1
    registry.close()


def test_certificate_is_checked_and_a_bundle_can_be_added(tmp_path: Path) -> None:
    context, ca = _certificate(tmp_path)
    with RegistryServer(tls=context) as server:
        repository = Repository(server.address, "acme/web")
        untrusting = Stores({server.address: RegistryOptions(plain_http=False)}, {})
        with untrusting as stores, pytest.raises(Fault, match="certificate is not trusted"):
            stores.open(repository).resolve("latest")
        with Stores({server.address: RegistryOptions(plain_http=False, ca=ca)}, {}) as stores:
            assert stores.open(repository).resolve("latest") is None
        with Stores({server.address: RegistryOptions(plain_http=False)}, {"SSL_CERT_FILE": str(ca)}) as stores:
            assert stores.open(repository).resolve("latest") is None


def test_https_does_not_lead_to_http(tmp_path: Path) -> None:
    context, ca = _certificate(tmp_path)
    with RegistryServer() as plain, RegistryServer(tls=context) as server:
        server.faults = [lambda _: Answer(307, {"Location": f"{plain.url}/v2/acme/web/manifests/latest"})]
        trusting = Stores({server.address: RegistryOptions(plain_http=False, ca=ca)}, {})
        with trusting as stores, pytest.raises(Fault) as caught:
            stores.open(Repository(server.address, "acme/web")).resolve("latest")
        assert caught.value.code == "unsafe-redirect"
        assert plain.requests == []


def test_memory_does_not_grow_with_a_blob() -> None:
    big = Repeated(bytes(range(256)) * 4096, 256 * 1024 * 1024)
    blob = Descriptor("x/y", Digest.parse(big.digest), big.size)
    with RegistryServer() as source, RegistryServer(forget_above=BLOCK) as target, Stores({}, {}) as stores:
        source.repository("acme/web").blobs[big.digest] = big
        reading = stores.open(Repository(source.address, "acme/web"))
        writing = stores.open(Repository(target.address, "acme/web"))
        tracemalloc.start()
        try:
            with reading.open_blob(blob) as reader:
                writing.put_blob(blob, reader)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert writing.has_blob(blob.digest)
        assert peak < 16 * 1024 * 1024


def test_two_hundred_requests_use_few_connections(server: RegistryServer, store: Store) -> None:
    for _ in range(200):
        store.has_blob(Digest.of(b"x"))
    assert len(server.requests) == 200
    assert server.connections == 1


def _certificate(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A self-signed certificate for 127.0.0.1, as a server's context and as a bundle."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = tmp_path / "key.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca, private)
    return context, ca
