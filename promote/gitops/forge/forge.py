"""What promote asks of a host of git repositories, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Offer:
    """A request as it should be: merge `branch` into `base`, both of one repository.  `body` is Markdown."""

    branch: str
    base: str
    title: str
    body: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PullRequest:
    """An open request as the host tells it.

    `head` is the commit that it would merge, in full or, on Bitbucket, its beginning, empty where the host tells none.
    """

    number: int
    url: str
    branch: str
    head: str
    title: str


class Forge(Protocol):
    """One repository on one host.

    Every method raises `CredentialsFault` where the token is refused or sees no such repository, `Rejected` where the
    host understood and declined, and `Fault` where it gave no usable answer.
    """

    name: str
    """The host's product, as people call it."""
    longest_body: int
    """How many characters a body may have."""
    has_auto_merge: bool
    """Whether the host can be asked to merge one very commit, now or once its checks and approvals are there."""
    has_labels: bool
    """Whether requests have labels."""

    def check(self) -> None:
        """Prove that the token sees the repository; nothing is written."""

    def open_requests(self, base: str) -> tuple[PullRequest, ...]:
        """Every open request into `base` whose branch is in this very repository, and not in a fork."""

    def read(self, number: int) -> PullRequest:
        """One open request; raises `Fault` when it is not open."""

    def create(self, offer: Offer) -> PullRequest:
        """A new request; raises `Rejected` where the host sees that there is one of this branch already."""

    def update(self, request: PullRequest, offer: Offer) -> None:
        """Give `request` the title and the body of `offer`."""

    def label(self, request: PullRequest, labels: tuple[str, ...]) -> None:
        """Add `labels`; other labels stay.  Nothing on a host without labels."""

    def close(self, request: PullRequest, comment: str) -> None:
        """Comment on `request`, and close it unmerged; its branch stays."""

    def merge_when_ready(self, request: PullRequest, head: str) -> bool:
        """Let the host merge `request`, and never with another head than `head`; whether that has happened already.

        False: it will, once checks and approvals are there.  A host that would forget `head` until then is asked to
        merge now, and raises `Rejected` where that cannot be.
        """
