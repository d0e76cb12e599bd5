"""Pull requests, pushes and refusals at a real Gitea: what it answers, and what promote makes of that."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness.gitea import BOT, DEVELOPER, PASSWORD, RIGHTS, Gitea, Hosted, gitea, until
from support.git_world import commit_file, executable, git, isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, Ran, make
from support.promote_process import Nursery

from promote.errors import Fault
from promote.gitops import request_branch
from promote.gitops.forge.api import Rejected
from promote.gitops.forge.connect import connected
from promote.gitops.repository import Repository

BRANCH = f"promote/prod/shop/{DIGEST.removeprefix('sha256:')[:12]}"
OLDER = "promote/prod/shop/aaaaaaaaaaaa"
OTHER = "promote/prod/billing/bbbbbbbbbbbb"


@dataclass
class World:
    """A GitOps repository whose remote is a repository on Gitea, which the bot writes."""

    repo: GitopsRepo
    hosted: Hosted
    monkeypatch: pytest.MonkeyPatch

    def promote(self, *arguments: str) -> Ran:
        return self.repo.promote(TAG, "--pull-request", *arguments)

    def tip(self, branch: str = "main") -> str:
        return git(self.hosted.bare, "rev-parse", f"refs/heads/{branch}")

    def branches(self) -> list[str]:
        return git(self.hosted.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()

    def one(self) -> Any:
        """The only open request."""
        (request,) = self.hosted.requests()
        return request

    def commit_on(self, start: str, path: str, message: str) -> str:
        """A commit upon the branch `start` of the server, in a clone of somebody's."""
        theirs = self.repo.home / "theirs"
        if not theirs.exists():
            git(self.repo.home, "init", "-q", str(theirs))
        git(theirs, "fetch", "-q", str(self.hosted.bare), start)
        git(theirs, "checkout", "-q", "--detach", "FETCH_HEAD")
        return commit_file(theirs, path, message.encode(), message)

    def push_as(self, user: str, commits: Mapping[str, str], *, to: Hosted | None = None) -> None:
        """Let somebody push commits, by the branch of each."""
        url = (to or self.hosted).url.replace("://", f"://{user}:{PASSWORD}@")
        where = [f"{commit}:refs/heads/{branch}" for branch, commit in commits.items()]
        git(self.repo.home / "theirs", "push", "-q", url, *where)

    def moved(self, branch: str) -> str:
        """A commit of a person upon `branch`, pushed there."""
        commit = self.commit_on(branch, "mine", "one more")
        self.push_as(DEVELOPER, {branch: commit})
        return commit

    def older(self, *branches: str) -> list[int]:
        """The numbers of new requests of the bot, each of one commit of promote about another release."""
        message = "promote(prod): shop another\n\nPromote-Id: 00000000-0000-4000-8000-000000000000\n"
        self.push_as(BOT, {branch: self.commit_on("main", f"other/{branch}", message) for branch in branches})
        asked = [{"head": branch, "base": "main", "title": f"an older one of {branch}"} for branch in branches]
        return [int(self.hosted.call("POST", "/pulls", body, who=BOT)["number"]) for body in asked]

    def passed(self, commit: str) -> None:
        """Let the check that main requires pass at `commit`."""
        self.hosted.call("POST", f"/statuses/{commit}", {"context": "ci", "state": "success"}, who=DEVELOPER)


@pytest.fixture(scope="module")
def host(tools: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    with gitea(tools, tmp_path_factory.mktemp("gitea")) as running:
        yield running


@pytest.fixture
def apps() -> tuple[str, ...]:
    return ("shop",)


@pytest.fixture
def world(host: Gitea, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apps: tuple[str, ...]) -> World:
    isolate(monkeypatch, tmp_path)
    for name in ("FORGEJO_TOKEN", "GITHUB_SERVER_URL", "CI_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITEA_TOKEN", host.token(BOT, *RIGHTS))
    answers = f'test "$1" = get && echo username={BOT} && echo "password=$GITEA_TOKEN"'
    helper = executable(tmp_path / "own" / "helper", answers)
    (tmp_path / "own" / "gitconfig").write_text(f"[credential]\n\thelper = {helper}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "own" / "gitconfig"))
    repo = make(tmp_path, apps=apps, git={"branch": "main", "forge": "gitea"})
    for name, environment in repo.config["environments"].items():
        environment["registry"] = f"oci:{tmp_path}/registries/{name}"
    hosted = host.repository("deploy")
    git(repo.root, "remote", "set-url", "origin", hosted.url)
    repo.bare = hosted.bare
    repo.configure()
    hosted.settle()
    return World(repo, hosted, monkeypatch)


# -- the request


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
    assert len(git(world.hosted.bare, "rev-list", "--parents", "-1", "main").split()) == 2


def test_the_head_that_was_approved_is_merged_by_the_next_run(world):
    automatic(world, required_approvals=1, dismiss_stale_approvals=True)
    waiting = world.promote()
    assert waiting.code == 0, waiting.out
    assert "approvals" in waiting.json["commit"]["note"]
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


# -- refusals


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
