"""Bitbucket Cloud: pull requests by its REST API, version 2.0.  It has no labels, and merges nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from promote.errors import Misuse
from promote.gitops.forge.address import Address, Token
from promote.gitops.forge.api import Api, within
from promote.gitops.forge.forge import Offer, PullRequest
from promote.gitops.forge.paging import MOST

PAGE = 50


def api(where: Address, token: Token) -> Api:
    """The client for Bitbucket's API at `where`."""
    return Api(where.api, token, {})


class Bitbucket:
    """A repository on Bitbucket Cloud."""

    name = "Bitbucket"
    longest_body = 32_000
    has_auto_merge = False
    has_labels = False

    def __init__(self, where: Address, client: Api) -> None:
        self._api = client
        self._repository = f"/repositories/{where.path}"
        self._requests = f"{self._repository}/pullrequests"

    def check(self) -> None:
        """As `Forge.check`."""
        self._api.get(self._repository)

    def open_requests(self, base: str) -> tuple[PullRequest, ...]:
        """As `Forge.open_requests`."""
        return tuple(self._request(item) for item in self._listed() if self._is_own(item, base))

    def read(self, number: int) -> PullRequest:
        """As `Forge.read`."""
        item = self._api.get(f"{self._requests}/{number}")
        if self._api.text(item, "state") != "OPEN":
            raise self._api.unusable(f"pull request {number} is not open")
        return self._request(item)

    def create(self, offer: Offer) -> PullRequest:
        """As `Forge.create`; the branch goes once it is merged."""
        body = {
            "title": offer.title,
            "description": offer.body,
            "source": {"branch": {"name": offer.branch}},
            "destination": {"branch": {"name": offer.base}},
            "close_source_branch": True,
        }
        return self._request(self._api.send("POST", self._requests, body))

    def update(self, request: PullRequest, offer: Offer) -> None:
        """As `Forge.update`."""
        body = {"title": offer.title, "description": offer.body}
        self._api.send("PUT", f"{self._requests}/{request.number}", body)

    def label(self, request: PullRequest, labels: tuple[str, ...]) -> None:
        """Nothing: there are no labels."""

    def close(self, request: PullRequest, comment: str) -> None:
        """As `Forge.close`; the word is "decline" there."""
        self._api.send("POST", f"{self._requests}/{request.number}/comments", {"content": {"raw": comment}})
        self._api.send("POST", f"{self._requests}/{request.number}/decline", None)

    def merge_when_ready(self, request: PullRequest, head: str) -> bool:  # noqa: ARG002 - the protocol's
        """Not there; raises `Misuse`."""
        raise Misuse(
            "auto-merge-unsupported",
            "got git.auto_merge for Bitbucket, which cannot be told what commit to merge",
            hint="set git.auto_merge to false",
        )

    def _listed(self) -> Iterator[Any]:
        for page in range(1, MOST + 1):
            answer = self._api.get(self._requests, {"state": "OPEN", "pagelen": PAGE, "page": page})
            if not isinstance(answer, dict):
                raise self._api.unusable(f"got {type(answer).__name__}, expected a page")
            yield from self._api.items(answer.get("values"))
            if not answer.get("next"):  # counted on, and not followed: it may lead anywhere
                return
        raise self._api.unusable(f"more than {MOST} pages of one list")

    @staticmethod
    def _is_own(item: Any, base: str) -> bool:
        """Whether the request is into `base`, from the repository itself; a fork may have a branch of the same name."""
        source, into = (item.get(side) if isinstance(item, dict) else None for side in ("source", "destination"))
        names = [within(side, "repository", "full_name") for side in (source, into)]
        return names[0] is not None and names[0] == names[1] and within(into, "branch", "name") == base

    def _request(self, item: Any) -> PullRequest:
        api = self._api
        return PullRequest(
            number=api.number(item, "id"),
            url=api.link(item, "links", "html", "href"),
            branch=api.text(item, "source", "branch", "name"),
            head=api.optional(item, "source", "commit", "hash"),  # null where the branch is gone
            title=api.text(item, "title"),
        )
