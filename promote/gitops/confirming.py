"""Reading a branch back: a commit that was sent is called landed only when the branch has it, with the very bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from promote.errors import Fault
from promote.gitops.backoff import Backoff
from promote.gitops.repository import Repository
from promote.model.malformed import shown

LOOKS = 5
"""How often the branch is read back, for servers whose replicas lag behind."""


def confirm(
    repository: Repository,
    commit: str,
    files: Mapping[str, bytes],
    is_there: Callable[[], bool],
    backoff: Backoff,
) -> None:
    """Return when the branch of `repository` holds `commit`, and that commit `files` by their paths.

    `is_there` asks whether the branch has the commit, and brings it where it has.  Raises `Fault`
    (``push-unconfirmed``) when it says no `LOOKS` times, or when a file has other bytes; and whatever `is_there` does.
    """
    for look in range(1, LOOKS + 1):
        if is_there():
            break
        backoff.wait(look)
    else:
        raise unconfirmed(commit, repository.branch, f"the tip of {repository.branch} does not have it")
    landed = repository.snapshot(commit)
    for path, content in files.items():
        if landed.read(path) != content:
            raise unconfirmed(commit, repository.branch, f"{shown(path)} has other bytes there")


def unconfirmed(commit: str, branch: str, why: str) -> Fault:
    """The error for a commit of which nobody can say whether it is on `branch`."""
    return Fault(
        "push-unconfirmed",
        f"could not find out whether commit {commit} is on branch {branch}: {why}",
        expected=f"{commit} on {branch}",
        actual=why,
        hint="run the same command again: it looks first, and does nothing twice",
    )
