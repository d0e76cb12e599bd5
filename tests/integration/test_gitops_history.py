"""History, told from the diffs of real commits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.git_world import FILE, NEW, OLD, commit_file, git, isolate, make_remote, make_repository

from promote.errors import Fault
from promote.gitops.history import commits, contents, covering, files_at, holding, horizon, messages, versions
from promote.gitops.repository import Repository


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def directory(tmp_path):
    return make_repository(tmp_path / "deploy")


def opened(path) -> Repository:
    return Repository.open(path, branch="main", remote="origin")


def test_each_version_has_its_commit_date_author_message_and_blobs(directory, monkeypatch):
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2024-05-06T07:08:09+02:00")
    second = commit_file(directory, FILE, NEW, "subject\n\nbody: with\n:100644 lines\n\nPromote-App: web")
    with opened(directory) as repository:
        newest, oldest = versions(repository, second, ["overlays"])
        held = dict(contents(repository, [newest.after, newest.before, newest.after]))
    assert newest.commit == second
    assert newest.when == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)
    assert newest.author == "Test <test@example.com>"
    assert newest.message == "subject\n\nbody: with\n:100644 lines\n\nPromote-App: web\n"
    assert (newest.path, oldest.path) == (FILE, FILE)
    assert newest.before == oldest.after
    assert oldest.before is None
    assert held == {newest.after: NEW, newest.before: OLD}


def test_only_the_directories_asked_for_are_told_and_the_top_is_all(directory):
    commit_file(directory, "other/file", b"x\n", "other")
    commit_file(directory, "overlays/prod2/file", b"x\n", "a neighbour with the same beginning")
    commit_file(directory, "file with space", b"x\n", "space")
    git(directory, "commit", "-q", "--allow-empty", "-m", "empty")
    with opened(directory) as repository:
        tip = repository.local_tip()
        assert [v.path for v in versions(repository, tip, ["overlays/prod"])] == [FILE]
        assert [v.path for v in versions(repository, tip, ["overlays/prod/", "other"])] == ["other/file", FILE]
        everything = ["file with space", "overlays/prod2/file", "other/file", FILE]
        assert [v.path for v in versions(repository, tip, ["."])] == everything
        assert [v.path for v in versions(repository, tip, ["overlays", ""])] == everything
        assert list(versions(repository, tip, ["nothing"])) == []


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_the_three_ways_to_merge_a_pull_request_tell_the_same_change(directory, how):
    git(directory, "checkout", "-q", "-b", "side")
    commit_file(directory, FILE, NEW, "change")
    git(directory, "checkout", "-q", "main")
    commit_file(directory, "other", b"x\n", "meanwhile")
    if how == "merge":
        git(directory, "merge", "-q", "--no-ff", "-m", "change", "side")
    elif how == "squash":
        git(directory, "merge", "-q", "--squash", "side")
        git(directory, "commit", "-q", "-m", "change")
    else:
        git(directory, "cherry-pick", "side")
    with opened(directory) as repository:
        newest, _ = versions(repository, repository.local_tip(), ["overlays"])
        assert newest.commit == repository.local_tip()
        assert dict(contents(repository, [newest.before, newest.after])) == {newest.before: OLD, newest.after: NEW}


def test_a_file_that_is_removed_or_renamed_has_no_content_after(directory):
    git(directory, "mv", FILE, "overlays/prod/kustomization.yml")
    git(directory, "commit", "-q", "-m", "rename")
    with opened(directory) as repository:
        changes = {v.path: (v.before, v.after) for v in list(versions(repository, repository.local_tip(), [""]))[:2]}
    oid = git(directory, "rev-parse", "HEAD:overlays/prod/kustomization.yml")
    assert changes == {FILE: (oid, None), "overlays/prod/kustomization.yml": (None, oid)}


def test_versions_that_hold_a_tag_are_found_newest_first(directory):
    second = commit_file(directory, FILE, NEW, "to b")
    third = commit_file(directory, FILE, OLD, "back to a")
    first = git(directory, "rev-parse", "HEAD~2")
    with opened(directory) as repository:
        tip = repository.local_tip()
        assert [v.commit for v in holding(repository, tip, ["overlays"], b"sha-aaaaaaa")] == [third, first]
        assert [v.commit for v in holding(repository, tip, ["overlays"], b"sha-bbbbbbb")] == [second]
        assert holding(repository, tip, ["overlays"], b"sha-ccccccc") == ()


def test_symbolic_links_and_submodules_have_no_content(directory):
    (directory / "overlays" / "link").symlink_to("prod")
    git(directory, "add", "-A")
    git(directory, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},overlays/module")
    git(directory, "commit", "-q", "-m", "special")
    with opened(directory) as repository:
        told = {v.path: v.after for v in versions(repository, repository.local_tip(), ["overlays"])}
        assert (told["overlays/link"], told["overlays/module"]) == (None, None)
        assert holding(repository, repository.local_tip(), ["overlays"], b"prod") == ()


def test_configuration_of_the_user_does_not_change_what_is_told(directory):
    commit_file(directory, FILE, NEW, "two")
    with opened(directory) as repository:
        plain = list(versions(repository, repository.local_tip(), ["overlays"]))
        for key, value in (
            ("log.follow", "true"), ("log.showSignature", "true"), ("diff.renames", "copies"), ("format.pretty", "raw"),
            ("log.showRoot", "false"), ("diff.relative", "true"), ("color.ui", "always"), ("log.diffMerges", "off"),
        ):  # fmt: skip
            git(directory, "config", key, value)
        assert list(versions(repository, repository.local_tip(), ["overlays"])) == plain


def test_a_date_that_no_calendar_has_is_1970(directory):
    tree = git(directory, "rev-parse", "HEAD^{tree}")
    raw = f"tree {tree}\nauthor A <a@b> 99999999999999999 +0000\ncommitter A <a@b> 99999999999999999 +0000\n\nx\n"
    oid = git(directory, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw.encode())
    with opened(directory) as repository:
        assert [v.when.year for v in versions(repository, oid, ["overlays"])] == [1970]


@pytest.mark.exhaustive
def test_ten_thousand_commits_are_read_with_each_blob_once(tmp_path):
    directory = tmp_path / "long"
    directory.mkdir()
    git(directory, "init", "-q", "-b", "main")
    stream = []
    for number in range(10_000):
        content = f"newTag: sha-{number % 5000:07x}\n"
        stream.append(
            f"commit refs/heads/main\ncommitter T <t@e> {1_700_000_000 + number} +0000\ndata 2\nx\n"
            f"M 100644 inline overlays/prod/f{number % 7}\ndata {len(content)}\n{content}\n"
        )
    git(directory, "fast-import", "--quiet", stdin="".join(stream).encode())
    with opened(directory) as repository:
        tip = repository.local_tip()
        assert len(list(versions(repository, tip, ["overlays"]))) == 10_000
        assert len(holding(repository, tip, ["overlays"], b"sha-00000ff")) == 2
        oids = [v.after for v in versions(repository, tip, ["overlays"])]
        assert len(list(contents(repository, oids))) == 5000


def test_an_iterator_that_is_not_finished_ends_its_process(directory):
    commit_file(directory, FILE, NEW, "two")
    with opened(directory) as repository:
        started = []
        start = repository.git.start
        repository.git.start = lambda *a: started.append(start(*a)) or started[-1]
        told = versions(repository, repository.local_tip(), ["overlays"])
        next(told)
        told.close()
        assert all(process.poll() is not None for process in started)
        assert started


def test_a_missing_commit_is_a_fault(directory):
    with opened(directory) as repository, pytest.raises(Fault):
        list(versions(repository, "1" * 40, ["overlays"]))


def test_a_shallow_repository_says_so(tmp_path):
    bare, clone = make_remote(tmp_path)
    commit_file(clone, FILE, NEW, "two")
    git(clone, "push", "-q", "origin", "main")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{bare}", str(shallow))
    with opened(shallow) as repository, opened(clone) as whole:
        assert (repository.is_shallow, whole.is_shallow) == (True, False)
        assert len(list(versions(repository, repository.fetch(), ["overlays"]))) == 1


def test_a_shallow_repository_names_the_commits_where_it_ends(tmp_path):
    bare, clone = make_remote(tmp_path)
    commit_file(clone, FILE, NEW, "two")
    git(clone, "push", "-q", "origin", "main")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{bare}", str(shallow))
    with opened(shallow) as repository, opened(clone) as whole:
        assert horizon(repository) == {git(clone, "rev-parse", "HEAD")}
        assert horizon(whole) == frozenset()


def test_a_commit_has_all_its_files_and_its_parents(directory):
    first = git(directory, "rev-parse", "HEAD")
    (directory / "overlays" / "more").write_bytes(b"x\n")
    git(directory, "add", "-A")
    second = commit_file(directory, FILE, NEW, "two files")
    with opened(directory) as repository:
        newest, oldest = commits(repository, second, ["overlays"])
    assert (newest.oid, newest.parents, oldest.parents) == (second, (first,), ())
    assert [(file.path, file.before is None) for file in newest.files] == [("overlays/more", True), (FILE, False)]


def test_many_paths_are_asked_for_by_the_directories_above_them():
    few = [f"overlays/app{n}/prod" for n in range(3)]
    assert covering(few) == tuple(few)
    assert covering([f"overlays/app{n}/prod" for n in range(1000)] + ["promote.yaml"]) == ("overlays", "promote.yaml")
    assert covering([f"{n}/prod" for n in range(1000)]) == ()
    assert covering(["overlays/prod", ""]) == ()


def test_what_lies_beside_many_paths_is_told_of_commits_and_not_of_versions(directory):
    commit_file(directory, "overlays/app99/file", b"x\n", "beside")
    many = [f"overlays/app{n}" for n in range(20)]
    with opened(directory) as repository:
        tip = repository.local_tip()
        assert [c.message for c in commits(repository, tip, many)] == ["beside\n", "begin\n"]
        assert list(versions(repository, tip, many)) == []


def test_the_files_of_a_commit_are_listed_with_mode_and_object(directory):
    (directory / "link").symlink_to("overlays")
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "link")
    with opened(directory) as repository:
        listed = {path: mode for mode, _, path in files_at(repository, repository.local_tip(), [""])}
    assert listed == {"link": "120000", FILE: "100644"}


def test_messages_are_those_of_every_parent(directory):
    git(directory, "checkout", "-q", "-b", "side")
    side = commit_file(directory, "side", b"x\n", "aside")
    git(directory, "checkout", "-q", "main")
    git(directory, "merge", "-q", "--no-ff", "-m", "merged", "side")
    with opened(directory) as repository:
        told = dict(messages(repository, repository.local_tip()))
    assert [message.text for message in told.values()] == ["merged\n", "aside\n", "begin\n"]
    assert told[side].author == "Test <test@example.com>"
