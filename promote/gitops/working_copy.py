"""The user's checkout: looked at without writing, moved only by fast-forward, and never through a hook or a filter."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from promote.errors import Fault, Misuse
from promote.gitops.command import Answer, Git, settings_environment
from promote.gitops.faults import is_lock_failure, one_line
from promote.gitops.names import checked_oid, checked_path
from promote.gitops.settings import FILTER_COMMANDS
from promote.model.malformed import shown

_DETACHED = "(detached)"
_UNBORN = "(initial)"


class Place(Enum):
    """Where a branch is checked out."""

    HERE = "here"
    ELSEWHERE = "another work tree"
    NOWHERE = "nowhere"


class FastForward(Enum):
    """How an attempt to fast-forward the checkout ended."""

    DONE = "done"
    MOVED = "moved"
    """The branch is elsewhere by now, or another git process held a lock: worth another look."""
    IN_THE_WAY = "in the way"
    """Something in the checkout would be overwritten."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The branch as it is checked out: its commit, and the tracked files that differ from it, staged or not."""

    tip: str
    modified: tuple[str, ...]


class WorkingCopy:
    """The checkout seen from one branch; a bare repository has none, and every branch is nowhere.

    `filters` are the names of the content filters that git is configured to run, and does not run here.
    """

    def __init__(self, git: Git, branch: str, git_directory: Path, filters: frozenset[str], *, bare: bool) -> None:
        self._git = git
        self._branch = branch
        self._git_directory = git_directory
        self._filters = filters
        self._bare = bare

    @property
    def place(self) -> Place:
        """Where the branch is checked out now."""
        if self._bare:
            return Place.NOWHERE
        reference = f"refs/heads/{self._branch}"
        if self._git.answer(["symbolic-ref", "--quiet", "HEAD"]).text == reference:
            return Place.HERE
        listed = self._git.run(
            f"look at branch {self._branch}", ["for-each-ref", "--format=%(worktreepath)", "--", reference]
        )
        return Place.ELSEWHERE if listed.text else Place.NOWHERE

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While the block runs no other promote is in a block of its own about this checkout; they wait.

        Git lets go of the index before the branch follows: two fast-forwards at once can leave the files of the one
        with the branch of the other, and whoever looks in between sees changes that nobody made.
        """
        # Locked itself: a file for it would be one more write.
        directory = os.open(self._git_directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):  # some file systems have no locks
                fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

    @property
    def left_behind(self) -> str | None:
        """What to tell the user about a local branch that is not checked out here and so did not follow a push."""
        if self._bare:
            return None
        if self._git.answer(["show-ref", "--verify", "--quiet", f"refs/heads/{self._branch}"]).status != 0:
            return None
        return f"local branch {self._branch} was left where it is, because it is not checked out here"

    def look(self) -> Checkout | None:
        """The checkout of the branch; None when it is not checked out here.  One process; see `_status`."""
        if self._bare:
            return None
        head, modified = self._status(())
        if head.get("branch.head") != self._branch or self._branch == _DETACHED:
            return None
        tip = head.get("branch.oid", "")
        return None if tip == _UNBORN else Checkout(checked_oid(tip), modified)

    def _status(self, paths: Sequence[str]) -> tuple[Mapping[str, str], tuple[str, ...]]:
        """The headers of git-status(1) "Porcelain Format Version 2", and the tracked files that differ from HEAD.

        The index is refreshed in memory only (GIT_OPTIONAL_LOCKS=0), and content filters are turned off: a file that
        one of them would have to explain counts as modified.
        """
        answer = self._git.answer(
            ["status", "--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--untracked-files=no",
             "--ignore-submodules=dirty", "--no-renames", "--", *paths],
            environment=self._without_filters(),
        )  # fmt: skip
        if answer.status != 0:
            raise _unreadable(answer)
        records = [record for record in answer.text.split("\0") if record]
        heads = (record[2:].partition(" ") for record in records if record.startswith("# "))
        # "1 XY sub mH mI mW hH hI path"; "u XY sub m1 m2 m3 mW h1 h2 h3 path" in an unfinished merge.
        fields = {"1": 8, "u": 10}
        modified = tuple(r.split(" ", fields[r[0]])[-1] for r in records if r[0] in fields)
        return {name: value for name, _, value in heads}, modified

    def require_clean(self, paths: Sequence[str]) -> None:
        """Raise `Misuse` unless a commit that changes `paths` can be followed by the checkout.

        That is: the branch is not checked out in another work tree; and where it is checked out here, none of `paths`
        is modified, staged, in an unfinished merge, or written through a content filter.
        """
        names = [checked_path(path) for path in paths]
        place = self.place
        if place is Place.ELSEWHERE:
            raise Misuse(
                "branch-checked-out",
                f"branch {self._branch} is checked out in another work tree, which a commit here would leave behind",
                hint="run promote in that work tree (`git worktree list`)",
            )
        if place is Place.NOWHERE or not names:
            return
        if modified := self._status(names)[1]:
            raise Misuse(
                "working-copy-dirty",
                f"{shown(modified[0])} has changes that are not committed, expected it as it is in {self._branch}",
                expected="no local changes in the files that a promotion edits",
                actual=shown(", ".join(modified)),
                hint=f"commit or undo them: `git diff HEAD -- {shown(modified[0])}`",
            )
        if filtered := self._filtered(names):
            raise Misuse(
                "working-copy-filtered",
                f"{shown(filtered[0])} is written through a content filter of git, which promote does not run",
                expected="no filter attribute on the files that a promotion edits",
                actual=shown(", ".join(filtered)),
                hint="take the filter attribute of these files out of .gitattributes, or push to a remote instead",
            )

    def fast_forward(self, commit: str) -> tuple[FastForward, str]:
        """Branch, index and files go to `commit` together, or stay as they are; with what git said about it.

        One git process, so that a promote that is killed cannot leave the three apart.  The branch must be HERE, and
        the caller `alone`.
        """
        if filtered := self._filtered(self._changed(commit)):
            return FastForward.IN_THE_WAY, f"{shown(filtered[0])} is written through a content filter"
        answer = self._git.answer(
            ["merge", "--ff-only", "--quiet", "--no-autostash", "--no-verify-signatures", "--no-stat", commit],
            environment=self._plainly(),
        )
        if answer.status == 0:
            return FastForward.DONE, ""
        said = one_line(answer.err)
        moved = is_lock_failure(answer.err) or "Not possible to fast-forward" in answer.err
        return (FastForward.MOVED if moved else FastForward.IN_THE_WAY), said

    def _changed(self, commit: str) -> tuple[str, ...]:
        """The files that a fast-forward to `commit` would write; not asked where no filter could apply to them."""
        if not self._filters:
            return ()
        changed = self._git.run(
            "compare the checkout with the commit",
            ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "HEAD", commit, "--"],
        )
        return tuple(path for path in changed.text.split("\0") if path)

    def _filtered(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Those of `paths` that one of the filters applies to, by the attributes of the checkout as it is."""
        if not self._filters or not paths:
            return ()
        answer = self._git.run(
            "read the attributes of the files",
            ["check-attr", "-z", "--stdin", "filter"],
            stdin="".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape"),
        )
        fields = answer.text.split("\0")
        return tuple(p for p, value in zip(fields[::3], fields[2::3], strict=False) if value in self._filters)

    def _without_filters(self) -> Mapping[str, str]:
        """The environment in which no filter runs."""
        return settings_environment(self._no_filters()) if self._filters else {}

    def _plainly(self) -> Mapping[str, str]:
        """The same, and options that the user gave his merges into this branch (--squash, a strategy) do not count."""
        return settings_environment({**self._no_filters(), f"branch.{self._branch}.mergeOptions": ""})

    def _no_filters(self) -> dict[str, str]:
        """An empty command is none (gitattributes(5), "filter")."""
        off = {f"filter.{name}.{command}": "" for name in self._filters for command in FILTER_COMMANDS}
        return off | {f"filter.{name}.required": "false" for name in self._filters}


def _unreadable(answer: Answer) -> Fault:
    return Fault(
        "git-failed",
        f"could not look at the working copy: {one_line(answer.err)}",
        hint="try `git status` in the repository",
    )
