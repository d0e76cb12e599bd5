"""GitHub: pull requests by its REST API (version 2022-11-28), automatic merging by its GraphQL API."""

from __future__ import annotations

from typing import Any

from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api, Rejected
from promote.gitops.forge.forge import Offer, PullRequest
from promote.gitops.forge.paging import pages

PAGE = 100
_AUTO_MERGE = """\
mutation($request: ID!, $head: GitObjectID!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $request, expectedHeadOid: $head}) {
    pullRequest { number }
  }
}
"""


def api(where: Address, token: Token) -> Api:
    """The client for GitHub's API at `where`."""
    return Api(where.api, token, {"X-GitHub-Api-Version": "2022-11-28"})


class GitHub:
    """A repository on GitHub or GitHub Enterprise."""

    name = "GitHub"
    longest_body = 65_536
    has_auto_merge = True

    def __init__(self, where: Address, client: Api) -> None:
        self._api = client
        self._graphql = where.graphql
        self._repository = f"/repos/{where.path}"

    def check(self) -> None:
        """As `Forge.check`."""
        self._api.get(self._repository)

    def open_requests(self, base: str) -> tuple[PullRequest, ...]:
        """As `Forge.open_requests`."""
        query: dict[str, str | int] = {"state": "open", "base": base, "per_page": PAGE}
        found = pages(
            lambda page: self._api.items(self._api.get(f"{self._repository}/pulls", {**query, "page": page})), PAGE
        )
        return tuple(self._request(item) for item in found if self._is_own(item))

    def read(self, number: int) -> PullRequest:
        """As `Forge.read`."""
        item = self._api.get(f"{self._repository}/pulls/{number}")
        if self._api.text(item, "state") != "open":
            raise self._api.unusable(f"pull request {number} is not open")
        return self._request(item)

    def create(self, offer: Offer) -> PullRequest:
        """As `Forge.create`."""
        body = {"title": offer.title, "body": offer.body, "head": offer.branch, "base": offer.base}
        return self._request(self._api.send("POST", f"{self._repository}/pulls", body))

    def update(self, request: PullRequest, offer: Offer) -> None:
        """As `Forge.update`."""
        self._change(request, {"title": offer.title, "body": offer.body})

    def label(self, request: PullRequest, labels: tuple[str, ...]) -> None:
        """As `Forge.label`; GitHub makes the labels that it does not have."""
        self._api.send("POST", f"{self._repository}/issues/{request.number}/labels", {"labels": list(labels)})

    def close(self, request: PullRequest, comment: str) -> None:
        """As `Forge.close`."""
        self._api.send("POST", f"{self._repository}/issues/{request.number}/comments", {"body": comment})
        self._change(request, {"state": "closed"})

    def merge_when_ready(self, request: PullRequest, head: str) -> None:
        """As `Forge.merge_when_ready`; the method of merging is the repository's own."""
        answer = self._api.ask(self._graphql, _AUTO_MERGE, {"request": request.handle, "head": head})
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors:
            raise Rejected(self._api.host, 200, self._api.said_by(errors))

    def _change(self, request: PullRequest, body: dict[str, str]) -> None:
        self._api.send("PATCH", f"{self._repository}/pulls/{request.number}", body)

    @staticmethod
    def _is_own(item: Any) -> bool:
        """Whether the branch is in the repository itself; a fork may have one of the same name."""
        head, base = (item.get(side) if isinstance(item, dict) else None for side in ("head", "base"))
        ids = [
            side.get("repo", {}).get("id") if isinstance(side, dict) and isinstance(side.get("repo"), dict) else None
            for side in (head, base)
        ]
        return ids[0] is not None and ids[0] == ids[1]

    def _request(self, item: Any) -> PullRequest:
        api = self._api
        return PullRequest(
            number=api.number(item, "number"),
            url=api.link(item, "html_url"),
            branch=api.text(item, "head", "ref"),
            head=api.text(item, "head", "sha"),
            title=api.text(item, "title"),
            handle=api.text(item, "node_id"),
        )
