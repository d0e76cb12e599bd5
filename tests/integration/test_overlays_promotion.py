"""Whole promotions whose overlays are more than an `images:` entry: what the gates say, and what lands."""

import pytest
from support.git_world import isolate, show
from support.gitops_repo import make

TAG = "sha-0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def gate(ran, name="effect"):
    (found,) = [g for g in ran.json["releases"][0]["gates"] if g["gate"] == name]
    return found


PROD = "overlays/shop/prod"


def test_an_entry_is_added_where_the_base_has_the_image(tmp_path):
    repo = make(tmp_path)
    repo.set_overlay("prod", "resources: [../base]\n")
    ran = repo.promote(TAG)
    assert (ran.code, gate(ran)["code"]) == (0, "ok"), ran.out
    assert "one will be added" in gate(ran, "overlay")["summary"]
    lines = [(edit["before"], edit["after"].split(":")[0]) for edit in ran.json["releases"][0]["edits"]]
    assert repo.overlay("prod").startswith(b"resources: [../base]\nimages:\n- name: shop\n  newName: registry.prod")
    assert {before for before, _ in lines} == {""}


def test_a_component_that_staging_takes_in_is_not_edited(tmp_path):
    repo = make(tmp_path)
    repo.write(
        "overlays/shop/part/kustomization.yaml", "kind: Component\nimages:\n- {name: shop, newTag: sha-89abcdef}\n"
    )
    with_part = b"components: [../part]\n"
    repo.set_overlay("staging", with_part + repo.overlay("staging").replace(b"name: shop", b"name: other"))
    repo.set_overlay("prod", b"resources: [../base]\n" + with_part)
    before = repo.everything()
    ran = repo.run("staging->prod", TAG, "--format", "json")
    assert (ran.code, ran.refused_by, gate(ran)["code"]) == (16, "effect", "too-much-effect"), ran.out
    summary = gate(ran)["summary"]
    assert summary.startswith("overlays/shop/staging is of another environment and would change too, through ")
    assert "overlays/shop/part/kustomization.yaml" in summary
    assert repo.everything() == before


def test_what_cannot_be_verified_passes_unless_it_must_be(tmp_path):
    repo = make(tmp_path)
    overlay = "resources: [../base]\nimages:\n- {name: shop, newTag: sha-89abcdef}\ngenerators: [g.yaml]\n"
    repo.set_overlay("prod", overlay)
    ran = repo.run("staging->prod", TAG, "--dry-run", "--format", "json")
    assert (ran.code, gate(ran)["verdict"], gate(ran)["code"]) == (0, "pass", "effect-unverified")
    repo.config["environments"]["prod"]["gates"] = {"effect": "required"}
    repo.configure()
    before = repo.everything()
    ran = repo.promote(TAG)
    assert (ran.code, ran.refused_by, gate(ran)["code"]) == (16, "effect", "effect-unverified")
    assert gate(ran)["actual"] == f"{PROD}/kustomization.yaml:4 has generators"
    assert repo.everything() == before


def test_values_and_fields_are_promoted_without_a_kustomization(tmp_path):
    repo = make(tmp_path)
    (repo.root / PROD / "kustomization.yaml").unlink()
    repo.write(f"{PROD}/values-prod.yaml", "web:\n  version: sha-89abcdef # v\n  sum: ''\n")
    repo.config["environments"]["prod"]["fields"] = [
        {"file": "values-prod.yaml", "path": "web.version", "value": "tag"},
        {"file": "values-prod.yaml", "path": "web.sum", "value": "digest"},
    ]
    repo.configure()
    ran = repo.promote(TAG)
    assert (ran.code, gate(ran)["code"]) == (0, "effect-unverified"), ran.out
    digest = ran.json["releases"][0]["digest"]
    landed = show(repo.bare or repo.root, f"main:{PROD}/values-prod.yaml").decode()
    assert landed == f"web:\n  version: {TAG} # v\n  sum: '{digest}'\n"
    again = repo.promote(TAG)
    assert (again.code, again.json["releases"][0]["changed"]) == (0, False)
