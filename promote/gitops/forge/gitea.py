"""Gitea and Forgejo: pull requests by their REST API, version 1, which the two share."""

from __future__ import annotations

from typing import Any

from promote.errors import Fault
from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api
from promote.gitops.forge.forge import PullRequest
from promote.gitops.forge.paging import pages
from promote.gitops.forge.pulls_api import PullsApi

PAGE = 50
"""What both give at most unless they were configured otherwise, to fewer too: the last page is one without items."""
STYLES = ("merge", "rebase", "rebase-merge", "squash", "fast-forward-only")
"""How a request can be merged, by the API's definition of `MergePullRequestOption`."""
COLOUR = "#1d76db"
"""Of a label that is new."""


def api(where: Address, token: Token) -> Api:
    """The client for the API at `where`."""
    return Api(where.api, token, {})


class Gitea(PullsApi):
    """A repository on Gitea or Forgejo."""

    name = "Gitea"
    longest_body = 65_535
    judged = (True,)  # "no" is also what it says while it still looks for conflicts

    def check(self) -> None:
        """As `Forge.check`; raises `Fault` (``forge-rejected``) where the repository says that it takes no requests."""
        repository = self._read_repository()
        if repository.get("archived") is True:
            raise self._takes_none("it is archived", "take it out of the archive, in its settings on the host")
        if repository.get("has_pull_requests") is False:
            hint = "turn pull requests on in the repository's settings, or set git.delivery to push"
            raise self._takes_none("pull requests are turned off there", hint)
        # Labels and comments take a scope of their own (`issue`), which nothing before them would miss.
        self._page("labels", 1)

    def open_requests(self, base: str) -> tuple[PullRequest, ...]:
        """As `Forge.open_requests`; older servers cannot be asked for one base, so all are looked at."""
        found = pages(lambda page: self._page("pulls", page, state="open"), 1)
        return tuple(self._request(item) for item in found if self._is_own(item, base))

    def label(self, request: PullRequest, labels: tuple[str, ...]) -> None:
        """As `Forge.label`; a label that the repository does not have is made."""
        known = {
            self._api.text(item, "name"): self._api.number(item, "id")
            for item in pages(lambda page: self._page("labels", page), 1)
        }
        for name in labels:
            if name not in known:
                made = self._api.send("POST", f"{self._repository}/labels", {"name": name, "color": COLOUR})
                known[name] = self._api.number(made, "id")
        chosen = {"labels": [known[name] for name in labels]}
        self._api.send("POST", f"{self._repository}/issues/{request.number}/labels", chosen)

    def merge_when_ready(self, request: PullRequest, head: str) -> bool:
        """As `Forge.merge_when_ready`, which here is now or not at all; raises `Rejected` where that cannot be now.

        Of a merge that is to wait (`merge_when_checks_succeed`) the server does not look at `head_commit_id`: it merges
        whatever the head is by then, with the rights of who asked.
        """
        style = self._read_repository().get("default_merge_style")
        self._merge("POST", request, {"Do": style if style in STYLES else "merge", "head_commit_id": head})
        return True

    def _takes_none(self, why: str, hint: str) -> Fault:
        what = f"{self._api.host} would decline a request in this repository: {why}"
        return Fault("forge-rejected", what, expected="a repository that takes pull requests", actual=why, hint=hint)

    def _page(self, what: str, page: int, **query: str) -> list[Any]:
        return self._api.items(self._api.get(f"{self._repository}/{what}", {**query, "limit": PAGE, "page": page}))

    @staticmethod
    def _is_own(item: Any, base: str) -> bool:
        """Whether the request is into `base`, from the repository itself; a fork may have a branch of the same name."""
        head, into = (item.get(side) if isinstance(item, dict) else None for side in ("head", "base"))
        if not isinstance(head, dict) or not isinstance(into, dict):
            return False
        return into.get("ref") == base and head.get("repo_id") is not None and head["repo_id"] == into.get("repo_id")
