"""Which repository a directory belongs to, and what git says of it, asked of one process."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from promote.errors import Misuse
from promote.gitops.command import Git
from promote.gitops.faults import one_line
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
    around = root.parent if bare and root.name == ".git" else root
    return Location(around, git_directory, bare, flags[2] == "true", kept)
