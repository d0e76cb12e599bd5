"""The two ways a commit gets onto its branch: pushed to the remote, or put on the local branch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from promote.errors import Misuse, PromoteError
from promote.gitops.faults import is_lock_failure, local_error, one_line
from promote.gitops.porcelain import Outcome, Report
from promote.gitops.repository import Repository
from promote.gitops.working_copy import FastForward, Place
from promote.model.malformed import shown
from promote.model.progress import Observer


class Delivery(Protocol):
    """One way to the branch."""

    is_remote: bool
    """Whether the branch is the remote's."""

    def check(self, paths: Sequence[str]) -> None:
        """Raise `Misuse` when a commit that changes `paths` could not be delivered; nothing was written yet."""

    def send(self, commit: str, tip: str) -> Report:
        """Move the branch from `tip` to `commit`, and only from there."""

    def tip(self) -> str:
        """Where the branch is now."""

    def has(self, commit: str) -> bool:
        """Whether the branch, as it is now, has `commit`, which was sent."""

    def settle(self, commit: str) -> str | None:
        """Let the user's checkout follow to `commit`, which has landed; what was left undone, and why."""


class RemoteDelivery:
    """Push with a lease on the very tip that was built on: compare and swap, even where a plain push would do.

    A lease without an object name would trust the tracking branch, which any background fetch moves (git-push(1)).
    """

    is_remote = True

    def __init__(self, repository: Repository, observer: Observer) -> None:
        self._repository = repository
        self._observer = observer

    def check(self, paths: Sequence[str]) -> None:
        """Nothing: the user's checkout has no say in what is pushed."""

    def send(self, commit: str, tip: str) -> Report:
        """One push."""
        repository = self._repository
        self._observer.step("push", f"{repository.remote} {repository.branch}")
        return repository.push(commit, f"--force-with-lease=refs/heads/{repository.branch}:{tip}")

    def tip(self) -> str:
        """The tip on the remote, fetched."""
        return self._repository.fetch()

    def has(self, commit: str) -> bool:
        """Asked of the remote; what came after `commit` is fetched only when something did."""
        return self._repository.remote_is_at(commit) or self._repository.contains(self.tip(), commit)

    def settle(self, commit: str) -> str | None:
        """Fast-forward a clean checkout of the branch; leave any other alone.  Never fails: the commit has landed."""
        try:
            with self._repository.working_copy.alone():
                return self._follow(commit)
        except PromoteError as error:
            return f"the working copy was left alone: {error.message}"

    def _follow(self, commit: str) -> str | None:
        repository, checkout, branch = self._repository, self._repository.working_copy, self._repository.branch
        state = checkout.look()
        if state is None:
            return checkout.left_behind
        if repository.contains(state.tip, commit):
            return None
        if not repository.contains(commit, state.tip):
            return f"the working copy was left alone: local branch {branch} has commits that the remote does not have"
        if state.modified:
            return f"the working copy was left alone: {shown(state.modified[0])} has changes that are not committed"
        self._observer.step("working-copy", branch)
        done, said = checkout.fast_forward(commit)
        return None if done is FastForward.DONE else f"the working copy was left alone: {said}"


class LocalDelivery:
    """The local branch: with the checkout where the branch is checked out, else the reference alone."""

    is_remote = False

    def __init__(self, repository: Repository, observer: Observer) -> None:
        self._repository = repository
        self._observer = observer

    def check(self, paths: Sequence[str]) -> None:
        """As `Repository.check_local`."""
        self._repository.check_local(paths)

    def send(self, commit: str, tip: str) -> Report:
        """Branch, index and files together, or the reference alone by compare and swap."""
        checkout, branch = self._repository.working_copy, self._repository.branch
        if checkout.place is Place.NOWHERE:
            return self._swap(commit, tip)
        self._observer.step("working-copy", branch)
        with checkout.alone():
            done, said = checkout.fast_forward(commit)
        if done is FastForward.IN_THE_WAY:
            raise Misuse(
                "working-copy-dirty",
                f"the working copy of {branch} cannot follow the commit: {said}",
                expected="no local changes in the files that a promotion edits",
                actual=said,
                hint="commit, undo or move away what is in the way (`git status`), then run the same command again",
            )
        return Report(Outcome.LANDED if done is FastForward.DONE else Outcome.MOVED, said, said)

    def tip(self) -> str:
        """The tip of the local branch."""
        return self._repository.local_tip()

    def has(self, commit: str) -> bool:
        """Asked of the local branch."""
        return self._repository.contains(self.tip(), commit)

    def settle(self, commit: str) -> str | None:  # noqa: ARG002 - the protocol's
        """Nothing: the checkout went along."""
        return None

    def _swap(self, commit: str, tip: str) -> Report:
        reference = f"refs/heads/{self._repository.branch}"
        answer = self._repository.git.answer(["update-ref", "-m", "promote", "--", reference, commit, tip])
        if answer.status == 0:
            return Report(Outcome.LANDED, "", "")
        if not is_lock_failure(answer.err):
            raise local_error(f"move branch {self._repository.branch}", answer.err)
        return Report(Outcome.MOVED, one_line(answer.err), answer.err)
