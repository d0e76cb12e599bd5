"""Progress as lines on stderr."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

from promote.output.style import printable

DETAILS = frozenset({"blob", "manifest", "evidence-tag"})
"""Steps that only a verbose run shows."""


@dataclass(frozen=True, slots=True)
class Lines:
    """An observer that writes one line a step."""

    stream: TextIO
    verbose: bool = False

    def step(self, step: str, subject: str) -> None:
        """Write the step, unless it is a detail that nobody asked for."""
        if self.verbose or step not in DETAILS:
            with suppress(BrokenPipeError):  # nobody listens any more, which is no reason to stop half-way
                self.stream.write(f"{step:13} {printable(subject)}\n")
