"""Progress: how long work tells somebody about itself, without knowing who listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from promote.model.verdict import Verdict


class Observer(Protocol):
    """Told of each step before it is taken.  Must not raise; must be safe to call from several threads."""

    def step(self, step: str, subject: str) -> None:
        """`step` is a stable word (``copy``, ``tag``, ``commit``, ``push``), `subject` what it is done to."""


@dataclass(frozen=True, slots=True)
class Cargo:
    """What one copy to `target` has to bring: so many blobs, so many bytes; `present` blobs are there already."""

    target: str
    blobs: int
    bytes: int
    present: int


@dataclass(frozen=True, slots=True)
class Blob:
    """One blob on its way to `target`, of `size` bytes."""

    target: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one copy to `target` did, once all of it was read back: the numbers of the result.

    `bytes` were sent through this machine, in `seconds` from the first act to the proof.
    """

    target: str
    sent: int
    mounted: int
    present: int
    bytes: int
    seconds: float


@runtime_checkable
class Watcher(Observer, Protocol):
    """An observer that also wants to hear what is decided, and how bytes move.

    For each target: `expects` once when something is lacking there, then `begins`, `moves` and `ends` of its blobs,
    and `arrives` in the end.  A copy that fails is not heard of again.
    """

    def judged(self, app: str, verdict: Verdict) -> None:
        """A gate has decided about `app`; a later verdict of the same gate replaces the earlier."""

    def expects(self, cargo: Cargo) -> None:
        """A copy begins."""

    def begins(self, blob: Blob) -> None:
        """A blob begins."""

    def moves(self, blob: Blob, count: int) -> None:
        """`count` more bytes of `blob` were read to be sent; together more than its size when some are sent again."""

    def ends(self, blob: Blob) -> None:
        """A blob is at the target, sent or mounted."""

    def arrives(self, arrival: Arrival) -> None:
        """Everything is at the target and was read back."""


class Silent:
    """An observer that says nothing."""

    def step(self, step: str, subject: str) -> None:
        """Nothing."""

    def judged(self, app: str, verdict: Verdict) -> None:
        """Nothing."""

    def expects(self, cargo: Cargo) -> None:
        """Nothing."""

    def begins(self, blob: Blob) -> None:
        """Nothing."""

    def moves(self, blob: Blob, count: int) -> None:
        """Nothing."""

    def ends(self, blob: Blob) -> None:
        """Nothing."""

    def arrives(self, arrival: Arrival) -> None:
        """Nothing."""


def watcher(observer: Observer) -> Watcher:
    """`observer` itself when it wants to hear more than steps, else one that says nothing."""
    return observer if isinstance(observer, Watcher) else Silent()
