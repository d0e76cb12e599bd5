"""`promote init`: overlays, environments and, --from an image, signers are proposed; nobody is trusted by it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.git_world import git, isolate
from support.gitops_repo import BUILD, DIGEST, FIXTURES, TAG, GitopsRepo, Ran, make, serve
from support.registry_server import RegistryServer

from promote.promotion.candidates import environment_name

SOURCE = "https://github.com/acme/shop"
ROOT = ("--trusted-root", "trust/trusted_root.json")
PROD = "overlays/shop/prod/kustomization.yaml"
PULLED = """\
resources: [../base]
images:
  - name: shop
    newName: registry.{env}.example/acme/shop
    newTag: sha-89abcdef
"""


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def server():
    with RegistryServer() as running:
        yield running


def start(home: Path, server: RegistryServer, case: str = "v3-keyless") -> GitopsRepo:
    """A repository with overlays and no promote.yaml, and the image of `case` in a registry."""
    repo = make(home, case=case, staging=serve(server, case))
    (repo.root / "promote.yaml").unlink()
    return repo


def init(repo: GitopsRepo, server: RegistryServer, *arguments: str, what: str = f":{TAG}") -> Ran:
    return repo.run("init", "--from", f"{server.address}/acme/shop{what}", *arguments)


def proposed(repo: GitopsRepo, server: RegistryServer, *arguments: str) -> dict[str, Any]:
    ran = init(repo, server, "--dry-run", *arguments)
    assert ran.code == 0, ran.out
    value: dict[str, Any] = yaml.safe_load(ran.out)
    return value


@pytest.mark.parametrize(
    "case", ["v3-keyless", "v3-keyless-index", "v3-keyless-legacy", "v2-keyless", "v2-keyless-tsa"]
)
def test_the_signer_of_the_present_evidence_is_proposed(tmp_path, server, case):
    value = proposed(start(tmp_path, server, case), server, *ROOT)
    assert value["trust"] == {"root": "trust/trusted_root.json", "signers": [BUILD]}
    assert value["apps"] == {"shop": {"image": "acme/shop", "names": ["shop"], "source": SOURCE}}


def test_environments_come_from_the_overlays_in_the_order_of_promotion(tmp_path, server):
    repo = start(tmp_path, server)
    assert proposed(repo, server, *ROOT)["environments"] == {
        "staging": {"registry": server.address, "overlays": ["overlays/shop/staging"]},
        "prod": {"from": ["staging"], "registry": server.address, "overlays": ["overlays/shop/prod"]},
    }


def test_registries_come_from_the_names_that_overlays_pull(tmp_path, server):
    repo = start(tmp_path, server)
    for env in ("staging", "prod", "dev-eu", "dev-us"):
        repo.write(f"overlays/shop/{env}/kustomization.yaml", PULLED.format(env=env))
    repo.write("overlays/web/prod/kustomization.yaml", "resources: [../base]\nimages: [{name: web, newTag: x}]\n")
    found = proposed(repo, server, *ROOT)["environments"]
    assert list(found) == ["dev-eu", "dev-us", "staging", "prod"]
    assert [e.get("from") for e in found.values()] == [None, None, ["dev-eu", "dev-us"], ["staging"]]
    assert found["dev-eu"]["registry"] == server.address
    assert found["dev-eu"]["pull"] == "registry.dev-eu.example"
    assert found["prod"] == {
        "from": ["staging"], "registry": "registry.prod.example", "overlays": ["overlays/shop/prod"],
    }  # fmt: skip


def test_what_is_written_works_after_review(tmp_path, server):
    repo = start(tmp_path, server)
    ran = init(repo, server, *ROOT)
    assert ran.code == 0
    assert "Review every line" in ran.out
    text = (repo.root / "promote.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=")
    assert DIGEST in text
    verified = repo.verify("staging")
    assert verified.code == 0, verified.out


def test_an_existing_promote_yaml_is_never_touched(tmp_path, server):
    repo = start(tmp_path, server)
    repo.write("promote.yaml", "mine\n")
    ran = init(repo, server, *ROOT)
    assert ran.code == 2
    assert "configuration-exists" in ran.out
    assert (repo.root / "promote.yaml").read_text() == "mine\n"
    assert init(repo, server, "--dry-run", *ROOT).code == 0
    assert (repo.root / "promote.yaml").read_text() == "mine\n"
    assert server.requests == [] or all(r.method in ("GET", "HEAD") for r in server.requests)


def test_a_dangling_link_is_an_existing_file(tmp_path, server):
    repo = start(tmp_path, server)
    (repo.root / "promote.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    assert init(repo, server, *ROOT).code == 2
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_a_key_cannot_be_proposed_and_it_says_so(tmp_path, server):
    repo = start(tmp_path, server, "v3-key")
    ran = init(repo, server, "--dry-run")
    assert ran.code == 0
    assert yaml.safe_load(ran.out)["trust"]["signers"] == []
    assert "A key cannot be proposed" in ran.out


def test_evidence_of_another_sigstore_proposes_nobody(tmp_path, server):
    ran = init(start(tmp_path, server), server, "--dry-run")
    assert ran.code == 0
    value = yaml.safe_load(ran.out)
    assert value["trust"] == {"root": "sigstore", "signers": []}
    assert "source" not in value["apps"]["shop"]
    assert "--trusted-root FILE" in ran.out


def test_evidence_about_another_image_proposes_nobody(tmp_path, server):
    repo = start(tmp_path, server)
    store = server.repository("acme/shop")
    media_type, content = store.manifests[DIGEST]
    other = content[:-1] + b',"annotations":{"x":"y"}}'
    digest = store.add_manifest(other, media_type)
    for kind, manifest in list(store.manifests.values()):
        if b'"subject"' in manifest:
            store.add_manifest(manifest.replace(DIGEST.encode(), digest.encode()), kind)
    ran = init(repo, server, "--dry-run", *ROOT, what=f"@{digest}")
    assert ran.code == 0, ran.out
    assert yaml.safe_load(ran.out)["trust"]["signers"] == []


def test_an_image_without_evidence_says_what_would_refuse_it(tmp_path, server):
    repo = start(tmp_path, server)
    store = server.repository("acme/shop")
    for digest, (_, manifest) in list(store.manifests.items()):
        if b'"subject"' in manifest:
            del store.manifests[digest]
    out = init(repo, server, "--dry-run", *ROOT).out
    assert "signature gate will refuse" in out
    assert "sbom gate will refuse" in out


def test_a_layout_is_named_relative_to_the_repository(tmp_path):
    repo = make(tmp_path)
    (repo.root / "promote.yaml").unlink()
    ran = repo.run("init", "--from", f"oci:../registries/staging/acme/shop:{TAG}", "--dry-run", *ROOT)
    assert ran.code == 0, ran.out
    value = yaml.safe_load(ran.out)
    assert value["environments"]["staging"]["registry"] == "oci:../registries/staging/acme"
    assert str(tmp_path) not in ran.out


def test_a_repository_without_overlays_gets_one_environment_and_a_note(tmp_path, server):
    repo = start(tmp_path, server)
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(FIXTURES / "v3-keyless" / "trusted_root.json", empty)
    ran = repo.run(
        "init", "--from", f"{server.address}/acme/shop:{TAG}", "--repo", str(empty), "--dry-run",
        "--trusted-root", str(empty / "trusted_root.json"),
    )  # fmt: skip
    assert ran.code == 0, ran.out
    assert yaml.safe_load(ran.out)["environments"] == {"staging": {"registry": server.address}}
    assert yaml.safe_load(ran.out)["trust"]["root"] == "trusted_root.json"
    assert "No kustomize overlay names this image" in ran.out


def test_bases_links_hidden_and_broken_directories_are_no_overlays(tmp_path, server):
    repo = start(tmp_path, server)
    mention = "images: [{name: shop, newTag: x}]\n"
    repo.write("overlays/shop/base/kustomization.yaml", f"resources: [deployment.yaml]\n{mention}")
    repo.write(".cache/prod2/kustomization.yaml", mention)
    repo.write("overlays/shop/broken/kustomization.yaml", "images: [{name: shop\n")
    (repo.root / "overlays/shop/linked").symlink_to(repo.root / "overlays/shop/prod")
    assert list(proposed(repo, server, *ROOT)["environments"]) == ["staging", "prod"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--from", "nonsense"), 2, "reference-malformed"),
        (("--from", "ADDRESS/acme/shop:sha-fffffff"), 10, "no-such-image"),
        (("--from", f"ADDRESS/acme/shop:{TAG}", "--trusted-root", "gone.json"), 2, "file-unreadable"),
        (("--from", f"ADDRESS/acme/shop:{TAG}", "--trusted-root", PROD), 2, "bad-trust-root"),
        (("--from", f"ADDRESS/acme/shop:{TAG}", "--repo", "gone"), 2, "usage"),
        (("--repo", "trust"), 2, "no-overlays-found"),
        (("--trusted-root", "trust/trusted_root.json"), 2, "usage"),
    ],
    ids=["reference", "image", "root-gone", "root-bad", "repo", "nothing", "root-alone"],
)  # fmt: skip
def test_what_cannot_be_done_is_said_and_nothing_is_written(tmp_path, server, arguments, code, says):
    repo = start(tmp_path, server)
    ran = repo.run("init", *(a.replace("ADDRESS", server.address) for a in arguments))
    assert (ran.code, says in ran.out + ran.err) == (code, True), ran.out + ran.err
    assert not (repo.root / "promote.yaml").exists()


DEPLOYED = "kind: Deployment\napiVersion: apps/v1\nmetadata: {{name: {0}}}\nspec: {{template: {{spec: {{containers: [{{name: c, image: {0}}}]}}}}}}\n"  # noqa: E501
Environments = dict[str, tuple[list[str] | None, list[str]]]
LAYOUTS: dict[str, tuple[list[str], list[str], Environments]] = {
    "overlays": (
        ["overlays/prod", "overlays/staging", "overlays/dev"],
        ["web"],
        {
            "dev": (None, ["overlays/dev"]),
            "staging": (["dev"], ["overlays/staging"]),
            "prod": (["staging"], ["overlays/prod"]),
        },
    ),
    "plain": (["production", "test"], ["web"], {"test": (None, ["test"]), "production": (["test"], ["production"])}),
    "flat": ([""], ["api", "web"], {"prod": (None, ["."])}),
    "dev-stage-live": (
        ["deploy/live", "deploy/stage", "deploy/dev"],
        ["web"],
        {
            "dev": (None, ["deploy/dev"]),
            "stage": (["dev"], ["deploy/stage"]),
            "live": (["stage"], ["deploy/live"]),
        },
    ),
    "envs-app": (
        ["envs/qa/web", "envs/live/web", "envs/qa/api", "envs/live/api"],
        ["api", "web"],
        {"qa": (None, ["envs/qa/{app}"]), "live": (["qa"], ["envs/live/{app}"])},
    ),
    "apps-env": (
        ["apps/web/staging", "apps/web/prod", "apps/api/staging", "apps/api/prod"],
        ["api", "web"],
        {"staging": (None, ["apps/{app}/staging"]), "prod": (["staging"], ["apps/{app}/prod"])},
    ),
    "app-overlays-env": (
        ["apps/web/overlays/uat", "apps/web/overlays/prod", "apps/api/overlays/uat", "apps/api/overlays/prod"],
        ["api", "web"],
        {"uat": (None, ["apps/{app}/overlays/uat"]), "prod": (["uat"], ["apps/{app}/overlays/prod"])},
    ),
    "clusters": (
        ["clusters/staging", "clusters/prod-eu", "clusters/prod-us"],
        ["web"],
        {
            "staging": (None, ["clusters/staging"]),
            "prod-eu": (["staging"], ["clusters/prod-eu"]),
            "prod-us": (["staging"], ["clusters/prod-us"]),
        },
    ),
    "regions": (
        ["clusters/prod/eu", "clusters/prod/us", "clusters/dev/eu"],
        ["web"],
        {"dev": (None, ["clusters/dev/eu"]), "prod": (["dev"], ["clusters/prod/eu", "clusters/prod/us"])},
    ),
    "region-by-region": (
        ["envs/stage-eu", "envs/stage-us", "envs/prod-eu", "envs/prod-us", "envs/load-gpu"],
        ["web"],
        {
            "load-gpu": (None, ["envs/load-gpu"]),
            "stage-eu": (None, ["envs/stage-eu"]),
            "stage-us": (None, ["envs/stage-us"]),
            "prod-eu": (["stage-eu"], ["envs/prod-eu"]),
            "prod-us": (["stage-us"], ["envs/prod-us"]),
        },
    ),
    "names-without-a-stage": (
        ["clusters/blue", "clusters/green"],
        ["web"],
        {"blue": (None, ["clusters/blue"]), "green": (None, ["clusters/green"])},
    ),
    "apps-of-one-cluster": (
        ["apps/web/app", "apps/api/app", "apps/job/app"],
        ["api", "job", "web"],
        {"prod": (None, ["apps/{app}/app"])},
    ),
    "beside-the-stages": (
        ["deploy/overlays/dev", "deploy/overlays/production", "kustomize", "tests/e2e"],
        ["web"],
        {"dev": (None, ["deploy/overlays/dev"]), "production": (["dev"], ["deploy/overlays/production"])},
    ),
}


def arranged(
    root: Path, directories: list[str], apps: list[str], *, registry: str = "{env}.example/team/"
) -> GitopsRepo:
    """A git repository of overlays; one that has an app in its path has that app, any other has all."""
    git(root, "init", "-q", "-b", "main")
    for app in apps:
        write(root / f"base/{app}/kustomization.yaml", "resources: [deployment.yaml]\n")
        write(root / f"base/{app}/deployment.yaml", DEPLOYED.format(app))
    for directory in directories:
        mine = [app for app in apps if app in directory.split("/")] or apps
        up = "../" * len(Path(directory).parts)
        host = registry.format(env=environment_name(directory, apps))
        lines = [f"resources: [{', '.join(f'{up}base/{app}' for app in mine)}]", "images:"]
        for app in mine:
            lines += [f"  - name: {app}", f"    newName: {host}{app}", "    newTag: sha-0123456"]
        write(root / directory / "kustomization.yaml", "\n".join(lines) + "\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "manifests")
    return GitopsRepo(root, root, None, {})


def write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


@pytest.mark.parametrize("name", LAYOUTS)
def test_overlays_alone_make_a_promote_yaml_that_status_reads_at_once(tmp_path, name):
    directories, apps, environments = LAYOUTS[name]
    repo = arranged(tmp_path, directories, apps)
    ran = repo.run("init")
    assert (ran.code, "Review every line" in ran.out) == (0, True)
    value = yaml.safe_load((tmp_path / "promote.yaml").read_text())
    assert {app: a["image"] for app, a in value["apps"].items()} == {app: f"team/{app}" for app in apps}
    found = value["environments"]
    assert {env: (e.get("from"), e["overlays"]) for env, e in found.items()} == environments
    assert list(found) == list(environments)
    status = repo.run("status", "--format", "json")
    assert status.code == 0, status.out
    rows = json.loads(status.out)["rows"]
    assert {(r["app"], r["environment"]) for r in rows} == {(a, e) for a in apps for e in environments}
    assert {(r["tag"], r["problem"]) for r in rows} == {("sha-0123456", None)}
    assert repo.run("config", "show").code == 0


def test_third_party_images_are_no_apps_where_commit_tags_tell(tmp_path):
    repo = arranged(tmp_path, ["overlays/staging", "overlays/prod"], ["web"])
    for env in ("staging", "prod"):
        file = tmp_path / f"overlays/{env}/kustomization.yaml"
        file.write_text(file.read_text() + "  - name: redis\n    newTag: '7.2'\n")
    assert list(yaml.safe_load(repo.run("init", "--dry-run").out)["apps"]) == ["web"]


def test_registries_are_what_environments_pull_from(tmp_path):
    repo = arranged(tmp_path, ["overlays/staging", "overlays/prod"], ["web"], registry="{env}.example:5000/{env}-team/")
    value = yaml.safe_load(repo.run("init", "--dry-run").out)
    assert value["apps"]["web"]["image"] == "web"
    assert [e["registry"] for e in value["environments"].values()] == [
        "staging.example:5000/staging-team", "prod.example:5000/prod-team",
    ]  # fmt: skip


def test_names_without_a_host_are_docker_hubs_and_marked_as_a_guess(tmp_path):
    ran = arranged(tmp_path, ["overlays/staging", "overlays/prod"], ["web"], registry="acme/").run("init", "--dry-run")
    assert yaml.safe_load(ran.out)["apps"]["web"]["image"] == "acme/web"
    assert ran.out.count('registry: "docker.io"  # review: no overlay names') == 2


def test_an_overlay_of_one_app_beside_those_of_all_is_that_apps_alone(tmp_path):
    repo = arranged(tmp_path, ["overlays/staging", "overlays/prod", "extra/prod/web"], ["web", "api", "job"])
    assert repo.run("init").code == 0
    value = yaml.safe_load((tmp_path / "promote.yaml").read_text())
    assert list(value["apps"]) == ["api", "job", "web"]
    assert [e["overlays"] for e in value["environments"].values()] == [
        ["overlays/staging"],
        [{"path": "extra/prod/web", "apps": ["web"]}, "overlays/prod"],
    ]
    rows = json.loads(repo.run("status", "--format", "json").out)["rows"]
    assert [(r["app"], r["overlay"]) for r in rows if r["environment"] == "prod"] == [
        ("api", "overlays/prod"), ("job", "overlays/prod"), ("web", "extra/prod/web"), ("web", "overlays/prod"),
    ]  # fmt: skip


def test_force_writes_over_the_file_and_never_through_a_link(tmp_path):
    (tmp_path / "r").mkdir()
    repo = arranged(tmp_path / "r", ["overlays/prod"], ["web"])
    other = tmp_path / "other"
    other.write_text("mine\n")
    (repo.root / "promote.yaml").symlink_to(other)
    assert (repo.run("init").code, other.read_text()) == (2, "mine\n")
    assert repo.run("init", "--force").code == 0
    assert (other.read_text(), (repo.root / "promote.yaml").is_symlink()) == ("mine\n", False)
    assert sorted(p.name for p in repo.root.iterdir() if p.name.startswith(".promote")) == []


def test_the_schema_line_names_the_file_that_config_schema_prints(tmp_path):
    ran = arranged(tmp_path, ["overlays/prod"], ["web"]).run("init", "--dry-run")
    first, second = ran.out.splitlines()[:2]
    assert first == "# yaml-language-server: $schema=promote.schema.json"
    assert "promote config schema > promote.schema.json" in second
