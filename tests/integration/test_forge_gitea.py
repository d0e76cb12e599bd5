"""What Gitea does otherwise than the others: pages as short as its owner likes, and merging later without a head."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.forge_server import TOKEN, ForgeServer, Hosted, Problem, forge_server
from support.git_world import git, isolate
from support.gitops_repo import TAG, GitopsRepo, make

from promote.errors import Fault
from promote.gitops.forge import gitea
from promote.gitops.forge.address import address, token
from promote.gitops.forge.api import Api, Rejected
from promote.gitops.forge.connect import connected
from promote.gitops.forge.forge import Forge, Offer, PullRequest

BRANCH = "promote/prod/shop/aaaaaaaaaaaa"


@pytest.fixture
def repo(tmp_path, monkeypatch) -> GitopsRepo:
    isolate(monkeypatch, tmp_path)
    monkeypatch.setenv("GITEA_TOKEN", TOKEN)
    return make(tmp_path, git={"branch": "main", "forge": "gitea"})


@pytest.fixture
def host(repo) -> Iterator[ForgeServer]:
    with forge_server(repo.bare, "gitea") as running:
        git(repo.root, "remote", "set-url", "origin", running.url)
        yield running


@pytest.fixture
def forge(host) -> Iterator[Forge]:
    with connected(host.url, "gitea", os.environ) as found:
        yield found


@pytest.fixture
def request_of_ours(repo, forge) -> PullRequest:
    git(repo.bare, "branch", BRANCH, "main")
    return forge.create(Offer(BRANCH, "main", "title", "body"))


@pytest.mark.parametrize("most", [1, 7, 50])
def test_a_server_that_gives_shorter_pages_is_asked_until_it_has_no_more(host, forge, most):
    host.settings.most = most
    for number in range(1, 16):
        host.requests.append(Hosted(number, "main", "main", "one of many", ""))
    host.labels = {f"label {number}": number for number in range(1, 16)}
    assert sorted(request.number for request in forge.open_requests("main")) == list(range(1, 16))
    forge.label(forge.open_requests("main")[0], ("label 15",))
    assert host.complaints == []


@pytest.mark.parametrize("style", ["merge", "rebase", "rebase-merge", "squash", "fast-forward-only"])
def test_it_merges_the_given_head_in_the_style_of_the_repository(repo, host, forge, request_of_ours, style):
    host.settings.repository["default_merge_style"] = style
    assert forge.merge_when_ready(request_of_ours, request_of_ours.head) is True
    assert [(r.state, r.auto_merge) for r in host.requests] == [("merged", request_of_ours.head)]
    assert host.complaints == []


@pytest.mark.parametrize("style", [None, 7, "", "manually-merged", "../../merge"])
def test_a_style_that_is_none_is_a_merge(host, forge, request_of_ours, style):
    sent = []
    host.settings.repository["default_merge_style"] = style
    host.before = lambda asked: sent.append(asked.body)
    with pytest.raises(Rejected):
        forge.merge_when_ready(request_of_ours, request_of_ours.head)
    assert [body["Do"] for body in sent if body] == ["merge"]


def test_another_head_is_not_merged(host, forge, request_of_ours):
    with pytest.raises(Rejected, match="head out of date") as raised:
        forge.merge_when_ready(request_of_ours, "0" * 40)
    assert (raised.value.status, [r.state for r in host.requests]) == (409, ["open"])


def test_what_still_waits_for_a_check_is_not_left_to_merge_with_another_head(host, forge, request_of_ours):
    host.settings.unready = "Not all required status checks successful"
    with pytest.raises(Rejected, match="status checks"):
        forge.merge_when_ready(request_of_ours, request_of_ours.head)
    assert [(r.state, r.auto_merge) for r in host.requests] == [("open", None)]
    assert len([line for line in host.seen if line.endswith("/merge")]) == 1


@pytest.mark.parametrize(("looks", "merged"), [(1, True), (4, True), (100, False)])
def test_while_it_looks_for_conflicts_it_is_asked_again_for_a_while(host, request_of_ours, looks, merged):
    host.settings.checking = looks
    pauses: list[float] = []
    where = address(host.url, "gitea", os.environ)
    client = gitea.api(where, token(where, os.environ))
    forge = gitea.Gitea(where, client, sleep=pauses.append)
    if merged:
        forge.merge_when_ready(request_of_ours, request_of_ours.head)
    else:
        with pytest.raises(Rejected, match="try again later"):
            forge.merge_when_ready(request_of_ours, request_of_ours.head)
    client.close()
    assert [r.state for r in host.requests] == ["merged" if merged else "open"]
    assert 1 <= len(pauses) <= 8
    assert sum(pauses) < 20


def test_a_promotion_that_waits_for_approval_is_merged_by_the_run_after_it(repo, host):
    repo.configure(git={"branch": "main", "forge": "gitea", "auto_merge": True})
    host.settings.unready = "Does not have enough approvals"
    waiting = repo.promote(TAG, "--pull-request")
    assert waiting.code == 0
    assert "Does not have enough approvals" in waiting.json["commit"]["note"]
    host.settings.unready = ""
    ran = repo.promote(TAG, "--pull-request")
    assert (ran.code, ran.json["commit"]["note"]) == (0, None)
    assert (ran.json["commit"]["id"], host.requests[0].auto_merge) == (git(repo.bare, "rev-parse", "main"),) * 2


@pytest.mark.parametrize(
    ("different", "said", "to_do"),
    [
        ({"archived": True}, "archived", "out of the archive"),
        ({"has_pull_requests": False}, "pull requests are turned off", "turn pull requests on"),
    ],
)
def test_a_repository_that_takes_no_request_is_known_before_anything_is_copied(repo, host, different, said, to_do):
    host.settings.repository.update(different)
    ran = repo.promote(TAG, "--pull-request")
    assert (ran.code, ran.json["error"]["code"], repo.tags()) == (3, "forge-rejected", {})
    assert said in ran.json["error"]["message"]
    assert to_do in ran.json["error"]["hint"]


def test_an_older_server_that_does_not_say_what_it_takes_is_tried(repo, host):
    host.settings.repository.update({"archived": None, "has_pull_requests": None})
    assert repo.promote(TAG, "--pull-request").code == 0


def test_the_words_of_a_token_without_a_scope_are_passed_on(repo, host):
    def refuse(asked):
        if asked.method == "POST":
            raise Problem(403, "token does not have at least one of required scope(s): [write:repository]")

    host.before = refuse
    ran = repo.promote(TAG, "--pull-request")
    assert (ran.code, ran.json["error"]["code"]) == (4, "forge-credentials")
    assert "write:repository" in ran.json["error"]["message"]


def test_a_token_without_the_scope_of_labels_and_comments_is_known_before_anything_is_copied(repo, host):
    def refuse(asked):
        if asked.path.endswith("/labels"):
            raise Problem(403, "token does not have at least one of required scope(s), required=[read:issue]")

    host.before = refuse
    ran = repo.promote(TAG, "--pull-request", "--dry-run")
    assert (ran.code, ran.json["error"]["code"]) == (4, "forge-credentials")
    ran = repo.promote(TAG, "--pull-request")
    assert (ran.code, repo.tags(), host.requests) == (4, {}, [])
    assert "read:issue" in ran.json["error"]["message"]


@pytest.mark.parametrize("answer", [[], "deploy", None, 7])
def test_a_repository_that_is_no_object_is_an_answer_that_cannot_be_used(forge, answer, monkeypatch):
    monkeypatch.setattr(Api, "get", lambda *_arguments: answer)
    with pytest.raises(Fault) as raised:
        forge.check()
    assert raised.value.code == "forge-answer"
