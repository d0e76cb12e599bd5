"""`promote verify` judges any reference with the gates that need no target, and writes nothing."""

from __future__ import annotations

import pytest
from support.git_world import isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, make, serve, staging_overlay
from support.registry_server import RegistryServer

OTHER = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path) -> GitopsRepo:
    return make(tmp_path)


@pytest.mark.parametrize(
    "reference",
    [
        "staging",
        f"staging:{TAG}",
        f"staging:{TAG[:9]}",
        f"oci:../registries/staging/acme/shop:{TAG}",
        f"oci:../registries/staging/acme/shop@{DIGEST}",
        f"oci:../registries/staging/acme/shop:{TAG}@{DIGEST}",
    ],
)
def test_a_good_image_by_each_kind_of_reference(repo, reference):
    before = repo.everything()
    ran = repo.verify(reference)
    (release,) = ran.json["releases"]
    assert (ran.code, ran.json["to"], release["app"], release["digest"]) == (0, None, "shop", DIGEST), ran.out
    assert (release["changed"], release["copies"], release["edits"]) == (False, [], [])
    assert ran.gate("signature")["verdict"] == "pass"
    assert repo.everything() == before


def test_a_reference_to_a_registry(tmp_path):
    with RegistryServer() as server:
        repo = make(tmp_path, staging=serve(server))
        for reference in (f"{server.address}/acme/shop:{TAG}", f"{server.address}/acme/shop@{DIGEST}"):
            ran = repo.verify(reference)
            assert (ran.code, ran.json["releases"][0]["app"]) == (0, "shop"), ran.out
        assert [r for r in server.requests if r.method not in {"GET", "HEAD"}] == []


def test_an_image_that_promote_yaml_does_not_know_is_judged_by_the_gates_of_the_file(tmp_path):
    with RegistryServer() as server:
        serve(server, apps=["stranger"])
        ran = make(tmp_path).verify(f"{server.address}/acme/stranger:{TAG}")
    assert (ran.code, ran.json["releases"][0]["app"]) == (0, "acme/stranger")
    assert ran.gate("deployed")["verdict"] == "skip"


def test_a_digest_alone_has_no_tag_to_disagree_with(repo):
    ran = repo.verify(f"oci:../registries/staging/acme/shop@{DIGEST}")
    assert [ran.gate(name)["verdict"] for name in ("tag", "labels", "commit", "sbom")] == [
        "skip",
        "skip",
        "skip",
        "pass",
    ]


def test_a_tag_with_another_digest_than_the_one_given_is_no_pass(repo):
    ran = repo.verify(f"oci:../registries/staging/acme/shop:{TAG}@{OTHER}")
    assert (ran.code, ran.json["error"]["code"]) == (15, "digest-differs")
    assert (ran.json["error"]["expected"], ran.json["error"]["actual"]) == (OTHER, DIGEST)


@pytest.mark.parametrize(
    ("reference", "code", "gate"),
    [
        ("staging:latest", 14, "tag"),
        ("oci:../registries/staging/acme/shop:latest", 14, "tag"),
        ("staging:sha-fffffff", 10, "source"),
        (f"oci:../registries/nowhere/acme/shop:{TAG}", 10, "source"),
        (f"oci:../registries/staging/acme/shop@{OTHER}", 10, "source"),
        ("prod", 10, "source"),
    ],
)
def test_what_is_refused(repo, reference, code, gate):
    ran = repo.verify(reference)
    assert (ran.code, ran.refused_by) == (code, gate), ran.out


def test_an_environment_that_pins_another_digest_was_rebuilt(repo):
    repo.set_overlay("staging", staging_overlay("shop", TAG, OTHER))
    ran = repo.verify("staging")
    assert (ran.code, ran.refused_by) == (15, "deployed")


def test_every_app_of_an_environment_is_judged(tmp_path):
    repo = make(tmp_path, apps=("web", "api"))
    ran = repo.verify("staging")
    assert (ran.code, [r["app"] for r in ran.json["releases"]]) == (0, ["web", "api"])
    (repo.layout("staging", "api") / "index.json").write_text('{"schemaVersion": 2, "manifests": []}')
    ran = repo.verify("staging")
    assert (ran.code, ran.json["error"]["code"]) == (10, "no-such-tag")
    ran = repo.verify(f"staging:{TAG}")
    assert (ran.code, [r["app"] for r in ran.json["releases"]]) == (0, ["web"])


def test_the_prod_environment_after_a_promotion(repo):
    assert repo.promote(TAG).code == 0
    ran = repo.verify("prod")
    assert (ran.code, ran.json["from"]) == (0, "prod")
    assert ran.json["releases"][0]["source"].startswith("oci:../registries/prod/")
