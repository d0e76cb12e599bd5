"""Progress: how long work tells somebody about itself, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Told of each step before it is taken.  Must not raise; must be safe to call from several threads."""

    def step(self, step: str, subject: str) -> None:
        """`step` is a stable word (``copy``, ``tag``, ``commit``, ``push``), `subject` what it is done to."""


class Silent:
    """An observer that says nothing."""

    def step(self, step: str, subject: str) -> None:
        """Nothing."""
