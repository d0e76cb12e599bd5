"""Every registry profile holds the store contract, and a signed index goes to it and comes from it whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import stamina
from support.image_builder import put_image, put_index
from support.registry_profiles import (
    ACR,
    ARTIFACTORY,
    DOCKER_HUB,
    ECR,
    ECR_PUBLIC,
    GAR,
    GHCR,
    GITLAB,
    HARBOR,
    PROFILES,
    QUAY,
    Profile,
    Quirk,
    Running,
    digest_tags_always,
    error,
    referrers_answer,
    running,
)
from support.registry_server import Answer, RegistryServer, Tamper, load_layout, once, when
from support.store_contract import Bytes, StoreContract, StoreOf, described, got, in_parallel, put, signature

from promote.errors import CredentialsFault, Fault
from promote.model.configuration import RegistryOptions
from promote.model.digest import Digest
from promote.model.graph import Graph
from promote.model.manifest import RawManifest
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import Copied, copy_image
from promote.oci.graph import gather
from promote.oci.store import Store
from promote.oci.stores import Stores

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cosign"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"
CASES = ("v3-keyless-index", "v2-key-referrers")


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@dataclass(frozen=True)
class Place:
    """A running profile and the stores that are logged in to it."""

    running: Running
    stores: Stores

    @property
    def server(self) -> RegistryServer:
        return self.running.server

    def open(self, path: str = "acme/web") -> Store:
        """The store of a repository, which is made first where the product wants that."""
        if not self.server.create_on_push:
            self.server.repository(path)
        return self.stores.open(Repository(self.server.address, path))


Start = Callable[..., Place]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a profile, with further quirks before its own."""
    with ExitStack() as stack:

        def started(profile: Profile, *quirks: Quirk) -> Place:
            world = stack.enter_context(running(replace(profile, quirks=(*quirks, *profile.quirks))))
            file = tmp_path / f"{world.server.port}.json"
            file.write_text(world.auth_file)
            return Place(world, stack.enter_context(Stores({}, {"REGISTRY_AUTH_FILE": str(file)})))

        yield started


def layout(case: str) -> Repository:
    return Repository(f"oci:{FIXTURES / case}", "layout")


def graph_of(store: Store, tag: str = TAG) -> Graph:
    root = store.resolve(tag)
    assert root is not None
    return gather(store, root)


def copy(source: Store, target: Store, tag: str = TAG) -> Copied:
    return copy_image(source, target, graph_of(source, tag), tag, observer=Silent())


def contents(graph: Graph) -> dict[Digest, tuple[bytes, str]]:
    return {n.digest: (n.manifest.content, n.manifest.media_type) for n in graph.nodes}


def _each() -> list[Any]:
    """Every profile; `make test` has those that differ most from each other."""
    few = (GHCR, ARTIFACTORY, DOCKER_HUB)
    return [pytest.param(p, id=p.name, marks=[] if p in few else [pytest.mark.exhaustive]) for p in PROFILES]


def every(test: Callable[..., None]) -> Callable[..., None]:
    return pytest.mark.parametrize("profile", _each())(test)


class TestEveryProfile(StoreContract):
    @pytest.fixture(params=_each())
    def store_of(self, request: pytest.FixtureRequest, start: Start) -> StoreOf:
        return start(request.param).open


@every
@pytest.mark.parametrize("case", CASES)
def test_signed_image_arrives_whole_and_a_second_run_sends_nothing(start: Start, profile: Profile, case: str) -> None:
    place = start(profile)
    with Stores({}, {}) as stores:
        source, target = stores.open(layout(case)), place.open()
        graph = graph_of(source)
        first = copy(source, target)
        assert contents(graph_of(target)) == contents(first.arrived) == contents(graph)
        assert (first.blobs_copied, first.manifests) == (len(list(graph.blobs())), len(graph.digests))
        server = place.server
        assert server.count("PATCH") == 0
        assert server.count("PUT", "/blobs/") == first.blobs_copied
        server.forget_requests()
        assert copy(source, target).manifests_sent == 0
    assert {request.method for request in server.requests} <= {"GET", "HEAD"}


@every
@pytest.mark.parametrize("case", CASES)
def test_signed_image_is_taken_from_it_whole(start: Start, profile: Profile, case: str, tmp_path: Path) -> None:
    place = start(profile)
    load_layout(FIXTURES / case / "layout", place.server, "acme/web")
    with Stores({}, {}) as stores:
        target = stores.open(Repository(f"oci:{tmp_path}/prod", "acme/web"))
        copied = copy(place.open(), target)
        assert contents(graph_of(target)) == contents(copied.arrived) == contents(graph_of(stores.open(layout(case))))
    assert {request.method for request in place.server.requests} <= {"GET", "HEAD", "POST"}
    assert place.server.count("POST", "/v2/") == 0


@every
def test_within_one_registry_blobs_are_mounted_or_sent_and_never_lost(start: Start, profile: Profile) -> None:
    place = start(profile)
    load_layout(FIXTURES / "v3-keyless" / "layout", place.server, "acme/staging")
    source, target = place.open("acme/staging"), place.open("acme/prod")
    copied = copy(source, target)
    assert contents(graph_of(target)) == contents(graph_of(source))
    mounted = 0 if not place.server.mount or profile is GITLAB else len(list(copied.arrived.blobs()))
    assert copied.blobs_mounted == mounted


@every
def test_credentials_stay_with_the_hosts_that_they_are_for(start: Start, profile: Profile) -> None:
    place = start(profile)
    load_layout(FIXTURES / "v3-keyless" / "layout", place.server, "acme/web")
    store = place.open()
    for blob in graph_of(store).blobs():
        assert len(got(store, blob)) == blob.size
    world = place.running
    for request in world.tokens.requests:
        bearer = request.headers.get("authorization", "").startswith("Bearer")
        assert not bearer or world.tokens is world.server
    if world.storage is not world.server:
        assert world.storage.requests
        assert not any({"authorization", "cookie"} & request.headers.keys() for request in world.storage.requests)
        assert all("X-Signature" in request.target for request in world.storage.requests)


# -- the referrers API that is not there

NO_LIST = {
    "a web page elsewhere": Answer(303, {"Location": "https://github.example.invalid/login"}),
    "a web page here": Answer(303, {"Location": "/login"}),
    "a web page": Answer(200, {"Content-Type": "text/html"}, b"<html></html>"),
    "no route": Answer(404, {"Content-Type": "text/plain"}, b"404 page not found\n"),
    "no method": error(405, "UNSUPPORTED"),
    "not built": error(501, "UNSUPPORTED"),
}


@pytest.mark.parametrize("said", NO_LIST)
def test_without_a_list_evidence_goes_by_the_fallback_tag(start: Start, said: str, tmp_path: Path) -> None:
    place = start(replace(GHCR, quirks=()), referrers_answer(NO_LIST[said]))
    with Stores({}, {}) as stores:
        source = stores.open(layout("v3-keyless-index"))
        copy(source, place.open())
        back = stores.open(Repository(f"oci:{tmp_path}/back", "acme/web"))
        copy(place.open(), back)
        assert contents(graph_of(back)) == contents(graph_of(source))
    assert place.server.count("GET", "/login") == 0


def test_lists_that_fail_are_a_fault_and_never_an_absence(start: Start) -> None:
    place = start(GHCR)
    load_layout(FIXTURES / "v3-keyless" / "layout", place.server, "acme/web")
    place.server.faults.insert(0, when("GET", "/referrers/", Answer(429)))
    with pytest.raises(Fault) as caught:
        graph_of(place.open())
    assert "429" in caught.value.message


# -- GitLab


def test_gitlab_answers_a_digest_for_a_tag_and_the_children_are_no_referrers(start: Start) -> None:
    store = start(GITLAB).open()
    children = [put_image(store, platform) for platform in (b"amd64", b"arm64")]
    index = put_index(store, *children, tag="v1")
    assert store.resolve(index.digest.tag) == index
    assert store.referrers(index.digest) == ()
    assert graph_of(store, "v1").digests == {index.digest, *(child.digest for child in children)}


def test_gitlab_keeps_lists_where_it_keeps_such_tags(start: Start) -> None:
    store = start(GITLAB).open()
    subject = put_image(store, b"image", tag="v1")
    one = signature(store, subject)
    store.put_manifest(one)
    assert [entry.digest for entry in store.referrers(subject.digest)] == [one.digest]


def test_tag_that_always_is_the_image_itself_is_named_at_once(start: Start) -> None:
    place = start(GITLAB, digest_tags_always)
    store = place.open()
    subject = put_image(store, b"image", tag="v1")
    one = signature(store, subject)
    place.server.forget_requests()
    with pytest.raises(Fault) as caught:
        store.put_manifest(one)
    assert caught.value.code == "fallback-tag-unusable"
    assert place.server.count("PUT", subject.digest.tag) == 1


def test_gitlab_that_grants_one_scope_of_two_is_sent_the_bytes(start: Start) -> None:
    place = start(GITLAB)
    source, target = place.open("acme/staging"), place.open("acme/prod")
    put_image(source, b"layer", tag="v1")
    copied = copy(source, target, "v1")
    assert (copied.blobs_mounted, copied.blobs_copied) == (0, 2)


# -- Harbor


def test_harbor_refuses_a_signature_before_its_image_and_is_given_the_image_first(start: Start) -> None:
    place = start(HARBOR)
    with Stores({}, {}) as stores:
        source, target = stores.open(layout("v2-keyless")), place.open()
        graph = graph_of(source)
        (tag, early), *_ = [(node.tag, node.manifest) for node in graph.nodes if node.tag]
        for blob in early.parsed.blobs:
            with source.open_blob(blob) as reader:
                target.put_blob(blob, reader)
        with pytest.raises(Fault):
            target.put_tag(tag, early)
        copy(source, target)
    assert contents(graph_of(target)) == contents(graph)


def test_harbor_takes_who_keeps_its_cookie_for_a_browser(start: Start) -> None:
    place = start(HARBOR)
    put_image(place.open(), b"layer", tag="v1")
    assert place.server.count("PUT") == 4
    assert not any("cookie" in request.headers for request in place.server.requests)


def test_harbor_will_not_mount_from_a_project_that_it_does_not_know(start: Start) -> None:
    store = start(HARBOR).open()
    unknown = Repository(store.repository.registry, "nobody/knows")
    assert store.mount_blob(Digest.of(b"content"), unknown) is False
    assert got(store, put(store, b"content")) == b"content"


# -- ECR


def test_ecr_wants_its_repository_made_first_and_the_error_says_so(start: Start) -> None:
    place = start(ECR)
    store = place.stores.open(Repository(place.server.address, "acme/unmade"))
    with pytest.raises(Fault) as caught:
        put(store, b"content")
    assert caught.value.code == "repository-missing"
    assert "acme/unmade" in caught.value.message
    assert caught.value.hint
    with pytest.raises(Fault) as caught:
        store.put_manifest(
            RawManifest(b'{"schemaVersion":2,"manifests":[]}', "application/vnd.oci.image.index.v1+json")
        )
    assert caught.value.code == "repository-missing"


@pytest.mark.parametrize("mounts", [True, False])
def test_ecr_mounts_only_where_the_account_says_so(start: Start, mounts: bool) -> None:
    place = start(ECR)
    place.server.mount = mounts
    source, target = place.open("acme/staging"), place.open("acme/prod")
    put_image(source, b"layer", tag="v1")
    place.server.forget_requests()
    assert copy(source, target, "v1").blobs_mounted == (2 if mounts else 0)
    assert place.server.count("POST", "/blobs/uploads/") == 2


def test_ecr_answers_a_chunk_with_201_and_is_sent_none(start: Start) -> None:
    place = start(ECR)
    store = place.open()
    blob = put(store, b"x" * 6_000_000)
    assert store.has_blob(blob.digest)
    assert [r.method for r in place.server.requests if "uploads" in r.target and "authorization" in r.headers] == [
        "POST",
        "PUT",
    ]


def test_ecr_public_grants_by_a_scope_of_its_own(start: Start) -> None:
    place = start(ECR_PUBLIC)
    put_image(place.open(), b"layer", tag="v1")
    assert {r.query["scope"] for r in place.server.requests if r.path == "/token"} == {"aws"}


# -- tags that do not move

IMMUTABLE = [profile for profile in PROFILES if profile.immutable]


def immutable(place: Place) -> Store:
    place.server.immutable = place.running.profile.immutable
    return place.open()


@pytest.mark.parametrize("profile", IMMUTABLE, ids=lambda profile: profile.name)
def test_immutable_tag_that_names_the_image_already_is_success(start: Start, profile: Profile) -> None:
    place = start(profile)
    manifest = put_image(place.open(), b"layer", tag="v1")
    immutable(place).put_tag("v1", manifest)
    assert place.open().resolve("v1") == manifest


@pytest.mark.parametrize("profile", IMMUTABLE, ids=lambda profile: profile.name)
def test_immutable_tag_that_names_another_image_is_an_error_with_both(start: Start, profile: Profile) -> None:
    place = start(profile)
    first = put_image(place.open(), b"first", tag="v1")
    second = put_image(place.open(), b"second")
    with pytest.raises(Fault) as caught:
        immutable(place).put_tag("v1", second)
    assert caught.value.code == "tag-not-moved"
    assert (caught.value.expected, caught.value.actual) == (str(second.digest), str(first.digest))
    assert place.open().resolve("v1") == first


@pytest.mark.parametrize("profile", IMMUTABLE, ids=lambda profile: profile.name)
def test_two_promotions_to_immutable_tags_both_succeed(start: Start, profile: Profile) -> None:
    place = start(profile)
    target = immutable(place)
    with Stores({}, {}) as stores:
        source = stores.open(layout("v2-keyless"))
        graph = graph_of(source)
        both = [lambda: copy_image(source, target, graph, TAG, observer=Silent())] * 2
        assert in_parallel(both) == []
    assert contents(graph_of(target)) == contents(graph)


def test_refusal_of_a_tag_that_is_not_there_is_not_taken_for_immutability(start: Start) -> None:
    place = start(ECR)
    manifest = put_image(place.open(), b"layer")
    place.server.faults.insert(0, when("PUT", "/manifests/v1", error(400, "MANIFEST_INVALID")))
    with pytest.raises(Fault) as caught:
        place.open().put_tag("v1", manifest)
    assert (caught.value.code, caught.value.actual) == ("unexpected-answer", "400 MANIFEST_INVALID")
    place.server.faults[0] = when("PUT", "/manifests/v1", error(403, "DENIED"))
    with pytest.raises(CredentialsFault):
        place.open().put_tag("v1", manifest)


# -- ACR


def test_acr_is_logged_in_to_by_a_refresh_token_in_a_post(start: Start) -> None:
    place = start(ACR)
    store = place.open()
    store.check_access(push=True)
    put_image(store, b"layer", tag="v1")
    asked = [request for request in place.server.requests if request.path == "/token"]
    assert {request.method for request in asked} == {"POST"}
    assert all("authorization" not in request.headers and not request.query for request in asked)
    assert {request.headers["content-type"] for request in asked} == {"application/x-www-form-urlencoded"}


# -- Artifactory


def test_artifactory_says_403_for_absent_and_is_asked_again_another_way(start: Start) -> None:
    store = start(ARTIFACTORY).open()
    put_image(store, b"layer", tag="v1")
    assert store.has_blob(Digest.of(b"absent")) is False
    assert store.has_manifest(Digest.of(b"absent")) is False
    assert store.resolve("absent") is None
    assert store.has_blob(Digest.of(b"layer"))


@pytest.mark.parametrize("code", ["UNAUTHORIZED", "DENIED"])
def test_403_that_nothing_explains_stays_unknown(start: Start, code: str) -> None:
    place = start(ARTIFACTORY)
    store = place.open()
    manifest = put_image(store, b"layer", tag="v1")
    place.server.faults = [when(method, "/manifests/", error(403, code)) for method in ("GET", "HEAD")]
    place.server.faults += [when(method, "/blobs/", error(403, code)) for method in ("GET", "HEAD")]
    asked: list[Callable[[], object]] = [
        lambda: store.resolve("v1"),
        lambda: store.manifest(manifest.digest),
        lambda: store.has_manifest(manifest.digest),
        lambda: store.has_blob(Digest.of(b"layer")),
    ]
    for ask in asked:
        with pytest.raises(CredentialsFault):
            ask()
    place.server.faults += [when("GET", "/tags/", error(403, code))]
    with pytest.raises(CredentialsFault):
        store.resolve("absent")


def test_403_that_says_denied_is_believed_at_once(start: Start) -> None:
    place = start(ARTIFACTORY)
    store = place.open()
    store.check_access(push=False)
    place.server.forget_requests()
    place.server.faults = [when("GET", "/manifests/", error(403, "DENIED"))]
    with pytest.raises(CredentialsFault):
        store.resolve("v1")
    assert [request.path for request in place.server.requests] == ["/v2/acme/web/manifests/v1"]


def test_upload_that_may_not_be_deleted_hides_no_error(start: Start) -> None:
    store = start(ARTIFACTORY).open()
    content = b"x" * 1_000_000
    with pytest.raises(Fault) as caught:
        store.put_blob(described(content), Bytes(content, fail_at=300_000))
    assert caught.value.code == "planted"
    store.put_blob(described(content), Bytes(content))
    assert store.has_blob(described(content).digest)


# -- Quay, GAR, GHCR


def test_quay_mounts_with_a_source_only_and_is_always_given_one(start: Start) -> None:
    place = start(QUAY)
    source, target = place.open("acme/staging"), place.open("acme/prod")
    put_image(source, b"layer", tag="v1")
    assert copy(source, target, "v1").blobs_mounted == 2
    mounts = [request for request in place.server.requests if "mount" in request.query]
    assert {request.query["from"] for request in mounts} == {"acme/staging"}


@pytest.mark.parametrize("profile", [GAR, GHCR], ids=lambda profile: profile.name)
def test_blob_larger_than_any_chunk_is_sent_whole(start: Start, profile: Profile) -> None:
    place = start(profile)
    content = b"x" * (5 * 1024 * 1024)
    blob = put(place.open(), content)
    assert place.server.count("PATCH") == 0
    assert got(place.open(), blob) == content


def test_ghcr_names_a_placeholder_in_its_challenge_and_is_asked_for_what_is_needed(start: Start) -> None:
    place = start(GHCR)
    put_image(place.open(), b"layer", tag="v1")
    assert {r.query["scope"] for r in place.server.requests if r.path == "/token"} == {
        "repository:acme/web:pull,push",
    }


# -- Docker Hub


def test_docker_hub_keeps_one_part_names_under_library(tmp_path: Path) -> None:
    """By its own name, through a proxy that is the registry: nothing else on 127.0.0.1 can be called docker.io."""
    with running(replace(DOCKER_HUB, storage_elsewhere=False)) as world:
        file = tmp_path / "config.json"
        file.write_text(world.auth_file.replace(world.server.address, "https://index.docker.io/v1/"))
        environ = {"HTTP_PROXY": world.server.url, "DOCKER_CONFIG": str(tmp_path)}
        with Stores({"docker.io": RegistryOptions(plain_http=True)}, environ) as stores:
            manifest = put_image(stores.open(Repository("docker.io", "web")), b"layer", tag="v1")
            put_image(stores.open(Repository("docker.io", "acme/web")), b"layer", tag="v1")
        assert world.server.repository("library/web").tags == {"v1": str(manifest.digest)}
        assert sorted(world.server.repositories) == ["acme/web", "library/web"]
        assert {r.target.partition("/v2/")[0] for r in world.server.requests} == {"http://registry-1.docker.io"}
        asked = {r.query["scope"] for r in world.tokens.requests}
        assert asked == {f"repository:{name}:pull,push" for name in ("library/web", "acme/web")}


def test_docker_hub_that_counts_is_waited_for(start: Start) -> None:
    place = start(DOCKER_HUB)
    load_layout(FIXTURES / "v3-keyless" / "layout", place.server, "acme/web")
    busy = Answer(429, {"Retry-After": "0", "ratelimit-remaining": "0;w=21600"}, error(429, "TOOMANYREQUESTS").body)
    place.server.faults = [once(when("GET", "/manifests/", busy), times=2)]
    assert place.open().resolve(TAG) is not None
    assert place.server.count("GET", "/manifests/") == 4  # one more for the 401 that asks for credentials


def test_docker_hub_whose_limit_is_reached_is_a_fault_that_says_so(start: Start) -> None:
    place = start(DOCKER_HUB)
    place.server.faults = [when("GET", "/manifests/", error(429, "TOOMANYREQUESTS"))]
    with pytest.raises(Fault) as caught:
        place.open().resolve("v1")
    assert caught.value.actual == "429 TOOMANYREQUESTS"
    assert caught.value.exit_code == 3


def test_presigned_address_is_used_as_it_is_and_shown_nowhere(start: Start) -> None:
    place = start(DOCKER_HUB)
    store = place.open()
    blob = put(store, b"content")
    assert got(store, blob) == b"content"
    (request,) = place.running.storage.requests
    assert request.target.endswith("%2F%3D")
    place.running.storage.faults = [lambda _: Answer(403, {}, b"<Error>expired</Error>")]
    with pytest.raises(Fault) as caught:
        got(store, blob)
    assert "X-Signature" not in repr(vars(caught.value)) + str(caught.value)


def test_presigned_address_that_runs_out_is_asked_for_anew(start: Start) -> None:
    place = start(DOCKER_HUB)
    store = place.open()
    content = bytes(range(256)) * 4096
    blob = put(store, content)
    storage = place.running.storage
    storage.faults = [*storage.faults, once(when("GET", "/blobs/", Tamper(cut=300_000)))]
    place.server.forget_requests()
    assert got(store, blob) == content
    assert place.server.count("GET", "/blobs/") == 2
    assert storage.requests[-1].headers["range"] == "bytes=300000-"
