"""GitLab: merge requests by its REST API, version 4."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api
from promote.gitops.forge.forge import Offer, PullRequest
from promote.gitops.forge.paging import pages

PAGE = 100


def api(where: Address, token: Token) -> Api:
    """The client for GitLab's API at `where`."""
    return Api(where.api, token, {})


class GitLab:
    """A project on GitLab."""

    name = "GitLab"
    longest_body = 1_000_000
    has_auto_merge = True
    has_labels = True

    def __init__(self, where: Address, client: Api) -> None:
        self._api = client
        self._project = f"/projects/{quote(where.path, safe='')}"
        self._requests = f"{self._project}/merge_requests"

    def check(self) -> None:
        """As `Forge.check`."""
        self._api.get(self._project)

    def open_requests(self, base: str) -> tuple[PullRequest, ...]:
        """As `Forge.open_requests`."""
        query: dict[str, str | int] = {"state": "opened", "target_branch": base, "per_page": PAGE}
        found = pages(lambda page: self._api.items(self._api.get(self._requests, {**query, "page": page})), PAGE)
        return tuple(self._request(item) for item in found if self._is_own(item))

    def read(self, number: int) -> PullRequest:
        """As `Forge.read`."""
        item = self._api.get(f"{self._requests}/{number}")
        if self._api.text(item, "state") != "opened":
            raise self._api.unusable(f"merge request {number} is not open")
        return self._request(item)

    def create(self, offer: Offer) -> PullRequest:
        """As `Forge.create`; the branch goes once it is merged."""
        body = {
            "source_branch": offer.branch,
            "target_branch": offer.base,
            "title": offer.title,
            "description": offer.body,
            "remove_source_branch": True,
        }
        return self._request(self._api.send("POST", self._requests, body))

    def update(self, request: PullRequest, offer: Offer) -> None:
        """As `Forge.update`."""
        self._change(request, {"title": offer.title, "description": offer.body})

    def label(self, request: PullRequest, labels: tuple[str, ...]) -> None:
        """As `Forge.label`; GitLab makes the labels that it does not have."""
        self._change(request, {"add_labels": ",".join(labels)})

    def close(self, request: PullRequest, comment: str) -> None:
        """As `Forge.close`."""
        self._api.send("POST", f"{self._requests}/{request.number}/notes", {"body": comment})
        self._change(request, {"state_event": "close"})

    def merge_when_ready(self, request: PullRequest, head: str) -> bool:
        """As `Forge.merge_when_ready`; without a pipeline to wait for, GitLab merges at once.

        `sha` is kept with a merge that waits and compared again when it is done, and new commits cancel it: GitLab's
        documentation, "Auto-merge", "Pipeline success for auto-merge".
        """
        # The second name is that of GitLab before 17.11, which would merge at once without it.
        body = {"sha": head, "auto_merge": True, "merge_when_pipeline_succeeds": True}
        answer = self._api.send("PUT", f"{self._requests}/{request.number}/merge", body)
        return self._api.text(answer, "state") == "merged"

    def _change(self, request: PullRequest, body: dict[str, str]) -> None:
        self._api.send("PUT", f"{self._requests}/{request.number}", body)

    @staticmethod
    def _is_own(item: Any) -> bool:
        """Whether the branch is in the project itself; a fork may have one of the same name."""
        source = item.get("source_project_id") if isinstance(item, dict) else None
        return source is not None and source == item.get("target_project_id")

    def _request(self, item: Any) -> PullRequest:
        api = self._api
        return PullRequest(
            number=api.number(item, "iid"),
            url=api.link(item, "web_url"),
            branch=api.text(item, "source_branch"),
            head=api.optional(item, "sha"),  # null where the branch is gone, or has nothing to merge
            title=api.text(item, "title"),
        )
