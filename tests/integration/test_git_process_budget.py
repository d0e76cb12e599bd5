"""How many git processes one promotion starts: each costs about as much as a short round trip."""

from __future__ import annotations

import os
import shutil

import pytest
from support.git_world import executable, git, isolate
from support.gitops_repo import TAG, GitopsRepo, make

OPTIONS_WITH_VALUE = {"-c", "-C"}
"""What comes before the subcommand, and takes a word."""

PUSHED = ["rev-parse", "config", "fetch", "cat-file", "push", "log", "log", "hash-object", "mktree",
          "commit-tree", "push", "push", "status", "merge", "update-ref"]  # fmt: skip
"""One promotion that pushes, where git.branch is set: what is there, the tip, the
right to push, the records, the holds, the commit, the push, the look whether it arrived, and the clean checkout that
follows.
"""


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def started(monkeypatch, tmp_path):
    """The subcommands of git that were started, in order, by whoever finds git on PATH."""
    real, log = shutil.which("git"), tmp_path / "git.log"
    log.touch()
    directory = tmp_path / "bin"
    directory.mkdir()
    # One write a line: processes that run at the same time must not come between.
    script = f'line=$(printf \'%s\\037\' "$@")\nprintf \'%s\\n\' "$line" >>{log}\nexec {real} "$@"'
    executable(directory / "git", script)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")

    def read() -> list[str]:
        lines = [line.rstrip("\x1f").split("\x1f") for line in log.read_text().splitlines()]
        log.write_text("")
        return [name for name in map(subcommand, lines) if name != "version"]  # GitPython's, once a process

    return read


def subcommand(arguments: list[str]) -> str:
    words = iter(arguments)
    for word in words:
        if word in OPTIONS_WITH_VALUE:
            next(words)
        elif not word.startswith("-"):
            return word
    return ""


def on_main(home, **options) -> GitopsRepo:
    repo = make(home, **options)
    repo.configure(git={"branch": "main"})
    return repo


def test_a_promotion_starts_fifteen_processes_of_git(tmp_path, started):
    repo = on_main(tmp_path)
    started()
    assert repo.promote(TAG).code == 0
    assert sorted(started()) == sorted(PUSHED)


def test_the_branch_that_is_checked_out_is_asked_for_where_none_is_configured(tmp_path, started):
    repo = make(tmp_path)
    started()
    assert repo.promote(TAG).code == 0
    assert sorted(started()) == sorted([*PUSHED, "symbolic-ref"])


def test_a_configuration_that_filters_files_and_rewrites_urls_costs_what_has_to_be_asked(tmp_path, started):
    repo = on_main(tmp_path)
    git(repo.root, "config", "filter.lfs.clean", "false")
    git(repo.root, "config", "url.file:///nowhere/.insteadOf", "nowhere:")
    started()
    assert repo.promote(TAG).code == 0
    assert sorted(started()) == sorted([*PUSHED, "remote", "diff-tree", "check-attr"])


def test_a_second_run_starts_nothing_that_writes_a_commit(tmp_path, started):
    repo = on_main(tmp_path)
    assert repo.promote(TAG).code == 0
    started()
    assert repo.promote(TAG).code == 0
    assert sorted(started()) == sorted(
        ["rev-parse", "config", "fetch", "cat-file", "push", *["log"] * 4, "ls-tree", "status", "update-ref"]
    )


def test_several_apps_cost_no_more_processes_than_one_but_for_their_records(tmp_path, started):
    apps = ("a", "b", "c")
    repo = on_main(tmp_path, apps=apps)
    started()
    assert repo.promote(*[f"{app}={TAG}" for app in apps]).code == 0
    assert sorted(started()) == sorted([*PUSHED, "log", "log"])
