"""The branch of a superseded request: deleted where it holds one commit of promote that nobody touched, else left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from support.forge_server import Problem, commit_on
from support.forge_world import BRANCH, OLDER, OLDER_MESSAGE, TOKENS, World, forge_world
from support.git_world import git, isolate

from promote.gitops import request_branch
from promote.gitops.clone import clone
from promote.gitops.forge import proposing
from promote.gitops.forge.api import Rejected
from promote.gitops.forge.connect import connected
from promote.gitops.forge.forge import Offer, PullRequest
from promote.gitops.forge.proposing import Proposed
from promote.gitops.repository import Repository

KINDS = ("github", "gitlab", "gitea", "bitbucket")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    others = ("GH_TOKEN", "GITHUB_API_URL", "CI_SERVER_URL", "CI_JOB_TOKEN", "BITBUCKET_EMAIL")
    for name in (*TOKENS.values(), *others):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["github"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def world(kind, tmp_path, monkeypatch) -> Iterator[World]:
    with forge_world(tmp_path, kind, monkeypatch) as world:
        yield world


def propose(world: World, before: Callable[[PullRequest], None] = lambda _request: None) -> Proposed:
    """A new request, as a promotion makes it, that supersedes the older ones; `before` runs before each deletion."""
    git(world.host.bare, "branch", BRANCH, "main")
    offer = Offer(BRANCH, "main", "title", "body", ("promotion",))
    with (
        Repository.open(world.repo.root, branch="main", remote="origin") as repository,
        connected(world.host.url, world.host.kind, os.environ) as forge,
    ):
        tip = repository.fetch()

        def delete(old: PullRequest) -> str | None:
            before(old)
            return request_branch.delete(repository, old.branch, old.head, tip=tip)

        return proposing.propose(
            forge,
            offer,
            tip,
            lambda other: request_branch.takes_the_place(BRANCH, other),
            fresh=True,
            auto_merge=False,
            delete=delete,
        )


@pytest.mark.parametrize("kind", KINDS, indirect=True)
def test_the_branch_of_a_superseded_request_is_deleted_on_every_host(world, kind):
    older, other = world.older(), world.older("promote/prod/billing/bbbbbbbbbbbb")
    proposed = propose(world)
    assert (proposed.superseded, older.state, other.state) == ((older.number,), "closed", "open")
    assert sorted(world.branches()) == ["main", other.branch, BRANCH]
    assert proposed.note == ("git.labels was left out: Bitbucket has no labels" if kind == "bitbucket" else None)
    assert world.host.complaints == []


def test_it_is_deleted_only_after_its_request_was_closed(world):
    older, seen = world.older(), []
    propose(world, before=lambda _old: seen.append((older.state, OLDER in world.branches())))
    assert seen == [("closed", True)]


def test_a_request_that_could_not_be_closed_keeps_its_branch(world):
    world.older()

    def refuse(asked):
        if asked.method == "PATCH":
            raise Problem(422, "no")

    world.host.before = refuse
    with pytest.raises(Rejected):
        propose(world)
    assert OLDER in world.branches()


def test_a_commit_that_was_pushed_after_the_look_stays(world):
    world.older()
    theirs = []

    def push(_old):
        theirs.append(commit_on(world.host.bare, OLDER, world.tip(OLDER), "mine", {"note": b"x"}))

    proposed = propose(world, before=push)
    assert world.tip(OLDER) == theirs[0]
    assert "was left there: it is at" in proposed.note


@pytest.mark.parametrize(
    ("commits", "why"),
    [
        (["a fix of mine\n"], "is none of promote's"),
        ([OLDER_MESSAGE, "a fix of mine\n"], "is none of promote's"),
        (["a fix of mine\n", OLDER_MESSAGE], "more than one commit"),
        ([OLDER_MESSAGE, OLDER_MESSAGE], "more than one commit"),
    ],
)
def test_a_branch_with_work_of_others_stays(world, commits, why):
    world.older(message=commits[0])
    for number, message in enumerate(commits[1:]):
        commit_on(world.host.bare, OLDER, world.tip(OLDER), message, {f"more{number}": b"x"})
    proposed = propose(world)
    assert OLDER in world.branches()
    assert why in proposed.note
    assert world.host.requests[0].state == "closed"


def test_a_branch_that_merged_the_base_stays(world):
    world.older()
    tree = git(world.host.bare, "rev-parse", f"{OLDER}^{{tree}}")
    message = OLDER_MESSAGE.encode()
    merge = git(world.host.bare, "commit-tree", tree, "-p", OLDER, "-p", "main", "-F", "-", stdin=message)
    git(world.host.bare, "update-ref", f"refs/heads/{OLDER}", merge)
    assert "more than one commit" in propose(world).note
    assert world.tip(OLDER) == merge


def test_a_branch_that_is_gone_already_is_no_matter(world):
    world.older()
    assert propose(world, before=lambda _old: git(world.host.bare, "branch", "-D", OLDER)).note is None


def test_a_server_that_declines_deletions_is_told_and_is_no_failure(world):
    git(world.host.bare, "config", "receive.denyDeletes", "true")
    world.older()
    assert "deletion prohibited" in propose(world).note
    assert OLDER in world.branches()


def test_a_server_that_is_gone_is_told_and_is_no_failure(world):
    world.older()
    proposed = propose(
        world, before=lambda _old: git(world.repo.root, "remote", "set-url", "origin", "http://127.0.0.1:9/x")
    )
    assert f"branch {OLDER} was left there: " in proposed.note
    assert OLDER in world.branches()


@pytest.mark.parametrize(
    "branch",
    [
        "main",
        "promote/prod/shop",
        "promote/prod/shop/aaaa",
        "promote/prod/shop/aaaaaaaaaaaa/x",
        "promote/prod/a b/aaaaaaaaaaaa",
    ],
)
def test_no_other_branch_is_ever_deleted(world, branch):
    head = world.tip()
    git(world.host.bare, "branch", OLDER, "main")
    with Repository.open(world.repo.root, branch="main", remote="origin") as repository:
        assert "was left there" in request_branch.delete(repository, branch, head, tip=repository.fetch())
    assert sorted(world.branches()) == ["main", OLDER]


@pytest.mark.parametrize("head", ["", "0", "\x1b[31m" * 10])
def test_a_head_that_names_no_commit_deletes_nothing(world, head):
    world.older()
    with Repository.open(world.repo.root, branch="main", remote="origin") as repository:
        why = request_branch.delete(repository, OLDER, head, tip=repository.fetch())
    assert OLDER in world.branches()
    assert why.isprintable()


def test_the_branch_of_a_promotion_itself_can_be_deleted_so(world):
    assert world.promote().code == 0
    head = world.tip(BRANCH)
    with Repository.open(world.repo.root, branch="main", remote="origin") as repository:
        assert request_branch.delete(repository, BRANCH, head[:12], tip=repository.fetch()) is None
    assert world.branches() == ["main"]


def test_a_clone_for_one_run_is_enough_to_tell(world, tmp_path):
    older = world.older()
    head = world.host.head(older)
    for number in range(3):
        commit_on(world.host.bare, "main", world.tip(), f"more {number}", {f"more{number}": b"x"})
    (tmp_path / "clone").mkdir()
    with Repository.open(clone(world.host.url, tmp_path / "clone"), branch="main", remote="origin") as repository:
        assert request_branch.delete(repository, OLDER, head, tip=repository.fetch()) is None
    assert world.branches() == ["main"]
