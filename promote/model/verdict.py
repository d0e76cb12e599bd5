"""Verdicts: what a gate says, and the one table of reasons and exit codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """The four answers of a gate.  Unknown is never pass, and it is not refuse either."""

    PASS = "pass"  # noqa: S105
    REFUSE = "refuse"
    UNKNOWN = "unknown"
    SKIP = "skip"


class Reason(Enum):
    """Why a gate does not pass: a stable code and the exit code that it leads to (design, section 3)."""

    NOT_JUDGED = ("not-judged", 3)
    TURNED_OFF = ("turned-off", 0)
    NOT_ASKED_FOR = ("not-asked-for", 0)
    UNREADABLE = ("unreadable", 3)

    PATH_NOT_ALLOWED = ("path-not-allowed", 10)
    NO_SUCH_TAG = ("no-such-tag", 10)
    AMBIGUOUS_TAG = ("ambiguous-tag", 10)
    NOT_DEPLOYED = ("not-deployed", 10)
    HELD = ("held", 10)
    FROZEN = ("frozen", 10)
    NOT_SOAKED = ("not-soaked", 10)
    NOT_APPROVED = ("not-approved", 10)
    NO_SIGNATURE = ("no-signature", 11)
    SIGNATURE_FOREIGN = ("signature-foreign", 12)
    SIGNATURE_INVALID = ("signature-invalid", 12)
    SIGNATURE_ANNOTATIONS = ("signature-annotations", 12)
    SIGNATURE_UNLOGGED = ("signature-unlogged", 12)
    SIGNATURE_THRESHOLD = ("signature-threshold", 12)
    EVIDENCE_REFUSED = ("evidence-refused", 12)
    NO_SBOM = ("no-sbom", 13)
    SBOM_UNSIGNED = ("sbom-unsigned", 13)
    SBOM_FOREIGN = ("sbom-foreign", 13)
    SBOM_INVALID = ("sbom-invalid", 13)
    SBOM_EMPTY = ("sbom-empty", 13)
    SBOM_OF_ANOTHER_IMAGE = ("sbom-of-another-image", 13)
    SBOM_NAMES_NO_IMAGE = ("sbom-names-no-image", 13)
    SBOM_TIME = ("sbom-time", 13)
    SBOM_OLD = ("sbom-old", 13)
    SBOM_INCOMPLETE = ("sbom-incomplete", 13)
    PACKAGE_DENIED = ("package-denied", 13)
    PACKAGE_NOT_COMPARABLE = ("package-not-comparable", 13)
    NO_SCAN = ("no-scan", 13)
    SCAN_INVALID = ("scan-invalid", 13)
    SCAN_OLD = ("scan-old", 13)
    VULNERABLE = ("vulnerable", 13)
    NO_ATTESTATION = ("no-attestation", 13)
    ATTESTATION_CONTENT = ("attestation-content", 13)
    ATTESTATION_OLD = ("attestation-old", 13)
    FLOATING_TAG = ("floating-tag", 14)
    TAG_NOT_A_COMMIT = ("tag-not-a-commit", 14)
    REBUILT_AT_TARGET = ("rebuilt-at-target", 15)
    REBUILT_SINCE_DEPLOYED = ("rebuilt-since-deployed", 15)
    REBUILT_SINCE_RECORDED = ("rebuilt-since-recorded", 15)
    REBUILT_SIGNED_TWICE = ("rebuilt-signed-twice", 15)
    DIGEST_DIFFERS = ("digest-differs", 15)
    COMMIT_DISAGREES = ("commit-disagrees", 15)
    COMMIT_UNNAMED = ("commit-unnamed", 15)
    SOURCE_DISAGREES = ("source-disagrees", 15)
    NO_OVERLAY = ("no-overlay", 16)
    OVERLAY_AMBIGUOUS = ("overlay-ambiguous", 16)
    NO_EFFECT = ("no-effect", 16)
    TOO_MUCH_EFFECT = ("too-much-effect", 16)
    LEFT_OVER = ("left-over", 16)
    EFFECT_UNVERIFIED = ("effect-unverified", 16)

    def __init__(self, code: str, exit_code: int) -> None:
        self.code = code
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one gate about one release.

    `summary` is one sentence.  `expected` and `actual` are the two values that disagree, for a refusal.
    `evidence` are the digests of the manifests that the answer rests on.  `hint` can be run or done.
    """

    gate: str
    outcome: Outcome
    summary: str
    reason: Reason | None = None
    expected: str | None = None
    actual: str | None = None
    evidence: tuple[str, ...] = ()
    hint: str | None = None

    @property
    def code(self) -> str:
        """The stable code: that of the reason, ``ok`` for a plain pass."""
        return self.reason.code if self.reason else "ok"


def passed(gate: str, summary: str, *, evidence: tuple[str, ...] = (), reason: Reason | None = None) -> Verdict:
    """A pass; `reason` only where the gate was widened or partly turned off."""
    return Verdict(gate, Outcome.PASS, summary, reason, evidence=evidence)


def refused(
    gate: str,
    reason: Reason,
    summary: str,
    *,
    expected: str | None = None,
    actual: str | None = None,
    evidence: tuple[str, ...] = (),
    hint: str | None = None,
) -> Verdict:
    """A refusal with what was expected and what was found."""
    return Verdict(gate, Outcome.REFUSE, summary, reason, expected, actual, evidence, hint)


def skipped(gate: str, summary: str, reason: Reason = Reason.NOT_ASKED_FOR) -> Verdict:
    """A gate that does not apply, or was not reached."""
    return Verdict(gate, Outcome.SKIP, summary, reason)


def unknown(gate: str, summary: str, *, actual: str | None = None, hint: str | None = None) -> Verdict:
    """A gate that could not find out."""
    return Verdict(gate, Outcome.UNKNOWN, summary, Reason.UNREADABLE, actual=actual, hint=hint)


def first_stop(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict that decides the exit code: the first refusal in order, else the first unknown, else None."""
    unknown_one: Verdict | None = None
    for verdict in verdicts:
        if verdict.outcome is Outcome.REFUSE:
            return verdict
        if verdict.outcome is Outcome.UNKNOWN and unknown_one is None:
            unknown_one = verdict
    return unknown_one
