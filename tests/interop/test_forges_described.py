"""Each request of promote to GitHub and each answer of our GitHub follow the published descriptions, scene by scene.

Prism stands between the two and makes an error of whatever is otherwise; operations of GraphQL and what was answered to
them are executed on the published schema by graphql-js.  So the host that all other tests ask answers as GitHub says it
does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from harness.graphql import Complaints, complaints_of
from harness.prism import Proxy, proxy
from harness.process import free_port
from support import forge_hosts, github_answers
from support.forge_server import Hosted, Problem, commit_on
from support.forge_world import BRANCH, World, forge_world
from support.git_world import git, isolate
from support.gitops_repo import TAG

from promote.gitops import github_commit
from promote.gitops.backoff import Backoff


@pytest.fixture(scope="module")
def port() -> int:
    """Where every scene's GitHub is, one after the other."""
    return free_port()


@pytest.fixture(scope="module")
def between(tools, port, tmp_path_factory) -> Iterator[Proxy]:
    log = tmp_path_factory.mktemp("prism") / "log"
    with proxy(tools, f"http://127.0.0.1:{port}/api/v3", log) as running:
        yield running


@pytest.fixture(scope="module")
def complaints(tools) -> Complaints:
    return complaints_of(tools)


@dataclass
class Scene:
    """A world whose API is only reached through Prism."""

    world: World
    between: Proxy
    before: int

    def violations(self) -> list[str]:
        """Those of this scene."""
        return self.between.violations()[self.before :]

    def asked(self) -> list[str]:
        """Method and path of every request that came through, in order."""
        return [line.replace("/api/v3/repos/acme/deploy", "") or "/" for line in self.world.host.seen]


@pytest.fixture
def scene(between, port, tmp_path, monkeypatch) -> Iterator[Scene]:
    isolate(monkeypatch, tmp_path)
    for name in ("GH_TOKEN", "GITHUB_GRAPHQL_URL", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "CI_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_API_URL", between.url)
    with forge_world(tmp_path, "github", monkeypatch, port=port) as world:
        monkeypatch.setenv("GITHUB_GRAPHQL_URL", f"{world.host.origin}/api/graphql")
        yield Scene(world, between, len(between.violations()))


def test_a_request_is_made_kept_and_renewed(scene):
    world = scene.world
    world.repo.configure(git={"branch": "main", "forge": "github", "labels": ["promotion", "to prod"]})
    first = world.promote()
    assert first.code == 0
    again = world.promote()
    assert again.json["commit"]["pull_request"] == first.json["commit"]["pull_request"]
    world.repo.set_overlay("prod", world.repo.overlay().replace(b"# prod", b"# production"))
    assert world.promote().code == 0
    (request,) = world.host.requests
    assert (request.written, request.labels) == (2, ["promotion", "to prod"])
    assert scene.asked() == [
        "GET ", "GET /pulls", "POST /pulls", "GET /pulls", "POST /issues/1/labels", "GET /pulls/1",
        "GET ", "GET /pulls", "POST /issues/1/labels", "GET /pulls/1",
        "GET ", "GET /pulls", "PATCH /pulls/1", "POST /issues/1/labels", "GET /pulls/1",
    ]  # fmt: skip
    assert (scene.violations(), world.host.complaints) == ([], [])


def test_an_older_request_is_superseded_and_those_of_forks_and_of_others_stay(scene):
    world = scene.world
    older, fork, other = world.older(), world.older(fork=True), world.older("promote/prod/billing/bbbbbbbbbbbb")
    assert world.promote().code == 0
    assert [r.state for r in (older, fork, other)] == ["closed", "open", "open"]
    assert scene.asked()[-3:] == ["POST /issues/1/comments", "PATCH /pulls/1", "GET /pulls/4"]
    assert (scene.violations(), world.host.complaints) == ([], [])


def test_what_was_merged_or_closed_is_seen(scene):
    world = scene.world
    assert world.promote().code == 0
    world.host.requests[0].state = "closed"
    assert world.promote().code == 0
    world.host.merge(world.host.open()[0])
    ran = world.promote()
    assert (ran.code, ran.json["commit"], len(world.host.requests)) == (0, None, 2)
    assert scene.violations() == []


def test_a_list_of_several_pages_is_read_to_its_end(scene):
    world = scene.world
    for number in range(120):
        world.host.requests.append(Hosted(number + 1, "main", "main", "many", None if number else "one"))
    assert world.promote().code == 0
    assert scene.asked().count("GET /pulls") == 4  # before the request is made, and after
    assert scene.violations() == []


def test_a_request_that_another_run_was_faster_to_make_is_taken(scene):
    world = scene.world

    def meanwhile(asked):
        if asked.method == "POST" and asked.path.endswith("/pulls"):
            world.host.before = lambda _asked: None
            world.host.add(BRANCH, "main", "theirs", "theirs")

    world.host.before = meanwhile
    assert world.promote().code == 0
    assert [r.number for r in world.host.requests] == [1]
    assert [line.partition(" ")[0] for line in world.host.complaints] == ["422"]
    assert scene.violations() == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/deploy", 403, "forge-credentials"),
        ("GET", "/deploy", 404, "forge-credentials"),
        ("POST", "/pulls", 403, "forge-credentials"),
        ("POST", "/pulls", 422, "forge-rejected"),
        ("POST", "/labels", 410, "forge-rejected"),
        ("POST", "/comments", 403, "forge-credentials"),
        ("PATCH", "/pulls/1", 403, "forge-credentials"),
    ],
)
def test_what_github_refuses_is_refused_as_described_and_told(scene, method, path, status, code):
    world = scene.world
    world.repo.configure(git={"branch": "main", "forge": "github", "labels": ["promotion"]})
    world.older()

    def refuse(asked):
        if asked.method == method and asked.path.endswith(path):
            raise Problem(status, "Resource not accessible by personal access token")

    world.host.before = refuse
    ran = world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (4 if code == "forge-credentials" else 3, code)
    assert "Resource not accessible" in ran.json["error"]["message"]
    assert scene.violations() == []


@pytest.mark.parametrize("method", ["merge", "rebase", "squash"])
def test_merging_is_asked_for_in_the_way_that_the_repository_allows(scene, method):
    world = scene.world
    allowed = {"merge": "allow_merge_commit", "rebase": "allow_rebase_merge", "squash": "allow_squash_merge"}
    world.host.settings.repository = {setting: name == method for name, setting in allowed.items()}
    world.repo.configure(git={"branch": "main", "forge": "github", "auto_merge": True})
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["base"], ran.json["commit"]["note"]) == (0, None, None)
    assert world.host.requests[0].auto_merge == world.tip(BRANCH)
    assert scene.asked()[-4:] == ["GET /pulls/1", "GET ", "GET /pulls/1", "PUT /pulls/1/merge"]
    assert scene.violations() == []


@pytest.mark.parametrize("status", [403, 405, 409, 422])
def test_the_refusal_to_merge_is_as_described_and_is_told(scene, status):
    world, said = scene.world, 'Required status check "ci" is expected.'
    world.repo.configure(git={"branch": "main", "forge": "github", "auto_merge": True})
    before = world.tip()

    def refuse(asked):
        if asked.path.endswith("/merge"):
            raise Problem(status, said)

    world.host.before = refuse
    ran = world.promote()
    assert (ran.code, ran.json["commit"]["base"], world.tip()) == (0, "main", before)
    assert f"status {status}" in ran.json["commit"]["note"]
    assert "status check" in ran.json["commit"]["note"]
    assert scene.violations() == []


def test_a_commit_by_github_follows_the_schema_and_so_does_what_is_answered(scene, complaints, monkeypatch):
    world, moves = scene.world, iter(range(1))
    world.repo.configure(git={"branch": "main", "delivery": "github-api"})
    git(world.host.bare, "config", "http.receivepack", "false")
    monkeypatch.setitem(github_commit.land.__kwdefaults__, "backoff", Backoff(sleep=lambda _seconds: None))

    def meanwhile(asked):
        if asked.path.endswith("/graphql") and next(moves, None) is not None:
            commit_on(world.host.bare, "main", world.tip(), "another bot", {"bot": b"x"})

    world.host.before = meanwhile
    ran = world.repo.promote(TAG)
    assert (ran.code, ran.json["commit"]["id"]) == (0, world.tip())
    stale, made = complaints(world.host.operations)
    assert made == []
    assert stale == []
    assert [answer["data"]["createCommitOnBranch"] is None for _, _, answer in world.host.operations] == [True, False]
    assert scene.violations() == []


def without(name: str):
    """Our GitHub as it would be if it forgot a key of its requests."""
    whole = github_answers.pull

    def pull(*arguments: Any, **options: Any) -> dict[str, Any]:
        return {key: value for key, value in whole(*arguments, **options).items() if key != name}

    return pull


def test_an_answer_that_does_not_follow_the_description_is_noticed(scene, monkeypatch):
    monkeypatch.setattr(github_answers, "pull", without("user"))
    ran = scene.world.promote()
    assert (ran.code, ran.json["error"]["code"]) == (3, "forge-transport")
    assert scene.violations()


def test_an_answer_that_does_not_follow_the_schema_is_noticed(scene, complaints, monkeypatch):
    world, answered = scene.world, forge_hosts._graphql

    def wrong(state, asked):
        answer = answered(state, asked)
        answer["data"]["createCommitOnBranch"]["commit"]["signature"] = {"isValid": "so it is"}
        return answer

    monkeypatch.setattr(forge_hosts, "_graphql", wrong)
    world.repo.configure(git={"branch": "main", "delivery": "github-api"})
    git(world.host.bare, "config", "http.receivepack", "false")
    assert world.repo.promote(TAG).code == 0
    assert all(complaints(world.host.operations))
