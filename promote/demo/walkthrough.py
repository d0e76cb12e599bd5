"""The demo: two refusals and one promotion, with the real command on real evidence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from promote.demo.stage import Stage, build, environment
from promote.errors import Fault

TAG = "sha-0123456789abcdef0123456789abcdef01234567"
"""The tag of the shipped image."""


INTRODUCTION = """\
Made {directory}: gitops/ with promote.yaml and the overlays base, staging and prod; gitops/registries/staging with
an image that cosign signed keylessly; origin.git, which gitops/ pushes to. There is no server and no network.
"""
FLOATING = "1. A floating tag is refused before anything is asked.\n"
REBUILT = """\
2. Somebody rebuilds the image and pushes it under the same tag: what staging tested is not what prod would run.
"""
PROMOTED = """\
3. With the signed image back under its tag: verified, copied with its evidence, read back, committed and pushed.
"""
AFTERWARDS = """\
Look around: cd {gitops}; git log; promote verify staging; promote 'staging->prod' (which finds everything done).
"""


def demonstrate(directory: Path, out: TextIO, *, colour: bool) -> None:
    """Make the stage in `directory` and play; raises `Misuse` when it exists, `Fault` when a step went otherwise."""
    stage = build(directory)
    show = _Narrator(stage, out, colour)
    show.text(INTRODUCTION.format(directory=directory))
    show.text(FLOATING)
    show.run(["staging->prod", "latest"], expected=14)
    show.text(REBUILT)
    with stage.rebuilt(TAG):
        show.run(["staging->prod", TAG[:11]], expected=15)
    show.text(PROMOTED)
    show.run(["staging->prod", TAG[:11]], expected=0)
    show.text("The commit:\n\n" + stage.git("show", "--format=%an: %s%n%n%b", "HEAD"))
    show.text(AFTERWARDS.format(gitops=directory / "gitops"))


class _Narrator:
    """Prints, and runs promote as a person would."""

    def __init__(self, stage: Stage, out: TextIO, colour: bool) -> None:  # noqa: FBT001 - one of two looks
        self._stage = stage
        self._out = out
        self._environment = {**environment(), ("FORCE_COLOR" if colour and out.isatty() else "NO_COLOR"): "1"}

    def text(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()

    def run(self, arguments: Sequence[str], expected: int) -> None:
        shown = " ".join(f"'{a}'" if ">" in a else a for a in arguments)
        self.text(f"$ promote {shown}")
        done = subprocess.run(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, "-P", "-m", "promote", "--quiet", *arguments],
            cwd=self._stage.gitops,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.text(done.stdout + f"(exit code {done.returncode})\n")
        if done.returncode != expected:
            raise Fault(
                "demo-broken",
                f"the demo's `promote {shown}` went otherwise than it should",
                expected=f"exit code {expected}",
                actual=f"exit code {done.returncode}",
            )
