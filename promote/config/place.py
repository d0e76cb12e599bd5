"""Where the parts of promote.yaml are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Place:
    """The one-based line of each key of a mapping, or of each item of a list, and the places below."""

    lines: dict[str | int, int] = field(default_factory=dict)
    below: dict[str | int, Place] = field(default_factory=dict)

    def add(self, step: str | int, line: int, below: Place | None) -> None:
        """Say where `step` is; `below` is None for a scalar."""
        self.lines[step] = line
        if below is not None:
            self.below[step] = below

    def line(self, path: Sequence[str | int]) -> int:
        """The line of the key or item at `path`; of its nearest ancestor when it is absent, 1 for none."""
        here: Place | None = self
        line = 1
        for step in path:
            if here is None or step not in here.lines:
                break
            line, here = here.lines[step], here.below.get(step)
        return line
