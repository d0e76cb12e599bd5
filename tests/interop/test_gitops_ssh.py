"""Promotions over ssh: a real sshd with a deploy key, its host key pinned, and nothing of the user's configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from harness.process import free_port
from support.git_servers import SshServer, git_over_ssh
from support.git_world import executable, git, isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, make


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def server(tools: Mapping[str, Path], tmp_path: Path) -> Iterator[SshServer]:
    with git_over_ssh(tools["sshd"], tmp_path / "ssh", free_port()) as running:
        yield running


def served(tmp_path: Path, server: SshServer) -> GitopsRepo:
    repo = make(tmp_path)
    for name, environment in repo.config["environments"].items():
        environment["registry"] = f"oci:{tmp_path}/registries/{name}"
    repo.configure()
    git(repo.root, "remote", "set-url", "origin", server.url(tmp_path / "server" / "deploy.git"))
    return repo


@pytest.mark.parametrize("by", ["checkout", "url"])
def test_a_promotion_lands_with_a_deploy_key(tmp_path, monkeypatch, server, by) -> None:
    repo = served(tmp_path, server)
    git(repo.bare, "config", "uploadpack.allowFilter", "true")
    monkeypatch.setenv("GIT_SSH_COMMAND", server.command())
    where = [] if by == "checkout" else ["--repo", server.url(repo.bare)]
    ran = repo.promote(TAG, *where)
    assert ran.code == 0, ran.out
    assert ran.json["commit"]["id"] == git(repo.bare, "rev-parse", "main")
    assert DIGEST.encode() in repo.overlay()


@pytest.mark.parametrize(("key", "hosts", "code"), [("stranger", "known_hosts", 4), ("deploy", "other_hosts", 3)])
def test_a_key_that_is_refused_and_a_host_that_is_another_one_write_nothing(
    tmp_path, monkeypatch, server, key, hosts, code
) -> None:
    repo = served(tmp_path, server)
    monkeypatch.setenv("GIT_SSH_COMMAND", server.command(key, hosts))
    ran = repo.promote(TAG)
    assert ran.code == code, ran.out
    assert "PRIVATE KEY" not in ran.out + ran.err
    assert repo.promotions() == []


def test_a_hook_that_declines_is_passed_on(tmp_path, monkeypatch, server) -> None:
    repo = served(tmp_path, server)
    executable(repo.bare / "hooks" / "pre-receive", "echo 'GH006: Protected branch' >&2\nexit 1")
    monkeypatch.setenv("GIT_SSH_COMMAND", server.command())
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (10, "push-declined"), ran.out
    assert "GH006" in ran.json["error"]["message"]
