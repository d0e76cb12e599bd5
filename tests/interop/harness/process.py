"""Commands that end and servers that run, each held by its own handle."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """A port of 127.0.0.1 that nobody listens on at this moment.

    It is below those that the kernel gives away by itself, so that no connection takes it before its server does.
    """
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
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
    with service(argv, is_up=lambda: _answers(ready), log=log, cwd=cwd, env=env):
        yield


@contextmanager
def service(
    argv: Sequence[Argument],
    *,
    is_up: Callable[[], bool],
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a server that speaks whatever it speaks while the block runs: entered when `is_up` says so, ended with it."""
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
        _await(is_up, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(is_up: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when `is_up`; raises `CommandFailed` when that takes too long or the process is gone."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if is_up():
            return
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-2000:]
    raise CommandFailed(f"{process.args!r} does not answer (exit code {process.poll()})\n{said}")


def _answers(url: str) -> bool:
    """Whether `url` answers anything at all."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(url, timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
