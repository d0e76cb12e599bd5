"""A clone for one command: it begins with one commit and no file, and what is needed is brought in few requests.

Git would bring each missing file by itself, with a process and two round trips for each; here a whole directory, or all
the versions of a file, come at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from promote.gitops.command import NETWORK, Git
from promote.gitops.faults import transport_error
from promote.gitops.names import checked_oid

RECENT = 500
"""Commits.  So much of history is looked at before anybody asks for more: what a year of most repositories has, and
for a repository of 30,000 commits a fiftieth of what all of it would take."""


class Scratch:
    """A partial clone whose git directory is `git_directory`, of the repository that is called `remote` in it.

    Safe to use from several threads.
    """

    def __init__(self, git: Git, git_directory: Path, remote: str) -> None:
        self._git = git
        self._git_directory = git_directory
        self._remote = remote
        self._here: set[str] = set()
        self._bringing = threading.Lock()

    @property
    def is_shallow(self) -> bool:
        """Whether history ends somewhere before the first commit."""
        return (self._git_directory / "shallow").is_file()

    def bring(self, oids: Iterable[str]) -> None:
        """Make the blobs `oids` present: one process for those that are not, none when all are.

        Raises `CredentialsFault` and `Fault` as a fetch does.
        """
        with self._bringing:
            missing = [oid for oid in dict.fromkeys(oids) if not self._has(checked_oid(oid))]
            if not missing:
                return
            # What git itself runs for one missing object (promisor-remote.c).
            answer = self._git.answer(
                ["-c", "protocol.version=2", "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags",
                 "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--filter=blob:none",
                 "--stdin", self._remote],
                stdin="".join(f"{oid}\n" for oid in missing).encode(),
                seconds=NETWORK,
            )  # fmt: skip
            if answer.status != 0:
                raise transport_error("fetch files", self._remote, answer.err)
            self._here.update(missing)

    def _has(self, oid: str) -> bool:
        """Whether `oid` was brought, or written here; what a pack happens to hold besides is brought again."""
        return oid in self._here or (self._git_directory / "objects" / oid[:2] / oid[2:]).is_file()
