"""The user's checkout: looked at without writing, moved only by fast-forward, and never through a hook or a filter."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum

from promote.errors import Fault, Misuse
from promote.gitops.command import Answer, Git, settings_environment
from promote.gitops.faults import is_lock_failure, one_line
from promote.gitops.names import checked_path
from promote.model.malformed import shown


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


class WorkingCopy:
    """The checkout seen from one branch; a bare repository has none, and every branch is nowhere."""

    def __init__(self, git: Git, branch: str, *, bare: bool) -> None:
        self._git = git
        self._branch = branch
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
        found = self._git.run("find the repository", ["rev-parse", "--absolute-git-dir"]).text
        directory = os.open(found, os.O_RDONLY | os.O_DIRECTORY)  # locked itself: a file for it would be one more write
        try:
            with suppress(OSError):  # some file systems have no locks
                fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

    @property
    def left_behind(self) -> str | None:
        """What to tell the user about a local branch that is not checked out here and so did not follow a push."""
        known = self._git.answer(["show-ref", "--verify", "--quiet", f"refs/heads/{self._branch}"]).status == 0
        if self._bare or not known:
            return None
        return f"local branch {self._branch} was left where it is, because it is not checked out here"

    def modified(self, paths: Sequence[str] = ()) -> tuple[str, ...]:
        """Tracked files that differ from HEAD, staged or not; only among `paths` when there are any.

        The index is refreshed in memory only (GIT_OPTIONAL_LOCKS=0), and content filters are turned off: a file that
        one of them would have to explain counts as modified.
        """
        answer = self._git.answer(
            ["status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=dirty", "--no-renames",
             "--", *paths],
            environment=self._without_filters(self._filters()),
        )  # fmt: skip
        if answer.status != 0:
            raise _unreadable(answer)
        return tuple(record[3:] for record in answer.text.split("\0") if record)

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
        if modified := self.modified(names):
            raise Misuse(
                "working-copy-dirty",
                f"{shown(modified[0])} has changes that are not committed, expected it as it is in {self._branch}",
                expected="no local changes in the files that a promotion edits",
                actual=shown(", ".join(modified)),
                hint=f"commit or undo them: `git diff HEAD -- {shown(modified[0])}`",
            )
        if filtered := self._filtered(names, self._filters()):
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
        filters = self._filters()
        changed = self._git.run(
            "compare the checkout with the commit",
            ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "HEAD", commit, "--"],
        )
        if filtered := self._filtered([p for p in changed.text.split("\0") if p], filters):
            return FastForward.IN_THE_WAY, f"{shown(filtered[0])} is written through a content filter"
        answer = self._git.answer(
            ["merge", "--ff-only", "--quiet", "--no-autostash", "--no-verify-signatures", "--no-stat", commit],
            environment=self._without_filters(filters),
        )
        if answer.status == 0:
            return FastForward.DONE, ""
        said = one_line(answer.err)
        moved = is_lock_failure(answer.err) or "Not possible to fast-forward" in answer.err
        return (FastForward.MOVED if moved else FastForward.IN_THE_WAY), said

    def _filters(self) -> frozenset[str]:
        """The names of the configured content filters; a ``filter`` attribute without one does nothing."""
        listed = self._git.answer(
            ["config", "-z", "--name-only", "--get-regexp", r"^filter\..*\.(clean|smudge|process)$"]
        )
        keys = (key for key in listed.text.split("\0") if key)
        return frozenset(key.removeprefix("filter.").rpartition(".")[0] for key in keys)

    def _filtered(self, paths: Sequence[str], filters: frozenset[str]) -> tuple[str, ...]:
        """Those of `paths` that one of `filters` applies to, by the attributes of the checkout as it is."""
        if not filters or not paths:
            return ()
        answer = self._git.run(
            "read the attributes of the files",
            ["check-attr", "-z", "--stdin", "filter"],
            stdin="".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape"),
        )
        fields = answer.text.split("\0")
        return tuple(p for p, value in zip(fields[::3], fields[2::3], strict=False) if value in filters)

    @staticmethod
    def _without_filters(filters: Iterable[str]) -> Mapping[str, str]:
        """The environment in which none of `filters` runs: an empty command is none (gitattributes(5), "filter")."""
        off = {f"filter.{name}.{command}": "" for name in filters for command in ("clean", "smudge", "process")}
        off |= {f"filter.{name}.required": "false" for name in filters}
        return settings_environment(off) if off else {}


def _unreadable(answer: Answer) -> Fault:
    return Fault(
        "git-failed",
        f"could not look at the working copy: {one_line(answer.err)}",
        hint="try `git status` in the repository",
    )
