"""Pushes to a real Gitea and what it refuses: its words, the code, and that nothing was copied."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from harness.gitea import BOT, DEVELOPER, RIGHTS, Gitea, gitea
from harness.gitea_world import BRANCH, World, gitea_world
from support.git_world import executable, git
from support.gitops_repo import DIGEST, TAG
from support.promote_process import Nursery

from promote.errors import Fault
from promote.gitops.forge.connect import connected


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


def test_a_token_that_is_none_is_exit_4_before_anything_is_copied_and_is_not_told(world):
    world.monkeypatch.setenv("GITEA_TOKEN", "0" * 40)
    ran = world.promote()
    assert (ran.code, world.repo.tags(), world.hosted.requests()) == (4, {}, []), ran.out
    assert "0" * 40 not in ran.out + ran.err


@pytest.mark.parametrize("delivery", ["push", "pull-request"])
@pytest.mark.parametrize("scope", ["read:repository", "write:issue", "read:user"])
def test_a_token_that_may_not_write_repositories_is_exit_4_before_anything_is_copied(world, host, scope, delivery):
    world.monkeypatch.setenv("GITEA_TOKEN", host.token(BOT, scope))
    ran = world.repo.promote(TAG, *(["--pull-request"] if delivery == "pull-request" else []))
    assert (ran.code, ran.json["error"]["code"]) == (4, "git-credentials"), ran.out
    assert (world.repo.tags(), world.branches()) == ({}, ["main"])


@pytest.mark.parametrize(("scope", "missing"), [("read:issue", "repository"), ("write:repository", "issue")])
def test_a_token_without_a_scope_of_the_api_is_exit_4_before_anything_is_copied(world, host, scope, missing):
    world.repo.configure(git={"branch": "main", "forge": "gitea", "labels": ["promotion"]})
    git_alone(world, host)
    world.monkeypatch.setenv("GITEA_TOKEN", host.token(BOT, scope))
    ran = world.promote("--dry-run")
    assert (ran.code, ran.json["error"]["code"]) == (4, "forge-credentials"), ran.out
    assert f"{missing}]" in ran.json["error"]["message"]
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (4, "forge-credentials")
    assert (world.repo.tags(), world.branches()) == ({}, ["main"])


def test_a_token_that_may_only_read_requests_is_exit_4_and_the_next_run_with_another_finishes(world, host):
    git_alone(world, host)
    world.monkeypatch.setenv("GITEA_TOKEN", host.token(BOT, "read:repository", "read:issue"))
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (4, "forge-credentials"), ran.out
    assert "write:repository" in ran.json["error"]["message"]
    head = world.tip(BRANCH)
    world.monkeypatch.setenv("GITEA_TOKEN", host.token(BOT, *RIGHTS))
    assert world.promote().code == 0
    assert world.one()["head"]["sha"] == head == world.tip(BRANCH)


def git_alone(world: World, host: Gitea) -> None:
    """Let git push with a token of its own."""
    world.monkeypatch.setenv("GIT_TOKEN", host.token(BOT, "write:repository"))
    helper = world.repo.home / "own" / "helper"
    helper.write_text(helper.read_text().replace("$GITEA_TOKEN", "$GIT_TOKEN"))


def test_a_repository_that_is_not_there_is_told_by_its_server(world):
    git(world.repo.root, "remote", "set-url", "origin", world.hosted.url.replace("deploy-", "nothing-"))
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"], world.repo.tags()) == (3, "git-transport", {}), ran.out
    assert "not found" in ran.json["error"]["message"]


def test_a_repository_that_was_renamed_is_told_and_the_token_goes_nowhere_else(world):
    world.hosted.call("PATCH", "", {"name": f"renamed-{world.hosted.name}"})
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"], world.repo.tags()) == (3, "forge-answer", {}), ran.out
    assert "was the repo moved?" in ran.json["error"]["message"]


def test_a_repository_that_the_token_does_not_see_is_exit_4(world, host):
    git_alone(world, host)
    other = host.token(DEVELOPER, *RIGHTS)
    world.hosted.call("DELETE", f"/collaborators/{DEVELOPER}")
    world.monkeypatch.setenv("GITEA_TOKEN", other)
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"], world.repo.tags()) == (4, "forge-credentials", {}), ran.out
    assert "404" in ran.json["error"]["message"]


@pytest.mark.parametrize("arguments", [[], ["--pull-request"]])
def test_an_archived_repository_takes_nothing_and_nothing_is_copied(world, arguments):
    world.hosted.call("PATCH", "", {"archived": True})
    ran = world.repo.promote(TAG, *arguments)
    assert (ran.code, ran.json["error"]["code"], world.repo.tags()) == (4, "git-credentials", {}), ran.out
    assert "archived" in ran.json["error"]["message"]
    with connected(world.hosted.url, "gitea", os.environ) as forge, pytest.raises(Fault, match="archived"):
        forge.check()


def test_a_repository_without_pull_requests_is_told_before_anything_is_copied(world):
    world.hosted.call("PATCH", "", {"has_pull_requests": False})
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"], world.repo.tags()) == (3, "forge-rejected", {}), ran.out
    assert "pull requests are turned off" in ran.json["error"]["message"]
    assert world.repo.promote(TAG).code == 0


def test_a_protected_branch_declines_the_push_and_takes_the_request(world):
    world.hosted.protect()
    before = world.tip()
    ran = world.repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (10, "push-declined"), ran.out
    assert "Not allowed to push to protected branch main" in ran.json["error"]["message"]
    assert "rules that protect main" in ran.json["error"]["hint"]
    assert ran.json["error"]["hint"].endswith("or use --pull-request")
    assert "remote:;" not in ran.json["error"]["message"]
    assert "error:;" not in ran.json["error"]["message"]
    assert world.promote().code == 0
    assert (world.one()["head"]["sha"], world.tip()) == (world.tip(BRANCH), before)


@pytest.mark.parametrize("arguments", [[], ["--pull-request"]])
def test_a_hook_that_declines_is_passed_on_with_its_words(world, arguments):
    executable(world.hosted.bare / "hooks" / "pre-receive.d" / "ours", "echo 'no promotions on Fridays' >&2\nexit 1")
    ran = world.repo.promote(TAG, *arguments)
    assert (ran.code, ran.json["error"]["code"]) == (10, "push-declined"), ran.out
    assert "no promotions on Fridays" in ran.json["error"]["message"]
    assert (world.branches(), world.hosted.requests()) == (["main"], [])


def test_a_reader_may_begin_a_push_and_is_declined(world):
    """Gitea lets readers begin one, because they may offer a change so (AGit); what it says then is passed on."""
    world.hosted.call("PUT", f"/collaborators/{BOT}", {"permission": "read"})
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (10, "push-declined"), ran.out
    assert "permission denied for writing" in ran.json["error"]["message"]
    assert (world.branches(), world.hosted.requests()) == (["main"], [])


# -- pushes


@pytest.mark.parametrize("by", ["checkout", "url"])
def test_a_promotion_is_pushed(world, by):
    where = [] if by == "checkout" else ["--repo", world.hosted.url]
    ran = world.repo.promote(TAG, *where)
    assert (ran.code, ran.json["commit"]["pushed"]) == (0, True), ran.out
    assert ran.json["commit"]["id"] == world.tip()
    assert DIGEST.encode() in world.repo.overlay()
    again = world.repo.promote(TAG, *where)
    assert (again.code, again.json["commit"]) == (0, None)


def test_a_request_is_made_from_a_url(world):
    ran = world.promote("--repo", world.hosted.url)
    assert ran.code == 0, ran.out
    assert ran.json["commit"]["pull_request"] == world.one()["html_url"]


@pytest.mark.parametrize("apps", [("api", "auth", "billing", "mail", "search", "shop")])
def test_six_apps_that_are_pushed_at_once_all_land(world, apps):
    before = world.tip()
    clones = [world.repo.clone(f"clone-of-{app}") for app in apps]
    for clone in clones:
        git(clone.root, "remote", "set-url", "origin", world.hosted.url)
        git(clone.root, "config", "user.name", "Test")
        git(clone.root, "config", "user.email", "test@example.com")
    with Nursery() as nursery:
        words = ["--format", "json", "--quiet"]
        started = [
            nursery.start(clone.root, ["staging->prod", app, *words]) for clone, app in zip(clones, apps, strict=True)
        ]
        ended = [one.wait() for one in started]
    assert [one.code for one in ended] == [0] * len(apps), [one.out for one in ended if one.code]
    landed = git(world.hosted.bare, "rev-list", "--parents", f"{before}..main").splitlines()
    assert sorted(line.split()[0] for line in landed) == sorted(one.json["commit"]["id"] for one in ended)
    assert all(len(line.split()) == 2 for line in landed)
    assert all(DIGEST.encode() in world.repo.overlay(app=app) for app in apps)


def test_four_runs_of_one_promotion_make_one_request(world):
    with Nursery() as nursery:
        words = ["staging->prod", TAG, "--pull-request", "--format", "json", "--quiet"]
        clones = [world.repo.clone(f"clone-{number}") for number in range(4)]
        for clone in clones:
            git(clone.root, "remote", "set-url", "origin", world.hosted.url)
            git(clone.root, "config", "user.name", "Test")
            git(clone.root, "config", "user.email", "test@example.com")
        ended = [one.wait() for one in [nursery.start(clone.root, words) for clone in clones]]
    assert [one.code for one in ended] == [0] * 4, [one.out for one in ended if one.code]
    assert {one.json["commit"]["pull_request"] for one in ended} == {world.one()["html_url"]}
    assert {one.json["commit"]["id"] for one in ended} == {world.tip(BRANCH)}
    for closed in world.hosted.requests("closed"):
        (comment,) = world.hosted.call("GET", f"/issues/{closed['number']}/comments")
        assert world.one()["html_url"] in comment["body"]
