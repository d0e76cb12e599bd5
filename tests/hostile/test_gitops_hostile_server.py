"""A git server whose words mean harm: nothing that it says reaches a terminal or a CI log as anything but text."""

from __future__ import annotations

import re

import pytest
from support.git_servers import git_over_http
from support.git_world import executable, git, isolate
from support.gitops_repo import TAG, GitopsRepo, make

WORDS = (
    "\\033[31mred\\033]0;title\\007 \\r::error::forged\\n::set-output name=promoted::true\\n"
    "  ::add-mask::a\\n##[error]forged\\n\\342\\200\\256gnp.exe \\b\\b\\200\\377 Authorization: Basic c2VjcmV0\\n"
)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path) -> GitopsRepo:
    return make(tmp_path)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("how", ["declines", "dies", "takes it"])
def test_no_word_of_a_hook_is_a_control_character_or_a_command_to_a_ci(repo, form, how):
    assert repo.bare is not None
    end = {"declines": "exit 1", "dies": "kill -9 $PPID", "takes it": "exit 0"}[how]
    executable(repo.bare / "hooks" / "pre-receive", f"printf '{WORDS}' >&2\n{end}")
    with git_over_http(repo.bare.parent) as server:
        git(repo.root, "remote", "set-url", "origin", server.url("deploy.git"))
        ran = repo.run("staging->prod", TAG, "--format", form)
    assert ran.code == {"declines": 10, "dies": 3, "takes it": 0}[how], ran.out
    for line in (ran.out + ran.err).split("\n"):
        assert line.isprintable(), ascii(line)
        assert not re.match(r"\s*(::|##\[)", line), line
    assert "c2VjcmV0" not in ran.out + ran.err


def test_a_server_without_room_is_a_fault_that_the_next_run_gets_over(repo):
    assert repo.bare is not None
    git(repo.bare, "config", "receive.maxInputSize", "1")
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (3, "git-transport"), ran.out
    assert repo.promotions() == []
    git(repo.bare, "config", "--unset", "receive.maxInputSize")
    assert repo.promote(TAG).code == 0
    assert len(repo.promotions()) == 1


@pytest.mark.parametrize("name", ["-x", "--upload-pack=touch x", "a\x1b[31mb", "a\nb", "a..b", "main.lock.", "\udcff"])
def test_an_odd_branch_beside_ours_changes_nothing(repo, name):
    assert repo.bare is not None
    heads = repo.bare / "refs" / "heads"
    heads.mkdir(parents=True, exist_ok=True)
    (heads / name).write_text(git(repo.bare, "rev-parse", "main") + "\n")
    ran = repo.promote(TAG)
    # With a name that none can have git takes the whole repository for damaged, and says so.
    assert ran.code == (0 if name in ("-x", "\udcff") else 3), ran.out
    assert len(repo.promotions()) == (ran.code == 0)
    assert all(line.isprintable() for line in (ran.out + ran.err).split("\n"))
