"""`--repo URL` on a repository of many commits: only what is needed is fetched, counted in bytes and processes."""

from __future__ import annotations

import json
import shutil

import pytest
from support.git_monorepo import grow
from support.git_servers import git_over_http
from support.git_world import executable, git, isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, make

from promote.gitops.scratch import RECENT


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def absolute(repo: GitopsRepo, **sections: object) -> GitopsRepo:
    for name, environment in repo.config["environments"].items():
        environment["registry"] = f"oci:{repo.home}/registries/{name}"
    repo.configure(**sections)
    git(repo.bare, "config", "uploadpack.allowFilter", "true")
    return repo


@pytest.mark.parametrize(
    ("kustomizations", "commits"), [(130, 1200), pytest.param(1300, 30_000, marks=pytest.mark.exhaustive)]
)
def test_a_promotion_fetches_a_little_of_a_large_repository(tmp_path, monkeypatch, kustomizations, commits):
    repo = absolute(make(tmp_path))
    grow(repo.bare, kustomizations=kustomizations, commits=commits)
    log = tmp_path / "git.log"
    executable(
        tmp_path / "bin" / "git", f'test "$1" = http-backend || printf x >>{log}\nexec {shutil.which("git")} "$@"'
    )
    with git_over_http(repo.bare.parent) as server:
        url = server.url("deploy.git")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
        ran = repo.run("staging->prod", TAG, "--format", "json", "-q", "--repo", url, cwd=tmp_path)
    assert ran.code == 0, ran.out
    assert DIGEST.encode() in repo.overlay()
    assert git(repo.bare, "rev-parse", "main~1^{tree}") != git(repo.bare, "rev-parse", "main^{tree}")
    assert len(server.seen) <= 20
    assert len(log.read_text()) <= 22
    # The newest commit's directories, and four objects for each recent commit: about 60 bytes each in a pack.
    assert server.sent < 110 * kustomizations + 4 * RECENT * 160
    assert "shallow" in ran.gate("ledger")["summary"]


def test_the_whole_history_is_looked_at_where_promote_yaml_asks_for_it(tmp_path):
    repo = absolute(make(tmp_path), git={"history": "whole"})
    grow(repo.bare, kustomizations=10, commits=RECENT + 100)
    with git_over_http(repo.bare.parent) as server:
        ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", server.url("deploy.git"), cwd=tmp_path)
    assert ran.code == 0, ran.out
    assert "shallow" not in ran.gate("ledger")["summary"]


def test_a_release_that_ran_long_ago_is_found_in_older_history(tmp_path):
    repo = absolute(make(tmp_path))
    repo.set_overlay("staging", 'images:\n  - name: shop\n    newTag: "sha-0000000"\n')
    grow(repo.bare, kustomizations=10, commits=RECENT + 100)
    with git_over_http(repo.bare.parent) as server:
        ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", server.url("deploy.git"), cwd=tmp_path)
    assert ran.code == 0, ran.out
    assert "staging ran it" in ran.gate("deployed")["summary"]


def test_a_server_that_leaves_nothing_out_serves_as_well(tmp_path):
    repo = absolute(make(tmp_path))
    git(repo.bare, "config", "uploadpack.allowFilter", "false")
    with git_over_http(repo.bare.parent) as server:
        ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", server.url("deploy.git"), cwd=tmp_path)
    assert ran.code == 0, ran.out
    assert "shallow" not in ran.gate("ledger")["summary"]


def test_status_by_url_tells_all_of_history(tmp_path):
    repo = absolute(make(tmp_path))
    with git_over_http(repo.bare.parent) as server:
        assert repo.run("staging->prod", TAG, "--repo", server.url("deploy.git"), cwd=tmp_path).code == 0
        grow(repo.bare, kustomizations=2, commits=3)
        ran = repo.run("status", "prod", "--format", "json", "--repo", server.url("deploy.git"), cwd=tmp_path)
    (row,) = json.loads(ran.out)["rows"]
    assert (row["digest"], row["since"] is not None) == (DIGEST, True)


def test_a_commit_that_would_be_lost_with_the_clone_is_misuse(tmp_path):
    repo = absolute(make(tmp_path))
    ran = repo.run("staging->prod", TAG, "--format", "json", "--no-push", "--repo", str(repo.bare), cwd=tmp_path)
    assert (ran.code, ran.json["error"]["code"]) == (2, "commit-lost")
