"""Opening a repository, and reading the tree of a commit."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.git_world import FILE, NEW, OLD, commit_file, git, isolate, make_remote, make_repository

from promote.errors import Fault, Misuse, Refusal
from promote.gitops.commit import build
from promote.gitops.repository import Repository


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def directory(tmp_path):
    return make_repository(tmp_path / "deploy")


def opened(path, branch=None) -> Repository:
    return Repository.open(path, branch=branch, remote="origin")


def test_a_directory_inside_the_work_tree_opens_its_repository(directory):
    with opened(directory / "overlays" / "prod") as repository:
        assert (repository.root, repository.prefix) == (directory.resolve(), "overlays/prod")
        assert (repository.branch, repository.remote_url, repository.is_bare) == ("main", None, False)
        assert repository.snapshot(repository.fetch()).read(FILE) == OLD


def test_the_top_has_no_prefix_and_a_bare_repository_neither(tmp_path):
    bare, clone = make_remote(tmp_path)
    assert opened(clone).prefix == ""
    assert opened(bare).prefix == ""
    assert opened(bare / "refs").root == bare.resolve()


def test_a_linked_work_tree_is_its_own_root(directory, tmp_path):
    second = tmp_path / "second"
    git(directory, "worktree", "add", "-q", "-b", "feature", str(second))
    with opened(second) as repository:
        assert (repository.root, repository.branch) == (second.resolve(), "feature")
        repository.check_local([FILE])


def test_what_is_no_repository_is_misuse(tmp_path):
    (tmp_path / "plain").mkdir()
    make_repository(tmp_path / "deploy")
    for path in (tmp_path / "plain", tmp_path / "nothing", tmp_path / "deploy" / ".git"):
        with pytest.raises(Misuse) as misuse:
            opened(path)
        assert (misuse.value.code, misuse.value.exit_code) == ("not-a-repository", 2)


def test_a_repository_of_another_user_is_misuse_with_the_command_that_allows_it(directory, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(Misuse) as misuse:
        opened(directory)
    assert misuse.value.code == "unsafe-repository"
    assert "safe.directory" in (misuse.value.hint or "")


def test_a_detached_head_needs_a_configured_branch(directory):
    git(directory, "checkout", "-q", "--detach")
    with pytest.raises(Misuse) as misuse:
        opened(directory)
    assert misuse.value.code == "detached-head"
    assert "git.branch" in (misuse.value.hint or "")
    assert opened(directory, "main").branch == "main"


def test_a_branch_without_a_commit_is_misuse(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main", "empty")
    with opened(tmp_path / "empty") as repository, pytest.raises(Misuse) as misuse:
        repository.fetch()
    assert misuse.value.code == "branch-missing"


def test_a_snapshot_reads_bytes_and_modes_and_none_for_what_is_not_there(directory):
    (directory / "run.sh").write_bytes(b"\x00\r\n\xff")
    (directory / "run.sh").chmod(0o755)
    git(directory, "add", "run.sh")
    git(directory, "commit", "-q", "-m", "run")
    with opened(directory) as repository:
        snapshot = repository.snapshot(repository.local_tip())
        assert (snapshot.read("run.sh"), snapshot.mode("run.sh")) == (b"\x00\r\n\xff", "100755")
        assert snapshot.mode(FILE) == "100644"
        for absent in ("nothing", "overlays", "overlays/prod/nothing", f"{FILE}/below", "no/such/way"):
            assert snapshot.read(absent) is None
            assert snapshot.mode(absent) is None


def test_a_file_behind_a_symbolic_link_or_in_a_submodule_is_refused(directory):
    (directory / "overlays" / "link").symlink_to("prod")
    (directory / "file-link").symlink_to(FILE)
    git(directory, "add", "-A")
    git(directory, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git(directory, "commit", "-q", "-m", "special")
    with opened(directory) as repository:
        tip = repository.local_tip()
        for path in ("overlays/link/kustomization.yaml", "overlays/link", "file-link", "module", "module/file"):
            with pytest.raises(Refusal) as refusal:
                repository.snapshot(tip).read(path)
            assert (refusal.value.code, refusal.value.exit_code) == ("overlay-ambiguous", 16)
            with pytest.raises(Refusal):
                build(repository, tip, {path: b"x"}, "x")


def test_one_snapshot_serves_many_threads(directory):
    for number in range(30):
        (directory / f"f{number}").write_bytes(b"%d" % number * 5000)
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "many")
    with opened(directory) as repository, ThreadPoolExecutor(8) as pool:
        snapshot = repository.snapshot(repository.local_tip())
        read = list(pool.map(snapshot.read, [f"f{number % 30}" for number in range(300)]))
    assert read == [b"%d" % (number % 30) * 5000 for number in range(300)]


def test_a_missing_object_is_a_fault_and_the_next_answer_is_right(directory):
    with opened(directory) as repository:
        tip = repository.local_tip()
        with pytest.raises(Fault) as fault:
            list(repository.objects.read_all(["1" * 40, git(directory, "rev-parse", f"HEAD:{FILE}")]))
        assert fault.value.code == "object-missing"
        assert repository.snapshot(tip).read(FILE) == OLD


def test_an_object_that_is_written_later_is_seen(directory):
    with opened(directory) as repository:
        assert repository.snapshot(repository.local_tip()).read(FILE) == OLD
        commit_file(directory, FILE, NEW, "later")
        git(directory, "repack", "-adq")
        assert repository.snapshot(repository.local_tip()).read(FILE) == NEW


def test_a_commit_changes_nothing_but_its_files_and_touches_neither_index_nor_branch(directory):
    (directory / "staged").write_bytes(b"x")
    git(directory, "add", "staged")
    index, references = (directory / ".git" / "index").read_bytes(), git(directory, "for-each-ref")
    with opened(directory) as repository:
        tip = repository.local_tip()
        commit = build(repository, tip, {FILE: NEW, "new/file": b"n\r\n"}, "subject\n\nPromote-App: wéb\n")
        snapshot = repository.snapshot(commit)
        assert (snapshot.read(FILE), snapshot.read("new/file"), snapshot.read("staged")) == (NEW, b"n\r\n", None)
    assert git(directory, "diff", "--name-status", tip, commit) == f"A\tnew/file\nM\t{FILE}"
    assert git(directory, "log", "-1", "--format=%P %B", commit) == f"{tip} subject\n\nPromote-App: wéb\n"
    assert (directory / ".git" / "index").read_bytes() == index
    assert git(directory, "for-each-ref") == references


def test_a_commit_keeps_modes_links_and_submodules_of_the_directories_it_rewrites(directory):
    (directory / "overlays" / "prod" / "run.sh").write_bytes(b"x")
    (directory / "overlays" / "prod" / "run.sh").chmod(0o755)
    (directory / "overlays" / "link").symlink_to("prod")
    (directory / "wéird \n name").write_bytes(b"y")
    git(directory, "add", "-A")
    git(directory, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},overlays/module")
    git(directory, "commit", "-q", "-m", "special")
    with opened(directory) as repository:
        tip = repository.local_tip()
        commit = build(repository, tip, {FILE: NEW, "overlays/prod/a/b/c": b"deep", "top": b"t"}, "x\n")
    changed = git(directory, "diff", "--name-status", "--no-renames", tip, commit).splitlines()
    assert sorted(changed) == ["A\toverlays/prod/a/b/c", "A\ttop", f"M\t{FILE}"]
    git(directory, "update-ref", "refs/heads/built", commit)
    assert git(directory, "fsck", "--strict", "--no-dangling") == ""


def test_a_file_where_a_directory_would_have_to_be_is_a_fault(directory):
    with opened(directory) as repository:
        tip = repository.local_tip()
        with pytest.raises(Fault) as fault:
            build(repository, tip, {f"{FILE}/below": b"x"}, "x\n")
    assert fault.value.code == "git-failed"
    assert "is a file in the commit" in fault.value.message


def test_many_files_go_into_one_commit(directory):
    files = {f"overlays/prod/{number}/kustomization.yaml": b"%d" % number for number in range(40)}
    with opened(directory) as repository:
        snapshot = repository.snapshot(build(repository, repository.local_tip(), {**files, FILE: NEW}, "x\n"))
        assert {path: snapshot.read(path) for path in files} == files
        assert snapshot.read(FILE) == NEW


def test_references_that_a_killed_promote_left_are_gone_after_the_next_run(tmp_path):
    _, clone = make_remote(tmp_path)
    process = subprocess.Popen(["true"])
    process.wait()
    git(clone, "update-ref", f"refs/promote/{process.pid}-dead", "HEAD")
    git(clone, "update-ref", f"refs/promote/{os.getpid()}-alive", "HEAD")
    with opened(clone) as repository:
        repository.fetch()
    assert git(clone, "for-each-ref", "--format=%(refname)", "refs/promote") == f"refs/promote/{os.getpid()}-alive"


def test_a_directory_with_a_line_break_in_its_name_is_found(tmp_path):
    directory = make_repository(tmp_path / "line\nbreak")
    with opened(directory) as repository:
        assert repository.root == directory.resolve()
        assert repository.snapshot(repository.local_tip()).read(FILE) == OLD


def test_a_url_that_the_user_lets_git_rewrite_is_the_rewritten_one(directory):
    git(directory, "remote", "add", "origin", "short:deploy.git")
    git(directory, "config", "url.https://git.acme.example/.insteadOf", "short:")
    assert opened(directory).remote_url == "https://git.acme.example/deploy.git"


def test_a_repository_with_sha256_names_works(tmp_path):
    directory = tmp_path / "deploy"
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256", str(directory))
    commit_file(directory, FILE, OLD, "begin")
    with opened(directory) as repository:
        commit = build(repository, repository.fetch(), {FILE: NEW}, "x\n")
        assert len(commit) == 64
        assert repository.snapshot(commit).read(FILE) == NEW
