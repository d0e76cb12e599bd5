"""`git.delivery: github-api`: GitHub makes the commit, compare and swap on the head, and git reads it back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import forge_hosts
from support.forge_server import TOKEN, ForgeServer, Problem, commit_on, forge_server
from support.git_world import git, isolate
from support.gitops_repo import DIGEST, KUSTOMIZATION, TAG, GitopsRepo, make

from promote.gitops import github_commit
from promote.gitops.backoff import Backoff

OVERLAY = KUSTOMIZATION.format(app="shop", env="prod")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("GH_TOKEN", "GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "CI_SERVER_URL", "GITEA_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repo(tmp_path) -> GitopsRepo:
    return make(tmp_path, git={"branch": "main", "delivery": "github-api"})


@pytest.fixture
def host(repo, monkeypatch) -> Iterator[ForgeServer]:
    with forge_server(repo.bare, "github") as host:
        git(repo.root, "remote", "set-url", "origin", host.url)
        git(repo.bare, "config", "http.receivepack", "false")  # git may only read
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setenv("GITHUB_SERVER_URL", host.origin)
        no_sleep = Backoff(sleep=lambda _seconds: None)
        monkeypatch.setitem(github_commit.land.__kwdefaults__, "backoff", no_sleep)
        yield host


def graphql(asked) -> bool:
    return asked.path.endswith("/graphql")


def test_github_makes_the_commit_and_the_checkout_follows(repo, host):
    before = git(repo.bare, "rev-parse", "main")
    ran = repo.promote(TAG)
    assert ran.code == 0
    commit = ran.json["commit"]
    assert (commit["id"], commit["pushed"], commit["note"]) == (git(repo.bare, "rev-parse", "main"), True, None)
    assert git(repo.bare, "log", "-1", "--format=%an", "main") == "GitHub"
    assert git(repo.bare, "rev-parse", "main^") == before
    assert git(repo.bare, "diff", "--name-only", "main^", "main") == OVERLAY
    assert DIGEST.encode() in repo.overlay()
    assert git(repo.root, "rev-parse", "HEAD") == commit["id"]
    assert host.complaints == []


def test_the_message_has_the_trailers_as_its_last_paragraph(repo, host):
    assert repo.promote(TAG).code == 0
    message = git(repo.bare, "log", "-1", "--format=%B", "main").strip()
    assert message.startswith("promote(prod): shop ")
    assert all(line.startswith("Promote-") for line in message.rpartition("\n\n")[2].splitlines())


def test_the_same_again_is_done_already(repo, host):
    assert repo.promote(TAG).code == 0
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["commit"], len(repo.promotions())) == (0, None, 1)


def test_a_head_that_moved_is_fetched_and_the_change_derived_again(repo, host):
    moves = iter(range(3))

    def meanwhile(asked):
        if graphql(asked) and next(moves, None) is not None:
            head = git(repo.bare, "rev-parse", "main")
            commit_on(repo.bare, "main", head, "another bot", {f"bot{len(host.seen)}": b"x"})

    host.before = meanwhile
    ran = repo.promote(TAG)
    assert ran.code == 0
    assert repo.commits()[:4] == [repo.promotions()[0], "another bot", "another bot", "another bot"]
    assert sum("graphql" in line for line in host.seen) == 4


def test_an_answer_that_got_lost_after_the_commit_is_found_and_not_made_twice(repo, host):
    def cut(asked):
        if graphql(asked):
            host.after = lambda _asked: None
            raise ConnectionAbortedError

    host.after = cut
    ran = repo.promote(TAG)
    assert (ran.code, len(repo.promotions())) == (0, 1)
    assert ran.json["commit"]["id"] == git(repo.bare, "rev-parse", "main")


def test_a_connection_that_broke_before_the_commit_is_tried_again(repo, host):
    def cut(asked):
        if graphql(asked):
            host.before = lambda _asked: None
            raise ConnectionAbortedError

    host.before = cut
    assert repo.promote(TAG).code == 0
    assert len(repo.promotions()) == 1


def test_a_server_that_is_down_is_given_up_and_nothing_is_committed(repo, host):
    def cut(asked):
        if graphql(asked):
            raise ConnectionAbortedError

    host.before = cut
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"], repo.promotions()) == (3, "forge-transport", [])


def test_a_rule_of_the_branch_is_a_refusal(repo, host, monkeypatch):
    def declined(_state, _asked):
        return {"data": None, "errors": [{"type": "FORBIDDEN", "message": f"protected branch {TOKEN}"}]}

    monkeypatch.setattr("support.forge_hosts._graphql", declined)
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (10, "push-declined")
    assert "protected branch" in ran.json["error"]["message"]
    assert TOKEN not in ran.out + ran.err


def test_an_executable_file_is_refused_for_the_api_would_change_its_mode(repo, host):
    git(repo.bare, "config", "http.receivepack", "true")
    (repo.root / OVERLAY).chmod(0o755)
    repo.commit("make it executable")
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"], repo.promotions()) == (16, "mode-unsupported", [])


def test_a_token_that_is_missing_or_refused_is_exit_4_before_anything_is_copied(repo, host, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    assert (repo.promote(TAG).code, repo.tags()) == (4, {})
    monkeypatch.delenv("GITHUB_TOKEN")
    assert (repo.promote(TAG).code, repo.tags()) == (4, {})


def test_another_promotion_of_the_same_app_that_landed_first_wins(repo, host):
    def meanwhile(asked):
        if graphql(asked):
            host.before = lambda _asked: None
            theirs = repo.overlay().replace(b"sha-89abcdef", b"sha-0badcafe")
            commit_on(repo.bare, "main", git(repo.bare, "rev-parse", "main"), "theirs", {OVERLAY: theirs})

    host.before = meanwhile
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (5, "superseded")


def test_another_host_than_github_is_exit_2(repo, host, monkeypatch):
    monkeypatch.delenv("GITHUB_SERVER_URL")
    repo.config["git"]["forge"] = "gitlab"
    git(repo.bare, "config", "http.receivepack", "true")
    repo.write_config()
    repo.commit("gitlab")
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (2, "forge-unknown")


def test_a_busy_github_is_waited_for_as_long_as_it_says(repo, host):
    def busy(asked):
        if graphql(asked):
            host.before = lambda _asked: None
            raise Problem(429, "slow down")

    host.before = busy
    assert repo.promote(TAG).code == 0


@pytest.mark.parametrize("errors", [7, "no", {"message": "no"}, [7], [None, {"type": ["STALE_DATA"], "message": 7}]])
def test_errors_that_are_none_are_a_refusal_without_a_reason(repo, host, monkeypatch, errors):
    monkeypatch.setattr("support.forge_hosts._graphql", lambda _state, _asked: {"data": None, "errors": errors})
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"], repo.promotions()) == (10, "push-declined", [])


def test_an_error_of_a_field_beside_a_commit_that_was_made_is_no_refusal(repo, host, monkeypatch):
    answered = forge_hosts._graphql

    def partly(state, asked):
        answered(state, asked)
        return {"data": None, "errors": [{"message": "the signature could not be read", "path": ["signature"]}]}

    monkeypatch.setattr(forge_hosts, "_graphql", partly)
    ran = repo.promote(TAG)
    assert (ran.code, len(repo.promotions())) == (0, 1)
    assert ran.json["commit"]["id"] == git(repo.bare, "rev-parse", "main")


def test_a_commit_whose_bytes_are_others_is_not_called_landed(repo, host, monkeypatch):
    made = forge_hosts.commit_on

    def wrong(bare, branch, head, message, files):
        return made(bare, branch, head, message, {path: content + b"# more\n" for path, content in files.items()})

    monkeypatch.setattr(forge_hosts, "commit_on", wrong)
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (3, "push-unconfirmed")
    assert "has other bytes there" in ran.json["error"]["message"]
