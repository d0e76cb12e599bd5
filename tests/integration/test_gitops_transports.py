"""Fetch and push over HTTP with a password, and over ssh: what works, and what is said when it does not."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from support.git_servers import HttpServer, git_over_http
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


def basic(password: str = PASSWORD) -> str:
    return "AUTHORIZATION: Basic " + base64.b64encode(f"bot:{password}".encode()).decode()


def persisted(clone: Path, directory: Path, server: HttpServer, password: str = PASSWORD) -> bytes:
    """The credential as actions/checkout leaves it since v6: in a file of the runner that .git/config includes.

    Returns .git/config, which has no secret in it.
    """
    secret = directory / "runner" / "git-credentials.config"
    secret.parent.mkdir()
    secret.write_text(f'[http "http://{server.address}/"]\n\textraheader = {basic(password)}\n')
    for pattern, path in (
        (f"{clone}/.git", secret),
        (f"{clone}/.git/worktrees/*", secret),
        ("/github/workspace/.git", "/github/runner_temp/git-credentials.config"),
    ):
        git(clone, "config", f"includeIf.gitdir:{pattern}.path", str(path))
    return (clone / ".git" / "config").read_bytes()


@pytest.mark.parametrize("where", ["checkout", "directory", "work tree", "link"])
def test_the_credential_that_a_checkout_keeps_in_an_included_file_is_sent(served, tmp_path, where):
    server, bare, clone = served
    point(server, clone, "")
    place = clone
    if where == "work tree":
        git(clone, "checkout", "-q", "-b", "mine")
        place = tmp_path / "tree"
        git(clone, "worktree", "add", "-q", str(place), "main")
    elif where == "link":
        place = tmp_path / "link"
        place.symlink_to(clone)
    elif where == "directory":
        place = clone / "overlays" / "prod"
    config = persisted(clone, tmp_path, server)
    landed = promote(place)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert landed.note is None
    assert {len(sent) for sent in server.authorizations} == {1}
    assert (clone / ".git" / "config").read_bytes() == config


def test_the_credential_that_an_older_checkout_keeps_in_its_configuration_is_sent(served):
    server, bare, clone = served
    point(server, clone, "")
    git(clone, "config", f"http.http://{server.address}/.extraheader", basic())
    assert git(bare, "rev-parse", "main") != promote(clone).commit == git(bare, "rev-parse", "main")


def test_two_headers_are_exit_4_with_both_settings_named_and_no_secret(served, tmp_path, monkeypatch):
    server, bare, clone = served
    point(server, clone, "")
    persisted(clone, tmp_path, server)
    config = tmp_path / "gitconfig"
    config.write_text(f"[http]\n\textraHeader = {basic()}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    with pytest.raises(CredentialsFault) as fault:
        promote(clone)
    assert max(len(sent) for sent in server.authorizations) == 2
    assert f"by http.extraheader and http.http://{server.address}/.extraheader" in fault.value.message
    assert "2 Authorization headers" in fault.value.message
    assert "persist-credentials: false" in (fault.value.hint or "")
    assert basic().rpartition(" ")[2] not in "".join(map(str, vars(fault.value).values()))
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_an_empty_header_before_takes_the_others_away(served, tmp_path, monkeypatch):
    """What git-config(1) offers whoever wants his own to win; variables come last of all."""
    server, bare, clone = served
    point(server, clone, "")
    persisted(clone, tmp_path, server, password="of somebody who may not push")
    key = f"http.http://{server.address}/.extraHeader"
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    for number, value in enumerate(["", basic()]):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    landed = promote(clone)
    assert {len(sent) for sent in server.authorizations} == {1}
    monkeypatch.delenv("GIT_CONFIG_COUNT")
    assert git(bare, "rev-parse", "main") == landed.commit


def test_a_kept_credential_that_may_not_push_hides_the_askpass_script_and_is_named(served, tmp_path, monkeypatch):
    server, bare, clone = served
    point(server, clone, "")
    persisted(clone, tmp_path, server)
    monkeypatch.setenv("GIT_ASKPASS", str(executable(tmp_path / "askpass", f"touch {tmp_path}/asked; echo x")))
    server.refuse = lambda path: 403 if "git-receive-pack" in path else None
    with pytest.raises(CredentialsFault) as fault:
        promote(clone)
    assert "the Authorization header that git's configuration gives" in fault.value.message
    assert not (tmp_path / "asked").exists()
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_a_push_url_of_the_user_is_pushed_to_and_the_branch_read_back_where_others_fetch_it(
    served, tmp_path, monkeypatch
):
    server, bare, clone = served
    git(clone, "remote", "set-url", "origin", str(bare))
    config = tmp_path / "gitconfig"
    config.write_text(f'[url "{server.url("", f"bot:{PASSWORD}@")}"]\n\tpushInsteadOf = {bare.parent}/\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    landed = promote(clone)
    assert "POST /deploy.git/git-receive-pack" in server.seen
    assert git(bare, "rev-parse", "main") == landed.commit


def test_a_push_to_another_repository_than_is_fetched_from_is_not_called_landed(tmp_path):
    bare, clone = make_remote(tmp_path)
    other = tmp_path / "other.git"
    git(tmp_path, "clone", "-q", "--bare", str(bare), str(other))
    git(clone, "remote", "set-url", "--push", "origin", str(other))
    with pytest.raises(Fault) as fault:
        promote(clone)
    assert (fault.value.code, fault.value.exit_code) == ("push-unconfirmed", 3)
    assert git(bare, "rev-list", "--count", "main") == "1"


def test_a_short_url_of_the_user_leads_to_the_long_one(served, tmp_path, monkeypatch):
    server, bare, clone = served
    git(clone, "remote", "set-url", "origin", "acme:deploy.git")
    config = tmp_path / "gitconfig"
    config.write_text(f'[url "{server.url("", f"bot:{PASSWORD}@")}"]\n\tinsteadOf = acme:\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    with Repository.open(clone, branch="main", remote="origin") as repository:
        assert repository.remote_url == f"http://***@{server.address}/deploy.git"
    assert git(bare, "rev-parse", "main") != promote(clone).commit == git(bare, "rev-parse", "main")


@pytest.mark.parametrize("includes", ["gitdir:{clone}/", "gitdir/i:{clone}/.GIT", "onbranch:main"])
def test_what_the_user_includes_for_this_repository_alone_counts(served, tmp_path, monkeypatch, includes):
    server, bare, clone = served
    point(server, clone, "")
    (tmp_path / "mine").write_text(
        f"[http]\n\textraHeader = {basic()}\n[user]\n\tname = Ops\n\temail = ops@a.example\n"
    )
    config = tmp_path / "gitconfig"
    config.write_text(f'[includeIf "{includes.format(clone=clone)}"]\n\tpath = {tmp_path}/mine\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    landed = promote(clone)
    assert git(bare, "log", "-1", "--format=%an", landed.commit) == "Ops"
