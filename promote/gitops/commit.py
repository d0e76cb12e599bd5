"""One commit, built by plumbing on a given parent: no work tree, no hook, no filter, not the user's index."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from promote.errors import Fault
from promote.gitops.command import Git
from promote.gitops.faults import local_error, one_line
from promote.gitops.names import checked_oid, checked_path
from promote.gitops.repository import Repository

NAME = "promote"
MAIL = "promote@localhost"
"""Who commits where git knows of nobody: neither the environment nor git's configuration names a person."""

_NEW_FILE = "100644"


def build(repository: Repository, parent: str, changes: Mapping[str, bytes], message: str) -> str:
    """The oid of a new commit on `parent` in which exactly the files of `changes` have new content.

    Each file keeps its mode.  The commit is signed when the user's commit.gpgSign says so.  Nothing refers to it yet.
    Raises `Refusal` (``overlay-ambiguous``) for a symbolic link or a submodule, `Fault` (``signing-failed``,
    ``git-failed``).
    """
    git, before = repository.git, repository.snapshot(parent)
    entries = []
    for path, content in changes.items():
        mode = before.mode(checked_path(path)) or _NEW_FILE
        # Without --path no filter and no line-ending conversion applies (git-hash-object(1)).
        blob = git.run(f"store {path}", ["hash-object", "-w", "--stdin"], stdin=content)
        entries.append(f"{mode} {checked_oid(blob.text)}\t{path}\0")
    return _commit(git, _tree(git, parent, "".join(entries)), parent, message)


def _tree(git: Git, parent: str, entries: str) -> str:
    """The tree of `parent` with `entries` (as ``git update-index -z --index-info`` takes them) put over it."""
    with tempfile.TemporaryDirectory(prefix="promote-") as directory:
        private = {"GIT_INDEX_FILE": str(Path(directory) / "index")}
        git.run("read the tree", ["read-tree", "--end-of-options", f"{parent}^{{tree}}"], environment=private)
        git.run(
            "change the tree",
            ["update-index", "-z", "--index-info"],
            stdin=entries.encode("utf-8", "surrogateescape"),
            environment=private,
        )
        # In a partial clone git would fetch every neighbour only to see that it exists; the parent vouches for them.
        return checked_oid(git.run("write the tree", ["write-tree", "--missing-ok"], environment=private).text)


def _commit(git: Git, tree: str, parent: str, message: str) -> str:
    # Plumbing does not look at commit.gpgSign (git-commit-tree(1)).
    sign = git.answer(["config", "--type=bool", "--get", "commit.gpgSign"]).text == "true"
    answer = git.answer(
        ["commit-tree", *(["-S"] if sign else []), "-p", parent, "-F", "-", tree],
        stdin=message.encode("utf-8", "replace"),
        environment=identity(git),
    )
    if answer.status == 0:
        return checked_oid(answer.text)
    if not sign:
        raise local_error("write the commit", answer.err)
    raise Fault(
        "signing-failed",
        f"could not sign the commit, which commit.gpgSign asks for: {one_line(answer.err)}",
        actual=one_line(answer.err),
        hint="try `git commit --allow-empty -S` by hand, or `git config commit.gpgSign false` in this repository",
    )


def identity(git: Git) -> Mapping[str, str]:
    """The environment that names `NAME` and `MAIL` for each role, author and committer, that git has nobody for.

    Git's own guess from the login and host name is not taken: it would put a machine's inside into history.
    """
    environment: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        known = git.answer(["-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT"])
        if known.status != 0:
            environment |= {f"GIT_{role}_NAME": NAME, f"GIT_{role}_EMAIL": MAIL}
    return environment
