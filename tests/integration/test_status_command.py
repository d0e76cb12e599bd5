"""`promote status`: every overlay of every environment, from git alone.

| trap | test |
|---|---|
| 25 a second run says since when it has been so | test_a_promotion_that_is_there_already_has_a_beginning |
| 34 git says one thing and a cluster runs another | test_the_answer_says_that_..., test_a_branch_that_... |
| 36 1,300 kustomizations | test_a_monorepo_is_read_by_few_processes_and_each_overlay_once |
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from support.git_insight import Deploy, digest, kustomization, promotion
from support.git_world import git, isolate
from support.gitops_repo import DIGEST, TAG, make, staging_overlay
from support.release_world import tag

import promote.gitops.command
from promote.config.load import load
from promote.gitops.repository import Repository
from promote.insight.changes import Walk

GOLDEN = Path(__file__).parents[1] / "golden" / "insight"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def deploy(tmp_path) -> Deploy:
    return Deploy(tmp_path / "deploy")


def rows_of(deploy: Deploy, *arguments: str) -> dict[tuple[str, str], dict]:
    return {(row["environment"], row["app"]): row for row in deploy.status(*arguments)}


def test_a_row_says_what_since_when_by_whom_and_which_commit(deploy):
    deploy.set("prod", 1)
    commit = deploy.set("prod", 2, trailers=True, author="Bot <bot@example.com>")
    deploy.set("staging", 2)
    (row,) = deploy.status("prod")
    assert row == {
        "app": "web", "environment": "prod", "tag": tag(2), "digest": digest(2), "since": "2026-01-02T03:07:05Z",
        "commit": commit, "by": "Bot <bot@example.com>", "overlay": "overlays/web/prod", "place": 0, "kind": "promote",
        "from": "staging", "reason": "because 2", "behind": [{"environment": "staging", "releases": 0}],
        "registry": None, "problem": None, "notes": [],
    }  # fmt: skip


def test_every_environment_app_and_place_has_its_row_in_the_order_of_promote_yaml(deploy):
    deploy.config["apps"] = {"web": {"image": "acme/web"}, "api": {"image": "acme/api", "names": ["api"]}}
    deploy.config["environments"]["prod"] = {
        "from": ["staging"],
        "places": [
            {"registry": "eu.example", "overlays": ["overlays/{app}/eu"]},
            {"registry": "us.example", "overlays": ["overlays/{app}/us-east", "overlays/{app}/us-west"]},
        ],
    }
    deploy.configure()
    deploy.write("overlays/web/us-west/kustomization.yaml", kustomization("acme/web", 3))
    deploy.write("overlays/api/eu/kustomization.yaml", "resources: []\n")
    deploy.commit()
    told = [
        (r["environment"], r["app"], r["place"], r["overlay"].rpartition("/")[2], r["tag"]) for r in deploy.status()
    ]
    assert told == [
        ("staging", "web", 0, "staging", None), ("staging", "api", 0, "staging", None),
        ("prod", "web", 0, "eu", None), ("prod", "api", 0, "eu", None),
        ("prod", "web", 1, "us-east", None), ("prod", "web", 1, "us-west", tag(3)),
        ("prod", "api", 1, "us-east", None), ("prod", "api", 1, "us-west", None),
    ]  # fmt: skip
    notes = {(r["app"], r["overlay"].rpartition("/")[2]): r["notes"] for r in deploy.status("prod")}
    assert notes["api", "eu"] == ["not pinned here"]
    assert notes["web", "us-east"] == ["there is no overlay"]


def test_how_many_releases_an_environment_is_behind_its_source(deploy):
    for number in (1, 2, 3):
        deploy.set("staging", number)
    deploy.set("prod", 1)
    assert deploy.status("prod")[0]["behind"] == [{"environment": "staging", "releases": 2}]
    deploy.set("prod", 3)
    assert deploy.status("prod")[0]["behind"] == [{"environment": "staging", "releases": 0}]
    deploy.set("prod", 9)
    assert deploy.status("prod")[0]["behind"] == [{"environment": "staging", "releases": None}]


def test_a_change_that_is_no_release_does_not_count_as_one(deploy):
    deploy.set("staging", 1)
    deploy.set("prod", 1)
    path = "overlays/web/staging/kustomization.yaml"
    deploy.write(path, kustomization("web", 1).replace(tag(1), "sha-1111111"))
    deploy.commit("another tag of the same image")
    deploy.set("staging", 2)
    assert deploy.status("prod")[0]["behind"] == [{"environment": "staging", "releases": 1}]


def test_an_overlay_shared_by_apps_tells_each_of_its_own(deploy):
    deploy.config["apps"]["api"] = {"image": "acme/api", "names": ["api"]}
    deploy.config["environments"]["prod"]["overlays"] = ["overlays/prod"]
    deploy.configure()
    text = kustomization("web", 1) + kustomization("api", 2).removeprefix("images:\n")
    deploy.write("overlays/prod/kustomization.yaml", text)
    first = deploy.commit("both")
    deploy.write("overlays/prod/kustomization.yaml", text.replace(tag(2), tag(3)).replace(digest(2), digest(3)))
    second = deploy.commit("api")
    rows = rows_of(deploy, "prod")
    assert (rows["prod", "web"]["tag"], rows["prod", "web"]["commit"]) == (tag(1), first)
    assert (rows["prod", "api"]["tag"], rows["prod", "api"]["commit"]) == (tag(3), second)


def test_an_overlay_that_pins_two_releases_is_two_rows(deploy):
    text = kustomization("web", 1) + kustomization("acme/web", 2).removeprefix("images:\n")
    deploy.write("overlays/web/prod/kustomization.yaml", text)
    deploy.commit("canary")
    rows = deploy.status("prod")
    assert [(r["tag"], r["notes"]) for r in rows] == [
        (tag(n), ["one of 2 releases that this overlay pins"]) for n in (1, 2)
    ]


def test_an_overlay_that_cannot_be_read_is_unknown_and_hides_no_other(deploy):
    deploy.set("staging", 1)
    deploy.write("overlays/web/prod/kustomization.yaml", "images: [\n")
    deploy.commit("broken")
    ran = deploy.run("status", "--format", "json")
    staging, prod = ran.rows
    assert (ran.code, ran.json["error"]["code"]) == (3, "overlay-unreadable")
    assert (staging["tag"], staging["problem"]) == (tag(1), None)
    assert prod["tag"] is None
    assert "overlays/web/prod/kustomization.yaml" in prod["problem"]


def test_a_link_in_the_place_of_an_overlay_is_not_followed(deploy):
    deploy.set("staging", 1)
    (deploy.root / "overlays/web/prod").symlink_to("staging")
    deploy.commit("link")
    ran = deploy.run("status", "prod", "--format", "json")
    assert (ran.code, ran.rows[0]["tag"]) == (3, None)
    assert "symbolic link" in ran.rows[0]["problem"]


def test_a_change_of_a_component_that_an_overlay_reads_is_its_change(deploy):
    deploy.write("overlays/web/prod/kustomization.yaml", "components: [pins]\n")
    deploy.write("overlays/web/prod/pins/kustomization.yaml", kustomization("web", 1))
    deploy.commit("component")
    deploy.write("overlays/web/prod/pins/kustomization.yaml", kustomization("web", 2))
    commit = deploy.commit("newer")
    assert deploy.status("prod")[0]["commit"] == commit


def test_a_field_that_promote_yaml_names_is_read_and_followed(deploy):
    deploy.config["environments"]["prod"]["fields"] = [{"file": "app.yaml", "path": "spec.release"}]
    deploy.configure()
    for number in (1, 2):
        release = f"acme/web:{tag(number)}@{digest(number)}"
        deploy.write("overlays/web/prod/app.yaml", f"kind: App\nspec: {{release: {release}}}\n")
        commit = deploy.commit(f"release {number}")
    (row,) = deploy.status("prod")
    assert (row["tag"], row["digest"], row["commit"]) == (tag(2), digest(2), commit)
    assert [r["tag"] for r in deploy.history("prod")] == [tag(2), tag(1)]


def test_the_answer_says_that_git_declares_it(deploy):
    deploy.set("prod", 1)
    assert deploy.run("status").out.startswith(f"Declared in git: branch main at {deploy.head[:12]}\n")


def test_a_branch_that_differs_from_the_remotes_as_last_fetched_says_so(deploy, tmp_path):
    deploy.set("prod", 1)
    git(tmp_path, "clone", "-q", str(deploy.root), str(tmp_path / "clone"))
    clone = Deploy(tmp_path / "clone")
    assert clone.run("status", "--format", "json").json["declared_in"]["note"] is None
    clone.set("prod", 2)
    declared = clone.run("status", "--format", "json").json["declared_in"]
    assert declared["commit"] == clone.head
    assert declared["note"].startswith(f"origin/main, as last fetched, is at {deploy.head[:12]}")


def test_a_repository_named_by_its_url_is_read_with_its_history(deploy, tmp_path):
    deploy.set("prod", 1)
    commit = deploy.set("prod", 2, trailers=True)
    deploy.set("staging", 3)
    git(tmp_path, "clone", "-q", "--bare", str(deploy.root), str(tmp_path / "deploy.git"))
    (tmp_path / "empty").mkdir()
    url = f"file://{tmp_path}/deploy.git"
    ran = deploy.run("status", "prod", "--repo", url, "--format", "json", cwd=tmp_path / "empty")
    assert [(r["commit"], r["by"] is not None) for r in ran.rows] == [(commit, True)]
    told = deploy.run("history", "prod", "--repo", url, "--format", "json", cwd=tmp_path / "empty")
    assert [r["tag"] for r in told.records] == [tag(2), tag(1)]


@pytest.mark.parametrize("verb", ["status", "history"])
def test_a_failure_is_one_object_of_the_same_schema(tmp_path, deploy, verb):
    ran = deploy.run(verb, "--format", "json", "--repo", str(tmp_path / "nowhere"), cwd=tmp_path)
    assert ran.code == 2
    assert (ran.json["ok"], ran.json["declared_in"]) == (False, None)


def test_a_promotion_that_is_there_already_has_a_beginning(tmp_path):
    repo = make(tmp_path, remote=False)
    assert repo.promote(TAG).code == 0
    promoted = repo.commits()
    assert repo.promote(TAG).code == 0
    assert repo.commits() == promoted
    deploy = Deploy(repo.root)
    (row,) = deploy.status("prod")
    assert (row["tag"], row["digest"], row["kind"], row["from"]) == (TAG, DIGEST, "promote", "staging")
    assert row["commit"] == git(repo.root, "rev-parse", "HEAD")
    assert row["behind"] == [{"environment": "staging", "releases": 0}]


def test_check_compares_with_the_registries(tmp_path):
    repo = make(tmp_path, remote=False)
    deploy = Deploy(repo.root)
    rows = deploy.run("status", "staging", "--check", "--format", "json")
    assert (rows.code, rows.rows[0]["registry"]) == (0, {"drift": "none", "actual": DIGEST, "reason": None})
    told = deploy.run("status", "staging", "--check")
    assert told.out.endswith("\n\nChecked: the registries have what git declares.\n"), told.out
    missing = deploy.run("status", "--check", "--format", "json")
    assert (missing.code, missing.json["error"]["code"]) == (10, "registry-missing")
    assert [row["registry"]["drift"] for row in missing.rows] == ["none", "missing"]
    repo.set_overlay("staging", staging_overlay("shop", TAG, digest(5)))
    moved = deploy.run("status", "--check", "--format", "json")
    assert (moved.code, moved.json["error"]["code"]) == (15, "registry-moved")
    assert moved.rows[0]["registry"]["actual"] == DIGEST


def test_a_registry_that_cannot_be_asked_is_unknown_and_hides_no_other(tmp_path):
    repo = make(tmp_path, remote=False, prod="127.0.0.1:1")
    ran = Deploy(repo.root).run("status", "--check", "--format", "json")
    assert (ran.code, ran.json["error"]["code"]) == (3, "registry-unknown")
    assert [row["registry"]["drift"] for row in ran.rows] == ["none", "unknown"]


def _monorepo(root: Path, apps: int, releases: int) -> Deploy:
    """Two environments of `apps` apps, each release a commit of its own; written by git fast-import."""
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    names = [f"app{n:03}" for n in range(apps)]
    config = {
        "version": 1,
        "apps": {name: {"image": f"acme/{name}", "names": [name]} for name in names},
        "environments": {
            "staging": {"registry": "staging.example", "overlays": ["overlays/{app}/staging"]},
            "prod": {"from": ["staging"], "registry": "prod.example", "overlays": ["overlays/{app}/prod"]},
        },
    }
    stream, clock = [], 1_767_323_045

    def commit(message: str, files: dict[str, str]) -> None:
        nonlocal clock
        clock += 60
        stream.append(f"commit refs/heads/main\ncommitter T <t@e> {clock} +0000\ndata {len(message)}\n{message}\n")
        stream.extend(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files.items())

    commit(
        "begin",
        {
            "promote.yaml": json.dumps(config),
            **{f"overlays/{n}/base/kustomization.yaml": "resources: []\n" for n in names},
        },
    )
    for release in range(1, releases + 1):
        for name in names:
            for environment in ("staging", "prod"):
                text = "resources: [../base]\n" + kustomization(name, release)
                commit(
                    promotion(name, environment, release), {f"overlays/{name}/{environment}/kustomization.yaml": text}
                )
    git(root, "fast-import", "--quiet", stdin="".join(stream).encode())
    git(root, "reset", "-q", "--hard")
    return Deploy(root, config)


@pytest.mark.exhaustive
def test_a_monorepo_is_read_by_few_processes_and_each_overlay_once(tmp_path, monkeypatch):
    deploy = _monorepo(tmp_path / "mono", apps=650, releases=2)
    started: list[str] = []
    start = promote.gitops.command.Git.start

    def counted(self, arguments, *rest):
        started.append(arguments[0])
        return start(self, arguments, *rest)

    monkeypatch.setattr(promote.gitops.command.Git, "start", counted)
    rows = deploy.status()
    assert len(rows) == 1300
    assert {(row["tag"], row["kind"]) for row in rows} == {(tag(2), "promote")}
    assert {b["releases"] for row in rows for b in row["behind"]} == {0}
    assert len([name for name in started if name in {"log", "cat-file", "ls-tree"}]) == 3
    assert len(started) <= 8


def test_each_overlay_is_parsed_at_the_tip_and_hardly_any_older_version(tmp_path):
    deploy = _monorepo(tmp_path / "mono", apps=20, releases=10)
    configuration = load(deploy.root / "promote.yaml")
    with Repository.open(deploy.root, branch="main", remote="origin") as repository:
        walk = Walk(repository, deploy.head, configuration, ["staging", "prod"], list(configuration.apps))
        assert walk.parsed == 40
        assert len(list(walk.changes())) == 400
        assert walk.parsed == 120  # and where its history begins, and once more where what it reads beside it does


def test_the_text_for_a_person(deploy):
    deploy.config["apps"]["api"] = {"image": "acme/api", "names": ["api"]}
    deploy.configure()
    deploy.set("staging", 1)
    deploy.set("prod", 1, trailers=True, author="Bot <bot@example.com>")
    deploy.set("staging", 2, at=4_000_000_000)
    deploy.set("staging", 3)
    deploy.write("overlays/api/prod/kustomization.yaml", "images: [\n")
    deploy.write("overlays/api/staging/kustomization.yaml", kustomization("api", 4))
    deploy.commit("api")
    for name, arguments in {
        "status": ("status",), "status-markdown": ("status", "--format", "markdown"),
        "history": ("history",), "history-markdown": ("history", "--format", "markdown", "--limit", "2"),
        "status-unknown": ("status", "nowhere"),
    }.items():  # fmt: skip
        ran = deploy.run(*arguments)
        out = re.sub(r"\b\d+ d ago", "324 d ago", ran.out)
        transcript = f"$ promote {' '.join(arguments)}\n{out}--- exit {ran.code}\n"
        golden = GOLDEN / f"{name}.txt"
        if os.environ.get("REWRITE_GOLDEN"):
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(transcript)
        assert transcript == golden.read_text()
