"""History: every version of the files under some directories, from one ``git log`` and one ``git cat-file``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, cast

from promote.errors import Fault
from promote.gitops.faults import local_error
from promote.gitops.names import checked_directory, checked_oid
from promote.gitops.repository import Repository
from promote.model.malformed import shown

_BLOCK = 256 * 1024
_FORMAT = "%H%x00%ct%x00%an <%ae>%x00%B%x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """One file as one first-parent commit left it.

    `when` is the committer date in UTC, `author` "Name <mail>" as one printable line, `message` the whole message as it
    is.  `path` is relative to the top of the tree.  `before` and `after` are blob oids; None where there is no file.
    """

    commit: str
    when: datetime
    author: str
    message: str
    path: str
    before: str | None
    after: str | None


def versions(repository: Repository, tip: str, directories: Sequence[str]) -> Iterator[Version]:
    """Every change of a file under `directories` on the first-parent history of `tip`, newest first.

    A merge is one change against its first parent, however it was merged.  In a shallow repository the oldest commit
    looks as if it had added everything: ask `Repository.is_shallow`.  Raises `Fault`.
    """
    wanted = [d for d in map(checked_directory, directories) if d] if all(map(checked_directory, directories)) else []
    arguments = [
        "log", "--first-parent", "--diff-merges=first-parent", "--raw", "-z", "--no-abbrev", "--no-renames",
        "--no-follow", "--no-relative", "--no-ext-diff", "--no-textconv", "--no-mailmap", "--no-notes",
        "--no-show-signature", "--no-color", f"--format={_FORMAT}", "--end-of-options", checked_oid(tip), "--", *wanted,
    ]  # fmt: skip
    with repository.git.process(arguments) as process:
        yield from _parsed(_fields(cast("IO[bytes]", process.stdout)))
        complaint = cast("IO[bytes]", process.stderr).read().decode("utf-8", "replace")
        if process.wait() != 0:
            raise local_error("read the history", complaint)


def contents(repository: Repository, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Each blob once, with its oid, in the order asked for; few in memory at a time.  Raises `Fault`."""
    return repository.objects.read_all(oids)


def holding(repository: Repository, tip: str, directories: Sequence[str], *needles: bytes) -> tuple[Version, ...]:
    """The versions, newest first, whose content after the commit has one of `needles` (a tag, a digest) somewhere."""
    found = tuple(versions(repository, tip, directories))
    distinct = (v.after for v in found if v.after is not None)
    matching = {oid for oid, content in contents(repository, distinct) if any(n in content for n in needles)}
    return tuple(v for v in found if v.after in matching)


def _fields(stream: IO[bytes]) -> Iterator[str]:
    """The stream cut at each NUL."""
    rest = b""
    while block := stream.read(_BLOCK):
        *whole, rest = (rest + block).split(b"\0")
        for field in whole:
            yield field.decode("utf-8", "surrogateescape")
    if rest:
        yield rest.decode("utf-8", "surrogateescape")


def _parsed(fields: Iterator[str]) -> Iterator[Version]:
    """Versions out of git's fields: four of a commit, then pairs of ``:<modes> <oids> <status>`` and path."""
    commit = when = author = text = None
    for field in fields:
        head = field.lstrip("\n")
        if not head:
            continue  # between the message of a commit and what follows it
        if head.startswith(":"):
            parts, path = head.split(" "), next(fields, None)
            if commit is None or when is None or author is None or text is None or path is None or len(parts) != 5:
                raise _misread(head)
            yield Version(commit, when, author, text, path, _blob(parts[0][1:], parts[2]), _blob(parts[1], parts[3]))
        else:
            commit = checked_oid(head)
            when, author, text = _time(next(fields, "")), shown(next(fields, ""), 200), next(fields, "")


def _blob(mode: str, oid: str) -> str | None:
    """The oid of a file's content; None for no file, a symbolic link and a submodule."""
    return oid if mode in ("100644", "100755") else None


def _time(seconds: str) -> datetime:
    """A committer date; one that no calendar has (anybody may write any number there) is 1970."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return _EPOCH


def _misread(got: str) -> Fault:
    return Fault("git-failed", f"git log printed {shown(got)}, expected the change of a file")
