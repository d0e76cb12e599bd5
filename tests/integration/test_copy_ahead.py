"""What is asked of registries ahead of time: never more than may be, and nothing of who refuses."""

from __future__ import annotations

import json
import threading

import pytest
from support.git_world import isolate
from support.gitops_repo import TAG, make, serve
from support.registry_server import Answer as Said
from support.registry_server import RegistryServer, when

from promote.promotion.background import Background


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_wrong_credentials_are_tried_once_and_nothing_else_is_asked(tmp_path, monkeypatch):
    docker = tmp_path / "docker"
    docker.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(docker))
    with RegistryServer() as staging, RegistryServer(auth="token") as prod:
        wrong = {"auths": {prod.address: {"username": "promoter", "password": "wrong"}}}
        (docker / "config.json").write_text(json.dumps(wrong))
        repo = make(tmp_path, staging=serve(staging), prod=prod.address)
        assert repo.promote(TAG).code == 4
        assert {request.path for request in prod.requests} == {"/v2/", "/token"}
        # Once ahead of time, and once by the gate where that was not waited for.
        assert prod.count("GET", "/token") <= 2


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_is_asked_at_once_than_jobs_allow(tmp_path, jobs):
    with RegistryServer() as staging, RegistryServer() as prod:
        repo = make(tmp_path, staging=serve(staging), prod=prod.address)
        assert repo.promote(TAG, "--jobs", str(jobs)).code == 0
        # Questions, of which there may be twice as many, and the tag, which is asked for by itself.
        assert prod.most_at_once <= 2 * jobs + 1
        # What is searched, what is read ahead, and the other spelling of the tag.
        assert staging.most_at_once <= 2 * jobs + 1


def test_evidence_that_the_source_does_not_give_is_said_where_it_is_judged(tmp_path):
    with RegistryServer() as staging, RegistryServer() as prod:
        repo = make(tmp_path, staging=serve(staging), prod=prod.address)
        repository = staging.repository("acme/shop")
        layers = {
            layer["digest"]
            for _, content in repository.manifests.values()
            if (document := json.loads(content)).get("subject")
            for layer in document.get("layers", [])
        }
        staging.faults += [when("GET", digest, Said(404)) for digest in layers]
        ran = repo.promote(TAG)
        assert ran.code == 3
        assert ran.json["error"]["code"] == "blob-missing"
        assert not [request for request in prod.requests if request.method not in {"GET", "HEAD"}]


def test_a_target_that_does_not_answer_is_said_where_it_is_copied_to(tmp_path):
    with RegistryServer() as staging, RegistryServer() as prod:
        repo = make(tmp_path, staging=serve(staging), prod=prod.address)
        prod.faults.append(when("HEAD", "/blobs/", Said(501)))
        ran = repo.promote(TAG)
        assert (ran.code, ran.json["error"]["code"]) == (3, "unexpected-answer")
        assert not [request for request in prod.requests if request.method not in {"GET", "HEAD"}]


def test_what_is_narrow_is_closed_with_the_whole():
    background, most, busy, lock = Background(), [0], [0], threading.Lock()

    def work():
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        with lock:
            busy[0] -= 1
        return threading.current_thread().name

    narrow = background.narrow(2)
    assert len({narrow.start(work).result() for _ in range(20)}) <= 2
    background.close(wait=True)
    with pytest.raises(RuntimeError):
        narrow.start(work)
    assert most[0] <= 2
