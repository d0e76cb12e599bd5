"""A commit that GitHub makes itself (GraphQL ``createCommitOnBranch``), and signs: for bots that have no key.

The expected head is compare and swap: GitHub refuses where the branch is elsewhere, and the change is derived again.
What arrived is fetched with git, and compared byte for byte.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from promote.errors import CredentialsFault, Fault, Misuse, Refusal
from promote.gitops.backoff import PATIENT, Backoff
from promote.gitops.confirming import confirm
from promote.gitops.delivery import RemoteDelivery
from promote.gitops.forge import github
from promote.gitops.forge.address import Address, address, token
from promote.gitops.forge.api import Api
from promote.gitops.names import checked_oid
from promote.gitops.push import Change, Landed, contended
from promote.gitops.repository import Repository
from promote.gitops.snapshot import Snapshot
from promote.model.malformed import shown
from promote.model.progress import Observer

LARGEST = 40 * 1024 * 1024
"""Bytes of all files of one commit: what GitHub's API takes, less a margin."""
_ORDINARY = "100644"
_BROKEN_AT_MOST = 4
_COMMIT = """\
mutation($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) {
    commit { oid signature { isValid } }
  }
}
"""


def check(repository: Repository, kind: str | None, environ: Mapping[str, str]) -> None:
    """Prove that GitHub's API can be asked for a commit, and write nothing.

    Raises `Misuse` where the remote is not GitHub's, `CredentialsFault` and `Fault` as `Forge.check`.
    """
    where = _address(repository, kind, environ)
    client = github.api(where, token(where, environ))
    try:
        github.GitHub(where, client).check()
    finally:
        client.close()


def land(
    repository: Repository,
    change: Callable[[Snapshot], Change | None],
    *,
    tip: str,
    kind: str | None,
    environ: Mapping[str, str],
    observer: Observer,
    backoff: Backoff = PATIENT,
) -> Landed:
    """Put a change on the branch by GitHub's API; `change` and `tip` as in `promote.gitops.push.land`.

    Raises `Refusal` (``mode-unsupported``, 16) for a file that is executable, ``push-declined`` (10) where a rule of
    the branch says no, `CredentialsFault`, `Misuse`, and `Fault`: ``push-contended``, ``push-unconfirmed``,
    ``forge-transport``.
    """
    where = _address(repository, kind, environ)
    client = github.api(where, token(where, environ))
    try:
        return _Landing(repository, where, client, change, observer, backoff).run(tip)
    finally:
        client.close()


@dataclass(frozen=True, slots=True)
class _Made:
    """What GitHub says: the commit it made; or that the branch was elsewhere; or why not."""

    commit: str | None = None
    moved: bool = False
    is_signed: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class _Landing:
    repository: Repository
    where: Address
    client: Api
    change: Callable[[Snapshot], Change | None]
    observer: Observer
    backoff: Backoff

    def run(self, tip: str) -> Landed:
        """Try until the change is on the branch, or cannot be."""
        started, broken = self.backoff.clock(), 0
        for tries in count(1):
            wanted = self.change(self.repository.snapshot(tip))
            if wanted is None:
                return self._result(tip, tries - 1, None, already=True)
            self._check(wanted, tip)
            self.observer.step("commit", shown(wanted.message.partition("\n")[0]))
            try:
                made = self._asked(wanted, tip)
            except CredentialsFault:
                raise
            except Fault as fault:
                # An answer can get lost: look, and only then ask again.
                broken += 1
                if (landed := self._found(wanted, tip, tries)) is not None:
                    return landed
                if broken >= _BROKEN_AT_MOST or fault.code != "forge-transport":
                    raise
                made = _Made(moved=True, said=fault.message)
            if made.commit is not None:
                note = None if made.is_signed else "GitHub made the commit and did not sign it"
                return self._confirmed(made.commit, wanted, tries, note)
            if not made.moved:
                return self._refused(made.said, wanted, tip, tries)
            if self.backoff.is_over(tries, started):
                raise contended(self.repository.branch, self.where.host, tries, made.said)
            self.backoff.wait(tries)
            tip = self.repository.fetch()
        raise AssertionError  # count() does not end

    def _check(self, wanted: Change, tip: str) -> None:
        before = self.repository.snapshot(tip)
        for path in wanted.files:
            mode = before.mode(path)
            if mode not in (None, _ORDINARY):
                raise Refusal(
                    "mode-unsupported",
                    f"{shown(path)} has mode {mode}, and GitHub's API makes files of mode {_ORDINARY} only",
                    exit_code=16,
                    expected=_ORDINARY,
                    actual=mode,
                    hint="set git.delivery to push, or `git update-index --chmod=-x` the file",
                )
        if sum(map(len, wanted.files.values())) > LARGEST:
            raise Misuse(
                "commit-too-large", f"got more than {LARGEST} bytes of files, expected less", hint="promote fewer apps"
            )

    def _asked(self, wanted: Change, tip: str) -> _Made:
        headline, _, body = wanted.message.partition("\n")
        additions = [
            {"path": path, "contents": base64.b64encode(new).decode("ascii")} for path, new in wanted.files.items()
        ]
        asked = {
            "branch": {"repositoryNameWithOwner": self.where.path, "branchName": self.repository.branch},
            "expectedHeadOid": tip,
            "message": {"headline": headline, "body": body.strip("\n")},
            "fileChanges": {"additions": additions},
        }
        self.observer.step("push", f"{self.where.host} {self.repository.branch}")
        return self._read(self.client.ask(self.where.graphql, _COMMIT, {"input": asked}))

    def _read(self, answer: Any) -> _Made:
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors:
            said = self.client.said_by(errors)
            # "STALE_DATA" is the type; older servers only say "Expected branch to point to ..".
            listed = errors if isinstance(errors, list) else []
            stale = any(isinstance(error, dict) and error.get("type") == "STALE_DATA" for error in listed)
            return _Made(moved=stale or "xpected branch to point to" in said, said=said)
        commit = ("data", "createCommitOnBranch", "commit")
        try:
            oid = checked_oid(self.client.text(answer, *commit, "oid"))
        except Misuse:
            raise self.client.unusable("the commit's oid is no object name") from None
        signature = answer["data"]["createCommitOnBranch"]["commit"].get("signature")
        return _Made(oid, is_signed=isinstance(signature, dict) and signature.get("isValid") is True)

    def _found(self, wanted: Change, before: str, tries: int) -> Landed | None:
        """The commit that was made although nobody said so, by its message among those since `before`."""
        tip = self.repository.fetch()
        if tip == before:
            return None
        told = self.repository.git.run(
            "read the history", ["log", "-z", "--format=%H%x00%B", "--end-of-options", f"{before}..{tip}"]
        ).text.split("\0")
        for oid, message in zip(told[::2], told[1::2], strict=False):
            if message.strip() == wanted.message.strip():
                return self._confirmed(oid.strip(), wanted, tries, None)
        return None

    def _confirmed(self, commit: str, wanted: Change, tries: int, note: str | None) -> Landed:
        repository = self.repository
        confirm(repository, commit, wanted.files, lambda: repository.contains(repository.fetch(), commit), self.backoff)
        return self._result(commit, tries, note)

    def _result(self, commit: str, tries: int, note: str | None, *, already: bool = False) -> Landed:
        left = RemoteDelivery(self.repository, self.observer).settle(commit)
        told = "; ".join(part for part in (note, left) if part) or None
        return Landed(commit, self.repository.branch, pushed=True, already=already, note=told, tries=tries)

    def _refused(self, said: str, wanted: Change, before: str, tries: int) -> Landed:
        """Raise what was `said`, unless the commit is there all the same."""
        # The error may be of one field of the answer: section 7.1.2 of GraphQL's specification, "Errors".
        if (landed := self._found(wanted, before, tries)) is not None:
            return landed
        raise Refusal(
            "push-declined",
            f"{self.where.host} declined the commit on {self.repository.branch}: {said}",
            exit_code=10,
            expected=f"the right to push to {self.repository.branch}",
            actual=said,
            hint=f"let this identity past the rules that protect {self.repository.branch}, or use --pull-request",
        )


def _address(repository: Repository, kind: str | None, environ: Mapping[str, str]) -> Address:
    where = address(repository.remote_url or "", kind, environ)
    if where.kind != "github":
        raise Misuse(
            "forge-unknown",
            f"got git.delivery github-api for {where.host}, which is {where.kind}",
            expected="a repository on GitHub",
            actual=where.host,
            hint="set git.delivery to push or pull-request",
        )
    return where
