"""One request for one promotion: made, or brought up to date, and those that it supersedes closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from promote.errors import Fault, Misuse, PromoteError
from promote.gitops.forge.api import Rejected
from promote.gitops.forge.forge import Forge, Offer, PullRequest
from promote.model.malformed import shown


@dataclass(frozen=True, slots=True)
class Proposed:
    """The request as it was read back.  `superseded` are the numbers of those that were closed for it.

    `merged` says that the host merged it, by its own word.  `note` says what was asked for besides and could not be
    done (labels, a branch that had to stay, automatic merging), None when nothing.
    """

    request: PullRequest
    superseded: tuple[int, ...]
    merged: bool
    note: str | None


def check(forge: Forge, *, auto_merge: bool) -> None:
    """Prove that a request could be made, as far as that can be done without making one; raises as `Forge.check`.

    Raises `Misuse` where `auto_merge` is wanted of a host that cannot do it.
    """
    if auto_merge and not forge.has_auto_merge:
        raise Misuse(
            "auto-merge-unsupported",
            f"got git.auto_merge for {forge.name}, which cannot be told what commit to merge",
            hint="set git.auto_merge to false",
        )
    forge.check()


def propose(
    forge: Forge,
    offer: Offer,
    head: str,
    supersedes: Callable[[str], bool],
    *,
    fresh: bool,
    auto_merge: bool,
    delete: Callable[[PullRequest], str | None],
) -> Proposed:
    """Let there be exactly one open request for `offer`, whose branch is at `head` already.

    The request that is there is kept, and told anew only where the branch is `fresh`, that is, was moved by this run:
    so running again changes nothing.  `supersedes` says of the branch of another open request whether this one takes
    its place; such a request is closed with a comment that names the new one, and then `delete` deletes its branch,
    or says why that had to stay.  The request is read back.
    """
    there = forge.open_requests(offer.base)
    request = _of_branch(there, offer.branch)
    if request is None:
        request = _created(forge, offer)
    elif fresh or request.title != offer.title:
        forge.update(request, offer)
    notes: list[str | None] = [_labelled(forge, request, offer.labels)]
    superseded = [r for r in there if r.branch != offer.branch and supersedes(r.branch)]
    superseded.sort(key=lambda old: old.number)
    for old in superseded:
        forge.close(old, f"Superseded by {request.url}: another release is to be promoted instead.")
        notes.append(delete(old))
    seen = forge.read(request.number)
    if seen.branch != offer.branch:
        raise Fault(
            "pull-request-unconfirmed",
            f"{forge.name} has another branch in pull request {request.number}",
            expected=offer.branch,
            actual=shown(seen.branch),
            hint="look at the request, then run the same command again",
        )
    merged = False
    if auto_merge:
        merged, why = _merged(forge, seen, head)
        notes.append(why)
    return Proposed(seen, tuple(old.number for old in superseded), merged, "; ".join(filter(None, notes)) or None)


def _of_branch(requests: tuple[PullRequest, ...], branch: str) -> PullRequest | None:
    """The first of them that was made: hosts number requests in order, and list them as they like."""
    return min((r for r in requests if r.branch == branch), key=lambda request: request.number, default=None)


def _created(forge: Forge, offer: Offer) -> PullRequest:
    """A new request, or the one of another run of the same promotion that was faster.

    A host looks for another of the branch and then makes one, and not every host locks the two together: where two runs
    got one each, the later closes its own.
    """
    try:
        made = forge.create(offer)
    except Rejected:
        if (request := _of_branch(forge.open_requests(offer.base), offer.branch)) is None:
            raise
        return request
    first = _of_branch(forge.open_requests(offer.base), offer.branch)
    if first is None or first.number >= made.number:
        return made
    forge.close(made, f"Made at the same moment as {first.url}, which stays.")
    return first


def _labelled(forge: Forge, request: PullRequest, labels: tuple[str, ...]) -> str | None:
    """Put `labels` on; where the host has none, the word for that."""
    if labels and not forge.has_labels:
        return f"git.labels was left out: {forge.name} has no labels"
    if labels:
        forge.label(request, labels)
    return None


def _merged(forge: Forge, request: PullRequest, head: str) -> tuple[bool, str | None]:
    """Whether it is merged, and what the host said where it would not: the request is there, a person can merge it."""
    try:
        return forge.merge_when_ready(request, head), None
    except PromoteError as error:
        return False, f"it was not merged: {error.message}; the same command tries again"
