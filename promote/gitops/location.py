"""Which repository a directory belongs to, and what git says of it, asked of one process."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from promote.errors import Misuse
from promote.gitops.command import Git
from promote.gitops.faults import local_error, one_line
from promote.model.malformed import shown

KEPT = "refs/promote/"
"""Where promotes name what they fetched, each under a name of its own, so that no gc takes it meanwhile."""


@dataclass(frozen=True, slots=True)
class Location:
    """What git says about a directory: the top of its work tree or the bare repository, and where git keeps its own.

    The top of a bare repository that is called ``.git`` is the directory around it.

    `kept` are the references that promotes keep, or left behind.
    """

    root: Path
    git_directory: Path
    is_bare: bool
    is_shallow: bool
    kept: tuple[str, ...]


def locate(git: Git, directory: Path) -> Location:
    """The repository that `directory` is in, asked of one process; raises `Misuse`."""
    kind = git.answer(
        ["rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--is-shallow-repository",
         "--symbolic-full-name", f"--glob={KEPT}*", "--absolute-git-dir", "--show-toplevel"]
    )  # fmt: skip
    if "dubious ownership" in kind.err:
        raise Misuse(
            "unsafe-repository",
            f"git refuses {shown(str(directory))} because another user owns it",
            actual=one_line(kind.err),
            hint=f"git config --global --add safe.directory {shown(str(directory))}",
        )
    if kind.status != 0 and "work tree" not in kind.err and "not a git repository" not in kind.err:
        raise local_error(f"look at the repository of {shown(str(directory))}", kind.err)
    flags, rest = kind.text.split("\n")[:3], kind.text.split("\n")[3:]
    kept = tuple(takewhile(lambda line: line.startswith(KEPT), rest))
    paths = rest[len(kept) :]
    bare = flags[:2] == ["true", "false"]
    if not bare and (flags[:2] != ["false", "true"] or kind.status != 0):
        raise Misuse(
            "not-a-repository",
            f"{shown(str(directory))} is in no work tree of git and is no bare repository",
            expected="a directory of a git repository",
            actual=one_line(kind.err) or None,
            hint="run promote in the GitOps repository, or name it with --repo",
        )
    if len(paths) != (1 if bare else 2):  # a name with a line break in it
        alone = ["--absolute-git-dir"] if bare else ["--absolute-git-dir", "--show-toplevel"]
        paths = [git.run("find the repository", ["rev-parse", option]).text for option in alone]
    git_directory, root = Path(paths[0]).resolve(), Path(paths[-1]).resolve()
    if bare and root.name != ".git":
        _require_its_own(root)
    elif not bare:
        _require_at_its_top(root, git_directory)
    around = root.parent if bare and root.name == ".git" else root
    return Location(around, git_directory, bare, flags[2] == "true", kept)


def _require_its_own(bare: Path) -> None:
    """Raise `Misuse` where the bare repository `bare` lies in a work tree, whose own repository may have brought it.

    A clone brings no configuration but in this way, and configuration names programs.  Source: git-config(1),
    "safe.bareRepository".
    """
    if Git(bare.parent).answer(["rev-parse", "--is-inside-work-tree"]).text == "true":
        raise Misuse(
            "unsafe-repository",
            f"{shown(str(bare))} is a bare repository inside the work tree of another one, which may have brought it",
            expected="a repository of its own",
            hint=f"promote --repo {shown(str(bare))} works on a clone of it, and takes none of its configuration",
        )


def _require_at_its_top(root: Path, git_directory: Path) -> None:
    """Raise `Misuse` where core.worktree names a directory that does not belong to the repository."""
    there = root / ".git"
    try:
        is_file = there.is_file()
        named = root / there.read_text().removeprefix("gitdir:").strip() if is_file else there
    except (OSError, ValueError):
        named = there
    if named.resolve() != git_directory:
        raise Misuse(
            "unsafe-repository",
            f"the repository {shown(str(git_directory))} names {shown(str(root))} as its work tree, which is another's",
            expected="a work tree whose .git is this repository",
            hint="take core.worktree out of the configuration of the repository, or promote from a clone",
        )
