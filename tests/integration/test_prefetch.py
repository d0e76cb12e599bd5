"""Asking ahead of time changes when requests are made, and no verdict."""

from __future__ import annotations

import pytest
from support.git_world import isolate
from support.gitops_repo import KUSTOMIZATION, TAG, make, serve
from support.registry_server import RegistryServer


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_an_overlay_that_refuses_comes_before_credentials_that_are_missing(tmp_path):
    with RegistryServer() as staging, RegistryServer(auth="basic") as prod:
        repo = make(tmp_path, staging=serve(staging), prod=prod.address)
        repo.set_overlay("prod", "resources: [../base]\nimages:\n  - name: other\n    newTag: v1\n")
        repo.write(KUSTOMIZATION.format(app="shop", env="base"), "resources: []\n")
        repo.commit("no image")
        ran = repo.promote(TAG)
        assert (ran.code, ran.refused_by) == (16, "overlay")


def test_missing_credentials_of_the_target_are_said_before_a_missing_signature(tmp_path):
    with RegistryServer() as staging, RegistryServer(auth="basic") as prod:
        repo = make(tmp_path, staging=serve(staging), prod=prod.address)
        manifests = staging.repository("acme/shop").manifests
        for digest in [digest for digest, (_, content) in manifests.items() if b'"subject"' in content]:
            del manifests[digest]
        assert repo.promote(TAG).code == 4


def test_a_push_right_that_is_missing_is_said_though_registries_were_asked(tmp_path):
    with RegistryServer() as staging, RegistryServer() as prod:
        repo = make(tmp_path, staging=serve(staging), prod=prod.address)
        repo.bare.rename(tmp_path / "server" / "gone.git")
        ran = repo.promote(TAG)
        assert ran.code == 3
        assert not [request for request in prod.requests if request.method not in {"GET", "HEAD"}]


def test_a_registry_that_cannot_be_opened_is_an_error_of_its_release(tmp_path):
    with RegistryServer() as staging, RegistryServer() as prod:
        registries = {prod.address: {"ca": "ca.pem"}}
        repo = make(tmp_path, staging=serve(staging), prod=prod.address, registries=registries)
        repo.write("ca.pem", "no certificate\n")
        repo.commit("a CA")
        ran = repo.promote(TAG)
        assert (ran.code, ran.json["error"]["code"]) == (2, "ca-unusable")
        assert [gate["verdict"] for gate in ran.json["releases"][0]["gates"]][:2] == ["pass", "pass"]


def test_many_apps_are_judged_without_asking_ahead(tmp_path):
    apps = ("a", "b", "c", "d", "e")
    with RegistryServer() as staging, RegistryServer() as prod:
        repo = make(tmp_path, apps=apps, staging=serve(staging, apps=apps), prod=prod.address)
        ran = repo.promote(*[f"{app}={TAG}" for app in apps])
        assert (ran.code, len(ran.json["releases"])) == (0, 5)
