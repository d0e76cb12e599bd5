"""The commands that a page tells its reader to type, typed into one real bash, with what each prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEREDOC = re.compile(r"<<-?'?(\w+)'?")
MARK = "\x1e"


@dataclass(frozen=True)
class Typed:
    """One command of a page, what it printed on either stream, and its status."""

    command: str
    output: str
    code: int


def commands(page: str) -> list[str]:
    """The commands in the `sh` blocks of a page, in their order; a here-document belongs to its command."""
    return [command for block in BLOCK.findall(page) for command in _split(block)]


def _split(block: str) -> Iterator[str]:
    rows = iter(block.splitlines())
    for row in rows:
        if not row.strip() or row.startswith("#"):
            continue
        command, ends = [row], HEREDOC.search(row)
        while ends and command[-1] != ends.group(1):
            command.append(next(rows))
        yield "\n".join(command)


def typed(lines: Iterable[str], cwd: Path, instead: Mapping[str, str], **environment: str) -> list[Typed]:
    """Type `lines`, those of `instead` replaced; promote is on PATH, HOME is `cwd`, and git has no configuration."""
    wanted = list(lines)
    script = []
    for line in wanted:
        script += [f"printf '{MARK}'", instead.get(line, line), f"printf '{MARK}%s' $?"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PROMOTE_", "MAKE", "MFLAGS"))}
    where = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}", "HOME": str(cwd), "LC_ALL": "C"}
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-s"],
        input="\n".join(script) + "\n",
        cwd=cwd,
        env=clean | where | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_PAGER": "cat"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    parts = done.stdout.split(MARK)[1:]
    assert len(parts) == 2 * len(wanted), done.stdout[-2000:]
    return [Typed(line, parts[2 * n], int(parts[2 * n + 1])) for n, line in enumerate(wanted)]


def recorded(page: str) -> list[tuple[str, int]]:
    """The commands of a page of transcripts, with their statuses; none is shown for 0."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        for part in block.split("\n$ ") if not block.startswith("$ ") else ("\n" + block).split("\n$ ")[1:]:
            rows = part.rstrip("\n").split("\n")
            status = re.fullmatch(r"\(exit (\d+)\)", rows[-1])
            found.append((part, int(status.group(1)) if status else 0))
    return found
