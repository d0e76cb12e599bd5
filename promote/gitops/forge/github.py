"""GitHub: pull requests by its REST API (version 2022-11-28), automatic merging by its GraphQL API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api, Rejected
from promote.gitops.forge.forge import PullRequest
from promote.gitops.forge.paging import pages
from promote.gitops.forge.pulls_api import PullsApi

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


class GitHub(PullsApi):
    """A repository on GitHub or GitHub Enterprise."""

    name = "GitHub"
    longest_body = 65_536

    def __init__(self, where: Address, client: Api) -> None:
        super().__init__(where, client)
        self._graphql = where.graphql

    def open_requests(self, base: str) -> tuple[PullRequest, ...]:
        """As `Forge.open_requests`."""
        query: dict[str, str | int] = {"state": "open", "base": base, "per_page": PAGE}
        found = pages(
            lambda page: self._api.items(self._api.get(f"{self._repository}/pulls", {**query, "page": page})), PAGE
        )
        return tuple(self._request(item) for item in found if self._is_own(item))

    def label(self, request: PullRequest, labels: tuple[str, ...]) -> None:
        """As `Forge.label`; GitHub makes the labels that it does not have."""
        self._api.send("POST", f"{self._repository}/issues/{request.number}/labels", {"labels": list(labels)})

    def merge_when_ready(self, request: PullRequest, head: str) -> None:
        """As `Forge.merge_when_ready`; the method of merging is the repository's own."""
        answer = self._api.ask(self._graphql, _AUTO_MERGE, {"request": request.handle, "head": head})
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors:
            raise Rejected(self._api.host, 200, self._api.said_by(errors))

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
        return replace(super()._request(item), handle=self._api.text(item, "node_id"))
