"""Reading a branch back after its host merged a commit into it, whatever became of the commit in the merge."""

from __future__ import annotations

from promote.gitops.backoff import PATIENT, Backoff
from promote.gitops.confirming import LOOKS, unconfirmed
from promote.gitops.repository import Repository


def carrier(repository: Repository, commit: str, backoff: Backoff = PATIENT) -> str:
    """The commit by which the branch of `repository` has what `commit` changed, once its remote shows that it has.

    That is `commit` itself after a merge commit or a fast-forward, and another one after a squash or a rebase.
    `commit` has one parent and is here.  Raises `Fault` (``push-unconfirmed``) when the branch has other bytes in one
    of its files after `LOOKS` looks, and as `Repository.fetch` does.
    """
    paths = _changed(repository, commit)
    wanted = repository.snapshot(commit)
    for look in range(1, LOOKS + 1):
        tip = repository.fetch()
        there = repository.snapshot(tip)
        if all(there.read(path) == wanted.read(path) for path in paths):
            return _last(repository, tip, paths)
        backoff.wait(look)
    raise unconfirmed(commit, repository.branch, f"the tip of {repository.branch} has other bytes in a file of it")


def _changed(repository: Repository, commit: str) -> list[str]:
    """The paths that `commit` changed."""
    listed = repository.git.run(
        "compare two commits",
        ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", f"{commit}^", commit, "--"],
    ).text
    return [path for path in listed.split("\0") if path]


def _last(repository: Repository, tip: str, paths: list[str]) -> str:
    """The last commit below `tip` that changed one of `paths`; of a merge, the side that it took them from."""
    listed = repository.git.run("read the history", ["rev-list", "-1", tip, "--", *paths]).text
    return listed.strip() or tip
