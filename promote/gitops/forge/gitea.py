"""Gitea and Forgejo: pull requests by their REST API, version 1, which the two share."""

from __future__ import annotations

from typing import Any

from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api
from promote.gitops.forge.forge import Offer, PullRequest
from promote.gitops.forge.paging import pages

PAGE = 50
"""What both give at most unless they were configured otherwise."""
COLOUR = "#1d76db"
"""Of a label that is new."""


def api(where: Address, token: Token) -> Api:
    """The client for the API at `where`."""
    return Api(where.api, token, {})


class Gitea:
    """A repository on Gitea or Forgejo."""

    name = "Gitea"
    longest_body = 65_535
    has_auto_merge = True

    def __init__(self, where: Address, client: Api) -> None:
        self._api = client
        self._repository = f"/repos/{where.path}"

    def check(self) -> None:
        """As `Forge.check`."""
        self._api.get(self._repository)

    def open_requests(self, base: str) -> tuple[PullRequest, ...]:
        """As `Forge.open_requests`; older servers cannot be asked for one base, so all are looked at."""
        found = pages(lambda page: self._page("pulls", page, state="open"), PAGE)
        return tuple(self._request(item) for item in found if self._is_own(item, base))

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
        """As `Forge.label`; a label that the repository does not have is made."""
        known = {
            self._api.text(item, "name"): self._api.number(item, "id")
            for item in pages(lambda page: self._page("labels", page), PAGE)
        }
        for name in labels:
            if name not in known:
                made = self._api.send("POST", f"{self._repository}/labels", {"name": name, "color": COLOUR})
                known[name] = self._api.number(made, "id")
        chosen = {"labels": [known[name] for name in labels]}
        self._api.send("POST", f"{self._repository}/issues/{request.number}/labels", chosen)

    def close(self, request: PullRequest, comment: str) -> None:
        """As `Forge.close`."""
        self._api.send("POST", f"{self._repository}/issues/{request.number}/comments", {"body": comment})
        self._change(request, {"state": "closed"})

    def merge_when_ready(self, request: PullRequest, head: str) -> None:
        """As `Forge.merge_when_ready`."""
        body = {"Do": "merge", "head_commit_id": head, "merge_when_checks_succeed": True}
        self._api.send("POST", f"{self._repository}/pulls/{request.number}/merge", body)

    def _page(self, what: str, page: int, **query: str) -> list[Any]:
        return self._api.items(self._api.get(f"{self._repository}/{what}", {**query, "limit": PAGE, "page": page}))

    def _change(self, request: PullRequest, body: dict[str, str]) -> None:
        self._api.send("PATCH", f"{self._repository}/pulls/{request.number}", body)

    @staticmethod
    def _is_own(item: Any, base: str) -> bool:
        """Whether the request is into `base`, from the repository itself; a fork may have a branch of the same name."""
        head, into = (item.get(side) if isinstance(item, dict) else None for side in ("head", "base"))
        if not isinstance(head, dict) or not isinstance(into, dict):
            return False
        return into.get("ref") == base and head.get("repo_id") is not None and head["repo_id"] == into.get("repo_id")

    def _request(self, item: Any) -> PullRequest:
        api = self._api
        return PullRequest(
            number=api.number(item, "number"),
            url=api.link(item, "html_url"),
            branch=api.text(item, "head", "ref"),
            head=api.text(item, "head", "sha"),
            title=api.text(item, "title"),
        )
