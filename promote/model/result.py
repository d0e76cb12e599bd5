"""Results: what a run did, as data.  The output room turns one into text; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from promote.model.release import Edit
from promote.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class AttestationResult:
    """Promote's own signed verdict beside an image: its manifest's digest, who signed it.

    `written` False: an equal one was there already, and nothing was added.
    """

    manifest: str
    signed_by: str
    written: bool


@dataclass(frozen=True, slots=True)
class CopyResult:
    """One image brought to one place.  `bytes` were sent to the target; `evidence` are manifest digests there.

    `seconds` went by from the first act to the proof that all arrived.
    `attestation` is None where promote.yaml asks for none.
    """

    place: int
    target: str
    digest: str
    manifests: int
    blobs_copied: int
    blobs_mounted: int
    blobs_present: int
    bytes: int
    evidence: tuple[str, ...]
    attestation: AttestationResult | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FindingResult:
    """One thing that was found beside an image.

    `verdict` is ``accepted``, ``ignored`` (nothing that could be evidence) or the word of a flaw, and then `reason`
    says why.  Of what was not accepted `kind` and `predicate_type` are what it claims to be, and are not verified;
    `signed_by` is set wherever the cryptography holds.  `log` and `time` (ISO 8601) are the verified ones,
    `annotations` signed.
    """

    verdict: str
    manifest: str
    subject: str
    storage: str | None = None
    kind: str | None = None
    predicate_type: str | None = None
    signed_by: str | None = None
    log: str | None = None
    time: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    reason: str | None = None
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class SinceResult:
    """Since when the target runs a release that it was found to run already, by the history of git.

    `kind` is how it came there (`promote.model.record.Kind`), `when` the committer date (ISO 8601 in UTC), `age` the
    seconds from then to this run, `by` the author and `reason` what was given.  `previous_tag` ran before it;
    `further` is, of a rollback, the release that one more step back would lead to.  Both are None where there is none.
    """

    kind: str
    commit: str
    when: str
    age: int
    by: str
    reason: str | None = None
    previous_tag: str | None = None
    further: str | None = None


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What became of one release.  `digest` and `source` are None where it was never resolved.

    `findings` is None unless an explanation was asked for and the image was found.  `since` is None unless there was
    nothing to do and a record says since when.
    """

    app: str
    tag: str
    digest: str | None
    source: str | None
    changed: bool
    gates: tuple[Verdict, ...]
    copies: tuple[CopyResult, ...] = ()
    edits: tuple[Edit, ...] = ()
    findings: tuple[FindingResult, ...] | None = None
    since: SinceResult | None = None


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The commit that carries the promotion.  `note` says what was left to the reader, None when nothing.

    `base` is the branch that it waits to be merged into by the request at `pull_request`; None where it needs none, or
    where the request was merged: `branch` has the commit then.
    """

    id: str
    branch: str
    pushed: bool
    note: str | None = None
    pull_request: str | None = None
    base: str | None = None


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
