"""What GitHub's REST API and Gitea's, which follows it, have in common: pull requests below ``/repos/OWNER/NAME``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from promote.gitops.forge.address import Address
from promote.gitops.forge.api import Api, Rejected, within
from promote.gitops.forge.forge import Offer, PullRequest

PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2, 3.2)
"""Seconds between looks while the host still finds out whether a request can be merged."""


class PullsApi:
    """One repository; a host adds how requests are listed, labelled and merged."""

    has_auto_merge = True
    has_labels = True
    judged: tuple[bool, ...] = (True, False)
    """What `mergeable` of a request is once the host has looked for conflicts."""

    def __init__(self, where: Address, client: Api, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._api = client
        self._repository = f"/repos/{where.path}"
        self._sleep = sleep

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

    def _read_repository(self) -> dict[str, Any]:
        answer = self._api.get(self._repository)
        if not isinstance(answer, dict):
            raise self._api.unusable(f"got {type(answer).__name__}, expected a repository")
        return answer

    def _merge(self, method: str, request: PullRequest, body: Mapping[str, str]) -> None:
        """Merge now, as `body` asks for; raises `Rejected` where that cannot be.

        Neither host can merge what is new until it has looked for conflicts, so it is given time for that.
        """
        for pause in (*PAUSES, None):
            if pause is None or self._is_judged(request):
                try:
                    self._api.send(method, f"{self._repository}/pulls/{request.number}/merge", body)
                except Rejected as declined:
                    # What is pushed meanwhile, to either branch, makes it look once more.
                    if pause is None or declined.status != 405 or self._is_judged(request):
                        raise
                else:
                    return
            if pause is not None:
                self._sleep(pause)

    def _is_judged(self, request: PullRequest) -> bool:
        return within(self._api.get(f"{self._repository}/pulls/{request.number}"), "mergeable") in self.judged

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
