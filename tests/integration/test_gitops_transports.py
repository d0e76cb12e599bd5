"""Fetch and push over HTTP with a password, and over ssh: what works, and what is said when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.git_servers import git_over_http
from support.git_world import FILE, NEW, commit_file, executable, git, isolate, make_remote

from promote.errors import CredentialsFault, Fault, Misuse
from promote.gitops.backoff import Backoff
from promote.gitops.push import Change, land
from promote.gitops.repository import Repository
from promote.model.progress import Silent

PASSWORD = "s3cret-p4ss"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def served(tmp_path):
    """A server, the bare repository it serves, and a clone whose origin it is (with the password in its URL)."""
    bare, clone = make_remote(tmp_path)
    with git_over_http(bare.parent, PASSWORD) as server:
        point(server, clone, f"bot:{PASSWORD}@")
        yield server, bare, clone


def point(server, clone: Path, userinfo: str) -> None:
    git(clone, "remote", "set-url", "origin", server.url("deploy.git", userinfo))


def promote(clone: Path):
    with Repository.open(clone, branch="main", remote="origin") as repository:
        tip = repository.fetch()
        repository.check_push()
        return land(
            repository,
            lambda snapshot: None if snapshot.read(FILE) == NEW else Change({FILE: NEW}, "promote\n"),
            tip=tip,
            push=True,
            observer=Silent(),
            backoff=Backoff(sleep=lambda _seconds: None),
        )


def test_a_promotion_lands_over_http(served):
    _, bare, clone = served
    landed = promote(clone)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert (clone / FILE).read_bytes() == NEW


def test_the_url_that_is_shown_has_no_password(served):
    server, _, clone = served
    with Repository.open(clone, branch="main", remote="origin") as repository:
        assert repository.remote_url == f"http://***@127.0.0.1:{server.server_port}/deploy.git"
        assert repository.remote_host == f"127.0.0.1:{server.server_port}"


@pytest.mark.parametrize("userinfo", ["bot:wrong-p4ss@", ""])
def test_wrong_or_missing_credentials_are_exit_4_with_the_host_and_without_the_password(served, userinfo):
    server, _, clone = served
    point(server, clone, userinfo)
    with pytest.raises(CredentialsFault) as fault:
        promote(clone)
    assert fault.value.exit_code == 4
    assert f"127.0.0.1:{server.server_port}" in fault.value.message
    assert "p4ss" not in "".join(map(str, vars(fault.value).values()))


def test_credentials_that_may_read_and_not_push_are_found_before_anything_is_written(served):
    server, bare, clone = served
    server.refuse = lambda path: 403 if "git-receive-pack" in path else None
    objects = git(clone, "count-objects")
    with pytest.raises(CredentialsFault):
        promote(clone)
    assert git(clone, "count-objects") == objects
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_the_check_of_the_push_right_posts_nothing(served):
    server, _, clone = served
    with Repository.open(clone, branch="main", remote="origin") as repository:
        repository.fetch()
        server.seen.clear()
        repository.check_push()
    assert all(line.startswith("GET ") and "service=git-receive-pack" in line for line in server.seen)
    assert server.seen


def test_the_branch_is_read_back_by_the_first_request_of_a_push_alone(served):
    server, _, clone = served
    promote(clone)
    posted = server.seen.index("POST /deploy.git/git-receive-pack")
    after = server.seen[posted + 1 :]
    assert set(after) == {"GET /deploy.git/info/refs?service=git-receive-pack"}
    assert len(after) <= 2  # git offers the password of a URL once it is asked for one


def test_a_branch_that_went_on_before_it_was_read_back_is_fetched(served, tmp_path):
    server, bare, clone = served
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(bare), str(other))
    theirs: list[str] = []

    def somebody_is_quick(_path: str) -> None:
        if "POST /deploy.git/git-receive-pack" in server.seen[:-1] and not theirs:
            git(other, "pull", "-q", "origin", "main")
            theirs.append(commit_file(other, "theirs", b"x\n", "theirs"))
            git(other, "push", "-q", "origin", "main")

    server.refuse = somebody_is_quick
    landed = promote(clone)
    assert [git(bare, "rev-parse", name) for name in ("main", "main^")] == [*theirs, landed.commit]
    assert (landed.pushed, landed.tries) == (True, 1)


def test_a_read_back_that_breaks_off_is_asked_again_as_a_fetch(served):
    server, bare, clone = served
    broken: list[str] = []

    def once(path: str) -> int | None:
        if "POST /deploy.git/git-receive-pack" in server.seen[:-1] and not broken:
            broken.append(path)
            return 502
        return None

    server.refuse = once
    landed = promote(clone)
    assert broken == ["/deploy.git/info/refs?service=git-receive-pack"]
    assert "service=git-upload-pack" in "".join(server.seen[server.seen.index("POST /deploy.git/git-receive-pack") :])
    assert git(bare, "rev-parse", "main") == landed.commit


def test_a_credential_helper_of_the_user_is_asked(served, tmp_path, monkeypatch):
    server, bare, clone = served
    point(server, clone, "")
    monkeypatch.setenv("DEPLOY_PASSWORD", PASSWORD)
    helper = executable(tmp_path / "askpass", 'case "$1" in Username*) echo bot;; *) echo "$DEPLOY_PASSWORD";; esac')
    monkeypatch.setenv("GIT_ASKPASS", str(helper))
    landed = promote(clone)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert git(bare, "rev-list", "--count", "main") == "2"


def test_a_server_that_fails_is_a_fault_and_never_credentials(served):
    server, bare, clone = served
    server.refuse = lambda _path: 503
    with pytest.raises(Fault) as fault:
        promote(clone)
    assert (fault.value.code, fault.value.exit_code) == ("git-transport", 3)
    assert PASSWORD not in fault.value.message
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_a_server_that_breaks_off_the_push_once_is_asked_again(served):
    server, bare, clone = served
    broken = []

    def refuse(path: str) -> int | None:
        if path.endswith("/git-receive-pack") and not broken:
            broken.append(path)
            return 502
        return None

    server.refuse = refuse
    landed = promote(clone)
    assert landed.tries == 2
    assert git(bare, "rev-list", "--count", "main") == "2"


def test_nobody_listening_is_a_fault(served):
    _, _, clone = served
    git(clone, "remote", "set-url", "origin", f"http://bot:{PASSWORD}@127.0.0.1:1/deploy.git")
    with pytest.raises(Fault) as fault:
        promote(clone)
    assert (fault.value.code, fault.value.exit_code) == ("git-transport", 3)
    assert "127.0.0.1:1" in fault.value.message
    assert PASSWORD not in fault.value.message


def test_a_branch_that_the_remote_has_not_is_misuse(served):
    _, _, clone = served
    with Repository.open(clone, branch="release", remote="origin") as repository, pytest.raises(Misuse) as misuse:
        repository.fetch()
    assert misuse.value.code == "branch-missing"


def test_a_promotion_lands_over_ssh_with_the_users_own_command(tmp_path, monkeypatch):
    bare, clone = make_remote(tmp_path)
    log = tmp_path / "log"
    ssh = executable(
        tmp_path / "ssh", f'while [ "$1" != deploy.example ]; do shift; done\necho "$2" >> {log}\nexec sh -c "$2"'
    )
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    git(clone, "remote", "set-url", "origin", f"ssh://deploy.example{bare}")
    landed = promote(clone)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert "git-receive-pack" in log.read_text()


def test_a_refused_ssh_key_is_exit_4(tmp_path, monkeypatch):
    _, clone = make_remote(tmp_path)
    ssh = executable(tmp_path / "ssh", "echo 'git@deploy.example: Permission denied (publickey).' >&2; exit 255")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    git(clone, "remote", "set-url", "origin", "git@deploy.example:acme/deploy.git")
    with pytest.raises(CredentialsFault) as fault:
        promote(clone)
    assert "deploy.example" in fault.value.message


def test_a_host_that_ssh_cannot_find_is_a_fault(tmp_path, monkeypatch):
    _, clone = make_remote(tmp_path)
    ssh = executable(tmp_path / "ssh", "echo 'ssh: Could not resolve hostname deploy.example' >&2; exit 255")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    git(clone, "remote", "set-url", "origin", "git@deploy.example:acme/deploy.git")
    with pytest.raises(Fault) as fault:
        promote(clone)
    assert (fault.value.code, fault.value.exit_code) == ("git-transport", 3)
