"""The branch of a pull request: its name follows from what is promoted, and only promote's own commits are replaced."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

from promote.errors import Misuse, PromoteError, Refusal
from promote.gitops import trailers
from promote.gitops.backoff import PATIENT, Backoff
from promote.gitops.command import NETWORK
from promote.gitops.commit import build
from promote.gitops.confirming import unconfirmed
from promote.gitops.names import checked_branch
from promote.gitops.porcelain import Outcome, Report, push_error, read_push
from promote.gitops.push import Change
from promote.gitops.repository import Repository
from promote.gitops.snapshot import Snapshot
from promote.model.malformed import shown
from promote.model.progress import Observer

ROOT = "promote"
LONGEST = 100
"""Characters of the apps' names in a branch; more are told by their number and a digest."""
SHORTEST = 12
"""Digits of a commit or of a digest that name one here: what Bitbucket tells of a head."""
_BROKEN_AT_MOST = 4
_NAME = re.compile(rf"{ROOT}/[^/]+/[^/]+/[0-9a-f]{{{SHORTEST}}}")


@dataclass(frozen=True, slots=True)
class Offered:
    """The branch as the remote has it: its head, the head's message, and `fresh`: whether this run moved it."""

    branch: str
    commit: str
    message: str
    fresh: bool


def branch_name(environment: str, digests: Mapping[str, str]) -> str:
    """``promote/<environment>/<app>/<12 digits>``; `digests` has the hex digits of each app's image.

    Several apps are joined with ``+``, and the digits are those of all together.
    """
    apps = "+".join(sorted(digests))
    if len(apps) > LONGEST:
        apps = f"{len(digests)}-apps+{hashlib.sha256(apps.encode()).hexdigest()[:12]}"
    pairs = sorted(digests.items())
    digits = pairs[0][1] if len(pairs) == 1 else hashlib.sha256(repr(pairs).encode()).hexdigest()
    return checked_branch(f"{ROOT}/{environment}/{apps}/{digits[:SHORTEST]}")


def takes_the_place(new: str, old: str) -> bool:
    """Whether a request of branch `new` supersedes one of `old`: same environment, and no app that `new` has not."""
    parts, theirs = new.split("/"), old.split("/")
    if len(parts) != 4 or len(theirs) != 4 or old == new or theirs[:2] != parts[:2]:
        return False
    return theirs[2] == parts[2] or set(theirs[2].split("+")) <= set(parts[2].split("+"))


def offer(
    repository: Repository,
    branch: str,
    change: Callable[[Snapshot], Change | None],
    *,
    tip: str,
    observer: Observer,
    backoff: Backoff = PATIENT,
) -> Offered | None:
    """Put the change, derived from `tip` of the base, on `branch` of the remote; None when the base has it already.

    A head that still says exactly this is kept, so that an approval of it stands; any other commit of promote is
    replaced with a lease on the very object that was seen.  Raises `Refusal` (``pull-request-branch-edited``, 10) when
    somebody else's commit is on top, ``push-declined``, and as a push does.
    """
    wanted = change(repository.snapshot(tip))
    if wanted is None:
        return None
    with Repository.open(repository.root, branch=branch, remote=repository.remote) as own:
        return _Offering(repository, own, tip, wanted, observer, backoff).run()


def delete(repository: Repository, branch: str, head: str, *, tip: str) -> str | None:
    """Delete `branch` of the remote, whose request was closed; None when it is gone, else why it was left there.

    `head` is what the host says that the request would merge, at least its first 12 digits; `tip` is the base's.  Only
    a branch whose name is one of `branch_name`'s and that has one commit of promote upon the base, and no other, is
    deleted, with a lease on that very commit: what somebody pushes meanwhile stays.  Raises nothing of promote's: the
    request that took its place is there, and a branch too many does no harm.
    """
    if not _NAME.fullmatch(branch):
        return f"branch {shown(branch)} was left there: its name is none of promote's"
    try:
        with Repository.open(repository.root, branch=branch, remote=repository.remote) as own:
            why = _deleted(own, head, tip)
    except PromoteError as error:
        why = error.message
    return why and f"branch {shown(branch)} was left there: {why}"


def _deleted(own: Repository, head: str, tip: str) -> str | None:
    """Delete the branch of `own`; why not, where it was not."""
    there = _head(own)
    if there is None:
        return None
    if len(head) < SHORTEST or not there.startswith(head):
        return f"it is at {there[:SHORTEST]}, and the request was at {shown(head[:SHORTEST])}"
    parent, message = _told(own, there)
    if not _is_ours(message):
        return f"commit {there[:SHORTEST]} is none of promote's"
    if not parent or " " in parent or not own.contains(tip, parent):
        return "it has more than one commit that the base has not"
    answer = own.git.answer(
        ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
         f"--force-with-lease=refs/heads/{own.branch}:{there}", "--", own.remote, f":refs/heads/{own.branch}"],
        seconds=NETWORK,
    )  # fmt: skip
    report = read_push(answer)
    return None if report.outcome is Outcome.LANDED else report.reason


@dataclass(frozen=True, slots=True)
class _Offering:
    repository: Repository
    own: Repository
    tip: str
    wanted: Change
    observer: Observer
    backoff: Backoff

    def run(self) -> Offered:
        """Try until the branch holds the change, or cannot."""
        started, broken = self.backoff.clock(), 0
        for tries in count(1):
            head = _head(self.own)
            if head is not None and self._stands(head):
                return Offered(self.own.branch, head, self.wanted.message, fresh=False)
            commit = build(self.repository, self.tip, self.wanted.files, self.wanted.message)
            self.observer.step("push", f"{self.own.remote} {self.own.branch}")
            report = self.own.push(commit, f"--force-with-lease=refs/heads/{self.own.branch}:{head or ''}")
            if report.outcome is Outcome.LANDED:
                return Offered(self.own.branch, self._confirmed(commit), self.wanted.message, fresh=True)
            broken += report.outcome is Outcome.UNKNOWN
            final = report.outcome is Outcome.DECLINED or broken >= _BROKEN_AT_MOST
            if final or self.backoff.is_over(tries, started):
                raise self._error(report)
            self.backoff.wait(tries)
        raise AssertionError  # count() does not end

    def _error(self, report: Report) -> PromoteError:
        own = self.own
        remedy = f"let this identity make and replace branches below {ROOT}/, or exempt them from the host's rules"
        return push_error(report, own.branch, own.remote_host or own.remote, own.settings.authorizations, remedy)

    def _stands(self, head: str) -> bool:
        """Whether the commit at `head` says what a new one would say; raises `Refusal` when it is not promote's."""
        parents, message = _told(self.own, head)
        if not _is_ours(message):
            raise _edited(self.own.branch, head)
        if message.strip() != self.wanted.message.strip() or " " in parents or not parents:
            return False
        if not self.own.contains(self.tip, parents):
            return False
        changed = self.own.git.run(
            "compare two commits",
            ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", parents, head, "--"],
        ).text
        if {path for path in changed.split("\0") if path} != set(self.wanted.files):
            return False
        before, after, now = (self.own.snapshot(commit) for commit in (parents, head, self.tip))
        return all(
            after.read(path) == content and before.read(path) == now.read(path)
            for path, content in self.wanted.files.items()
        )

    def _confirmed(self, commit: str) -> str:
        """`commit`, read back as the branch's head."""
        for look in range(1, 4):
            if self.own.remote_is_at(commit):
                return commit
            self.backoff.wait(look)
        raise unconfirmed(commit, self.own.branch, "the remote does not say that it is there")


def _head(own: Repository) -> str | None:
    """The commit that the remote's branch is at, fetched; None when there is no such branch."""
    try:
        return own.fetch()
    except Misuse as missing:
        if missing.code != "branch-missing":
            raise
        return None


def _told(own: Repository, commit: str) -> tuple[str, str]:
    """The parents of `commit`, with spaces between them, and its message."""
    told = own.git.run("read the commit", ["show", "-s", "--format=%P%x00%B", "--end-of-options", commit]).text
    parents, _, message = told.partition("\0")
    return parents, message


def _is_ours(message: str) -> bool:
    return any(name == trailers.ID for name, _ in trailers.parse(message))


def _edited(branch: str, head: str) -> Refusal:
    return Refusal(
        "pull-request-branch-edited",
        f"branch {shown(branch)} has commit {head[:12]} on top, which promote did not make",
        exit_code=10,
        expected="a commit of promote with its trailers",
        actual=head,
        hint=f"merge or close the pull request, then delete the branch: `git push --delete origin {shown(branch)}`",
    )
