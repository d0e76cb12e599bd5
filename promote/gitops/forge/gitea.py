"""Gitea and Forgejo: pull requests by their REST API, version 1, which the two share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from promote.errors import Fault
from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api, Rejected
from promote.gitops.forge.forge import Offer, PullRequest
from promote.gitops.forge.paging import pages
from promote.gitops.forge.pulls_api import PullsApi

PAGE = 50
"""What both give at most unless they were configured otherwise, to fewer too: the last page is one without items."""
STYLES = ("merge", "rebase", "rebase-merge", "squash", "fast-forward-only")
"""How a request can be merged, by the API's definition of `MergePullRequestOption`."""
PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2, 3.2)
"""Seconds between looks while the server still finds out whether a request can be merged."""
COLOUR = "#1d76db"
"""Of a label that is new."""


def api(where: Address, token: Token) -> Api:
    """The client for the API at `where`."""
    return Api(where.api, token, {})


class Gitea(PullsApi):
    """A repository on Gitea or Forgejo."""

    name = "Gitea"
    longest_body = 65_535

    def __init__(self, where: Address, client: Api, *, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(where, client)
        self._sleep = sleep

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
        """As `Forge.open_requests`, oldest first; older servers cannot be asked for one base, so all are looked at."""
        found = pages(lambda page: self._page("pulls", page, state="open"), 1)
        own = (self._request(item) for item in found if self._is_own(item, base))
        return tuple(sorted(own, key=lambda request: request.number))

    def create(self, offer: Offer) -> PullRequest:
        """As `Forge.create`; the server gives two runs that ask at once a request each, so the later closes its own.

        It looks for another of the branch and then makes one, with no lock about the two; numbers are given in order.
        """
        made = super().create(offer)
        first = next((r for r in self.open_requests(offer.base) if r.branch == offer.branch), made)
        if first.number >= made.number:
            return made
        self.close(made, f"Made at the same moment as {first.url}, which stays.")
        return first

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

    def merge_when_ready(self, request: PullRequest, head: str) -> None:
        """As `Forge.merge_when_ready`, which here is now or not at all; raises `Rejected` where that cannot be now.

        Of a merge that is to wait (`merge_when_checks_succeed`) the server does not look at `head_commit_id`: it merges
        whatever the head is by then, with the rights of who asked.  What is new it cannot merge until it looked for
        conflicts, so it is asked again for a while.
        """
        style = self._read_repository().get("default_merge_style")
        body = {"Do": style if style in STYLES else "merge", "head_commit_id": head}
        for pause in (*PAUSES, None):
            try:
                self._api.send("POST", f"{self._repository}/pulls/{request.number}/merge", body)
            except Rejected as declined:
                if pause is None or declined.status != 405 or self._is_looked_at(request):
                    raise
                self._sleep(pause)
            else:
                return

    def _takes_none(self, why: str, hint: str) -> Fault:
        what = f"{self._api.host} would decline a request in this repository: {why}"
        return Fault("forge-rejected", what, expected="a repository that takes pull requests", actual=why, hint=hint)

    def _is_looked_at(self, request: PullRequest) -> bool:
        """Whether the server found that `request` has no conflicts; it says no to that while it looks, too."""
        item = self._api.get(f"{self._repository}/pulls/{request.number}")
        return isinstance(item, dict) and item.get("mergeable") is True

    def _read_repository(self) -> dict[str, Any]:
        answer = self._api.get(self._repository)
        if not isinstance(answer, dict):
            raise self._api.unusable(f"got {type(answer).__name__}, expected a repository")
        return answer

    def _page(self, what: str, page: int, **query: str) -> list[Any]:
        return self._api.items(self._api.get(f"{self._repository}/{what}", {**query, "limit": PAGE, "page": page}))

    @staticmethod
    def _is_own(item: Any, base: str) -> bool:
        """Whether the request is into `base`, from the repository itself; a fork may have a branch of the same name."""
        head, into = (item.get(side) if isinstance(item, dict) else None for side in ("head", "base"))
        if not isinstance(head, dict) or not isinstance(into, dict):
            return False
        return into.get("ref") == base and head.get("repo_id") is not None and head["repo_id"] == into.get("repo_id")
