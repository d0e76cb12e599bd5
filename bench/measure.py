"""Commands run in turns, A B A B, and what came of it as ratios."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """What one command cost, its children included: seconds, CPU seconds, peak resident MiB of its largest process."""

    wall: float
    cpu: float
    peak: float
    out: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and where."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]

    def run(self) -> Run:
        """Run it; whatever it says is shown, and everything ends, when it fails."""
        began = time.perf_counter()
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(self.argv, cwd=self.cwd, env=self.env, **pipes)
        out, err = process.communicate()
        wall = time.perf_counter() - began
        if process.returncode != 0:
            sys.exit(f"bench: exit {process.returncode}: {' '.join(self.argv)}\n{(out + err).decode()}")
        return Run(wall, 0.0, 0.0, out.decode())

    def cost(self) -> Run:
        """As `run`, with CPU and memory: in a child of its own, so that they are this command's alone."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            code = 1
            try:
                done = self.run()
                used = resource.getrusage(resource.RUSAGE_CHILDREN)
                os.write(write, f"{done.wall} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}".encode())
                code = 0
            except SystemExit as failed:
                sys.stderr.write(f"{failed}\n")
            finally:
                os._exit(code)
        os.close(write)
        with os.fdopen(read) as stream:
            said = stream.read()
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit("bench: stopped, because a command failed")
        wall, cpu, peak = map(float, said.split())
        return Run(wall, cpu, peak)


@dataclass(frozen=True, slots=True)
class Ratio:
    """promote over a peer: the median over pairs, and the least and the largest."""

    median: float
    least: float
    largest: float

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
        """The ratios of each pair."""
        each = [a / b for a, b in zip(ours, theirs, strict=True)]
        return cls(round(statistics.median(each), 3), round(min(each), 3), round(max(each), 3))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}-{self.largest:.2f})"


Prepare = Callable[[int], Command]


def in_turns(contenders: Mapping[str, Prepare], pairs: int) -> dict[str, list[Run]]:
    """Each contender `pairs` times in turns, after one turn that warms caches and does not count.

    A contender makes its command anew for every turn (its argument is the turn's number), outside of the measurement.
    """
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    for turn in range(pairs + 1):
        for name, prepare in contenders.items():
            run = prepare(turn).cost()
            if turn:
                runs[name].append(run)
    return runs


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)
