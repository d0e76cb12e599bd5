"""`promote init` in repositories that are laid out by other customs: what it proposes loads, and status reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.git_world import git, isolate
from support.gitops_repo import GitopsRepo

KUSTOMIZATION = "kustomization.yaml"
DEPLOYMENT = (
    "kind: Deployment\napiVersion: apps/v1\nmetadata: {{name: {name}}}\n"
    "spec: {{template: {{spec: {{containers: [{{name: c, image: '{image}'}}]}}}}}}\n"
)
RELEASE = (
    "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {app}}}\n"
    "spec: {{values: {{image: {{repository: {registry}/{app}, tag: sha-0123456}}}}}}\n"
)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def committed(root: Path, files: dict[str, str]) -> GitopsRepo:
    """A git repository of `files`."""
    git(root, "init", "-q", "-b", "main")
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "manifests")
    return GitopsRepo(root, root, None, {})


def proposed(root: Path, files: dict[str, str]) -> tuple[dict[str, Any], str]:
    """The promote.yaml that init writes, read, and its text; status must be content with it."""
    repo = committed(root, files)
    ran = repo.run("init")
    assert ran.code == 0, ran.out + ran.err
    status = repo.run("status", "--format", "json")
    assert (status.code, [r["problem"] for r in json.loads(status.out)["rows"] if r["problem"]]) == (0, [])
    assert json.loads(status.out)["rows"] != []
    text = (root / "promote.yaml").read_text()
    value: dict[str, Any] = yaml.safe_load(text)
    return value, " ".join(line.removeprefix("#").strip() for line in text.splitlines())


def entry(name: str, pulled: str, tag: str = "sha-0123456", *, resources: str = "[deployment.yaml]") -> str:
    return f"resources: {resources}\nimages: [{{name: {name}, newName: {pulled}, newTag: '{tag}'}}]\n"


def overlay(directory: str, *pinned: tuple[str, str]) -> dict[str, str]:
    """A directory with a deployment and an entry for each of `pinned`, a name and what it is rewritten to."""
    entries = "".join(f"  - {{name: {name}, newName: {new}, newTag: sha-0123456}}\n" for name, new in pinned)
    names = [name for name, _ in pinned]
    files = {f"{directory}/{name}.yaml": DEPLOYMENT.format(name=name, image=name) for name in names}
    resources = ", ".join(f"{name}.yaml" for name in names)
    return {f"{directory}/{KUSTOMIZATION}": f"resources: [{resources}]\nimages:\n{entries}", **files}


def test_helm_releases_of_flux_are_apps_of_their_environment(tmp_path):
    files = {}
    for env in ("staging", "production"):
        files[f"apps/{env}/{KUSTOMIZATION}"] = "resources: [web.yaml]\n"
        files[f"apps/{env}/web.yaml"] = RELEASE.format(app="web", registry=f"{env}.example/team")
    value, _ = proposed(tmp_path, files)
    assert value["apps"] == {"web": {"image": "team/web"}}
    assert value["environments"] == {
        "staging": {"registry": "staging.example", "overlays": ["apps/staging"]},
        "production": {"from": ["staging"], "registry": "production.example", "overlays": ["apps/production"]},
    }


def test_applications_of_argo_cd_in_a_kustomization_are_too(tmp_path):
    files = {}
    for env in ("dev", "prod"):
        files[f"clusters/{env}/{KUSTOMIZATION}"] = "resources: [web.yaml]\n"
        files[f"clusters/{env}/web.yaml"] = (
            "kind: ApplicationSet\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: web}\nspec: {template: {spec: "
            "{source: {kustomize: {images: ['web=r.example/team/web:sha-0123456']}}}}}\n"
        )
    value, _ = proposed(tmp_path, files)
    assert value["apps"] == {"web": {"image": "team/web", "names": ["web"]}}
    assert [e["overlays"] for e in value["environments"].values()] == [["clusters/dev"], ["clusters/prod"]]


def test_directories_of_helm_values_are_overlays_where_they_name_an_environment(tmp_path):
    image = "image: {repository: r.example/team/web, tag: sha-0123456}\n"
    files = {f"envs/{env}/values.yaml": image for env in ("test", "prod")}
    files |= {"charts/web/values.yaml": image, "charts/web/Chart.yaml": "name: web\n", "values.yaml": image}
    value, _ = proposed(tmp_path, files)
    assert {e: v["overlays"] for e, v in value["environments"].items()} == {
        "test": ["envs/test"],
        "prod": ["envs/prod"],
    }


def test_places_are_proposed_where_an_environment_pulls_from_several_registries(tmp_path):
    value, _ = proposed(
        tmp_path,
        overlay("envs/staging", ("web", "one.example/team/web"))
        | overlay("envs/prod/eu", ("web", "eu.example/team/web"))
        | overlay("envs/prod/us", ("web", "us.example/team/web")),
    )
    assert value["environments"]["prod"] == {
        "from": ["staging"],
        "places": [
            {"registry": "eu.example", "overlays": ["envs/prod/eu"]},
            {"registry": "us.example", "overlays": ["envs/prod/us"]},
        ],
    }


def test_an_app_from_another_registry_than_the_others_is_noted(tmp_path):
    pinned = [("web", "a.example/team/web"), ("api", "a.example/team/api"), ("job", "b.example/team/job")]
    value, said = proposed(tmp_path, overlay("envs/staging", *pinned) | overlay("envs/prod", *pinned))
    assert value["environments"]["prod"]["registry"] == "a.example"
    assert "staging, prod pull some images from b.example: a place has one registry for all its apps" in said
    assert value["apps"]["job"]["names"] == ["b.example/team/job", "job"]


def test_the_form_of_commit_tags_is_proposed_where_it_is_another(tmp_path):
    value, _ = proposed(
        tmp_path,
        {
            "envs/prod/deployment.yaml": DEPLOYMENT.format(name="web", image="web"),
            f"envs/prod/{KUSTOMIZATION}": entry("web", "r.example/team/web", "4f2a91c8" * 5),
        },
    )
    assert value["gates"] == {"tag": "(?P<commit>[0-9a-f]{40})"}


def test_versions_instead_of_commits_are_noted(tmp_path):
    value, said = proposed(
        tmp_path,
        {
            "envs/prod/deployment.yaml": DEPLOYMENT.format(name="web", image="web"),
            f"envs/prod/{KUSTOMIZATION}": entry("web", "r.example/team/web", "1.2.3"),
        },
    )
    assert "gates" not in value
    assert "the tag gate will refuse them (exit 14)" in said


def test_templates_and_what_cannot_be_read_are_left_out(tmp_path):
    good = overlay("envs/staging", ("web", "r.example/team/web")) | overlay("envs/prod", ("web", "r.example/team/web"))
    template = DEPLOYMENT.format(name="x", image="{{ .Values.image }}:sha-0123456")
    files = {
        "templates/prod/x.yaml": template,
        f"templates/prod/{KUSTOMIZATION}": "resources: [x.yaml]\n",
        f"templates/web/{KUSTOMIZATION}": "resources: [{{ app }}]\n\t- %\n",
        f"more/prod/{KUSTOMIZATION}": "images: [{name: web, newTag: sha-0123456\n",
    }
    value, _ = proposed(tmp_path, good | files)
    assert list(value["apps"]) == ["web"]
    assert [e["overlays"] for e in value["environments"].values()] == [["envs/staging"], ["envs/prod"]]


def test_an_overlay_whose_pins_cannot_be_told_is_left_out_and_named(tmp_path):
    files = overlay("envs/staging", ("web", "r.example/team/web")) | overlay("envs/prod", ("web", "r.example/team/web"))
    files |= overlay("envs/qa", ("web", "r.example/team/web"))
    files["envs/qa/patch.yaml"] = "web: [\n"
    files[f"envs/qa/{KUSTOMIZATION}"] += "patches: [{path: patch.yaml}]\n"
    value, said = proposed(tmp_path, files)
    assert list(value["environments"]) == ["staging", "prod"]
    assert "cannot be read (`promote lint` says why): envs/qa" in said


def test_an_app_of_another_pattern_and_one_of_the_first_stage_alone_have_entries_of_their_own(tmp_path):
    files: dict[str, str] = {}
    for app, envs in {"web": ("dev", "prod"), "api": ("dev", "prod"), "job": ("dev",)}.items():
        for env in envs:
            files |= overlay(f"apps/{app}/{env}", (app, f"r.example/team/{app}"))
    for env in ("dev", "prod"):
        files |= overlay(f"legacy/mail/{env}", ("mail", "r.example/team/mail"))
    value, said = proposed(tmp_path, files)
    assert list(value["apps"]) == ["api", "job", "mail", "web"]
    assert {name: e["overlays"] for name, e in value["environments"].items()} == {
        "dev": [
            {"path": "apps/{app}/dev", "apps": ["api", "job", "web"]},
            {"path": "legacy/mail/dev", "apps": ["mail"]},
        ],
        "prod": [
            {"path": "apps/{app}/prod", "apps": ["api", "web"]},
            {"path": "legacy/mail/prod", "apps": ["mail"]},
        ],
    }
    assert "Left out" not in said


def test_a_monorepo_of_teams_and_apps_is_written_directory_by_directory(tmp_path):
    teams = {"accounts": ("contacts", "userservice"), "ledger": ("balancereader", "ledgerwriter")}
    files: dict[str, str] = {}
    for env in ("development", "prod"):
        for team, apps in teams.items():
            for app in apps:
                files |= overlay(f"src/{team}/{app}/k8s/overlays/{env}", (app, f"r.example/bank/{app}"))
        files |= overlay(f"src/frontend/k8s/overlays/{env}", ("frontend", "r.example/bank/frontend"))
    files |= overlay("src/loadgenerator/k8s/overlays/development", ("loadgenerator", "r.example/bank/loadgenerator"))
    batch = [(app, f"r.example/bank/{app}") for app in ("export", "report")]
    files |= overlay("src/batch/k8s/overlays/prod", *batch)
    value, said = proposed(tmp_path, files)
    assert set(value["apps"]) == {*teams["accounts"], *teams["ledger"], "frontend", "loadgenerator", "export", "report"}
    of_teams = [
        {"path": "src/accounts/{app}/k8s/overlays/ENV", "apps": ["contacts", "userservice"]},
        {"path": "src/ledger/{app}/k8s/overlays/ENV", "apps": ["balancereader", "ledgerwriter"]},
    ]
    development, prod = (value["environments"][env]["overlays"] for env in ("development", "prod"))
    assert development == [
        *(item | {"path": item["path"].replace("ENV", "development")} for item in of_teams),
        {"path": "src/{app}/k8s/overlays/development", "apps": ["frontend", "loadgenerator"]},
    ]
    assert sorted(prod, key=str) == sorted(
        [
            *(item | {"path": item["path"].replace("ENV", "prod")} for item in of_teams),
            {"path": "src/frontend/k8s/overlays/prod", "apps": ["frontend"]},
            {"path": "src/batch/k8s/overlays/prod", "apps": ["export", "report"]},
        ],
        key=str,
    )
    assert "Left out" not in said


def test_a_directory_that_one_app_shares_with_another_that_follows_a_pattern_is_one_entry(tmp_path):
    files = overlay("web/prod", ("web", "r.example/bank/web"), ("proxy", "r.example/bank/proxy"))
    files |= overlay("web/dev", ("web", "r.example/bank/web")) | overlay("mail/dev", ("mail", "r.example/bank/mail"))
    value, _ = proposed(tmp_path, files)
    assert value["environments"]["prod"]["overlays"] == [{"path": "web/prod", "apps": ["proxy", "web"]}]
    assert value["environments"]["dev"]["overlays"] == [{"path": "{app}/dev", "apps": ["mail", "web"]}]


def test_many_of_a_kind_are_counted_and_what_is_named_is_escaped(tmp_path):
    files = overlay("envs/prod", ("web", "r.example/team/web"))
    others = [f"image-{n}" for n in range(9)]
    files |= {f"envs/prod/{o}.yaml": DEPLOYMENT.format(name=o, image=f"{o}:1") for o in others}
    names = ", ".join(["web.yaml", *(f"{o}.yaml" for o in others)])
    files[f"envs/prod/{KUSTOMIZATION}"] = entry("web", "r.example/team/web", resources=f"[{names}]")
    files |= overlay("envs/dev", ("web", "r.example/team/web")) | overlay("##[group]/x", ("web", "r.example/team/web"))
    _, said = proposed(tmp_path, files)
    assert "image-0, image-1, image-2, image-3, image-4, image-5 and 3 more." in said
    assert "say no environment: ##\\x5bgroup]/x." in said


def test_directories_that_promote_yaml_cannot_name_are_left_out(tmp_path):
    odd = ["{app}/prod", "envs/prod\n::error::x", "-rf/prod", "back\\slash/prod"]
    said = ['envs/stag\'ing "x"/prod', "envs/prod ü/##[group]x/staging", "a" * 200 + "/prod"]
    files = {k: v for d in (*odd, *said) for k, v in overlay(d, ("web", "r.example/team/web")).items()}
    value, _ = proposed(tmp_path, files)
    assert sorted(o for e in value["environments"].values() for o in e["overlays"]) == sorted(said)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"README.md": "nothing\n"}, "got no kustomization below"),
        ({f"envs/prod/{KUSTOMIZATION}": "resources: []\n"}, "got 1 kustomization below"),
        (
            {f"envs/{e}/{KUSTOMIZATION}": "resources: [x.yaml]\n" for e in ("dev", "prod")},
            "got 2 kustomizations below",
        ),
        ({"apps/web.yaml": "kind: ApplicationSet\n"}, "got no kustomization below"),
    ],
)
def test_what_is_missing_is_told(tmp_path, files, says):
    ran = committed(tmp_path, files).run("init")
    assert (ran.code, says in ran.out, "do  " in ran.out) == (2, True, True)
    assert not (tmp_path / "promote.yaml").exists()


def test_files_of_values_for_each_environment_are_named_as_the_explanation_shows(tmp_path):
    image = "image:\n  repository: r.example/team/web\n  tag: sha-0123456\n"
    files = {f"charts/web/values-{env}.yaml": image for env in ("prod", "staging")}
    repo = committed(tmp_path, {"charts/web/Chart.yaml": "name: web\n", "charts/web/values.yaml": image} | files)
    ran = repo.run("init")
    assert (ran.code, "charts/web/values-prod.yaml" in ran.out) == (2, True)
    assert "`promote explain no-overlays-found`" in ran.out
    shown = "fields: [{file: values-prod.yaml, path: image}]"
    assert f"`{shown}`" in " ".join(repo.run("explain", "no-overlays-found").out.split())
    environments = "".join(
        f"  {env}: {{registry: r.example, overlays: [charts/web], {shown.replace('prod', env)}}}\n"
        for env in ("staging", "prod")
    )
    repo.write(
        "promote.yaml", f"version: 1\napps: {{web: {{image: team/web}}}}\nenvironments:\n{environments}trust: {{}}\n"
    )
    rows = json.loads(repo.run("status", "--format", "json").out)["rows"]
    assert [(r["environment"], r["tag"]) for r in rows] == [("staging", "sha-0123456"), ("prod", "sha-0123456")]


def test_the_summary_counts_apps_environments_and_signers(tmp_path):
    ran = committed(tmp_path, overlay("envs/prod", ("web", "r.example/team/web"))).run("init")
    assert ran.out.splitlines()[0].endswith("promote.yaml: 1 app, 1 environment, 0 signers.")
