"""A commit that was built twice, where git knows nothing of it: the source registry has the other build."""

from __future__ import annotations

import json

import pytest
from support.cosign_fixtures import BUNDLE, Image, TestKey, image, manifest_node, statement
from support.git_world import isolate
from support.gitops_repo import COMMIT, GitopsRepo, make
from support.registry_server import Answer, RegistryServer

from promote.model.digest import Digest

KEY = TestKey.make()
SIGN, SPDX = "https://sigstore.dev/cosign/sign/v1", "https://spdx.dev/Document"
SBOM = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "SPDXID": "SPDXRef-a", "versionInfo": "1"}]}
OTHER = f"/v2/acme/shop/manifests/sha-{COMMIT[:7]}"
WHOLE, SHORT, LONGER = (f"sha-{COMMIT[:n]}" for n in (40, 7, 12))


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def signed(case: str, commit: str | None = COMMIT) -> Image:
    """The bare image of `case`, with a signature that names `commit` and an SBOM, both by the test's key."""
    target = image(case).bare()
    annotated = {"digest": {"sha256": target.digest.hex}, "annotations": {"commit": commit} if commit else {}}
    payloads = (
        statement(target.digest, predicateType=SIGN, subject=[annotated]),
        statement(target.digest, predicateType=SPDX, predicate=SBOM),
    )
    nodes = (manifest_node(target, [(BUNDLE, KEY.bundle(json.dumps(p).encode()), {})]) for p in payloads)
    return target.with_nodes(*nodes)


def push(server: RegistryServer, what: Image, tag: str) -> Digest:
    """Put an image with its evidence into the registry, without a request."""
    there = server.repository("acme/shop")
    for content in what.store.blobs.values():
        there.add_blob(content)
    for node in what.graph.nodes:
        there.add_manifest(node.manifest.content, node.manifest.media_type, node.tag)
    there.tags[tag] = str(what.digest)
    return what.digest


def world(home, server: RegistryServer) -> GitopsRepo:
    repo = make(home, case="v3-key", staging=f"{server.address}", remote=False, pinned=False)
    repo.write("trust/test.pub", KEY.signer.pem)
    repo.configure(trust={"signers": [{"key": "trust/test.pub"}]}, gates={"deployed": "off"})
    return repo


@pytest.mark.parametrize(("promoted", "other"), [(WHOLE, SHORT), (SHORT, WHOLE), (LONGER, WHOLE)])
def test_two_digests_that_the_registry_has_for_the_commit_are_both_signed(tmp_path, promoted, other):
    with RegistryServer() as server:
        repo = world(tmp_path, server)
        here, twin = push(server, signed("v3-key"), promoted), push(server, signed("v3-keyless-index"), other)
        head = repo.commits()
        ran = repo.promote(promoted)
        error = ran.json["error"]
        assert (ran.code, error["code"], ran.refused_by) == (15, "rebuilt-signed-twice", "commit"), ran.out
        assert str(here) in error["expected"]
        assert str(twin) in error["actual"]
        assert f"acme/shop has it as {other}" in error["message"]
        assert (repo.tags(), repo.commits()) == ({}, head)
        assert not repo.layout("prod").exists()
        verified = repo.verify(f"staging:{promoted}")
        assert (verified.code, verified.json["error"]["code"]) == (15, "rebuilt-signed-twice")


@pytest.mark.parametrize(
    "twin",
    [None, signed("v3-key"), signed("v3-keyless-index", None), signed("v3-keyless-index", "f" * 40)],
    ids=["no such tag", "the same digest", "signed for no commit", "signed for another commit"],
)
def test_one_request_is_made_and_what_proves_nothing_refuses_nothing(tmp_path, twin):
    with RegistryServer() as server:
        repo = world(tmp_path, server)
        push(server, signed("v3-key"), WHOLE)
        if twin is not None:
            push(server, twin, SHORT)
        assert repo.promote(WHOLE).code == 0
        assert [r.path for r in server.requests].count(OTHER) == 1
        assert server.count("GET", "/tags/list") == 0


def test_a_registry_that_does_not_answer_the_question_is_no_pass(tmp_path):
    with RegistryServer() as server:
        repo = world(tmp_path, server)
        push(server, signed("v3-key"), WHOLE)
        server.faults.append(lambda request: Answer(500) if request.path == OTHER else None)
        ran = repo.promote(WHOLE)
        assert ran.code == 3, ran.out
        assert (repo.tags(), repo.promotions()) == ({}, [])
