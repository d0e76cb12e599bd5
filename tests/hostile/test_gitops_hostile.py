"""Repositories, names and texts that mean harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.git_world import FILE, NEW, OLD, commit_file, executable, git, isolate, make_remote, make_repository, show

from promote.errors import Fault, Misuse
from promote.gitops import trailers
from promote.gitops.backoff import Backoff
from promote.gitops.faults import redacted
from promote.gitops.history import holding, versions
from promote.gitops.names import checked_branch, checked_path, checked_remote
from promote.gitops.push import Change, land
from promote.gitops.repository import Repository
from promote.model.progress import Silent


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def promote(path: Path, *, push: bool = True):
    with Repository.open(path, branch="main", remote="origin") as repository:
        tip = repository.fetch() if push else repository.local_tip()
        repository.check_push()
        list(versions(repository, tip, ["overlays"]))
        holding(repository, tip, ["overlays"], b"sha-aaaaaaa")
        return land(
            repository,
            lambda snapshot: None if snapshot.read(FILE) == NEW else Change({FILE: NEW}, "promote\n"),
            tip=tip,
            push=push,
            observer=Silent(),
            backoff=Backoff(sleep=lambda _seconds: None),
        )


def arm(clone: Path, mark: Path) -> None:
    """Everything in a checkout that git can be made to run, each leaving `mark` when it does."""
    trap = executable(mark.parent / "trap", f'echo "$0 $*" >> {mark}\ncat')
    hooks = (
        "pre-commit prepare-commit-msg commit-msg post-commit pre-push post-merge post-checkout pre-merge-commit "
        "reference-transaction post-index-change pre-auto-gc post-rewrite fsmonitor-watchman"
    )
    for hook in hooks.split():
        executable(clone / ".git" / "hooks" / hook, f"echo {hook} >> {mark}")
    configured = {
        "core.fsmonitor": str(trap),
        "filter.evil.clean": str(trap),
        "filter.evil.smudge": str(trap),
        "filter.evil.process": str(trap),
        "filter.evil.required": "true",
        "diff.evil.textconv": str(trap),
        "diff.evil.command": str(trap),
        "diff.external": str(trap),
        "merge.evil.driver": str(trap),
        "core.pager": str(trap),
        "core.editor": str(trap),
        "core.alternateRefsCommand": str(trap),
        "core.gitProxy": str(trap),
        "uploadpack.packObjectsHook": str(trap),
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "submodule.x.update": f"!{trap}",
        "trailer.Promote-App.command": str(trap),
    }
    (clone / ".git" / "objects" / "info" / "alternates").write_text(f"{mark.parent}/seed/.git/objects\n")
    if git(clone, "remote"):
        configured |= {"remote.origin.uploadpack": str(trap), "remote.origin.receivepack": str(trap)}
    for key, value in configured.items():
        git(clone, "config", key, value)


def planted(clone: Path) -> None:
    """The part of the trap that a repository can bring along by itself."""
    commit_file(clone, ".gitattributes", b"* filter=evil diff=evil merge=evil\n", "attributes")
    commit_file(clone, ".gitmodules", b'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% /dev/null\n', "modules")
    git(clone, "push", "-q", "origin", "main")


def test_hooks_filters_monitors_and_drivers_of_a_checkout_run_nothing(tmp_path):
    bare, clone = make_remote(tmp_path)
    planted(clone)
    mark = tmp_path / "executed"
    arm(clone, mark)
    (clone / FILE).touch()
    landed = promote(clone)
    assert not mark.exists()
    assert git(bare, "rev-parse", "main") == landed.commit
    assert "content filter" in (landed.note or "")


def test_a_modified_file_is_looked_at_without_its_filter(tmp_path):
    _, clone = make_remote(tmp_path)
    planted(clone)
    mark = tmp_path / "executed"
    arm(clone, mark)
    (clone / FILE).write_bytes(b"mine\n")
    assert FILE in (promote(clone).note or "")
    assert not mark.exists()


def test_a_filtered_file_without_a_remote_is_misuse_and_runs_nothing(tmp_path):
    _, clone = make_remote(tmp_path)
    planted(clone)
    git(clone, "remote", "remove", "origin")
    mark = tmp_path / "executed"
    arm(clone, mark)
    with pytest.raises(Misuse) as misuse:
        promote(clone, push=False)
    assert misuse.value.code == "working-copy-filtered"
    assert not mark.exists()


def test_hooks_do_not_run_on_a_local_commit(tmp_path):
    directory = make_repository(tmp_path / "local")
    mark = tmp_path / "executed"
    arm(directory, mark)
    promote(directory, push=False)
    assert not mark.exists()
    assert (directory / FILE).read_bytes() == NEW


def test_line_endings_reach_the_commit_as_they_were_given(tmp_path):
    bare, clone = make_remote(tmp_path)
    commit_file(clone, ".gitattributes", b"* text=auto eol=crlf\n", "attributes")
    git(clone, "push", "-q", "origin", "main")
    git(clone, "config", "core.autocrlf", "true")
    promote(clone)
    assert show(bare, f"main:{FILE}") == NEW
    assert git(bare, "diff", "--numstat", "main^", "main") == f"1\t1\t{FILE}"
    assert git(clone, "status", "--porcelain") == ""


def test_a_remote_that_is_a_command_is_not_run(tmp_path):
    _, clone = make_remote(tmp_path)
    mark = tmp_path / "executed"
    git(clone, "remote", "set-url", "origin", f"ext::touch {mark}")
    with pytest.raises(Misuse) as misuse:
        promote(clone)
    assert misuse.value.code == "git-protocol"
    assert not mark.exists()


@pytest.mark.parametrize(
    "key", ["url.ext::sh -c touch% {mark}%  .insteadOf", "remote.origin.vcs", "remote.origin.pushurl"]
)
def test_no_setting_makes_a_command_of_the_remote(tmp_path, key):
    bare, clone = make_remote(tmp_path)
    mark = tmp_path / "executed"
    value = {"url": str(bare), "remote.origin.vcs": "ext"}.get(key.partition(".ext")[0], f"ext::touch {mark}")
    git(clone, "config", "protocol.ext.allow", "always")
    git(clone, "config", key.format(mark=mark), value)
    with pytest.raises(Misuse) as misuse:
        promote(clone)
    assert misuse.value.code == "git-protocol"
    assert not mark.exists()
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_a_bare_repository_that_a_checkout_brought_along_is_not_worked_in(tmp_path):
    """A clone brings no configuration, but a directory that is a repository has one."""
    bare, clone = make_remote(tmp_path)
    mark = tmp_path / "executed"
    inside = clone / "vendor" / "deploy"
    git(tmp_path, "clone", "-q", "--bare", str(bare), str(inside))
    git(inside, "config", "commit.gpgSign", "true")
    git(inside, "config", "gpg.program", str(executable(tmp_path / "trap", f"touch {mark}; exit 1")))
    with pytest.raises(Misuse) as misuse:
        promote(inside)
    assert misuse.value.code == "unsafe-repository"
    assert not mark.exists()
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_a_work_tree_that_is_somewhere_else_is_not_written(tmp_path):
    bare, clone = make_remote(tmp_path)
    git(clone, "config", "core.worktree", str(tmp_path))
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(Misuse) as misuse:
        promote(clone)
    assert misuse.value.code == "unsafe-repository"
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_a_submodule_whose_repository_is_elsewhere_is_worked_in(tmp_path):
    bare, _ = make_remote(tmp_path)
    above = make_repository(tmp_path / "above")
    git(above, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(bare), "deploy")
    landed = promote(above / "deploy")
    assert (git(bare, "rev-parse", "main"), landed.note) == (landed.commit, None)
    assert (above / "deploy" / FILE).read_bytes() == NEW


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("branch.main.mergeOptions", "--squash"),
        ("branch.main.mergeOptions", "--no-ff --strategy=evil"),
        ("diff.orderFile", "/nowhere/at/all"),
        ("remote.origin.mirror", "true"),
        ("merge.ff", "false"),
        ("push.default", "nothing"),
        ("core.splitIndex", "true"),
        ("format.pretty", "oneline"),
        ("log.showSignature", "true"),
        ("i18n.commitEncoding", "latin-1"),
        ("transfer.fsckObjects", "true"),
        ("fetch.negotiationAlgorithm", "skipping"),
    ],
)
def test_a_setting_for_people_changes_nothing_of_what_promote_does(tmp_path, key, value):
    bare, clone = make_remote(tmp_path)
    git(clone, "config", key, value)
    landed = promote(clone)
    assert git(bare, "rev-parse", "main") == git(clone, "rev-parse", "HEAD") == landed.commit
    assert git(clone, "status", "--porcelain") == ""


@pytest.mark.parametrize("damage", ["config", "shallow", "packed-refs"])
def test_a_damaged_repository_is_a_fault_with_what_git_says_of_it(tmp_path, damage):
    bare, clone = make_remote(tmp_path)
    (clone / ".git" / damage).write_text("no such line\n")
    with pytest.raises(Fault) as fault:
        promote(clone)
    assert (fault.value.code, fault.value.exit_code) == ("git-failed", 3)
    assert damage.partition("-")[0] in fault.value.message
    assert git(bare, "rev-list", "--count", "main") == "1"


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"ref: refs/heads/-x\n", "bad-branch"),
        (b"ref: refs/heads/../../../x\n", "detached-head"),
        (b"ref: refs/heads/a\x1b[31m\n", "detached-head"),
        (b"ref: HEAD\n", "not-a-repository"),
    ],
)
def test_a_head_that_names_no_branch_is_misuse(tmp_path, head, code):
    directory = make_repository(tmp_path / "local")
    git(directory, "update-ref", "refs/heads/-x", "HEAD")
    (directory / ".git" / "HEAD").write_bytes(head)
    with pytest.raises(Misuse) as misuse:
        Repository.open(directory, branch=None, remote="origin")
    assert misuse.value.code == code
    assert misuse.value.message.isprintable()


def test_grafts_and_replaced_commits_do_not_change_what_is_pushed(tmp_path):
    bare, clone = make_remote(tmp_path)
    first = git(clone, "rev-parse", "HEAD")
    second = commit_file(clone, "x", b"x\n", "second")
    git(clone, "push", "-q", "origin", "main")
    (clone / ".git" / "info" / "grafts").write_text(f"{second}\n{first} {second}\n")
    git(clone, "update-ref", f"refs/replace/{second}", first)
    landed = promote(clone)
    assert git(bare, "rev-list", "main").split() == [landed.commit, second, first]


@pytest.mark.parametrize("shape", ["sparse", "sparse index", "split index", "untracked cache", "work tree", "link"])
def test_a_checkout_of_any_shape_follows(tmp_path, shape):
    bare, clone = make_remote(tmp_path)
    commit_file(clone, "other/a/b", b"x\n", "other")
    git(clone, "push", "-q", "origin", "main")
    where = clone
    if shape.startswith("sparse"):
        git(
            clone, "sparse-checkout", "set", "--cone", *(["--sparse-index"] if shape == "sparse index" else []), "other"
        )
    elif shape == "work tree":
        git(clone, "checkout", "-q", "-b", "mine")
        where = tmp_path / "tree"
        git(clone, "worktree", "add", "-q", str(where), "main")
    elif shape == "link":
        where = tmp_path / "link"
        where.symlink_to(clone)
    else:
        git(clone, "update-index", f"--{shape.replace(' ', '-')}")
    landed = promote(where)
    assert git(bare, "rev-parse", "main") == git(where, "rev-parse", "HEAD") == landed.commit
    assert git(where, "status", "--porcelain") == ""
    assert landed.note is None


def test_variables_of_a_calling_hook_lead_nowhere_else(tmp_path, monkeypatch):
    bare, clone = make_remote(tmp_path)
    elsewhere = make_repository(tmp_path / "elsewhere")
    before = git(elsewhere, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(elsewhere))
    monkeypatch.setenv("GIT_INDEX_FILE", str(elsewhere / ".git" / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(elsewhere / ".git" / "objects"))
    monkeypatch.setenv("GIT_NAMESPACE", "other")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.bare")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "nonsense")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    landed = promote(clone)
    isolate(monkeypatch, tmp_path)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert git(elsewhere, "rev-parse", "HEAD") == before
    assert git(elsewhere, "status", "--porcelain") == ""
    assert not (tmp_path / "trace").exists()


def test_a_replaced_object_does_not_hide_what_is_pushed(tmp_path):
    _, clone = make_remote(tmp_path)
    blob = git(clone, "rev-parse", f"HEAD:{FILE}")
    git(clone, "replace", blob, git(clone, "hash-object", "-w", "--stdin", stdin=b"shown\n"))
    with Repository.open(clone, branch="main", remote="origin") as repository:
        assert repository.snapshot(repository.fetch()).read(FILE) == OLD


@pytest.mark.parametrize(
    "name", ["--upload-pack=touch x", "-x", "ext::sh", "a b", "a..b", "a\nb", "", "a.lock/b", ".a"]
)
def test_names_that_git_could_take_for_something_else_are_misuse(tmp_path, name):
    directory = make_repository(tmp_path / "local")
    with pytest.raises(Misuse):
        Repository.open(directory, branch=name, remote="origin")
    with pytest.raises(Misuse):
        Repository.open(directory, branch="main", remote=name)


@pytest.mark.parametrize(
    "path",
    [
        "-x",
        "--output=x",
        "../x",
        "a/../b",
        "/etc/passwd",
        "",
        ".",
        "a//b",
        ".git/config",
        "a/.GIT/config",
        "a\nb",
        "a\\b",
        "a\x00",
    ],
)
def test_paths_that_leave_the_tree_are_misuse(tmp_path, path):
    directory = make_repository(tmp_path / "local")
    with Repository.open(directory, branch="main", remote="origin") as repository:
        tip = repository.local_tip()
        with pytest.raises(Misuse):
            repository.snapshot(tip).read(path)
        with pytest.raises(Misuse):
            land(repository, lambda _s: Change({path: b"x"}, "x"), tip=tip, push=False, observer=Silent())
        assert repository.local_tip() == tip


def test_a_pathspec_is_only_a_path(tmp_path):
    directory = make_repository(tmp_path / "local")
    with Repository.open(directory, branch="main", remote="origin") as repository:
        tip = repository.local_tip()
        assert [v.path for v in versions(repository, tip, ["overlays"])] == [FILE]
        for magic in ("*", ":(glob)**", ":!other"):
            assert list(versions(repository, tip, [magic])) == []


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_a_checked_name_is_never_an_option_nor_leaves_the_tree(text):
    for check in (checked_branch, checked_remote, checked_path):
        try:
            name = check(text)
        except Misuse:
            continue
        assert name == text
        assert not name.startswith(("-", "/"))
        assert ".." not in name.split("/")
        assert not any(ord(c) < 32 or ord(c) == 127 for c in name)


@given(st.text(max_size=60).filter(lambda s: "\x00" not in s))
@settings(max_examples=100)
def test_no_value_forges_a_trailer_or_loses_its_line(value):
    text = trailers.message(value, [value], [("Promote-App", "web"), ("Promote-Reason", value)])
    read = trailers.parse(text)
    assert [name for name, _ in read] == ["Promote-App", "Promote-Reason"]
    assert read[0] == ("Promote-App", "web")


def test_a_newline_in_a_label_cannot_forge_a_trailer_that_git_reads(tmp_path):
    evil = "x\nPromote-Image: web:evil\r\nPromote-Env: prod\u2028Promote-Kind: rollback\x85Promote-Id: 1"
    text = trailers.message(
        "promote web", [evil, "Promote-From: dev"], [("Promote-App", "web"), ("Promote-Reason", evil)]
    )
    read = git(tmp_path, "interpret-trailers", "--parse", stdin=text.encode())
    assert [line.partition(":")[0] for line in read.split("\n")] == ["Promote-App", "Promote-Reason"]
    assert [name for name, _ in trailers.parse(text)] == ["Promote-App", "Promote-Reason"]


@given(
    st.text(st.characters(exclude_categories=["Z", "C"]), min_size=6, max_size=20),
    st.sampled_from(
        [
            "fatal: unable to access 'https://bot:{}@host/x.git/': 503",
            "remote https://{}@host/x failed",
            "{} https://u:{}@h",
        ]
    ),
)
@settings(max_examples=200)
def test_no_password_of_a_url_survives(password, template):
    head, _, url = template.rpartition("https://")
    assert f"{password}@" not in redacted(head.format("") + "https://" + url.format(password))


@pytest.mark.parametrize(
    "text",
    [b"", b"\n\n", b"a\x00:100644 100644 1 2 M\x00overlays/x\x00", b":100644 100644 1 2 M", b"\xff\xfe", b"\x1b[2J"],
)
def test_no_message_and_no_file_name_confuses_the_history(tmp_path, text):
    directory = make_repository(tmp_path / "local")
    odd = "overlays/:100644 100644\n1 2 M"
    commit_file(directory, odd, b"x\n", "odd")
    head, tree = git(directory, "rev-parse", "HEAD"), git(directory, "rev-parse", "HEAD~1^{tree}")
    who = b"\x1b[31mE\xff <e@e> 1700000000 +0000"
    raw = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\n" % (tree.encode(), head.encode(), who, who)
    oid = git(directory, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw + text)
    with Repository.open(directory, branch="main", remote="origin") as repository:
        told = list(versions(repository, oid, ["overlays"]))
    assert [(v.path, v.after is None) for v in told] == [(odd, True), (odd, False), (FILE, False)]
    assert told[0].commit == oid
    assert told[0].author.isprintable()
