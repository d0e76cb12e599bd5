"""Objects and references of the repository, read through one long-lived ``git cat-file --batch``."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO, TypeVar, cast

from promote.errors import Fault
from promote.gitops.command import Git, end
from promote.gitops.names import checked_oid

# 100 names are at most 6.5 kB, which any pipe buffer takes: git can never wait for us while we wait for git.
_AT_ONCE = 100
_BLOCK = 64 * 1024
LARGEST = 64 * 1024 * 1024
"""Bytes.  No manifest and no directory comes near; a larger object is not read into memory."""

T = TypeVar("T")


class Objects:
    """Blobs and trees by object name, commits by the name of a reference; `close` ends the process.

    Safe to use from several threads.
    """

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, oid: str, kind: str) -> bytes:
        """The content of one object of `kind` (``blob``, ``tree``); a commit may be asked for as a ``tree``."""
        return next(self._batch([oid], kind))

    def commit(self, reference: str) -> str | None:
        """The commit that the checked, full name `reference` leads to now; None when it leads to none."""
        return self._exchange(f"{reference}^{{commit}}\n", reference, lambda out: _named(out, reference))

    def read_all(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each blob once, in the order asked for, a hundred in memory at a time."""
        rest = iter(dict.fromkeys(oids))
        while some := list(islice(rest, _AT_ONCE)):
            yield from zip(some, self._batch(some, "blob"), strict=True)

    def close(self) -> None:
        """End the process; the next read starts another one."""
        with self._lock:
            if self._process is not None:
                end(self._process)
                self._process = None

    def _batch(self, oids: list[str], kind: str) -> Iterator[bytes]:
        names = "".join(f"{checked_oid(oid)}^{{{kind}}}\n" for oid in oids)
        return self._exchange(names, oids[0], lambda out: iter([_one(out, oid, kind) for oid in oids]))

    def _exchange(self, names: str, first: str, read: Callable[[IO[bytes]], T]) -> T:
        """What `read` makes of the answers to `names`; `first` is the one that an error names."""
        with self._lock:
            if self._process is None:
                self._process = self._git.start(["cat-file", "--batch"])
            into, out = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
            try:
                into.write(names.encode())
                into.flush()
                return read(out)
            except BaseException as error:
                # Answers may still be on their way; they must not be taken for those of the next question.
                end(self._process)
                self._process = None
                if isinstance(error, OSError):
                    raise _gone(first) from error
                raise


def _named(out: IO[bytes], reference: str) -> str | None:
    """The name of the commit in one answer, its content left behind; None for ``<name> missing``."""
    header = out.readline().split()
    if not header:
        raise _gone(reference)
    if len(header) != 3 or header[1] != b"commit" or not header[2].isdigit():
        return None
    rest = int(header[2]) + 1
    while rest:
        read = len(out.read(min(rest, _BLOCK)))
        if not read:
            raise _gone(reference)
        rest -= read
    return checked_oid(header[0].decode("ascii", "replace"))


def _one(out: IO[bytes], oid: str, kind: str) -> bytes:
    """One answer of git-cat-file(1), "BATCH OUTPUT": ``<oid> <type> <size>``, the content, a newline."""
    header = out.readline().split()
    if not header:
        raise _gone(oid)
    if len(header) != 3 or header[1] != kind.encode() or not header[2].isdigit():
        raise Fault(
            "object-missing",
            f"the repository has no {kind} {oid}",
            expected=f"a {kind}",
            actual=header[-1].decode("ascii", "replace"),
            hint="run `git fsck`, and fetch what is missing",
        )
    size = int(header[2])
    if size > LARGEST:
        raise Fault(
            "object-too-large",
            f"the {kind} {oid} has {size} bytes, expected at most {LARGEST}",
            expected=f"at most {LARGEST} bytes",
            actual=f"{size} bytes",
        )
    content = out.read(size + 1)
    if len(content) != size + 1:
        raise _gone(oid)
    return content[:size]


def _gone(oid: str) -> Fault:
    return Fault("git-failed", f"git cat-file ended before it gave {oid}", hint="run `git fsck`: it may be damaged")
