"""The files of one OCI image layout: opened without following links, replaced whole, locked between processes."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from promote.errors import Fault

LOCK = ".promote.lock"
"""Held while index.json is rewritten.  Other tools look for the files of image-layout.md only, and so not for this."""

_TEMPORARY = ".promote-"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_PLAIN = frozenset({errno.ELOOP, errno.ENOTDIR})


class LayoutFiles:
    """Files by their names below `path`, a directory that need not exist yet.

    `path` itself is the user's and may lead over symbolic links; nothing below it may: whoever can write a layout must
    not choose which other file of this machine is read or written.  Every method raises `Fault`: ``layout-not-plain``
    where a link, a pipe or a file in place of a directory stands in the way, ``disk`` for what the system reports.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self, *name: str) -> BinaryIO | None:
        """The file for reading; None when it, or a directory on the way to it, does not exist."""
        with self._faults(*name):
            try:
                with self._directory(*name[:-1]) as parent:
                    descriptor = os.open(name[-1], _READ, dir_fd=parent)
            except FileNotFoundError:
                return None
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise self._not_plain(*name)
            return os.fdopen(descriptor, "rb", buffering=0)

    def exists(self, *name: str) -> bool:
        """Whether the file is there; raises `Fault` when something else is there instead."""
        file = self.open(*name)
        if file is not None:
            file.close()
        return file is not None

    def size(self, *name: str) -> int | None:
        """The size in bytes of a regular file; None when there is none of that name."""
        with self._faults(*name):
            try:
                with self._directory(*name[:-1]) as parent:
                    status = os.stat(name[-1], dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                return None
            return status.st_size if stat.S_ISREG(status.st_mode) else None

    def read(self, *name: str, limit: int) -> bytes | None:
        """The whole file; None when it does not exist.  Raises `Fault` when it has more than `limit` bytes."""
        file = self.open(*name)
        if file is None:
            return None
        with file, self._faults(*name):
            parts, left = [], limit + 1
            while left and (part := file.read(left)):
                parts.append(part)
                left -= len(part)
        if not left:
            raise Fault(
                "content-too-large",
                f"{self.shown(*name)} has more than {limit} bytes, expected at most that",
                expected=f"at most {limit} bytes",
            )
        return b"".join(parts)

    @contextmanager
    def replacing(self, *name: str) -> Iterator[BinaryIO]:
        """A new file to write; it takes the place of `name` whole when the block ends, and vanishes when it raises."""
        with self._faults(*name):
            self._make(*name[:-1])
            with self._directory() as root, self._directory(*name[:-1]) as parent:
                temporary, file = _new_file(root)
                try:
                    with file:
                        yield file
                        file.flush()
                        os.replace(temporary, name[-1], src_dir_fd=root, dst_dir_fd=parent)
                except BaseException:
                    with suppress(FileNotFoundError):
                        os.unlink(temporary, dir_fd=root)
                    raise

    def write(self, content: bytes, *name: str) -> None:
        """`content` in place of the file, whole or not at all."""
        with self.replacing(*name) as file:
            file.write(content)

    def link(self, source: LayoutFiles, *name: str) -> bool:
        """Let `name` here be the file `name` of another layout; False where the file system will not.

        A file that is here already is left alone, and is as good as a link.
        """
        with self._faults(*name):
            self._make(*name[:-1])
            with source._directory(*name[:-1]) as there, self._directory(*name[:-1]) as here:
                try:
                    os.link(name[-1], name[-1], src_dir_fd=there, dst_dir_fd=here, follow_symlinks=False)
                except OSError as problem:
                    return problem.errno == errno.EEXIST and self.size(*name) is not None
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The only one to be here among all threads and processes that ask; also clears what killed writers left."""
        with self._faults(LOCK):
            self._make()
            with self._directory() as root:
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                lock = os.open(LOCK, flags, 0o666, dir_fd=root)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    _sweep(root)
                    yield
                finally:
                    os.close(lock)

    def check_writable(self) -> None:
        """Raises `Fault` unless the directory, or the nearest one above it that exists, may be written."""
        path = Path(self.path).absolute()
        nearest = next(p for p in (path, *path.parents) if os.path.lexists(p))
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            got = "no write permission" if nearest.is_dir() else "not a directory"
            raise Fault(
                "disk",
                f"{self.path} cannot be written: {got} at {nearest}, expected a directory that may be written",
                expected="a directory that may be written",
                actual=got,
                hint=f"ls -ld {nearest}",
            )

    def shown(self, *name: str) -> str:
        """The path of a file as the user would write it."""
        return "/".join((self.path, *name))

    @contextmanager
    def _directory(self, *names: str) -> Iterator[int]:
        # Each step is opened relative to the one before: a link swapped in between two checks is not followed either.
        try:
            current = os.open(self.path, _DIRECTORY)
        except NotADirectoryError as problem:
            raise self._disk(problem) from None
        try:
            for name in names:
                below = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=current)
                os.close(current)
                current = below
            yield current
        finally:
            os.close(current)

    def _make(self, *names: str) -> None:
        try:
            Path(self.path).mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise self._disk(problem) from None
        for depth in range(len(names)):
            with self._directory(*names[:depth]) as parent, suppress(FileExistsError):
                os.mkdir(names[depth], dir_fd=parent)

    def _disk(self, problem: OSError, *name: str) -> Fault:
        message = f"{self.shown(*name)}: {problem.strerror or problem}"
        return Fault("disk", message, hint=f"ls -ld {self.path}; df {self.path}")

    def _not_plain(self, *name: str) -> Fault:
        return Fault(
            "layout-not-plain",
            f"{self.shown(*name)} is, or lies behind, a link or a special file, expected plain files and directories",
            expected="plain files and directories",
            hint=f"find {self.path} ! -type f ! -type d",
        )

    @contextmanager
    def _faults(self, *name: str) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            if problem.errno in _NOT_PLAIN:
                raise self._not_plain(*name) from None
            raise self._disk(problem, *name) from None


def _new_file(root: int) -> tuple[str, BinaryIO]:
    """A file of a new name, locked for as long as it is open: that is how `_sweep` knows it from a leftover."""
    while True:
        name = f"{_TEMPORARY}{secrets.token_hex(8)}"
        descriptor = os.open(name, _CREATE, 0o666, dir_fd=root)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:  # else it was swept between the two calls above
            return name, os.fdopen(descriptor, "wb")
        os.close(descriptor)


def _sweep(root: int) -> None:
    """Remove the temporary files whose writers are gone: nobody holds their lock."""
    for name in os.listdir(root):
        if not name.startswith(_TEMPORARY):
            continue
        with suppress(OSError):
            descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=root)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(name, dir_fd=root)
            finally:
                os.close(descriptor)
