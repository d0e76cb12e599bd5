"""`auto_merge` against each host: the head that was pushed is merged or none, and a run says what became of it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from promote_action import outputs
from support.forge_server import Problem, commit_on
from support.forge_world import BRANCH, TOKENS, World, forge_world
from support.git_world import git, isolate
from support.gitops_repo import DIGEST, TAG

from promote.errors import Fault
from promote.gitops import merged
from promote.gitops.backoff import Backoff
from promote.gitops.forge import github
from promote.gitops.forge.address import address, token
from promote.gitops.forge.api import Api, Rejected
from promote.gitops.forge.connect import connected
from promote.gitops.repository import Repository

KINDS = ("github", "gitlab", "gitea")
METHODS = {"merge": "allow_merge_commit", "rebase": "allow_rebase_merge", "squash": "allow_squash_merge"}
AT_ONCE = Backoff(sleep=lambda _seconds: None)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in (*TOKENS.values(), "GH_TOKEN", "GITHUB_API_URL", "CI_SERVER_URL", "CI_JOB_TOKEN", "BITBUCKET_EMAIL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["github"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def world(kind, tmp_path, monkeypatch) -> Iterator[World]:
    with forge_world(tmp_path, kind, monkeypatch, auto_merge=True, labels=["promotion"]) as world:
        yield world


every = pytest.mark.parametrize("kind", KINDS, indirect=True)
only_gitlab = pytest.mark.parametrize("kind", ["gitlab"], indirect=True)
now_or_never = pytest.mark.parametrize("kind", ["github", "gitea"], indirect=True)


def merges(world: World) -> int:
    """How often the host was asked to merge."""
    return len([line for line in world.host.seen if line.endswith("/merge")])


@every
def test_what_was_merged_at_once_is_promoted_and_no_longer_waits(world):
    ran = world.promote()
    (request,) = world.host.requests
    commit = ran.json["commit"]
    assert (ran.code, request.state, request.labels) == (0, "merged", ["promotion"])
    assert request.auto_merge == commit["id"] == world.tip(BRANCH)
    assert (commit["branch"], commit["base"], commit["note"], commit["pushed"]) == ("main", None, None, True)
    assert commit["pull_request"].endswith("/1")
    assert outputs.of(ran.json, 0)["promoted"] == "true"
    assert world.promote().json["commit"] is None
    assert world.host.complaints == []


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_person_reads_that_it_is_merged_and_where(world, form):
    ran = world.repo.run("staging->prod", TAG, "--pull-request", "--quiet", "--format", form)
    assert ran.code == 0
    told = " ".join(ran.out.split())
    assert "Promoted" in told
    assert "merged and read back" in told
    assert f"{world.host.origin}/acme/deploy/pull/1" in told
    assert "whatever applies" in told
    assert "waiting" not in told


@only_gitlab
def test_gitlab_merges_it_later_where_a_pipeline_runs_and_the_run_says_that_it_waits(world):
    world.host.settings.unready = "a pipeline runs"
    ran = world.promote()
    (request,) = world.host.requests
    assert (ran.code, ran.json["commit"]["base"], ran.json["commit"]["note"]) == (0, "main", None)
    assert (request.state, request.auto_merge) == ("open", world.tip(BRANCH))
    assert outputs.of(ran.json, 0)["promoted"] == "false"


@now_or_never
def test_what_still_waits_for_an_approval_is_merged_by_the_next_run(world):
    world.host.settings.unready = "At least 1 approving review is required by reviewers with write access."
    waiting = world.promote()
    assert (waiting.code, waiting.json["commit"]["base"]) == (0, "main")
    assert "At least 1 approving review" in waiting.json["commit"]["note"]
    assert "the same command tries again" in waiting.json["commit"]["note"]
    assert [(r.state, r.auto_merge) for r in world.host.requests] == [("open", None)]
    world.host.settings.unready = ""
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["base"], ran.json["commit"]["id"]) == (0, None, waiting.json["commit"]["id"])
    assert [(r.state, r.auto_merge) for r in world.host.requests] == [("merged", waiting.json["commit"]["id"])]


@every
def test_a_head_that_somebody_pushed_meanwhile_is_not_merged(world):
    before, theirs = world.tip(), []

    def push(asked):
        if asked.path.endswith("/merge") and not theirs:
            theirs.append(commit_on(world.host.bare, BRANCH, world.tip(BRANCH), "mine", {"note": b"x"}))

    world.host.before = push
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["base"], world.tip()) == (0, "main", before)
    assert "status 409" in ran.json["commit"]["note"]
    assert (world.host.requests[0].state, world.tip(BRANCH)) == ("open", theirs[0])
    again = world.promote()
    assert (again.code, again.json["error"]["code"], world.tip()) == (10, "pull-request-branch-edited", before)


@pytest.mark.exhaustive
@every
def test_merging_that_the_host_will_not_do_is_told_and_is_no_failure(world):
    def refuse(asked):
        if asked.path.endswith("/merge"):
            raise Problem(403, "You're not authorized to merge")

    world.host.before = refuse
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["base"]) == (0, "main")
    assert "it was not merged: " in ran.json["commit"]["note"]
    assert "not authorized to merge" in ran.json["commit"]["note"]
    assert merges(world) == 1


@pytest.mark.parametrize("kind", ["bitbucket"], indirect=True)
def test_bitbucket_cannot_be_asked_and_nothing_is_copied(world):
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"], world.repo.tags()) == (2, "auto-merge-unsupported", {})


@pytest.mark.parametrize("method", METHODS)
def test_github_merges_by_the_method_that_the_repository_allows(world, method):
    world.host.settings.repository = {setting: name == method for name, setting in METHODS.items()}
    before = world.tip()
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["note"], merges(world)) == (0, None, 1)
    parents = git(world.host.bare, "log", "-1", "--format=%P", "main").split()
    assert parents == ([before, world.tip(BRANCH)] if method == "merge" else [before])
    assert ran.json["commit"]["id"] == (world.tip(BRANCH) if method == "merge" else world.tip())
    assert DIGEST.encode() in world.repo.overlay()


@pytest.mark.exhaustive
@pytest.mark.parametrize("told", [{}, dict.fromkeys(METHODS.values(), "yes")])
def test_each_method_is_tried_where_rules_exclude_one_or_the_settings_are_not_told(world, told):
    world.host.settings.repository, world.host.settings.excluded = told, ("merge", "rebase")
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["base"], merges(world)) == (0, None, 3)


def test_where_no_method_is_left_the_first_reason_is_told(world):
    world.host.settings.excluded = tuple(METHODS)
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["base"], merges(world)) == (0, "main", 3)
    assert "merge is not allowed" in ran.json["commit"]["note"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("looks", "done"), [(1, True), (4, True), (100, False)])
def test_while_github_looks_for_conflicts_it_is_given_time(world, looks, done):
    world.repo.configure(git={"branch": "main", "forge": "github"})
    assert world.promote().code == 0
    world.host.settings.checking = looks
    world.host.settings.repository = {"allow_squash_merge": True}
    pauses: list[float] = []
    where = address(world.host.url, "github", os.environ)
    client = github.api(where, token(where, os.environ))
    forge = github.GitHub(where, client, sleep=pauses.append)
    (request,) = forge.open_requests("main")
    if done:
        assert forge.merge_when_ready(request, request.head) is True
    else:
        with pytest.raises(Rejected, match="not mergeable"):
            forge.merge_when_ready(request, request.head)
    client.close()
    assert [r.state for r in world.host.requests] == ["merged" if done else "open"]
    assert (len(pauses), merges(world)) == ((looks, 1) if done else (6, 1))
    assert sum(pauses) < 20


def test_github_is_asked_once_more_where_it_began_to_look_again_meanwhile(world):
    def look_again(asked):
        if asked.path.endswith("/merge") and merges(world) == 1:
            world.host.settings.checking = 2

    world.host.before = look_again
    with connected(world.host.url, "github", os.environ) as forge:
        forge._sleep = lambda _seconds: None
        git(world.host.bare, "branch", BRANCH, "main")
        commit_on(world.host.bare, BRANCH, world.tip(), "ours", {"ours": b"x"})
        world.host.add(BRANCH, "main", "ours", "")
        (request,) = forge.open_requests("main")
        assert forge.merge_when_ready(request, request.head) is True
    assert merges(world) == 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("answer", [[], "deploy", None, 7])
def test_settings_that_are_no_object_are_an_answer_that_cannot_be_used(world, answer, monkeypatch):
    assert world.promote().code == 0
    monkeypatch.setattr(Api, "get", lambda *_arguments: answer)
    with connected(world.host.url, "github", os.environ) as forge, pytest.raises(Fault) as raised:
        forge.merge_when_ready(None, "0" * 40)
    assert raised.value.code == "forge-answer"


@only_gitlab
def test_what_the_host_calls_merged_and_the_branch_does_not_have_is_not_called_promoted(world, monkeypatch):
    before = world.tip()
    monkeypatch.setattr(type(world.host), "merge", lambda _self, request, _method: setattr(request, "state", "merged"))
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"], world.tip()) == (3, "push-unconfirmed", before)


def test_the_commit_is_found_below_others_that_came_after_it(world):
    world.host.settings.repository = {"allow_squash_merge": True}
    ran = world.promote()
    squashed = world.tip()
    commit_on(world.host.bare, "main", squashed, "another matter", {"note": b"x"})
    with Repository.open(world.repo.root, branch="main", remote="origin") as repository:
        with Repository.open(world.repo.root, branch=BRANCH, remote="origin") as own:
            head = own.fetch()
        assert merged.carrier(repository, head, AT_ONCE) == squashed == ran.json["commit"]["id"]
        overlay = "overlays/shop/prod/kustomization.yaml"
        commit_on(world.host.bare, "main", world.tip(), "changed once more", {overlay: b"resources: []\n"})
        with pytest.raises(Fault) as raised:
            merged.carrier(repository, head, AT_ONCE)
    assert raised.value.code == "push-unconfirmed"
