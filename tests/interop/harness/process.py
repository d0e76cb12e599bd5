"""Commands that end and servers that run, each held by its own handle."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

Argument = str | Path

START_SECONDS = 30
RUN_SECONDS = 300


class CommandFailed(AssertionError):
    """A command ended with another code than it should; says which, how, and what it printed."""


def run(
    argv: Sequence[Argument],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    code: int = 0,
) -> str:
    """Standard output of a command, stripped; raises `CommandFailed` unless it exits with `code`.

    `env` is added to the environment of the tests.
    """
    done = subprocess.run(
        [str(part) for part in argv],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    if done.returncode != code:
        said = f"{done.stdout}\n{done.stderr}".strip()
        line = " ".join(str(part) for part in argv)
        raise CommandFailed(f"exit {done.returncode}, expected {code}: {line}\n{said}")
    return done.stdout.strip()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let one process at a time into the block; the others wait.  The kernel lets go of the lock of one that dies."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def server(
    argv: Sequence[Argument],
    *,
    ready: str,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a server while the block runs: entered when `ready` answers over HTTP, ended with the block.

    What the server prints goes to the file `log`, whose end is shown when the server does not come up.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in argv],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(ready, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when `url` answers anything at all; raises `CommandFailed` when it does not in time."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            direct.open(url, timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text(errors="replace")[-2000:]
    raise CommandFailed(f"{process.args!r} does not answer at {url} (exit code {process.poll()})\n{said}")
