"""Results: what a run did, as data.  The output room turns one into text; nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass

from promote.model.release import Edit
from promote.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class CopyResult:
    """One image brought to one place.  `bytes` were sent to the target; `evidence` are manifest digests there."""

    place: int
    target: str
    digest: str
    manifests: int
    blobs_copied: int
    blobs_mounted: int
    blobs_present: int
    bytes: int
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What became of one release.  `digest` and `source` are None where it was never resolved."""

    app: str
    tag: str
    digest: str | None
    source: str | None
    changed: bool
    gates: tuple[Verdict, ...]
    copies: tuple[CopyResult, ...] = ()
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The commit that carries the promotion.  `note` says what was left to the reader, None when nothing."""

    id: str
    branch: str
    pushed: bool
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorResult:
    """What stopped the run."""

    code: str
    message: str
    expected: str | None
    actual: str | None
    hint: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """One run.  `source` and `target` are environment names, None for verbs that have none."""

    command: str
    exit_code: int
    dry_run: bool = False
    source: str | None = None
    target: str | None = None
    releases: tuple[ReleaseResult, ...] = ()
    commit: CommitResult | None = None
    error: ErrorResult | None = None

    @property
    def ok(self) -> bool:
        """Whether the run did, or found done, what was asked."""
        return self.exit_code == 0

    @property
    def changed(self) -> bool:
        """Whether anything was, or in a dry run would be, changed."""
        return any(r.changed for r in self.releases)
