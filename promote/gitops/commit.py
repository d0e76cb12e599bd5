"""One commit, built by plumbing on a given parent: no work tree, no index, no hook, no filter.  Three processes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, cast

from promote.errors import Fault
from promote.gitops.command import Git
from promote.gitops.commit_signature import check_signature
from promote.gitops.faults import local_error, one_line
from promote.gitops.names import checked_oid, checked_path
from promote.gitops.repository import Repository
from promote.gitops.settings import Knowledge, Settings
from promote.gitops.snapshot import TREE, Entry, Snapshot

NAME = "promote"
MAIL = "promote@localhost"
"""Who commits where git knows of nobody: neither the environment nor git's configuration names a person."""

_NEW_FILE = "100644"
_SUBMODULE = "160000"


def build(repository: Repository, parent: str, changes: Mapping[str, bytes], message: str) -> str:
    """The oid of a new commit on `parent` in which exactly the files of `changes` have new content.

    Each file keeps its mode.  The commit is signed when the user's commit.gpgSign says so, and the signature verified.
    Nothing refers to it yet.  Raises `Refusal` (``overlay-ambiguous``) for a symbolic link or a submodule, `Fault`
    (``signing-failed``, ``signature-unverified``, ``git-failed``).
    """
    git, before = repository.git, repository.snapshot(parent)
    modes = {path: before.mode(checked_path(path)) or _NEW_FILE for path in changes}
    oids = _blobs(git, list(changes.values()))
    files = {path: Entry(modes[path], oid) for path, oid in zip(changes, oids, strict=True)}
    commit = _commit(git, repository.settings, _tree(git, before, files), parent, message)
    if repository.settings.signs:
        check_signature(git, commit)
    repository.remember(commit, parent)
    return commit


def _blobs(git: Git, contents: list[bytes]) -> list[str]:
    """The oids of `contents`, stored by one process."""
    with tempfile.TemporaryDirectory(prefix="promote-") as directory:
        files = [Path(directory) / str(number) for number in range(len(contents))]
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content)
        names = "".join(f"{file}\n" for file in files).encode("utf-8", "surrogateescape")
        stored = git.run("store the files", ["hash-object", "-w", "--no-filters", "--stdin-paths"], stdin=names)
    return [checked_oid(oid) for oid in stored.text.splitlines()]


def _tree(git: Git, before: Snapshot, files: Mapping[str, Entry]) -> str:
    """The tree of `before` with `files` put over it.  Only directories on the way to them are read and written."""
    new: dict[str, dict[str, Entry]] = {"": {}}
    for path, entry in files.items():
        directory, _, name = path.rpartition("/")
        new.setdefault(directory, {})[name] = entry
        while directory:
            directory = directory.rpartition("/")[0]
            new.setdefault(directory, {})
    # In a partial clone git would fetch every neighbour only to see that it exists; the parent vouches for them.
    with git.process(["mktree", "-z", "--missing", "--batch"]) as process:
        into, out = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        oid = ""
        for directory in sorted(new, key=lambda directory: (-directory.count("/"), directory == "")):
            entries = {**(before.entries(directory) or {}), **new[directory]}
            try:
                into.write(b"".join(_line(name, entry) for name, entry in entries.items()) + b"\0")
                into.flush()
                oid = out.readline().decode("ascii", "replace").rstrip("\n")
            except OSError:
                oid = ""
            if not oid:
                raise local_error("write the tree", cast("IO[bytes]", process.stderr).read().decode("utf-8", "replace"))
            if directory:
                above, _, name = directory.rpartition("/")
                new[above][name] = Entry(TREE, checked_oid(oid))
    return checked_oid(oid)


def _line(name: str, entry: Entry) -> bytes:
    """One entry as git-ls-tree(1) prints it and git-mktree(1) takes it."""
    kind = {TREE: "tree", _SUBMODULE: "commit"}.get(entry.mode, "blob")
    return f"{entry.mode:0>6} {kind} {entry.oid}\t{name}\0".encode("utf-8", "surrogateescape")


def _commit(git: Git, settings: Settings, tree: str, parent: str, message: str) -> str:
    # Plumbing does not look at commit.gpgSign (git-commit-tree(1)).
    answer = git.answer(
        ["commit-tree", *(["-S"] if settings.signs else []), "-p", parent, "-F", "-", tree],
        stdin=message.encode("utf-8", "replace"),
        environment=identity(git, settings),
    )
    if answer.status == 0:
        return checked_oid(answer.text)
    if not settings.signs:
        raise local_error("write the commit", answer.err)
    raise Fault(
        "signing-failed",
        f"could not sign the commit, which commit.gpgSign asks for: {one_line(answer.err)}",
        actual=one_line(answer.err),
        hint="try `git commit --allow-empty -S` by hand, or `git config commit.gpgSign false` in this repository",
    )


def identity(git: Git, settings: Settings) -> Mapping[str, str]:
    """The environment that names `NAME` and `MAIL` for each role, author and committer, that git has nobody for.

    Git's own guess from the login and host name is not taken: it would put a machine's inside into history.
    """
    environment: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        who = settings.who(role, os.environ)
        if who is Knowledge.UNCLEAR:
            asked = git.answer(["-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT"])
            who = Knowledge.KNOWN if asked.status == 0 else Knowledge.MISSING
        if who is Knowledge.MISSING:
            environment |= {f"GIT_{role}_NAME": NAME, f"GIT_{role}_EMAIL": MAIL}
    return environment
