"""`--pull-request` against each host: one request a promotion, kept, renewed, superseding; the branch is left alone."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.forge_server import TOKEN, Hosted, Problem, forge_server
from support.forge_world import BRANCH, OLDER, TOKENS, World, forge_world
from support.git_world import commit_file, executable, git, isolate
from support.gitops_repo import DIGEST, TAG, make

from promote.gitops.forge import proposing
from promote.gitops.forge.connect import connected
from promote.gitops.forge.forge import Offer

KINDS = ("github", "gitlab", "gitea", "bitbucket")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    others = ("GH_TOKEN", "GITHUB_SERVER_URL", "GITHUB_API_URL", "CI_SERVER_URL", "CI_JOB_TOKEN", "BITBUCKET_EMAIL")
    for name in (*TOKENS.values(), *others):
        monkeypatch.delenv(name, raising=False)


few = pytest.mark.parametrize(
    "kind", [KINDS[0], *(pytest.param(kind, marks=pytest.mark.exhaustive) for kind in KINDS[1:])], indirect=True
)
"""Where the hosts differ little: one of them in `make test`, the others in `make interop`."""


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture
def world(kind, tmp_path, monkeypatch) -> Iterator[World]:
    with forge_world(tmp_path, kind, monkeypatch) as world:
        yield world


def test_a_promotion_opens_one_request_and_leaves_the_branch_alone(world):
    before = world.tip()
    ran = world.promote()
    assert ran.code == 0
    assert set(world.host.authorizations) <= world.host.accepted
    (request,) = world.host.open()
    commit = ran.json["commit"]
    assert (commit["branch"], commit["id"], commit["pushed"]) == (BRANCH, world.tip(BRANCH), True)
    assert commit["pull_request"].endswith(f"/{request.number}")
    assert (request.branch, request.base) == (BRANCH, "main")
    assert request.title == git(world.host.bare, "log", "-1", "--format=%s", BRANCH)
    assert world.tip() == before
    assert git(world.host.bare, "rev-parse", f"{BRANCH}^") == before
    assert world.host.complaints == []


@pytest.mark.parametrize("kind", ["bitbucket"], indirect=True)
def test_the_last_paragraph_of_the_body_is_the_trailers_and_the_rest_is_the_report(world):
    assert world.promote("--reason", "hello @acme, closes #12").code == 0
    (request,) = world.host.open()
    report, _, last = request.body.rstrip("\n").rpartition("\n\n")
    assert report.startswith("## promote:")
    assert "waiting for merge" in report
    assert last.splitlines()[0].startswith("Promote-Id: ")
    assert all(line.startswith("Promote-") for line in last.splitlines())
    assert f"Promote-Image: acme/shop:{TAG}@{DIGEST}" in last.splitlines()
    assert "Promote-Reason: `hello @acme, closes #12`" in last.splitlines()


@few
def test_running_again_changes_nothing(world):
    first = world.promote()
    state = (world.branches(), world.tip(BRANCH), world.host.open()[0].written)
    again = world.promote()
    assert again.json["commit"] == first.json["commit"]
    assert (world.branches(), world.tip(BRANCH), world.host.open()[0].written) == state
    assert len(world.host.requests) == 1


@pytest.mark.parametrize("kind", ["gitlab"], indirect=True)
def test_a_head_that_still_says_the_same_is_kept_when_the_base_went_on_elsewhere(world):
    assert world.promote().code == 0
    head = world.tip(BRANCH)
    git(world.repo.root, "pull", "-q", "origin", "main")
    world.repo.write("README", "another matter\n")
    world.repo.commit("another matter")
    assert world.promote().code == 0
    assert world.tip(BRANCH) == head


@pytest.mark.parametrize("kind", ["bitbucket"], indirect=True)
def test_a_head_whose_file_changed_below_it_is_renewed_in_the_same_request(world):
    assert world.promote().code == 0
    head = world.tip(BRANCH)
    overlay = world.repo.overlay().replace(b"# prod", b"# production")
    world.repo.set_overlay("prod", overlay)
    assert world.promote().code == 0
    (request,) = world.host.open()
    assert world.tip(BRANCH) != head
    assert git(world.host.bare, "rev-parse", f"{BRANCH}^") == world.tip()
    assert (request.number, request.written) == (1, 2)


@few
def test_older_requests_of_the_same_app_and_environment_are_closed_with_a_word(world):
    older, other = world.older(), world.older("promote/prod/billing/bbbbbbbbbbbb")
    foreign = world.older(fork=True)
    edited = world.older("promote/prod/shop/cccccccccccc", message="a fix of mine\n")
    ran = world.promote()
    assert ran.code == 0
    assert [r.state for r in (older, other, foreign, edited)] == ["closed", "open", "open", "closed"]
    (comment,) = older.comments
    assert ran.json["commit"]["pull_request"] in comment
    assert (other.comments, foreign.comments) == ([], [])
    assert "closed #1, #4, which this one supersedes" in ran.json["commit"]["note"]
    assert f"branch {edited.branch} was left there" in ran.json["commit"]["note"]
    assert OLDER not in world.branches()
    assert {other.branch, edited.branch, BRANCH} < set(world.branches())


@pytest.mark.parametrize("kind", ["github"], indirect=True)
def test_a_request_from_a_fork_with_the_same_branch_is_not_taken_for_ours(world):
    world.older(BRANCH, fork=True)
    assert world.promote().code == 0
    assert [(r.number, r.fork) for r in world.host.open()] == [(1, True), (2, False)]


@pytest.mark.parametrize("kind", ["github"], indirect=True)
def test_a_request_that_another_run_made_meanwhile_is_taken(world):
    def meanwhile(asked):
        if asked.method == "POST" and asked.path.endswith(("/pulls", "/merge_requests", "/pullrequests")):
            world.host.before = lambda _asked: None
            world.host.add(BRANCH, "main", "theirs", "theirs")

    world.host.before = meanwhile
    ran = world.promote()
    assert ran.code == 0
    assert len(world.host.requests) == 1
    assert ran.json["commit"]["pull_request"].endswith("/1")


@few
def test_of_two_requests_that_two_runs_made_at_once_the_first_is_kept(world):
    world.host.settings.twins = True
    ran = world.promote()
    assert (ran.code, [(r.number, r.state) for r in world.host.requests]) == (0, [(1, "open"), (2, "closed")])
    assert ran.json["commit"]["pull_request"].endswith("/1")
    assert ran.json["commit"]["pull_request"] in world.host.requests[1].comments[0]
    assert world.promote().json["commit"] == ran.json["commit"]


@few
def test_of_two_requests_that_are_there_every_run_takes_the_first(world):
    first = world.promote()
    (request,) = world.host.requests
    world.host.requests.insert(0, Hosted(2, request.branch, "main", request.title, "by hand"))
    again = world.promote()
    assert (again.code, again.json["commit"]["pull_request"]) == (0, first.json["commit"]["pull_request"])


@pytest.mark.parametrize("kind", ["gitea"], indirect=True)
def test_a_closed_request_is_not_opened_again_and_a_new_one_is_made(world):
    assert world.promote().code == 0
    world.host.requests[0].state = "closed"
    assert world.promote().code == 0
    assert [(r.number, r.branch) for r in world.host.open()] == [(2, BRANCH)]


@pytest.mark.parametrize("kind", ["gitlab"], indirect=True)
def test_what_was_merged_is_promoted_already(world):
    assert world.promote().code == 0
    world.host.merge(world.host.open()[0])
    ran = world.promote()
    assert (ran.code, ran.json["commit"], ran.json["releases"][0]["changed"]) == (0, None, False)
    assert len(world.host.requests) == 1
    assert DIGEST.encode() in world.repo.overlay()


@pytest.mark.parametrize("kind", ["github"], indirect=True)
def test_somebody_elses_commit_on_the_branch_is_not_thrown_away(world, tmp_path):
    assert world.promote().code == 0
    git(tmp_path, "clone", "-q", "-b", BRANCH, str(world.host.bare), "theirs")
    theirs = commit_file(tmp_path / "theirs", "note", b"x", "a fix of mine")
    git(tmp_path / "theirs", "push", "-q", "origin", BRANCH)
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (10, "pull-request-branch-edited")
    assert world.tip(BRANCH) == theirs


@pytest.mark.parametrize("kind", ["github"], indirect=True)
def test_a_server_that_declines_the_branch_of_the_request_is_told_with_what_helps(world):
    executable(world.host.bare / "hooks" / "pre-receive", "echo 'error:' >&2; echo 'not this name' >&2; exit 1")
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (10, "push-declined")
    assert ran.json["error"]["actual"].endswith("declined; remote: not this name")
    assert "branches below promote/" in ran.json["error"]["hint"]
    assert "git.branch" not in ran.json["error"]["hint"]


@pytest.mark.parametrize("kind", ["gitlab"], indirect=True)
def test_a_missing_token_is_exit_4_before_anything_is_copied(world, kind, monkeypatch):
    monkeypatch.delenv(TOKENS[kind])
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (4, "forge-token-missing")
    assert TOKENS[kind] in ran.json["error"]["hint"] or TOKENS[kind] in ran.json["error"]["expected"]
    assert (world.repo.tags(), world.host.seen) == ({}, [])


@few
def test_a_refused_token_is_exit_4_before_anything_is_copied_and_is_not_told(world, kind, monkeypatch):
    monkeypatch.setenv(TOKENS[kind], "wr0ng-s3cret")
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (4, "forge-credentials")
    assert (world.repo.tags(), world.host.requests) == ({}, [])
    assert "wr0ng-s3cret" not in ran.out + ran.err


@pytest.mark.parametrize("kind", ["github"], indirect=True)
def test_a_dry_run_asks_for_the_right_and_writes_nothing(world):
    ran = world.promote("--dry-run")
    assert ran.code == 0
    assert all(line.startswith("GET ") for line in world.host.seen)
    assert world.host.seen
    assert (world.host.requests, world.branches()) == ([], ["main"])


@pytest.mark.parametrize("kind", ["gitea"], indirect=True)
def test_a_run_that_ended_between_push_and_request_is_finished_by_the_next(world):
    def refuse(asked):
        if asked.method == "POST":
            raise Problem(503, "come back later")

    world.host.before = refuse
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (3, "forge-transport")
    head = world.tip(BRANCH)
    world.host.before = lambda _asked: None
    assert world.promote().code == 0
    assert (world.tip(BRANCH), len(world.host.open())) == (head, 1)


@pytest.mark.parametrize("kind", ["github"], indirect=True)
def test_a_redirect_is_not_followed(world):
    def moved(_asked):
        raise Problem(301, "moved")

    world.host.before = moved
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (3, "forge-answer")
    assert len(world.host.seen) == 1


@pytest.mark.exhaustive
@few
def test_more_open_requests_than_a_page_holds_are_all_looked_at(world, kind):
    for number in range(120):
        world.host.requests.append(Hosted(number + 1, "main", "main", "many", ""))
    world.older(fork=True)
    with connected(world.host.url, kind, os.environ) as forge:
        assert sorted(r.number for r in forge.open_requests("main")) == list(range(1, 121))
    # Gitea may give fewer than it was asked for, so that only an empty page is its last.
    assert len(world.host.seen) == {"github": 2, "gitlab": 2, "bitbucket": 3, "gitea": 4}[kind]


def test_labels_are_put_on_where_the_host_has_labels(world, kind):
    world.host.labels = {"bug": 1, "promotion": 2}
    git(world.host.bare, "branch", BRANCH, "main")
    offer = Offer(BRANCH, "main", "title", "body", ("promotion", "to prod"))
    with connected(world.host.url, kind, os.environ) as forge:
        for _ in range(2):
            done = proposing.propose(
                forge,
                offer,
                world.tip(BRANCH),
                lambda _: False,
                fresh=False,
                auto_merge=False,
                delete=lambda _: None,
            )
    assert done.note == ("git.labels was left out: Bitbucket has no labels" if kind == "bitbucket" else None)
    (request,) = world.host.requests
    assert request.labels == ([] if kind == "bitbucket" else ["promotion", "to prod"])
    assert world.host.complaints == []


@pytest.mark.parametrize("kind", ["gitea"], indirect=True)
def test_the_delivery_may_be_written_in_promote_yaml_and_the_text_says_what_is_waited_for(world, kind):
    world.repo.configure(git={"branch": "main", "forge": kind, "delivery": "pull-request"})
    ran = world.repo.run("staging->prod", TAG, "--quiet")
    assert ran.code == 0
    assert "waiting for merge into main" in " ".join(ran.out.split())
    assert f"/{'acme/deploy'}/pulls/1" in ran.out


@pytest.mark.parametrize("kind", ["github"], indirect=True)
def test_no_push_and_a_pull_request_exclude_each_other(world):
    ran = world.promote("--no-push")
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize("kind", ["gitea"], indirect=True)
def test_a_host_that_nobody_can_tell_is_exit_2_with_the_line_to_write(world, monkeypatch):
    monkeypatch.delenv("GITHUB_SERVER_URL")
    world.repo.configure(git={"branch": "main"})
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (2, "forge-unknown")
    assert "git: {forge: " in ran.json["error"]["hint"]
    assert world.repo.tags() == {}


@pytest.mark.parametrize("kind", ["gitea"], indirect=True)
def test_several_apps_are_one_request_that_supersedes_those_of_each(kind, tmp_path, monkeypatch):
    repo = make(tmp_path, apps=("shop", "web"), git={"branch": "main", "forge": kind})
    with forge_server(repo.bare, kind) as host:
        git(repo.root, "remote", "set-url", "origin", host.url)
        monkeypatch.setenv(TOKENS[kind], TOKEN)
        monkeypatch.setenv("GITHUB_SERVER_URL", host.origin)
        world = World(repo, host)
        older = world.older()
        ran = repo.promote("--all", "--pull-request")
        assert ran.code == 0
        (request,) = host.open()
        assert request.branch.startswith("promote/prod/shop+web/")
        assert older.state == "closed"
        files = git(host.bare, "diff", "--name-only", "main", request.branch).splitlines()
        assert files == ["overlays/shop/prod/kustomization.yaml", "overlays/web/prod/kustomization.yaml"]
