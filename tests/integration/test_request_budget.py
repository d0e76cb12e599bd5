"""What a promotion asks of registries: counted, not timed (docs/benchmarks.md has the times)."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from support.git_world import isolate
from support.gitops_repo import TAG, GitopsRepo, make, serve
from support.registry_server import RegistryServer

SPARE = 6
"""How many requests a run that changes nothing may make of the target beside one for each digest."""

_DIGEST = re.compile(r"sha256[:-][0-9a-f]{64}")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=[True, False], ids=["api", "fallback"])
def registries(request):
    with RegistryServer(referrers=request.param) as staging, RegistryServer(referrers=request.param) as prod:
        yield staging, prod


def repository(home, registries) -> GitopsRepo:
    staging, prod = registries
    return make(home, staging=serve(staging), prod=prod.address)


def asked(server: RegistryServer) -> Counter[str]:
    return Counter(f"{request.method} {request.target}" for request in server.requests)


def digests(server: RegistryServer) -> set[str]:
    return {found.replace("-", ":") for request in server.requests for found in _DIGEST.findall(request.target)}


def test_nothing_is_asked_of_the_source_twice_but_what_is_verified_and_then_copied(tmp_path, registries):
    repo = repository(tmp_path, registries)
    assert repo.promote(TAG).code == 0
    staging, _ = registries
    twice = {what for what, times in asked(staging).items() if times > 1}
    assert all(what.startswith("GET ") and "/blobs/" in what for what in twice)
    assert max(asked(staging).values()) <= 2


def test_the_target_is_asked_before_the_copy_and_after_it_and_no_more(tmp_path, registries):
    repo = repository(tmp_path, registries)
    assert repo.promote(TAG).code == 0
    _, prod = registries
    questions = {what: n for what, n in asked(prod).items() if what.startswith(("GET", "HEAD"))}
    once_more = {what for what, times in questions.items() if times > 2}
    # The list under a fallback tag is read, written and read back; the image's tag is a gate's business too.
    assert all(TAG in what or "/manifests/sha256-" in what for what in once_more)


def test_every_blob_is_one_post_and_one_put(tmp_path, registries):
    repo = repository(tmp_path, registries)
    copied = repo.promote(TAG).json["releases"][0]["copies"][0]
    _, prod = registries
    assert prod.count("POST", "/blobs/uploads/") == prod.count("PUT", "/blobs/uploads/") == copied["blobs_copied"]
    assert prod.count("PATCH") == prod.count("DELETE") == 0


def test_a_second_run_asks_once_for_each_digest_and_a_little_more(tmp_path, registries):
    repo = repository(tmp_path, registries)
    assert repo.promote(TAG).code == 0
    for server in registries:
        server.forget_requests()
    second = repo.promote(TAG)
    assert (second.code, second.json["releases"][0]["changed"]) == (0, False)
    staging, prod = registries
    assert len(prod.requests) <= len(digests(prod)) + SPARE
    # Of each manifest at the source its referrers are asked for too: evidence may have been added since.
    assert len(staging.requests) <= 2 * len(digests(staging)) + SPARE
    assert max(max(asked(server).values()) for server in registries) <= 2
    assert not [r for server in registries for r in server.requests if r.method not in {"GET", "HEAD"}]


def test_a_second_run_reads_no_layer(tmp_path, registries):
    repo = repository(tmp_path, registries)
    assert repo.promote(TAG).code == 0
    _, prod = registries
    prod.forget_requests()
    assert repo.promote(TAG).json["releases"][0]["copies"][0]["bytes"] == 0
    layers = {blob for request in prod.requests if request.method == "HEAD" for blob in _DIGEST.findall(request.target)}
    read = {blob for request in prod.requests if request.method == "GET" for blob in _DIGEST.findall(request.target)}
    assert layers
    assert not layers & read


def test_what_cannot_be_a_commit_tag_costs_no_request(tmp_path, registries):
    repo = repository(tmp_path, registries)
    assert repo.promote("latest").code == 14
    assert [len(server.requests) for server in registries] == [0, 0]


def test_a_dry_run_only_asks(tmp_path, registries):
    repo = repository(tmp_path, registries)
    assert repo.promote(TAG, "--dry-run").code == 0
    assert {request.method for server in registries for request in server.requests} <= {"GET", "HEAD"}


def test_a_token_is_fetched_once_for_each_right(tmp_path, monkeypatch):
    docker = tmp_path / "docker"
    docker.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(docker))
    with RegistryServer(auth="token") as staging, RegistryServer(auth="token") as prod:
        login = '{"username": "promoter", "password": "right-password"}'
        (docker / "config.json").write_text(f'{{"auths": {{"{staging.address}": {login}, "{prod.address}": {login}}}}}')
        repo = repository(tmp_path, (staging, prod))
        assert repo.promote(TAG).code == 0
        tokens = [sum(request.path == "/token" for request in server.requests) for server in (staging, prod)]
        assert tokens == [1, 1]
