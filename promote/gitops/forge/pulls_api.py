"""What GitHub's REST API and Gitea's, which follows it, have in common: pull requests below ``/repos/OWNER/NAME``."""

from __future__ import annotations

from typing import Any

from promote.gitops.forge.address import Address
from promote.gitops.forge.api import Api
from promote.gitops.forge.forge import Offer, PullRequest


class PullsApi:
    """One repository; a host adds how requests are listed, labelled and merged."""

    has_auto_merge = True
    has_labels = True

    def __init__(self, where: Address, client: Api) -> None:
        self._api = client
        self._repository = f"/repos/{where.path}"

    def check(self) -> None:
        """As `Forge.check`."""
        self._api.get(self._repository)

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

    def close(self, request: PullRequest, comment: str) -> None:
        """As `Forge.close`."""
        self._api.send("POST", f"{self._repository}/issues/{request.number}/comments", {"body": comment})
        self._change(request, {"state": "closed"})

    def _change(self, request: PullRequest, body: dict[str, str]) -> None:
        self._api.send("PATCH", f"{self._repository}/pulls/{request.number}", body)

    def _request(self, item: Any) -> PullRequest:
        api = self._api
        return PullRequest(
            number=api.number(item, "number"),
            url=api.link(item, "html_url"),
            branch=api.text(item, "head", "ref"),
            head=api.text(item, "head", "sha"),
            title=api.text(item, "title"),
        )
