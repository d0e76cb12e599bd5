"""History: what each commit did to some files, from one ``git log``; contents, from one ``git cat-file``."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, cast

from promote.errors import Fault
from promote.gitops.command import end
from promote.gitops.faults import local_error
from promote.gitops.names import checked_directory, checked_oid
from promote.gitops.repository import Repository
from promote.model.malformed import shown

_BLOCK = 256 * 1024
_FORMAT = "%H%x00%P%x00%ct%x00%an <%ae>%x00%B%x00"
_NO_CALENDAR = datetime(1970, 1, 1, tzinfo=UTC)
_FILES = ("100644", "100755")
_MOST_PATHS = 16
"""How many paths git is given: it compares each with every name it meets, and a thousand take minutes."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after a commit: blob oids; None where there is no ordinary file."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the first-parent history, with what it changed against its first parent.

    `when` is the committer date in UTC, `author` "Name <mail>" as one printable line, `message` the whole message as it
    is.  Paths are relative to the top of the tree.
    """

    oid: str
    parents: tuple[str, ...]
    when: datetime
    author: str
    message: str
    files: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One file as one commit left it: `Commit` and `FileChange` in one."""

    commit: str
    when: datetime
    author: str
    message: str
    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """What a commit says: its parents, its author as one printable line, its message."""

    parents: tuple[str, ...]
    author: str
    text: str


def commits(repository: Repository, tip: str, paths: Sequence[str]) -> Generator[Commit, None, None]:
    """The first-parent history of `tip`, newest first, as far as it changed something under `paths`.

    `paths` are directories or files; the top of the tree is ``""``.  Where they are many, what lies beside them is told
    too: `covering`.  A merge is one change against its first parent, however it was merged.  In a shallow repository
    the oldest commit looks as if it had added everything: see `horizon`.  Git begins at once, and what it says is kept
    until it is asked for; close the generator to end it early.  Raises `Fault`.
    """
    return _parsed(_log(repository, _arguments(tip, covering(paths))))


def _arguments(tip: str, paths: Sequence[str]) -> list[str]:
    return [
        "log", "--first-parent", "--diff-merges=first-parent", "--raw", "-z", "--no-abbrev", "--no-renames",
        "--no-follow", "--no-relative", "--no-ext-diff", "--no-textconv", "--no-mailmap", "--no-notes",
        "--no-show-signature", "--no-color", f"--format={_FORMAT}", "--end-of-options", checked_oid(tip), "--",
        *paths,
    ]  # fmt: skip


def versions(repository: Repository, tip: str, directories: Sequence[str]) -> Iterator[Version]:
    """`commits` file by file, only of files under `directories`."""
    inside = _Inside(directories)
    for commit in commits(repository, tip, directories):
        for file in commit.files:
            if inside.has(file.path):
                yield Version(
                    commit.oid, commit.when, commit.author, commit.message, file.path, file.before, file.after
                )


def messages(repository: Repository, tip: str) -> Iterator[tuple[str, Message]]:
    """Every commit that `tip` descends from, by whatever parent, with its oid; children before parents."""
    arguments = [
        "log", "--topo-order", "--no-patch", "-z", "--no-mailmap", "--no-notes", "--no-show-signature", "--no-color",
        "--format=%H%x00%P%x00%an <%ae>%x00%B%x00", "--end-of-options", checked_oid(tip), "--",
    ]  # fmt: skip
    with closing(_log(repository, arguments)) as fields:
        for field in fields:
            if oid := field.strip("\n"):
                parents, author, text = (next(fields, "") for _ in range(3))
                yield checked_oid(oid), Message(_oids(parents), shown(author, 200), text)


def files_at(repository: Repository, commit: str, paths: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Mode, object and path of everything under `paths` at `commit`, as ``git ls-tree -r`` has it; one process.

    Where the paths are many, what lies beside them is told too.
    """
    answer = repository.git.run(
        "list the files of a commit",
        ["ls-tree", "-r", "-z", "--full-tree", checked_oid(commit), "--", *covering(paths)],
    )
    for entry in answer.out.decode("utf-8", "surrogateescape").split("\0"):
        head, tab, path = entry.partition("\t")
        if tab:
            mode, _, oid = head.split(" ")
            yield mode, oid, path


def is_ordinary(mode: str) -> bool:
    """Whether `mode`, in octal as git writes it, is that of a file, and of no symbolic link, submodule or directory."""
    return mode in _FILES


def contents(repository: Repository, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Each blob once, with its oid, in the order asked for; few in memory at a time.  Raises `Fault`."""
    wanted = tuple(oids)
    repository.bring(wanted)
    return repository.objects.read_all(wanted)


def holding(repository: Repository, tip: str, directories: Sequence[str], *needles: bytes) -> tuple[Version, ...]:
    """The versions, newest first, whose content after the commit has one of `needles` (a tag, a digest) somewhere."""
    found = tuple(versions(repository, tip, directories))
    distinct = (v.after for v in found if v.after is not None)
    matching = {oid for oid, content in contents(repository, distinct) if any(n in content for n in needles)}
    return tuple(v for v in found if v.after in matching)


def horizon(repository: Repository) -> frozenset[str]:
    """The commits whose parents are not here because the repository is shallow; empty when it is whole."""
    if not repository.is_shallow:
        return frozenset()
    place = repository.git.run("find where history ends", ["rev-parse", "--git-path", "shallow"]).text
    try:
        return frozenset((repository.root / Path(place)).read_text("ascii").split())
    except (OSError, ValueError) as error:
        raise Fault("git-failed", f"could not read where history ends: {error}", hint="run `git fsck`") from error


def covering(paths: Sequence[str], at_most: int = _MOST_PATHS) -> tuple[str, ...]:
    """At most `at_most` paths that hold all of `paths`: those themselves, or directories above them.

    The top of the tree, which needs no path, is an empty tuple.  Raises `Misuse` for a path that git must not be given.
    """
    wanted = set(map(checked_directory, paths))
    depth = max((path.count("/") + 1 for path in wanted if path), default=0)
    while len(wanted) > at_most and depth:
        depth -= 1
        wanted = {"/".join(path.split("/")[:depth]) for path in wanted}
    if "" in wanted or len(wanted) > at_most:
        return ()
    return tuple(sorted(wanted))


class _Inside:
    """Whether a path lies under one of some directories, in time that does not grow with their number."""

    def __init__(self, directories: Collection[str]) -> None:
        self._directories = frozenset(map(checked_directory, directories))

    def has(self, path: str) -> bool:
        return not self._directories or any(d in self._directories for d in above(path))


def above(path: str) -> Iterator[str]:
    """`path`, and each directory that it lies in, the nearest first and the top (``""``) last."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _log(repository: Repository, arguments: Sequence[str]) -> Generator[str, None, None]:
    """The output of a ``git log``, which begins now, cut at each NUL; raises `Fault` at its end when it failed."""
    fields = _fields(repository.git.start(arguments))
    next(fields)
    return fields


def _fields(process: subprocess.Popen[bytes]) -> Generator[str, None, None]:
    """What `process` prints, cut at each NUL, after one empty field; it has ended when this is closed."""
    blocks: SimpleQueue[bytes] = SimpleQueue()
    # Its own thread, so that git goes on while we look at other things: a pipe holds no more than a few dozen commits.
    thread = Thread(target=_drain, args=(cast("BufferedReader", process.stdout), blocks), daemon=True)
    thread.start()
    try:
        yield ""
        rest = b""
        while block := blocks.get():
            *whole, rest = (rest + block).split(b"\0")
            for field in whole:
                yield field.decode("utf-8", "surrogateescape")
        if rest:
            yield rest.decode("utf-8", "surrogateescape")
        complaint = cast("IO[bytes]", process.stderr).read().decode("utf-8", "replace")
        if process.wait() != 0:
            raise local_error("read the history", complaint)
    finally:
        process.kill()  # it only reads: nothing is left half done, and the thread comes to the end of the pipe
        thread.join()
        end(process)


def _drain(stream: BufferedReader, blocks: SimpleQueue[bytes]) -> None:
    """Everything in `stream` as blocks, and an empty one at its end."""
    with suppress(OSError, ValueError):
        while block := stream.read1(_BLOCK):
            blocks.put(block)
    blocks.put(b"")


def _parsed(fields: Generator[str, None, None]) -> Generator[Commit, None, None]:
    """Commits out of git's fields: five of a commit, then pairs of ``:<modes> <oids> <status>`` and path."""
    with closing(fields):
        yield from _commits(fields)


def _commits(fields: Iterator[str]) -> Iterator[Commit]:
    authors: dict[str, str] = {}
    head: tuple[str, tuple[str, ...], datetime, str, str] | None = None
    files: list[FileChange] = []
    for field in fields:
        first = field.lstrip("\n")
        if not first:
            continue  # between the message of a commit and what follows it
        if first.startswith(":"):
            parts, path = first.split(" "), next(fields, None)
            if head is None or path is None or len(parts) != 5:
                raise _misread(first)
            files.append(FileChange(path, _blob(parts[0][1:], parts[2]), _blob(parts[1], parts[3])))
            continue
        if head is not None:
            yield Commit(*head, tuple(files))
            files = []
        oid, parents = checked_oid(first), _oids(next(fields, ""))
        when, name, text = _time(next(fields, "")), next(fields, ""), next(fields, "")
        author = authors.get(name) or authors.setdefault(name, shown(name, 200))
        head = (oid, parents, when, author, text)
    if head is not None:
        yield Commit(*head, tuple(files))


def _oids(text: str) -> tuple[str, ...]:
    return tuple(map(checked_oid, text.split()))


def _blob(mode: str, oid: str) -> str | None:
    """The oid of a file's content; None for no file, a symbolic link and a submodule."""
    return oid if mode in _FILES else None


def _time(seconds: str) -> datetime:
    """A committer date; one that no calendar has (anybody may write any number there) is 1970."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return _NO_CALENDAR


def _misread(got: str) -> Fault:
    return Fault("git-failed", f"git log printed {shown(got)}, expected the change of a file")
