"""Overlays that are for single apps: who may be promoted where, what is edited, and what the other verbs say of it."""

from __future__ import annotations

import json

import pytest
import yaml
from support.git_world import isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, make

WEB = {"path": "overlays/web/prod", "apps": ["web"]}
SHARED = "overlays/shared/prod"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path) -> GitopsRepo:
    """web has its own overlay in prod, api and job share one, and mail has none there; staging is for every app."""
    made = make(tmp_path, apps=("web", "api", "job", "mail"))
    entries = "".join(f"  - {{name: {app}, newTag: sha-89abcdef}}\n" for app in ("api", "job"))
    made.write(f"{SHARED}/kustomization.yaml", f"resources: [../../api/base, ../../job/base]\nimages:\n{entries}")
    overlays(made, "prod", WEB, {"path": SHARED, "apps": ["api", "job"]})
    return made


def overlays(repo: GitopsRepo, environment: str, *entries: object) -> None:
    repo.config["environments"][environment]["overlays"] = list(entries)
    repo.configure()


def files(ran) -> set[str]:
    return {edit["file"] for release in ran.json["releases"] for edit in release["edits"]}


def rows(repo: GitopsRepo, *words: str) -> list[tuple[str, str, str | None]]:
    ran = repo.run("status", *words, "--format", "json")
    assert ran.code == 0, ran.out
    return [(r["app"], r["overlay"], r["tag"]) for r in json.loads(ran.out)["rows"]]


def test_only_the_apps_own_overlay_is_edited(repo):
    assert files(repo.promote("web")) == {"overlays/web/prod/kustomization.yaml"}
    ran = repo.promote("job")
    assert (ran.code, files(ran)) == (0, {f"{SHARED}/kustomization.yaml"}), ran.out
    assert repo.tags(app="job") == {TAG: DIGEST}
    assert rows(repo, "prod") == [
        ("web", "overlays/web/prod", TAG),
        ("api", SHARED, "sha-89abcdef"),
        ("job", SHARED, TAG),
    ]


def test_an_app_without_an_overlay_is_refused_before_anything_is_asked_or_copied(repo):
    before = repo.everything()
    for words in (["mail"], [f"mail={TAG}"], ["web", "mail"], ["mail", "--dry-run"]):
        ran = repo.promote(*words)
        assert (ran.code, ran.refused_by) == (16, "overlay"), ran.out
    error = ran.json["error"]
    assert (error["code"], error["expected"], error["actual"]) == ("no-overlay", "an overlay of prod for mail", "none")
    assert error["hint"].startswith("add {path: DIRECTORY, apps: [mail]} to environments.prod.overlays")
    assert (repo.everything(), repo.tags(app="mail")) == (before, {})


def test_following_the_hint_lets_it_pass(repo):
    overlays(
        repo, "prod", *repo.config["environments"]["prod"]["overlays"], {"path": "overlays/mail/prod", "apps": ["mail"]}
    )
    ran = repo.promote("mail")
    assert (ran.code, files(ran)) == (0, {"overlays/mail/prod/kustomization.yaml"}), ran.out


def test_an_environment_without_any_overlay_is_copied_to(repo):
    overlays(repo, "prod")
    ran = repo.promote("mail")
    assert (ran.code, ran.json["commit"], repo.tags(app="mail")) == (0, None, {TAG: DIGEST})


def test_all_leaves_out_what_does_not_run_in_both(repo):
    overlays(repo, "staging", {"path": "overlays/{app}/staging", "apps": ["web", "mail", "job"]})
    ran = repo.promote("--all")
    assert (ran.code, [r["app"] for r in ran.json["releases"]]) == (0, ["web", "job"]), ran.out
    assert repo.promote("--all").json["releases"] == []


def test_what_the_source_has_no_overlay_for_does_not_run_there(repo):
    overlays(repo, "staging", {"path": "overlays/{app}/staging", "apps": ["api", "job"]})
    ran = repo.promote(f"web={TAG}")
    assert (ran.code, ran.refused_by, ran.json["error"]["code"]) == (10, "deployed", "not-deployed"), ran.out
    assert "environments.staging.overlays" in ran.json["error"]["hint"]
    assert repo.tags(app="web") == {}
    repo.config["environments"]["prod"]["gates"] = {"deployed": "off"}
    repo.configure()
    assert repo.promote(f"web={TAG}").code == 0


def test_rollback_goes_by_it_too(repo):
    assert repo.promote("job").code == 0
    ran = repo.run("rollback", "prod", "mail", "--format", "json")
    assert (ran.code, ran.refused_by) == (16, "overlay"), ran.out
    before = repo.everything()
    ran = repo.run("rollback", "prod", "job", "mail", "--format", "json")
    assert (ran.code, repo.everything()) == (16, before)


def test_history_follows_an_app_from_an_overlay_of_all_to_its_own(repo):
    """The older promote.yaml says in which entry the app was: the position among its own entries counts."""
    assert repo.promote("web").code == 0
    overlays(repo, "prod", "overlays/{app}/prod")
    (repo.root / "moved").mkdir()
    (repo.root / "overlays/web/prod").rename(repo.root / "moved/web")
    overlays(repo, "prod", {"path": SHARED, "apps": ["api", "job"]}, {"path": "moved/web", "apps": ["web"]})
    ran = repo.run("history", "prod", "--app", "web", "--format", "json")
    records = json.loads(ran.out)["records"]
    assert [(r["kind"], r["tag"]) for r in records] == [("promote", TAG), ("add", "sha-89abcdef")], ran.out


def test_verify_of_an_environment_leaves_out_what_does_not_run_there(repo):
    assert repo.promote("web", "api", "job").code == 0
    ran = repo.verify("prod")
    assert (ran.code, [r["app"] for r in ran.json["releases"]]) == (0, ["web", "api", "job"]), ran.out


def test_doctor_notes_what_an_environment_has_no_overlay_for(repo):
    ran = repo.run("doctor", "--format", "json")
    checks = [c for c in json.loads(ran.out)["checks"] if c["area"] == "overlay"]
    assert {c["health"] for c in checks} == {"good", "note"}, ran.out
    (note,) = [c for c in checks if c["health"] == "note"]
    assert note["about"] == "prod"
    assert note["message"].startswith("no overlay is for mail: ")
    assert "apps: [mail]" in note["hint"]
    assert sorted(c["about"] for c in checks if c["about"].startswith("prod ")) == ["prod api", "prod job", "prod web"]


def test_config_show_prints_entries_as_they_are_written_with_their_lines(repo):
    ran = repo.run("config", "show", "prod")
    value = yaml.safe_load(ran.out)
    (place,) = value["environments"]["prod"]["places"]
    assert place["overlays"] == [WEB, {"path": SHARED, "apps": ["api", "job"]}]
    lines = repo.run("config", "show", "prod", "--origin").out.splitlines()
    (line,) = [line for line in lines if f"path: {SHARED} " in line]
    number = int(line.rpartition("promote.yaml:")[2])
    assert SHARED in (repo.root / "promote.yaml").read_text().splitlines()[number - 1]


def test_an_edit_that_reaches_another_apps_overlay_is_too_much(repo):
    """The component that web takes in is taken in by the overlay of api and job, which runs web as a sidecar."""
    part = "kind: Component\nimages:\n- {name: web, newTag: sha-89abcdef}\n"
    repo.write("overlays/shared/part/kustomization.yaml", part)
    sidecar = "resources: [../../api/base, ../../job/base, ../../web/base]\ncomponents: [../part]\n"
    repo.write(f"{SHARED}/kustomization.yaml", sidecar)
    repo.write("overlays/web/prod/kustomization.yaml", "resources: [../base]\ncomponents: [../../shared/part]\n")
    repo.commit("share")
    before = repo.everything()
    ran = repo.promote("web")
    assert (ran.code, ran.refused_by, ran.json["error"]["code"]) == (16, "effect", "too-much-effect"), ran.out
    assert f"{SHARED} is for api, job, not for web, and would change too" in ran.json["error"]["message"]
    assert repo.everything() == before
    overlays(repo, "prod", WEB, {"path": SHARED, "apps": ["api", "job", "web"]})
    assert repo.promote("web").code == 0


def test_an_app_is_kept_only_where_a_place_has_an_overlay_for_it(repo):
    """eu has overlays for web alone, us for web and job, and the mirror has none at all: it keeps every app."""
    places = [
        {"registry": f"oci:../registries/{name}", "pull": f"{name}.example", "overlays": entries}
        for name, entries in (
            ("eu", [WEB]),
            ("us", [{"path": "overlays/web/us", "apps": ["web"]}, {"path": SHARED, "apps": ["job"]}]),
            ("mirror", []),
        )
    ]
    repo.write("overlays/web/us/kustomization.yaml", repo.overlay("prod", "web"))
    repo.config["environments"]["prod"] = {"from": ["staging"], "places": places}
    repo.configure()
    ran = repo.promote("web", "job")
    assert ran.code == 0, ran.out
    web, job = ran.json["releases"]
    assert [c["place"] for c in web["copies"]] == [0, 1, 2]
    assert [c["place"] for c in job["copies"]] == [1, 2]
    kept = {app: [env for env in ("eu", "us", "mirror") if repo.tags(env, app)] for app in ("web", "job")}
    assert kept == {"web": ["eu", "us", "mirror"], "job": ["us", "mirror"]}
    assert repo.verify("prod:" + TAG).code == 0
    (again,) = repo.promote("job").json["releases"]
    assert (again["changed"], [c["place"] for c in again["copies"]]) == (False, [1, 2])
    assert repo.run("status", "prod", "--check", "--format", "json").code == 0
