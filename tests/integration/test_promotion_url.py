"""`--repo URL`: the GitOps repository is cloned, and the clone is gone afterwards."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from support.gitops_repo import DIGEST, TAG, make


def with_absolute_registries(tmp_path: Path):
    repo = make(tmp_path)
    for name, environment in repo.config["environments"].items():
        environment["registry"] = f"oci:{tmp_path}/registries/{name}"
    repo.configure()
    return repo


@pytest.mark.parametrize("spelling", ["{bare}", "file://{bare}"])
def test_a_repository_is_named_by_its_url(tmp_path, monkeypatch, spelling):
    repo = with_absolute_registries(tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    ran = repo.run(
        "staging->prod", TAG, "--format", "json", "--repo", spelling.format(bare=repo.bare), cwd=tmp_path / "registries"
    )
    assert (ran.code, ran.json["commit"]["pushed"]) == (0, True)
    assert DIGEST.encode() in repo.overlay()
    assert len(repo.promotions()) == 1
    assert list(temporary.iterdir()) == []


def test_a_registry_inside_the_clone_is_refused_and_not_lost(tmp_path):
    repo = make(tmp_path)
    ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", str(repo.bare))
    assert (ran.code, ran.json["error"]["code"]) == (2, "layout-in-clone")
    assert repo.promotions() == []


@pytest.mark.parametrize(
    ("url", "code", "exit_code"),
    [
        ("https://somebody:planted-secret@localhost/deploy.git", "password-in-url", 2),
        ("ext::sh -c touch% /dev/null", "git-protocol", 2),
        ("--upload-pack=touch://x", "bad-url", 2),
        ("ftp://localhost/deploy.git", "bad-url", 2),
        ("nothing-here", "usage", 2),
        ("file:///nothing/here.git", "git-transport", 3),
    ],
)
def test_a_url_that_is_none_is_refused(tmp_path, url, code, exit_code):
    ran = make(tmp_path).run("staging->prod", TAG, "--format", "json", f"--repo={url}")
    assert (ran.code, ran.json["error"]["code"]) == (exit_code, code)
    assert "planted-secret" not in ran.out + ran.err
