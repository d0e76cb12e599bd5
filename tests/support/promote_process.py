"""The real command in processes of its own, started in milliseconds, and killed at a step of their choice.

    with Nursery() as nursery:
        killed = nursery.start(directory, ["staging->prod", TAG], kill_at=3).wait()
        assert killed.signal == signal.SIGKILL

One process imports everything once and has a single thread; each command is a fork of it.  The child's observer writes
each step to a file, and kills its own process before the step numbered `kill_at` is taken; or it waits before the first
step of a name until a file is there, so that many can be let go at once.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Ended:
    """How a command ended.  `steps` are those that were told; the last was not taken when a signal ended it."""

    code: int
    signal: int
    out: str
    err: str
    steps: tuple[str, ...]

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Started:
    """A command that runs."""

    nursery: Nursery
    number: int
    directory: Path

    def reached(self, step: str) -> bool:
        """Whether `step` was told."""
        path = self.directory / "steps"
        return path.exists() and step in path.read_text().splitlines()

    def wait(self) -> Ended:
        """Its end."""
        status = self.nursery.ask({"wait": self.number})["status"]
        code, by = (os.WEXITSTATUS(status), 0) if os.WIFEXITED(status) else (-1, os.WTERMSIG(status))
        out, err, steps = ((self.directory / name).read_text() for name in ("out", "err", "steps"))
        return Ended(code, by, out, err, tuple(steps.splitlines()))


class Nursery:
    """The process that the commands are forks of; a context manager."""

    def __enter__(self) -> Nursery:
        self._files = tempfile.TemporaryDirectory(prefix="nursery-")
        self._numbers = itertools.count()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.promote_process"],
            cwd=TESTS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()
        self._files.cleanup()

    def start(
        self,
        cwd: Path,
        arguments: Sequence[str],
        *,
        kill_at: int | None = None,
        interrupt_at: int | None = None,
        hold: tuple[str, Path] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Started:
        """Start ``promote ARGUMENTS`` in `cwd`.  Steps count from 0; `hold`: a name, and the file to wait for."""
        number = next(self._numbers)
        directory = Path(self._files.name) / str(number)
        directory.mkdir()
        self.ask(
            {
                "number": number,
                "cwd": str(cwd),
                "files": str(directory),
                "arguments": list(arguments),
                "kill_at": kill_at,
                "interrupt_at": interrupt_at,
                "hold": hold and [hold[0], str(hold[1])],
                "environment": dict(os.environ if environment is None else environment),
            }
        )
        return Started(self, number, directory)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """One line there, one line back."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


class _Steps:
    """An observer that writes down, and ends its own process at one step."""

    def __init__(self, file: int, kill_at: int | None, interrupt_at: int | None, hold: list[str] | None) -> None:
        self._file = file
        self._hold = hold
        self._number = itertools.count()
        self._signals = {kill_at: signal.SIGKILL, interrupt_at: signal.SIGINT}

    def step(self, step: str, subject: str) -> None:
        number = next(self._number)
        os.write(self._file, f"{step}\n".encode())
        if self._hold and step == self._hold[0]:
            while not Path(self._hold[1]).exists():
                time.sleep(0.01)
            self._hold = None
        if number in self._signals:
            os.kill(os.getpid(), self._signals[number])


def _child(question: dict[str, Any]) -> None:
    """Become the command; never returns."""
    files = Path(question["files"])
    for descriptor, path in ((0, "/dev/null"), (1, files / "out"), (2, files / "err")):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    steps = os.open(files / "steps", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.environ.clear()
    os.environ.update(question["environment"])
    os.chdir(question["cwd"])
    signal.signal(signal.SIGINT, signal.default_int_handler)

    from promote.cli.main import run
    from promote.cli.session import Session

    observer = _Steps(steps, question["kill_at"], question["interrupt_at"], question["hold"])
    Session.observer = lambda _self: observer  # type: ignore[method-assign]
    code = 1
    try:
        code = run(question["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve() -> None:
    import sigstore.verify  # noqa: F401 - imported for the children, as all of these

    import promote.cli.app
    import promote.config.load
    import promote.evidence.keyless_bundle
    import promote.evidence.verify
    import promote.oci.copy
    import promote.oci.layout
    import promote.oci.registry
    import promote.oci.registry_store
    import promote.output.json
    import promote.promotion.apply
    import promote.promotion.plan  # noqa: F401

    children: dict[int, int] = {}
    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            _, status = os.waitpid(children.pop(question["wait"]), 0)
            answer = {"status": status}
        else:
            pid = os.fork()
            if not pid:
                _child(question)
            children[question["number"]] = pid
            answer = {}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in children.values():
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


if __name__ == "__main__":
    _serve()
