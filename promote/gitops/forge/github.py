"""GitHub: pull requests by its REST API, version 2022-11-28."""

from __future__ import annotations

from typing import Any

from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api, Rejected
from promote.gitops.forge.forge import PullRequest
from promote.gitops.forge.paging import pages
from promote.gitops.forge.pulls_api import PullsApi

PAGE = 100
METHODS = {"merge": "allow_merge_commit", "rebase": "allow_rebase_merge", "squash": "allow_squash_merge"}
"""How a request can be merged, and the setting of the repository that allows it; the commit as it is comes first."""


def api(where: Address, token: Token) -> Api:
    """The client for GitHub's API at `where`."""
    return Api(where.api, token, {"X-GitHub-Api-Version": "2022-11-28"})


class GitHub(PullsApi):
    """A repository on GitHub or GitHub Enterprise."""

    name = "GitHub"
    longest_body = 65_536

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

    def merge_when_ready(self, request: PullRequest, head: str) -> bool:
        """As `Forge.merge_when_ready`, which here is now or not at all; raises `Rejected` where that cannot be now.

        Of a merge that is to wait (`enablePullRequestAutoMerge`) GitHub looks at the head when it is asked alone, and
        leaves it on when somebody who may write pushes: its documentation, "Automatically merging a pull request".
        Rules of the branch may exclude a method that the repository allows, so each is tried.
        """
        repository = self._read_repository()
        first, *others = [name for name, setting in METHODS.items() if repository.get(setting) is True] or METHODS
        try:
            self._merge("PUT", request, {"sha": head, "merge_method": first})
        except Rejected as declined:
            if declined.status != 405 or not self._is_merged_by(others, request, head):
                raise
        return True

    def _is_merged_by(self, methods: list[str], request: PullRequest, head: str) -> bool:
        """Merge by the first of `methods` that can; False when none can."""
        for method in methods:
            try:
                self._merge("PUT", request, {"sha": head, "merge_method": method})
            except Rejected as declined:
                if declined.status != 405:
                    raise
            else:
                return True
        return False

    @staticmethod
    def _is_own(item: Any) -> bool:
        """Whether the branch is in the repository itself; a fork may have one of the same name."""
        head, base = (item.get(side) if isinstance(item, dict) else None for side in ("head", "base"))
        ids = [
            side.get("repo", {}).get("id") if isinstance(side, dict) and isinstance(side.get("repo"), dict) else None
            for side in (head, base)
        ]
        return ids[0] is not None and ids[0] == ids[1]
