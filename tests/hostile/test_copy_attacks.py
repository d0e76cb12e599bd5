"""The attacks on a copy between registries, each on loopback: what is tried, where it happened, which tests show it.

C01  the token realm is another host, plain http, link-local, private, or a literal address
     CVE-2026-48978, GHSA-xf85-363p-868w, google/go-containerregistry #2193 #2302
     unit/oci/test_challenge.py::test_realm_that_may_see_a_password
     unit/oci/test_challenge.py::test_realm_that_may_not
     integration/test_registry_credentials.py::test_realm_that_is_not_safe_gets_nothing
     integration/test_registry_credentials.py::test_token_service_that_redirects_elsewhere_does_not_pass_the_password_on
     integration/test_registry_profiles.py::test_credentials_stay_with_the_hosts_that_they_are_for
     hostile/test_copy_attacks.py::test_c01_registry_over_tls_cannot_send_a_password_over_http
C02  an upload's Location is another host, or plain http
     CVE-2026-50151, GHSA-jxpm-75mh-9fp7, google/go-containerregistry #2295
     hostile/test_registry_answers.py::test_token_does_not_follow_an_upload_elsewhere
     hostile/test_registry_answers.py::test_upload_that_leads_nowhere_safe_is_refused
     hostile/test_copy_attacks.py::test_c02_upload_does_not_leave_tls
C03  a redirect of a manifest, blob or list, or the Link of a page, takes the bearer along
     GHSA-vh4v-2xq2-g5cg, google/go-containerregistry #2332 #2349 #2360
     hostile/test_registry_answers.py::test_token_does_not_follow_a_redirect
     hostile/test_registry_answers.py::test_token_is_not_sent_again_after_a_detour
     hostile/test_registry_answers.py::test_401_from_elsewhere_gets_no_credentials
     hostile/test_registry_answers.py::test_list_does_not_continue_elsewhere
     hostile/test_registry_answers.py::test_redirects_end
     integration/test_registry_http.py::test_https_does_not_lead_to_http
C04  a layer's `urls` name a host of the attacker's
     CVE-2020-15157, GHSA-742w-89gc-8m9c, GHSA-qvqc-4c52-x6qp, google/go-containerregistry #2293
     hostile/test_copy_attacks.py::test_c04_urls_of_a_layer_are_never_asked
     integration/test_copy.py::test_a_layer_that_lives_elsewhere_is_copied_where_it_is_and_left_out_where_it_is_not
C05  a digest is a path, or of a bad algorithm, at any place where a digest stands
     CVE-2024-3727, GHSA-6wvf-f2vw-3425
     unit/model/test_model.py::test_what_is_no_digest_is_refused
     hostile/test_copy_attacks.py::test_c05_digest_that_is_none_is_refused_wherever_it_stands
     hostile/test_copy_attacks.py::test_c05_digest_header_that_is_none_is_refused
     hostile/test_copy_attacks.py::test_c05_sha512_is_a_digest
C06  content is not what its digest says: manifest, referrer, evidence tag, blob
     CVE-2025-24882
     hostile/test_registry_answers.py::test_manifest_with_a_flipped_byte_is_refused
     integration/test_copy.py::test_damaged_content_at_the_source_never_arrives_and_neither_does_the_tag
     hostile/test_copy_attacks.py::test_c06_byte_flipped_late_in_a_large_layer_never_arrives
     hostile/test_copy_attacks.py::test_c06_manifest_that_is_not_its_digest_never_arrives
C07  a manifest is an image and an index, contradicts its Content-Type, or says things twice
     CVE-2021-41190, GHSA-5j5w-g665-5m35
     unit/model/test_model.py::test_a_manifest_with_two_meanings_or_none_is_refused
     hostile/test_copy_attacks.py::test_c07_manifest_with_two_meanings_is_not_copied
C08  a manifest, token, list or header that is huge or never ends
     CVE-2024-29902, CVE-2024-29903, CVE-2023-46737, google/go-containerregistry #1711
     hostile/test_registry_answers.py::test_endless_answer_is_cut
     hostile/test_registry_answers.py::test_list_that_goes_in_circles_ends
     hostile/test_registry_answers.py::test_list_of_referrers_that_never_ends_is_cut
     integration/test_registry_credentials.py::test_endless_token_is_cut
     hostile/test_graph_hostile.py::test_a_long_list_of_referrers_is_refused_before_any_is_fetched
     hostile/test_copy_attacks.py::test_c08_million_referrers_are_refused_in_bounded_memory
     hostile/test_copy_attacks.py::test_c08_headers_without_bound_are_a_fault
C09  a content encoding that unpacks without bound
     CVE-2026-21441, CVE-2026-44432, GHSA-2xpw-w6gg-jr37
     hostile/test_registry_answers.py::test_compressed_answer_is_refused
     hostile/test_copy_attacks.py::test_c09_compressed_body_that_nobody_reads_is_not_unpacked
     hostile/test_copy_attacks.py::test_c09_endless_body_of_a_redirect_is_not_read
     hostile/test_copy_attacks.py::test_c09_compressed_token_is_refused
C10  a graph in circles, without end, or of an image that is its own subject
     regclient, ErrLoopDetected
     hostile/test_graph_hostile.py::test_a_chain_of_referrers_deeper_than_the_bound_is_refused
     hostile/test_graph_hostile.py::test_evidence_tags_that_name_each_other_end
     hostile/test_graph_hostile.py::test_a_malformed_manifest_is_refused_with_its_digest
     hostile/test_copy_attacks.py::test_c10_lists_in_circles_end
C11  referrers that name no subject or another one
     oras-project/oras #2148
     hostile/test_graph_hostile.py::test_a_referrer_that_names_another_subject_or_none_is_dropped
     integration/test_registry_profiles.py::test_gitlab_answers_a_digest_for_a_tag_and_the_children_are_no_referrers
     hostile/test_copy_attacks.py::test_c11_children_listed_as_referrers_are_children_only
C12  the tag moves between verification and copy
     time of check, time of use
     hostile/test_copy_attacks.py::test_c12_what_was_verified_is_what_is_copied
C13  success is reported and nothing arrived
     registries that answer 201 and keep nothing
     integration/test_copy.py::test_a_registry_that_says_yes_and_keeps_nothing_is_found_out
     hostile/test_registry_answers.py::test_registry_that_says_created_and_keeps_nothing_is_found_out_by_asking
     hostile/test_copy_attacks.py::test_c13_registry_that_keeps_nothing_is_found_out
     hostile/test_copy_attacks.py::test_c13_registry_that_keeps_and_does_not_list_is_found_out
C14  the signature at the target is overwritten
     `cosign copy -f`
     integration/test_copy.py::test_an_evidence_tag_with_other_signatures_is_refused_with_both_digests
     integration/test_copy.py::test_an_evidence_tag_that_has_more_is_kept_and_one_that_has_less_is_replaced
C15  writers of one fallback list undo each other
     google/go-containerregistry #2205
     unit/oci/test_fallback.py::test_list_that_was_overwritten_is_written_again
     hostile/test_copy_attacks.py::test_c15_list_that_is_overwritten_late_is_mended
     hostile/test_copy_attacks.py::test_c15_fifty_promotions_into_one_list_lose_nothing
C16  the copy is killed at any request
     oras-go, self-heal of partial graphs
     integration/test_copy.py::test_stopped_before_any_act_it_has_no_tag_and_the_next_run_finishes
     integration/test_promotion_killed.py::test_killed_at_any_step_the_same_command_again_ends_in_the_same_state
     hostile/test_copy_attacks.py::test_c16_killed_at_any_request_the_next_run_finishes
C17  a resumed download lies about where it goes on
     containers/image, bodyReader
     hostile/test_registry_answers.py::test_resumed_download_that_lies_is_never_joined
C18  a secret in output, error, argument or commit
     presigned addresses and tokens in the logs of clients
     integration/test_promotion_faults.py::test_a_wrong_password_is_exit_4_names_the_registry_and_is_shown_nowhere
     integration/test_promotion_faults.py::test_a_right_password_is_used_and_shown_nowhere
     hostile/test_registry_answers.py::test_words_of_a_registry_are_not_repeated
     hostile/test_registry_answers.py::test_secrets_are_nowhere_in_the_objects
     integration/test_registry_profiles.py::test_presigned_address_is_used_as_it_is_and_shown_nowhere
     unit/oci/test_credentials.py::test_malformed_file_is_named_and_not_quoted
C19  netrc, a proxy or the environment takes over
     CVE-2024-47081, CVE-2026-44431
     integration/test_registry_credentials.py::test_netrc_is_never_read
     integration/test_registry_credentials.py::test_plain_http_proxy_is_used_but_not_for_this_machine
     integration/test_registry_credentials.py::test_password_of_a_proxy_is_not_shown
     hostile/test_copy_attacks.py::test_c19_proxy_sees_what_it_is_for_and_the_registry_does_not_see_its_password
     hostile/test_copy_attacks.py::test_c19_only_the_environment_that_was_given_counts
C20  a terminal is steered by what a registry, label or annotation says
     errors, warnings and annotations with escape sequences
     hostile/test_output_hostile.py::test_what_a_registry_says
     hostile/test_output_hostile.py::test_an_image_whose_labels_are_evil
     hostile/test_output_hostile.py::test_an_identity_an_annotation_and_a_label_in_a_verdict
     hostile/test_copy_attacks.py::test_c20_media_type_and_encoding_are_shown_escaped
C21  a layout or archive leads out of its directory
     CVE-2026-50163, GHSA-fxhp-mv3v-67qp, CVE-2026-85731, GHSA-m37j-52j7-pjw7
     hostile/test_layout_hostile.py::test_a_blob_that_is_a_link_is_neither_there_nor_read_and_a_put_replaces_it
     hostile/test_layout_hostile.py::test_a_directory_that_is_a_link_is_not_entered
     hostile/test_layout_hostile.py::test_a_digest_that_is_none_is_a_fault_for_its_tag_and_nothing_to_others
     hostile/test_copy_attacks.py::test_c21_nothing_here_unpacks_an_archive
C22  the name of a credential helper is a path, or the helper hangs or talks
     "credsStore": "../x"
     unit/oci/test_credentials.py::test_helper_name_is_never_a_path
     unit/oci/test_credentials.py::test_helper_that_hangs_is_ended
     unit/oci/test_credentials.py::test_helper_that_fails_is_named_and_not_quoted
"""

from __future__ import annotations

import ast
import functools
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import stamina
from support.image_builder import CONFIG, LAYER, index_of, put_image, put_index
from support.registry_server import (
    OCI_INDEX,
    Answer,
    Hook,
    RegistryServer,
    Repeated,
    Request,
    Tamper,
    load_layout,
    once,
    self_signed,
    when,
)
from support.store_contract import described, in_parallel, put

import promote
from promote.errors import Fault
from promote.model.configuration import RegistryOptions
from promote.model.digest import Digest
from promote.model.graph import Graph
from promote.model.manifest import DOCKER_MANIFEST, OCI_MANIFEST, RawManifest
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import Copied, copy_image
from promote.oci.graph import gather
from promote.oci.layout import LayoutStore
from promote.oci.store import Store
from promote.oci.stores import Stores

TESTS = Path(__file__).parents[1]
KEYLESS = TESTS / "fixtures" / "cosign" / "v3-keyless-index" / "layout"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"
CANARY = "canary-Pa55word"
MIB = 1024 * 1024


@pytest.fixture
def quick() -> Iterator[None]:
    """No waits between tries, and four of them."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


class World:
    """Two registries and the stores of one repository in each."""

    def __init__(self, stack: ExitStack) -> None:
        self.source = stack.enter_context(RegistryServer())
        self.target = stack.enter_context(RegistryServer())
        stores = stack.enter_context(Stores({}, {}))
        self.staging = stores.open(Repository(self.source.address, "acme/web"))
        self.prod = stores.open(Repository(self.target.address, "acme/web"))

    def copy(self, tag: str = TAG) -> Copied:
        return copy_image(self.staging, self.prod, graph_of(self.staging, tag), tag, observer=Silent())

    def fails(self, tag: str = TAG) -> Fault:
        """The copy's error, after which the target has no tag."""
        with pytest.raises(Fault) as caught:
            self.copy(tag)
        assert caught.value.exit_code == 3
        assert caught.value.message.isprintable()
        assert tag not in self.target.repository("acme/web").tags
        return caught.value


@pytest.fixture
def world(quick: None) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


def graph_of(store: Store, tag: str = TAG) -> Graph:
    root = store.resolve(tag)
    assert root is not None
    return gather(store, root)


def contents(graph: Graph) -> dict[Digest, tuple[bytes, str]]:
    return {n.digest: (n.manifest.content, n.manifest.media_type) for n in graph.nodes}


def unhurt(world: World) -> None:
    """Assert that nothing but reading was tried at the target, and nothing odd asked of anybody."""
    assert {request.method for request in world.target.requests} <= {"GET", "HEAD"}
    assert not any(".." in request.target for request in (*world.source.requests, *world.target.requests))


# -- the table above


def _table() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (__doc__ or "").splitlines():
        if attack := re.fullmatch(r" *(C\d\d)  .+", line):
            found[attack[1]] = []
        elif "::" in line:
            list(found.values())[-1].append(line.strip())
    return found


@functools.cache
def _tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_attack_of_the_table_is_shown_by_tests_that_exist() -> None:
    table = _table()
    assert list(table) == [f"C{number:02}" for number in range(1, 23)]
    for attack, shown in table.items():
        assert shown, attack
        for test in shown:
            file, _, name = test.partition("::")
            assert name in _tests(TESTS / file), f"{attack}: {test}"


def test_every_attack_in_this_file_is_in_the_table() -> None:
    here = {name for name in _tests(Path(__file__)) if name.startswith("test_c")}
    listed = {(attack, test.partition("::")[2]) for attack, shown in _table().items() for test in shown}
    assert {(f"C{name[6:8]}", name) for name in here} <= listed


# -- C01, C02: who may see a password


@pytest.fixture
def over_tls(tmp_path: Path, quick: None) -> Iterator[tuple[RegistryServer, Store]]:
    context, ca = self_signed(tmp_path)
    file = tmp_path / "auth.json"
    with RegistryServer(tls=context, auth="basic", password=CANARY) as server:
        file.write_text(json.dumps({"auths": {server.address: {"username": server.username, "password": CANARY}}}))
        options = {server.address: RegistryOptions(plain_http=False, ca=ca)}
        with Stores(options, {"REGISTRY_AUTH_FILE": str(file)}) as stores:
            yield server, stores.open(Repository(server.address, "acme/web"))


@pytest.mark.parametrize("host", ["127.0.0.1.example.invalid", "[::ffff:169.254.169.254]", "0.0.0.0", "2130706433"])
def test_c01_registry_over_tls_cannot_send_a_password_over_http(
    over_tls: tuple[RegistryServer, Store], host: str
) -> None:
    server, store = over_tls
    challenge = {"WWW-Authenticate": f'Bearer realm="http://{host}/token",service="x"'}
    server.faults = [lambda _: Answer(401, challenge)]
    with pytest.raises(Fault) as caught:
        store.resolve("v1")
    assert caught.value.code == "unsafe-token-realm"
    assert all("authorization" not in request.headers for request in server.requests)


def test_c02_upload_does_not_leave_tls(over_tls: tuple[RegistryServer, Store]) -> None:
    server, store = over_tls
    with RegistryServer() as plain:
        location = {"Location": f"{plain.url}/v2/acme/web/blobs/uploads/1"}
        server.faults = [when("POST", "/blobs/uploads/", Answer(202, location))]
        with pytest.raises(Fault) as caught:
            put(store, b"content")
        assert caught.value.code == "unsafe-redirect"
        assert plain.requests == []


# -- C04 to C07: what a manifest says


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(
    "kind", ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip"]
)
def test_c04_urls_of_a_layer_are_never_asked(world: World, kind: str, there: bool) -> None:
    with RegistryServer() as evil:
        layer = described(b"layer", kind).as_json() | {"urls": [f"{evil.url}/layer"]}
        config = put(world.staging, b"{}", CONFIG).as_json() | {"urls": [f"{evil.url}/config"]}
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
        world.source.repository("acme/web").add_manifest(json.dumps(document).encode(), OCI_MANIFEST, TAG)
        if there:
            world.source.repository("acme/web").add_blob(b"layer")
        if there or "foreign" in kind:
            world.copy()
        else:
            world.fails()
        assert evil.requests == []
    assert (str(Digest.of(b"layer")) in world.target.repository("acme/web").blobs) is there


BAD_DIGESTS = (
    "sha256:../../../../etc/passwd",
    "sha256:" + "A" * 64,
    "sha256:" + "a" * 63,
    "sha512:" + "a" * 64,
    "md5:" + "a" * 32,
    "sha256:" + "a" * 64 + "/../x",
    "sha256:" + "a" * 64 + "\n",
    "sha256",
    "",
    7,
    None,
)


def _with_digest(world: World, where: str, digest: object) -> None:
    """Put an image in where `where` has a descriptor with this digest."""
    bad = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 7}
    good = put_image(world.staging, b"good")
    document: dict[str, Any] = json.loads(good.content)
    media_type = OCI_MANIFEST
    if where == "child":
        document, media_type = json.loads(index_of(good).content), OCI_INDEX
        document["manifests"].append(bad)
    elif where == "layer":
        document["layers"].append(bad)
    else:
        document[where] = bad
    document.setdefault("mediaType", media_type)
    world.source.repository("acme/web").add_manifest(json.dumps(document).encode(), media_type, TAG)


@pytest.mark.parametrize("digest", BAD_DIGESTS)
@pytest.mark.parametrize("where", ["config", "layer", "child", "subject", "referrers", "fallback"])
def test_c05_digest_that_is_none_is_refused_wherever_it_stands(world: World, where: str, digest: object) -> None:
    if where in {"referrers", "fallback"}:
        root = put_image(world.staging, b"image", tag=TAG)
        entry = {"mediaType": OCI_MANIFEST, "digest": digest, "size": 7}
        listing = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
        if where == "fallback":
            world.source.referrers = False
            world.source.repository("acme/web").add_manifest(listing, OCI_INDEX, root.digest.tag)
        else:
            world.source.faults = [when("GET", "/referrers/", Answer(200, {"Content-Type": OCI_INDEX}, listing))]
    else:
        world.source.referrers = False  # the scriptable registry itself would stumble over such a subject
        _with_digest(world, where, digest)
    assert world.fails().code in {"manifest-malformed", "answer-malformed"}
    unhurt(world)


@pytest.mark.parametrize("digest", [d for d in BAD_DIGESTS if isinstance(d, str) and d.isprintable()])
def test_c05_digest_header_that_is_none_is_refused(world: World, digest: str) -> None:
    put_image(world.staging, b"image", tag=TAG)
    world.source.faults = [when("GET", "/manifests/", Tamper({"Docker-Content-Digest": digest}))]
    assert world.fails().code == "answer-malformed"
    unhurt(world)


def test_c05_sha512_is_a_digest(world: World) -> None:
    layer = described(b"layer", LAYER, "sha512")
    world.source.repository("acme/web").blobs[str(layer.digest)] = b"layer"
    config = put(world.staging, b"{}", CONFIG)
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.as_json(), "layers": [layer.as_json()]}
    world.source.repository("acme/web").add_manifest(json.dumps(document).encode(), OCI_MANIFEST, TAG)
    assert world.copy().blobs_copied == 2
    assert world.target.repository("acme/web").blobs[str(layer.digest)] == b"layer"


class Flipped(Repeated):
    """The same content with its last byte changed."""

    def blocks(self, start: int) -> Iterator[bytes]:
        for block in super().blocks(start):
            start += len(block)
            yield block if start < self.size else block[:-1] + bytes([block[-1] ^ 1])


def test_c06_byte_flipped_late_in_a_large_layer_never_arrives(world: World) -> None:
    right = Repeated(bytes(range(256)) * 4096, 64 * MIB)
    digest = right.digest
    world.source.repository("acme/web").blobs[digest] = Flipped(right.block, right.size)
    world.target.forget_above = MIB
    layer = {"mediaType": LAYER, "digest": digest, "size": right.size}
    config = put(world.staging, b"{}", CONFIG)
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.as_json(), "layers": [layer]}
    world.source.repository("acme/web").add_manifest(json.dumps(document).encode(), OCI_MANIFEST, TAG)
    assert world.fails().code == "content-mismatch"
    there = world.target.repository("acme/web")
    assert digest not in there.blobs
    assert there.manifests == {}
    assert all(len(kept) < right.size for kept in there.uploads.values())


@pytest.mark.parametrize("which", ["child", "referrer", "evidence tag"])
def test_c06_manifest_that_is_not_its_digest_never_arrives(world: World, which: str) -> None:
    child = put_image(world.staging, b"amd64")
    root = put_index(world.staging, child, tag=TAG)
    referrer = put_image(world.staging, b"signature", subject=root)
    put_image(world.staging, b"sbom", tag=f"{root.digest.tag}.sbom")
    ref = {"child": str(child.digest), "referrer": str(referrer.digest), "evidence tag": f"{root.digest.tag}.sbom"}

    def flip(body: bytes) -> bytes:
        return body.replace(b'"layers"', b'"lay\\u0065rs"')

    world.source.faults = [when("GET", f"/manifests/{ref[which]}", Tamper(body=flip))]
    assert world.fails().code == "content-mismatch"
    unhurt(world)


TWICE = b'{"schemaVersion":2,"schemaVersion":2,"config":%s,"layers":[]}'
BOTH = b'{"schemaVersion":2,"config":%s,"layers":[],"manifests":[]}'
OTHER = b'{"schemaVersion":2,"mediaType":"%s","config":%%s,"layers":[]}' % DOCKER_MANIFEST.encode()


@pytest.mark.parametrize("where", ["root", "child", "referrer"])
@pytest.mark.parametrize("document", [TWICE, BOTH, OTHER])
@pytest.mark.parametrize("served", [OCI_MANIFEST, OCI_INDEX, "application/json", "text/html"])
def test_c07_manifest_with_two_meanings_is_not_copied(world: World, where: str, document: bytes, served: str) -> None:
    config = json.dumps(put(world.staging, b"{}", CONFIG).as_json()).encode()
    repository = world.source.repository("acme/web")
    odd = RawManifest(document % config, served)
    repository.add_manifest(odd.content, served, TAG if where == "root" else None)
    entry = {"mediaType": OCI_MANIFEST, "digest": str(odd.digest), "size": len(odd.content)}
    listing = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    if where == "child":
        repository.add_manifest(listing, OCI_INDEX, TAG)
    elif where == "referrer":
        put_image(world.staging, b"image", tag=TAG)
        world.source.faults = [when("GET", "/referrers/", Answer(200, {"Content-Type": OCI_INDEX}, listing))]
    # What is served as nothing that was asked for must not pass for absent either.
    world.source.faults.append(
        when(
            "GET",
            f"/manifests/{odd.digest if where != 'root' else TAG}",
            Answer(200, {"Content-Type": served}, odd.content),
        )
    )
    assert world.fails().code == "manifest-malformed"
    unhurt(world)


# -- C08, C09: how much


def bounded(work: Callable[[], object], most: int = 24 * MIB) -> Fault:
    """The error that `work` ends with, in at most that many bytes of memory."""
    tracemalloc.start()
    try:
        with pytest.raises(Fault) as caught:
            work()
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
    return caught.value


def test_c08_million_referrers_are_refused_in_bounded_memory(world: World) -> None:
    put_image(world.staging, b"image", tag=TAG)
    head, tail = b'{"schemaVersion":2,"mediaType":"%s","manifests":[' % OCI_INDEX.encode(), b"]}"
    entry = json.dumps({"mediaType": OCI_MANIFEST, "digest": "sha256:" + "a" * 64, "size": 7}).encode() + b","
    length = len(head) + 10**6 * len(entry) + len(tail)
    headers = {"Content-Type": OCI_INDEX, "Content-Length": str(length)}

    def million(request: Request) -> Answer | None:
        parts = (part for part in (head, *[entry * 1000] * 1000, tail))
        return Answer(200, headers, parts) if "/referrers/" in request.target else None

    world.source.faults = [million]
    assert bounded(lambda: graph_of(world.staging)).code == "answer-too-large"


@pytest.mark.parametrize(
    "headers",
    [
        {"Warning": '299 - "' + "x" * 200_000 + '"'},
        {f"X-{number}": "y" for number in range(200)},
        {"WWW-Authenticate": "Bearer " + "a=b," * 15_000},
    ],
)
def test_c08_headers_without_bound_are_a_fault(world: World, headers: dict[str, str]) -> None:
    world.source.faults = [lambda _: Answer(401, headers)]
    for ask in (lambda: world.staging.resolve(TAG), lambda: list(world.staging.tags())):
        problem = bounded(ask)
        assert "xxxx" not in problem.message


def test_c09_compressed_body_that_nobody_reads_is_not_unpacked(world: World) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    tracemalloc.start()
    try:
        world.source.faults = [
            when("GET", f"/manifests/{TAG}", Answer(307, {**packed, "Location": "/elsewhere"}, bomb)),
            when("GET", "/elsewhere", Answer(404, packed, bomb)),
            when("HEAD", "/blobs/", Answer(404, {**packed, "Content-Length": str(len(bomb))})),
        ]
        assert world.staging.resolve(TAG) is None
        assert world.staging.has_blob(Digest.of(b"x")) is False
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_c09_endless_body_of_a_redirect_is_not_read(world: World) -> None:
    def endless(request: Request) -> Answer | None:
        headers = {"Location": "/elsewhere", "Content-Length": str(2**40)}
        return Answer(307, headers, (b"x" * 65536 for _ in range(10**7))) if TAG in request.target else None

    world.source.faults = [endless, when("GET", "/elsewhere", Answer(404))]
    assert world.staging.resolve(TAG) is None


def test_c09_compressed_token_is_refused(tmp_path: Path, quick: None) -> None:
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    token = Answer(200, packed, gzip.compress(b'{"token":"' + b"x" * 50_000_000 + b'"}'))
    faults = [when("GET", "/token", token)]
    with RegistryServer(auth="token", faults=faults) as server, Stores({}, {}) as stores:
        store = stores.open(Repository(server.address, "acme/web"))
        assert bounded(lambda: store.resolve(TAG), 8 * MIB).code == "content-encoding"


# -- C10 to C13: what belongs to an image, and what arrived


def listing_of(*manifests: RawManifest) -> Answer:
    entries = [manifest.descriptor.as_json() for manifest in manifests]
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    return Answer(200, {"Content-Type": OCI_INDEX}, body)


def test_c10_lists_in_circles_end(world: World) -> None:
    root = put_image(world.staging, b"image", tag=TAG)
    first = put_image(world.staging, b"first", subject=root)
    second = put_image(world.staging, b"second", subject=first)
    world.source.faults = [when("GET", "/referrers/", listing_of(root, first, second))]
    assert world.copy().arrived.digests == {root.digest, first.digest, second.digest}
    assert world.source.count("GET", "/referrers/") == 3


def test_c11_children_listed_as_referrers_are_children_only(world: World) -> None:
    children = [put_image(world.staging, platform) for platform in (b"amd64", b"arm64")]
    root = put_index(world.staging, *children, tag=TAG)
    foreign = put_image(world.staging, b"evil", subject=children[0])
    world.source.faults = [when("GET", f"/referrers/{root.digest}", listing_of(*children, foreign, root))]
    world.source.faults += [when("GET", "/referrers/", listing_of())]
    world.copy()
    there = world.target.repository("acme/web")
    assert set(there.manifests) == {str(manifest.digest) for manifest in (root, *children)}
    assert there.tags == {TAG: str(root.digest)}


@pytest.mark.parametrize("moves_at", [1, 3, 6])
def test_c12_what_was_verified_is_what_is_copied(world: World, moves_at: int) -> None:
    load_layout(KEYLESS, world.source, "acme/web")
    repository = world.source.repository("acme/web")
    verified = graph_of(world.staging)
    evil = put_image(world.staging, b"evil")
    world.source.forget_requests()

    def move(_: Request) -> None:
        if len(world.source.requests) == moves_at:
            repository.tags[TAG] = str(evil.digest)

    world.source.faults = [move]
    copy_image(world.staging, world.prod, verified, TAG, jobs=1, observer=Silent())
    assert repository.tags[TAG] == str(evil.digest)
    assert world.target.repository("acme/web").tags[TAG] == str(verified.root.digest)
    assert str(evil.digest) not in world.target.repository("acme/web").manifests
    assert world.source.count("GET", f"/manifests/{TAG}") == 0
    assert contents(graph_of(world.prod)) == contents(verified)


@pytest.mark.parametrize("what", ["/blobs/uploads/", "/manifests/sha256:", f"/manifests/{TAG}", ""])
@pytest.mark.parametrize("referrers", [True, False])
def test_c13_registry_that_keeps_nothing_is_found_out(world: World, what: str, referrers: bool) -> None:
    load_layout(KEYLESS, world.source, "acme/web")
    world.target.referrers = referrers
    world.target.faults = [when("PUT", what, Answer(201))]
    world.fails()
    world.target.faults = []
    world.copy()
    assert contents(graph_of(world.prod)) == contents(graph_of(world.staging))


def test_c13_registry_that_keeps_and_does_not_list_is_found_out(world: World) -> None:
    load_layout(KEYLESS, world.source, "acme/web")
    world.target.faults = [when("GET", "/referrers/", listing_of())]
    with pytest.raises(Fault) as caught:
        world.copy()
    assert caught.value.code == "not-arrived"
    assert "as a referrer of" in caught.value.message


# -- C15, C16: others at work, and a sudden end


@pytest.mark.exhaustive
def test_c15_fifty_promotions_into_one_list_lose_nothing(tmp_path: Path) -> None:
    """Each with stores of its own, as fifty processes have: nothing in this process keeps them in order."""

    def promote_one(number: int) -> None:
        staging = LayoutStore(Repository(f"oci:{tmp_path}/{number}", "acme/web"))
        root = put_image(staging, b"image", tag=TAG)
        put_image(staging, f"evidence {number}".encode(), subject=root)
        ready.wait()
        with Stores({}, {}) as stores:
            prod = stores.open(Repository(target.address, "acme/web"))
            copy_image(staging, prod, graph_of(staging), TAG, jobs=2, observer=Silent())

    ready = threading.Barrier(50)
    with RegistryServer(referrers=False, faults=[lambda _: time.sleep(0.005)]) as target:
        raised = in_parallel([lambda number=number: promote_one(number) for number in range(50)])
        repository = target.repository("acme/web")
        root = repository.tags[TAG]
        _, listing = repository.manifests[repository.tags[root.replace(":", "-")]]
    assert raised == []
    assert len({entry["digest"] for entry in json.loads(listing)["manifests"]}) == 50


def test_c15_list_that_is_overwritten_late_is_mended(world: World) -> None:
    """By somebody who read it before us and wrote it after all of ours was there."""
    world.target.referrers = False
    root = put_image(world.staging, b"image", tag=TAG)
    ours = put_image(world.staging, b"ours", subject=root)
    theirs = _with_subject(put_image(world.prod, b"theirs"), root)
    entries = [theirs.descriptor.as_json()]
    stale = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    repository = world.target.repository("acme/web")
    repository.add_manifest(theirs.content, OCI_MANIFEST)

    def overwrite(request: Request) -> Tamper | None:
        if request.method != "PUT" or not request.target.endswith(TAG):
            return None
        repository.add_manifest(stale, OCI_INDEX, root.digest.tag)
        return Tamper()

    world.target.faults = [once(overwrite)]
    world.copy()
    assert {entry.digest for entry in world.prod.referrers(root.digest)} == {ours.digest, theirs.digest}


def _with_subject(manifest: RawManifest, subject: RawManifest) -> RawManifest:
    document = json.loads(manifest.content) | {"subject": subject.descriptor.as_json()}
    return RawManifest(json.dumps(document).encode(), OCI_MANIFEST)


NURSERY = """
import os, sys
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import copy_image
from promote.oci.graph import gather
from promote.oci import registry, registry_store
from promote.oci.stores import Stores

def copy(source, target, tag):
    with Stores({}, {}) as stores:
        staging, prod = (stores.open(Repository(host, "acme/web")) for host in (source, target))
        copy_image(staging, prod, gather(staging, staging.resolve(tag)), tag, jobs=1, observer=Silent())

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        copy(*line.split())
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Nursery:
    """A process whose forks copy, each killed at the request that it is told to die at."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", NURSERY]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._child = 0
        self._known = threading.Event()

    def kill(self) -> None:
        assert self._known.wait(20)
        os.kill(self._child, signal.SIGKILL)

    def copy(self, world: World) -> int:
        """The status of a copy from source to target, as `os.waitpid` has it."""
        assert self._process.stdin
        assert self._process.stdout
        self._known.clear()
        self._process.stdin.write(f"{world.source.address} {world.target.address} {TAG}\n")
        self._process.stdin.flush()
        self._child = int(self._process.stdout.readline())
        self._known.set()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=20)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    started = Nursery()
    yield started
    started.close()


@pytest.mark.parametrize(
    ("side", "referrers"),
    [
        ("target", False),
        pytest.param("target", True, marks=pytest.mark.exhaustive),
        pytest.param("source", False, marks=pytest.mark.exhaustive),
        pytest.param("source", True, marks=pytest.mark.exhaustive),
    ],
)
def test_c16_killed_at_any_request_the_next_run_finishes(
    world: World, nursery: Nursery, side: str, referrers: bool
) -> None:
    """After what was asked for is done and before that is known, which is where a kill before the next one finds it."""
    world.target.referrers = referrers
    asked = world.target if side == "target" else world.source
    root = put_image(world.staging, b"x" * 300_000, tag=TAG)
    put_image(world.staging, b"signature", subject=root)
    put_image(world.staging, b"sbom", tag=f"{root.digest.tag}.sbom")
    expected = contents(graph_of(world.staging))
    asked.forget_requests()
    assert nursery.copy(world) == 0
    for number in range(1, len(asked.requests) + 1):
        world.target.repositories.clear()
        asked.forget_requests()
        asked.faults = [_deadly(asked, nursery, number)]
        assert os.WTERMSIG(nursery.copy(world)) == signal.SIGKILL
        asked.faults = []
        _check_end(world, root, expected)


def _deadly(server: RegistryServer, nursery: Nursery, number: int) -> Hook:
    def kill(body: bytes) -> bytes:
        nursery.kill()
        return body

    return lambda _: Tamper(body=kill) if len(server.requests) == number else None


def _check_end(world: World, root: RawManifest, expected: dict[Digest, tuple[bytes, str]]) -> None:
    """Assert that a tag, if there is one, is of a whole image; that the next run finishes and sends nothing twice."""
    finished = set(world.target.repository("acme/web").blobs)
    if TAG in world.target.repository("acme/web").tags:
        assert contents(graph_of(world.prod)) == expected
    world.target.forget_requests()
    world.copy()
    sent = {request.query["digest"] for request in world.target.requests if request.query.get("digest")}
    assert not sent & finished
    assert contents(graph_of(world.prod)) == expected
    assert world.target.repository("acme/web").tags[TAG] == str(root.digest)


# -- C19 to C21


@pytest.mark.parametrize("exempt", ["0.0.0.0", "*", ""])
def test_c19_proxy_sees_what_it_is_for_and_the_registry_does_not_see_its_password(
    tmp_path: Path, quick: None, exempt: str
) -> None:
    with RegistryServer(auth="basic") as server, RegistryServer() as proxy:
        host = f"0.0.0.0:{server.port}"  # this machine, by a name that proxies apply to
        file = tmp_path / "auth.json"
        file.write_text(json.dumps({"auths": {host: {"username": server.username, "password": server.password}}}))
        environ = {
            "HTTP_PROXY": f"http://proxy-user:{CANARY}@{proxy.address}",
            "NO_PROXY": exempt,
            "REGISTRY_AUTH_FILE": str(file),
        }
        with Stores({host: RegistryOptions(plain_http=True)}, environ) as stores:
            assert stores.open(Repository(host, "acme/web")).resolve("v1") is None
        asked, other = (server, proxy) if exempt else (proxy, server)
        assert asked.requests
        assert other.requests == []
        assert all(("proxy-authorization" in request.headers) is not bool(exempt) for request in asked.requests)
        assert not any(CANARY in repr(request) for request in asked.requests)


def test_c19_only_the_environment_that_was_given_counts(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with RegistryServer() as server, RegistryServer() as evil:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, evil.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        host = f"0.0.0.0:{server.port}"
        with Stores({host: RegistryOptions(plain_http=True)}, {}) as stores:
            assert stores.open(Repository(host, "acme/web")).resolve("v1") is None
        assert (len(server.requests), evil.requests) == (1, [])


def test_c20_media_type_and_encoding_are_shown_escaped(world: World) -> None:
    evil = "\x1b[2J\u202eowned"
    document = {"schemaVersion": 2, "mediaType": evil, "manifests": []}
    world.source.repository("acme/web").add_manifest(json.dumps(document).encode(), OCI_INDEX, TAG)
    assert "owned" in world.fails().message
    headers = {"Content-Type": OCI_INDEX, "Content-Encoding": "gz\x1b[2Jip"}
    world.source.faults = [when("GET", "/manifests/", Answer(200, headers, b"{}"))]
    with pytest.raises(Fault) as caught:
        world.staging.resolve(TAG)
    assert caught.value.message.isprintable()


def test_c21_nothing_here_unpacks_an_archive() -> None:
    unpackers = re.compile(r"^\s*(?:import|from)\s+(?:tarfile|zipfile)\b|unpack_archive", re.MULTILINE)
    for path in Path(promote.__file__).parent.rglob("*.py"):
        assert not unpackers.search(path.read_text()), path
