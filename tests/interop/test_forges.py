"""GitHub's published descriptions hold promote's requests to their word: REST by Prism, GraphQL by graphql-js.

Prism answers with the examples of the description, which promote must be able to read.  What happens over several
requests, and the answers too, are held against it in `test_forges_described.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from harness.graphql import Complaints, complaints_of
from harness.prism import mock

from promote.gitops import github_commit
from promote.gitops.forge import github
from promote.gitops.forge.address import Token, address
from promote.gitops.forge.api import Api, Rejected
from promote.gitops.forge.forge import Offer, PullRequest
from promote.gitops.forge.github import GitHub

HEAD = "0123456789abcdef0123456789abcdef01234567"
OFFER = Offer(
    "promote/prod/shop/0123456789ab", "main", "promote(prod): shop", "## report\n\nPromote-Id: 1\n", ("a", "b")
)
REQUEST = PullRequest(7, "https://github.com/acme/deploy/pull/7", OFFER.branch, HEAD, OFFER.title)


@dataclass
class Described:
    """GitHub as its description has it, and what that has against each request."""

    forge: GitHub
    api: Api
    exchanges: list[tuple[str, int]] = field(default_factory=list)
    violations: list[Any] = field(default_factory=list)

    def note(self, response: Any, **_options: Any) -> None:
        self.exchanges.append((f"{response.request.method} {response.request.path_url}", response.status_code))
        told = json.loads(response.headers.get("sl-violations", "[]"))
        # The examples of the description do not follow it everywhere; that is not promote's to mend.
        self.violations += [violation for violation in told if violation["location"][0] == "request"]


@pytest.fixture(scope="module")
def prism(tools, tmp_path_factory) -> Iterator[str]:
    with mock(tools, tmp_path_factory.mktemp("prism") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def complaints(tools) -> Complaints:
    return complaints_of(tools)


@pytest.fixture
def described(prism) -> Iterator[Described]:
    host = prism.removeprefix("http://")
    where = address(f"{prism}/acme/deploy.git", "github", {"GITHUB_SERVER_URL": prism, "GITHUB_API_URL": prism})
    assert (where.host, where.api) == (host, prism)
    client = github.api(where, Token("Bearer t0ken", "t0ken"))
    found = Described(GitHub(where, client), client)
    client._session.hooks["response"].append(found.note)
    yield found
    client.close()


def test_every_request_follows_the_description_and_every_answer_can_be_read(described):
    forge = described.forge
    forge.check()
    listed = forge.open_requests("main")
    read = forge.read(7)
    made = forge.create(OFFER)
    forge.update(REQUEST, OFFER)
    forge.label(REQUEST, OFFER.labels)
    forge.close(REQUEST, "superseded by #8")
    assert forge.merge_when_ready(REQUEST, HEAD) is True
    assert described.violations == []
    statuses = [status for _, status in described.exchanges]
    assert statuses == [200, 200, 200, 201, 200, 200, 201, 200, 200, 200, 200]
    for request in (*listed, read, made):
        assert request.number > 0
        assert request.url.startswith("https://github.com/")
        assert request.branch
        assert request.head
    assert listed


def test_what_does_not_follow_the_description_is_noticed(described):
    with pytest.raises(Rejected) as rejected:
        described.api.send("POST", "/repos/acme/deploy/pulls", {"title": 7})
    assert rejected.value.status == 422
    assert described.violations


def asked_of_github(monkeypatch) -> list[tuple[str, dict[str, Any]]]:
    """The operations that promote sends, which are not sent."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def ask(_api, _url, query, variables):
        sent.append((query, variables))
        return {"data": {"createCommitOnBranch": {"commit": {"oid": HEAD, "signature": {"isValid": True}}}}}

    monkeypatch.setattr(Api, "ask", ask)
    return sent


def test_the_commit_on_a_branch_follows_the_graphql_schema(complaints, monkeypatch, tmp_path):
    from support.git_world import FILE, NEW, git, make_repository

    from promote.gitops.push import Change
    from promote.gitops.repository import Repository
    from promote.model.progress import Silent

    clone = make_repository(tmp_path / "clone")
    git(clone, "remote", "add", "origin", "https://github.com/acme/deploy.git")
    sent = asked_of_github(monkeypatch)
    where = address("https://github.com/acme/deploy.git", None, {})
    client = github.api(where, Token("Bearer t0ken", "t0ken"))
    with Repository.open(clone, branch="main", remote="origin") as repository:
        tip, change = repository.local_tip(), Change({FILE: NEW}, "promote(prod): shop\n\nPromote-Id: 1\n")
        landing = github_commit._Landing(repository, where, client, lambda _: change, Silent(), github_commit.PATIENT)
        assert landing._asked(change, tip).commit == HEAD
    ((query, variables),) = sent
    headless = {"input": {**variables["input"], "expectedHeadOid": None}}
    right, *wrong = complaints(
        [(query, variables, None), (query.replace("oid", "sha"), variables, None), (query, headless, None)]
    )
    assert right == []
    assert all(wrong)
