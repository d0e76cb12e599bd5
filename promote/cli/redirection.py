"""The unquoted arrow: `promote staging->prod sha-abc`, which a shell reads as `promote staging- sha-abc > prod`."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path


def stdout_environment(environments: Iterable[str], directory: Path) -> str | None:
    """The environment whose name the file behind stdout has, in `directory`; None when stdout is no such file."""
    try:
        out = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(out.st_mode):
        return None
    for name in environments:
        try:
            there = (directory / name).lstat()
        except OSError:
            continue
        if os.path.samestat(out, there):
            return name
    return None


def take_back(name: str, directory: Path) -> None:
    """Write to stderr instead of the file, say so in one line, and remove the file when this run alone made it.

    The shell opened it with O_CREAT and O_TRUNC.  A file that it made has one time stamp for everything; one that was
    there before and was truncated has been changed later than it was last read, and is left where it is.
    """
    made_by_shell = _is_new_and_empty(os.fstat(sys.stdout.fileno()))
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if made_by_shell:
        (directory / name).unlink(missing_ok=True)
    sys.stderr.write(
        f"the shell took the > of the arrow as a redirection to a file {name}; writing to stderr instead "
        f"(quote it to pipe the result: '->{name}')\n"
    )


def _is_new_and_empty(status: os.stat_result) -> bool:
    return status.st_size == 0 and status.st_nlink == 1 and status.st_atime_ns == status.st_mtime_ns
