"""Landing a change: commit on the tip, compare and swap, and when the branch moved derive the change again.

Never a merge of text and never a force: a change that was derived from what is there cannot undo anybody's work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

from promote.errors import CredentialsFault, Fault, PromoteError
from promote.gitops.backoff import PATIENT, Backoff
from promote.gitops.commit import build
from promote.gitops.commit_signature import unverified
from promote.gitops.confirming import LOOKS, confirm, unconfirmed
from promote.gitops.delivery import Delivery, LocalDelivery, RemoteDelivery
from promote.gitops.porcelain import Outcome, Report, push_error
from promote.gitops.repository import Repository
from promote.gitops.snapshot import Snapshot
from promote.gitops.turn import turn
from promote.model.malformed import shown
from promote.model.progress import Observer

_BROKEN_AT_MOST = 4
"""How often a broken conversation is taken up again: a server that is down does not come back by being asked."""


@dataclass(frozen=True, slots=True)
class Change:
    """New content for files, by path relative to the top of the tree, and the message of the commit."""

    files: Mapping[str, bytes]
    message: str


@dataclass(frozen=True, slots=True)
class Landed:
    """Where a change is now.

    `commit` is the commit that made it, or, when it was `already` there, the tip that has it.  `pushed` says that the
    remote has it.  `note` says what was left undone in the user's checkout, and why.  `tries` counts commits built.
    """

    commit: str
    branch: str
    pushed: bool
    already: bool
    note: str | None
    tries: int


def land(
    repository: Repository,
    change: Callable[[Snapshot], Change | None],
    *,
    tip: str,
    push: bool,
    observer: Observer,
    backoff: Backoff = PATIENT,
) -> Landed:
    """Put a change on the branch: on the remote, or on the local branch without a remote or with `push` False.

    `change` derives the change from the tip it is given and is asked again on each new tip; None says that the tip has
    it already, and what it raises (`Superseded`) ends the work.  `tip` is where to begin: what `fetch` gave, or
    `local_tip` for a local commit.  After the push the branch is read back; only then is anything called landed.
    Raises `Refusal` (``push-declined``, 10), `CredentialsFault`, `Misuse` before anything is written, and `Fault`:
    ``push-contended`` when the branch never held still, ``git-transport``, ``push-unconfirmed``.
    """
    remote = push and repository.remote_url is not None
    delivery: Delivery = RemoteDelivery(repository, observer) if remote else LocalDelivery(repository, observer)
    return _Landing(repository, change, delivery, observer, backoff).run(tip)


@dataclass(frozen=True, slots=True)
class _Landing:
    """One change on its way, with everything it needs."""

    repository: Repository
    change: Callable[[Snapshot], Change | None]
    delivery: Delivery
    observer: Observer
    backoff: Backoff

    def run(self, tip: str) -> Landed:
        """Try until the change has landed or cannot land."""
        with ExitStack() as mine:
            return self._run(tip, mine)

    def _run(self, tip: str, mine: ExitStack) -> Landed:
        started, sent, broken = self.backoff.clock(), dict[str, Change](), 0
        for tries in count(1):
            wanted = self.change(self.repository.snapshot(tip))
            if wanted is None:
                return self._result(tip, tries - 1, already=True)
            commit = self._build(tip, wanted)
            report = self.delivery.send(commit, tip)
            if report.outcome is Outcome.LANDED:
                self._confirm(commit, wanted)
                return self._result(commit, tries)
            # Whatever was said, the server may have taken it: an answer can get lost, and a proxy can ask twice.
            sent[commit] = wanted
            broken += report.outcome is Outcome.UNKNOWN
            error = self._final(report, tries, started, broken)
            if error is None and tries == 1 and self.delivery.is_remote:
                mine.enter_context(turn(self.repository.remote_url or "", self.repository.branch))
            if error is None or report.outcome is Outcome.UNKNOWN:
                tip = self._look(commit, tries, report)
                for earlier, its_change in sent.items():
                    if self.repository.contains(tip, earlier):
                        self._confirm(earlier, its_change)
                        return self._result(earlier, tries)
            if error is not None:
                raise error
        raise AssertionError  # count() does not end

    def _build(self, tip: str, wanted: Change) -> str:
        self.delivery.check(tuple(wanted.files))
        self.observer.step("commit", shown(wanted.message.partition("\n")[0]))
        return build(self.repository, tip, wanted.files, wanted.message)

    def _final(self, report: Report, tries: int, started: float, broken: int) -> PromoteError | None:
        """The error that ends the work after this report, None when it is worth another try."""
        branch = self.repository.branch
        host = (self.delivery.is_remote and self.repository.remote_host) or "this repository"
        if report.outcome is not Outcome.MOVED:
            error = push_error(report, branch, host, self.repository.settings.authorizations)
            hopeless = report.outcome is Outcome.DECLINED or type(error) is not Fault
            return error if hopeless or broken >= _BROKEN_AT_MOST else None
        if not self.backoff.is_over(tries, started):
            return None
        return contended(branch, host, tries, report.reason)

    def _look(self, commit: str, tries: int, report: Report) -> str:
        """Where the branch is after a push that did not land, having waited; raises when nobody can say."""
        for look in count(tries):
            self.backoff.wait(look)
            try:
                return self.delivery.tip()
            except CredentialsFault:
                raise
            except Fault as fault:
                if look - tries + 1 < LOOKS:
                    continue
                if report.outcome is Outcome.MOVED:
                    raise
                raise unconfirmed(commit, self.repository.branch, fault.message) from fault
        raise AssertionError  # count() does not end

    def _confirm(self, commit: str, wanted: Change) -> None:
        confirm(self.repository, commit, wanted.files, lambda: self.delivery.has(commit), self.backoff)

    def _result(self, commit: str, tries: int, *, already: bool = False) -> Landed:
        notes = [self.delivery.settle(commit)]
        if self.repository.settings.signs and not already:
            notes.append(unverified(self.repository.git, commit))
        note = "; ".join(note for note in notes if note) or None
        return Landed(commit, self.repository.branch, self.delivery.is_remote, already, note, tries)


def contended(branch: str, host: str, tries: int, reason: str) -> Fault:
    """The error for a `branch` that was moved by others under each of `tries` commits; `reason` is the host's word."""
    return Fault(
        "push-contended",
        f"branch {branch} on {host} moved under each of {tries} tries: {reason}",
        expected=f"{branch} to hold still for one push",
        actual=reason,
        hint="run the same command again, or promote several apps in one command",
    )
