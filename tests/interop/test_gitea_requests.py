"""Pull requests at a real Gitea: made, kept, renewed, superseded and merged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from harness.gitea import BOT, DEVELOPER, Gitea, Hosted, gitea, until
from harness.gitea_world import BRANCH, World, gitea_world
from support.git_world import git
from support.gitops_repo import DIGEST, TAG

from promote.gitops import request_branch
from promote.gitops.forge.api import Rejected
from promote.gitops.forge.connect import connected
from promote.gitops.repository import Repository

OLDER = "promote/prod/shop/aaaaaaaaaaaa"
OTHER = "promote/prod/billing/bbbbbbbbbbbb"


@pytest.fixture(scope="module")
def host(tools: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    with gitea(tools, tmp_path_factory.mktemp("gitea")) as running:
        yield running


@pytest.fixture
def apps() -> tuple[str, ...]:
    return ("shop",)


@pytest.fixture
def world(host: Gitea, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apps: tuple[str, ...]) -> World:
    return gitea_world(host, tmp_path, monkeypatch, apps)


def test_a_promotion_opens_one_request_of_the_bot_and_leaves_main_alone(world):
    before = world.tip()
    ran = world.promote()
    assert ran.code == 0, ran.out
    request = world.one()
    assert ran.json["commit"]["pull_request"] == request["html_url"]
    assert (request["head"]["ref"], request["base"]["ref"], request["user"]["login"]) == (BRANCH, "main", BOT)
    assert request["head"]["sha"] == ran.json["commit"]["id"] == world.tip(BRANCH)
    assert request["title"] == git(world.hosted.bare, "log", "-1", "--format=%s", BRANCH)
    last = request["body"].rstrip("\n").rpartition("\n\n")[2]
    assert f"Promote-Image: acme/shop:{TAG}@{DIGEST}" in last.splitlines()
    assert world.tip() == before


def test_running_again_changes_nothing(world):
    world.repo.configure(git={"branch": "main", "forge": "gitea", "labels": ["promotion"]})
    first = world.promote()
    before = world.one()
    again = world.promote()
    assert (first.code, again.code) == (0, 0), again.out
    assert again.json["commit"] == first.json["commit"]
    after = world.one()
    same = ("number", "title", "body", "updated_at", "labels", "comments")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert after["head"]["sha"] == before["head"]["sha"]
    assert [label["name"] for label in after["labels"]] == ["promotion"]


def test_a_head_whose_file_changed_below_it_is_renewed_in_the_same_request(world):
    assert world.promote().code == 0
    before = world.one()
    world.repo.set_overlay("prod", world.repo.overlay().replace(b"# prod", b"# production"))
    ran = world.promote("--reason", "once more")
    assert ran.code == 0, ran.out
    after = world.one()
    assert after["number"] == before["number"]
    assert after["head"]["sha"] == world.tip(BRANCH) == ran.json["commit"]["id"] != before["head"]["sha"]
    assert "once more" in after["body"]


def test_older_requests_of_the_app_are_closed_with_a_word_beyond_the_first_page_too(world):
    *older, other = world.older(*(f"promote/prod/shop/{digit * 12}" for digit in "abcdef0"), OTHER)
    ran = world.promote()
    assert ran.code == 0, ran.out
    mine = ran.json["commit"]["pull_request"]
    assert [request["number"] for request in world.hosted.requests()] == [other, int(mine.rpartition("/")[2])]
    for number in older:
        (comment,) = world.hosted.call("GET", f"/issues/{number}/comments")
        assert mine in comment["body"]
        assert f"#{number}" in ran.json["commit"]["note"]
    assert world.branches() == ["main", OTHER, BRANCH]


def test_a_request_from_a_fork_with_the_same_branch_is_not_taken_for_ours(world):
    fork = f"fork-of-{world.hosted.name}"
    world.hosted.call("POST", "/forks", {"name": fork}, who=DEVELOPER)
    theirs = Hosted(world.hosted.server, DEVELOPER, fork)
    commits = {BRANCH: world.commit_on("main", "mine", "theirs"), OLDER: world.commit_on("main", "other", "older")}
    world.push_as(DEVELOPER, commits, to=theirs)
    for branch in commits:
        asked = {"head": f"{DEVELOPER}:{branch}", "base": "main", "title": "mine"}
        world.hosted.call("POST", "/pulls", asked, who=DEVELOPER)
    ran = world.promote()
    assert (ran.code, ran.json["commit"].get("note")) == (0, None), ran.out
    assert [(r["number"], r["user"]["login"]) for r in world.hosted.requests()] == [
        (1, DEVELOPER),
        (2, DEVELOPER),
        (3, BOT),
    ]


@pytest.mark.parametrize("guarded", [False, True])
def test_the_branch_of_a_closed_request_goes_where_the_server_lets_it_and_the_request_stays(world, guarded):
    (number,) = world.older(OLDER)
    if guarded:
        world.hosted.protect(rule_name="promote/**")
    with (
        connected(world.hosted.url, "gitea", os.environ) as forge,
        Repository.open(world.repo.root, branch="main", remote="origin") as repository,
    ):
        (request,) = forge.open_requests("main")
        forge.close(request, "closed")
        why = request_branch.delete(repository, OLDER, request.head, tip=repository.fetch())
    assert world.branches() == (["main", OLDER] if guarded else ["main"])
    assert (why is None) is not guarded, why
    after = world.hosted.call("GET", f"/pulls/{number}")
    assert (after["state"], after["head"]["sha"]) == ("closed", request.head)


def test_a_request_is_found_again_among_more_than_a_page_of_others(world):
    assert world.promote().code == 0
    first = world.one()
    world.older(*(f"promote/prod/billing/{digit * 12}" for digit in "abcdef0"))
    world.repo.set_overlay("prod", world.repo.overlay().replace(b"# prod", b"# production"))
    ran = world.promote()
    assert ran.code == 0, ran.out
    assert ran.json["commit"]["pull_request"] == first["html_url"]


def test_labels_are_found_beyond_the_first_page_and_made_where_there_are_none(world):
    for number in range(7):
        world.hosted.call("POST", "/labels", {"name": f"label {number}", "color": "#00ff00"})
    world.repo.configure(git={"branch": "main", "forge": "gitea", "labels": ["label 6", "to prod"]})
    ran = world.promote()
    assert ran.code == 0, ran.out
    assert {label["name"] for label in world.one()["labels"]} == {"label 6", "to prod"}
    assert sum(len(world.hosted.call("GET", f"/labels?page={page}")) for page in (1, 2)) == 8


# -- merging


@pytest.mark.parametrize("style", ["merge", "rebase", "rebase-merge", "squash", "fast-forward-only"])
def test_a_request_that_is_merged_by_hand_is_promoted_in_every_style(world, style):
    assert world.promote().code == 0
    merge(world, style)
    ran = world.promote()
    assert (ran.code, ran.json["commit"], ran.json["releases"][0]["changed"]) == (0, None, False)
    assert DIGEST.encode() in world.repo.overlay()


def merge(world: World, style: str) -> None:
    """Merge the only request, as a person with a button does."""
    request = world.hosted.mergeable(world.one()["number"])
    wanted = {"Do": style, "head_commit_id": request["head"]["sha"]}
    world.hosted.call("POST", f"/pulls/{request['number']}/merge", wanted, who=DEVELOPER)


def automatic(world: World, **rules: Any) -> None:
    """Let promote ask for merging, and main be guarded."""
    world.repo.configure(git={"branch": "main", "forge": "gitea", "auto_merge": True})
    if rules:
        world.hosted.protect(**rules)


def is_merged(world: World, number: int) -> bool:
    return bool(world.hosted.call("GET", f"/pulls/{number}")["merged"])


def test_what_may_be_merged_at_once_is_merged_as_it_was_pushed(world):
    automatic(world)
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["note"]) == (0, None), ran.out
    assert is_merged(world, 1)
    assert (ran.json["commit"]["branch"], ran.json["commit"]["base"]) == ("main", None)
    assert git(world.hosted.bare, "rev-parse", "main^2") == ran.json["commit"]["id"]
    assert world.promote().json["releases"][0]["changed"] is False


@pytest.mark.parametrize("style", ["rebase", "squash", "fast-forward-only"])
def test_it_is_merged_in_the_style_that_the_repository_asks_for(world, style):
    switches = {"merge": "allow_merge_commits", "rebase": "allow_rebase", "squash": "allow_squash_merge"}
    switches["fast-forward-only"] = "allow_fast_forward_only_merge"
    only = {switch: name == style for name, switch in switches.items()}
    world.hosted.call("PATCH", "", {"has_pull_requests": True, "default_merge_style": style, **only})
    automatic(world)
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["note"]) == (0, None), ran.out
    assert is_merged(world, 1)
    assert git(world.hosted.bare, "rev-list", "--parents", "-1", "main").split()[:-1] == [ran.json["commit"]["id"]]


def test_the_head_that_was_approved_is_merged_by_the_next_run(world):
    automatic(world, required_approvals=1, dismiss_stale_approvals=True)
    waiting = world.promote()
    assert waiting.code == 0, waiting.out
    assert "approvals" in waiting.json["commit"]["note"]
    assert waiting.json["commit"]["base"] == "main"
    world.hosted.approve(1, waiting.json["commit"]["id"])
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["note"]) == (0, None), ran.out
    assert is_merged(world, 1)
    assert git(world.hosted.bare, "rev-parse", "main^2") == waiting.json["commit"]["id"]


def test_an_approval_of_the_head_before_does_not_count_for_a_renewed_one(world):
    automatic(world, enable_push=True, required_approvals=1, dismiss_stale_approvals=True)
    first = world.promote().json["commit"]["id"]
    world.hosted.approve(1, first)
    world.repo.set_overlay("prod", world.repo.overlay().replace(b"# prod", b"# production"))
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["id"] != first) == (0, True), ran.out
    assert "approvals" in ran.json["commit"]["note"]
    assert not is_merged(world, 1)


def test_another_head_than_the_one_that_was_asked_for_is_not_merged(world):
    assert world.promote().code == 0
    world.hosted.mergeable(1)
    moved = world.moved(BRANCH)
    with connected(world.hosted.url, "gitea", os.environ) as forge:
        request = forge.read(1)
        with pytest.raises(Rejected, match="head out of date") as raised:
            forge.merge_when_ready(request, git(world.hosted.bare, "rev-parse", f"{BRANCH}^"))
    assert (request.head, raised.value.status) == (moved, 409)
    assert not is_merged(world, 1)


def test_a_head_that_somebody_pushes_later_is_never_merged_with_the_rights_of_the_bot(world):
    automatic(world, enable_status_check=True, status_check_contexts=["ci"])
    ran = world.promote()
    assert ran.code == 0, ran.out
    assert "status checks" in ran.json["commit"]["note"]
    before = world.tip()
    moved = world.moved(BRANCH)
    world.passed(moved)
    again = world.promote()
    assert (again.code, again.json["error"]["code"]) == (10, "pull-request-branch-edited"), again.out
    assert (world.tip(), is_merged(world, 1)) == (before, False)


def test_gitea_itself_would_merge_such_a_head(world):
    """Why promote does not ask it to merge later: of such a merge it forgets the head that was named."""
    world.hosted.protect(enable_status_check=True, status_check_contexts=["ci"])
    ran = world.promote()
    world.hosted.mergeable(1)
    wanted = {"Do": "merge", "head_commit_id": ran.json["commit"]["id"], "merge_when_checks_succeed": True}
    world.hosted.call("POST", "/pulls/1/merge", wanted, who=BOT)
    moved = world.moved(BRANCH)
    world.hosted.mergeable(1)
    world.passed(moved)
    until(lambda: is_merged(world, 1))
    assert git(world.hosted.bare, "rev-parse", "main^2") == moved
