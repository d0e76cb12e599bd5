"""The versions of the programs that promote runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from promote.errors import Fault

SECONDS = 20


def git_version(directory: Path) -> tuple[str, tuple[int, ...]]:
    """What git says its version is, and that in numbers; raises `Misuse` where there is no git, `Fault` for no answer.

    Git runs in `directory`.
    """
    from promote.gitops.command import Git  # noqa: PLC0415 - GitPython, where it is needed

    said = Git(directory).run("ask git for its version", ["version"]).text.strip()
    version = version_of(said)
    if not version:
        raise Fault("git-failed", "git does not say which version it is", hint="run `git version`")
    return said, version


def kustomize_version() -> str | None:
    """The program that builds kustomizations and what it says its version is; None when there is none."""
    from promote.overlays.oracle import find_builder  # noqa: PLC0415 - ruamel.yaml, where it is needed

    builder = find_builder()
    if builder is None:
        return None
    program = builder.command[0]
    arguments = ["version"] if builder.name.startswith("kustomize") else ["version", "--client"]
    try:
        done = subprocess.run(  # noqa: S603 - a program of PATH, an argv list
            [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"{builder.name}, of a version that it does not say"
    version = version_of(done.stdout.decode("utf-8", "replace"))
    return f"{builder.name}, version {'.'.join(map(str, version)) or 'unknown'}"


def version_of(text: str) -> tuple[int, ...]:
    """The first version number in `text`, () where there is none."""
    found = re.search(r"(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", text)
    return tuple(int(part) for part in found.groups() if part) if found else ()
