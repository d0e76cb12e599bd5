"""Results in which every word from outside is one and the same, as hostile as a test likes."""

from __future__ import annotations

from promote.model.release import Edit
from promote.model.result import (
    AttestationResult,
    CommitResult,
    CopyResult,
    ErrorResult,
    FindingResult,
    ReleaseResult,
    Result,
    SinceResult,
)
from promote.model.verdict import Reason, passed, refused, skipped, unknown

DIGEST = "sha256:" + "a" * 64


def result_of(word: str, code: int, *, number: int = 1, findings: bool = True) -> Result:
    """A promotion that ended with `code`; every text in it is `word`, every number `number`."""
    verdicts = (
        refused("signature", Reason.NO_SIGNATURE, word, expected=word, actual=word, evidence=(word,), hint=word),
        unknown("sbom", word, actual=word, hint=word),
        passed("tag", word),
        skipped("labels", word),
        skipped("attestations", word, Reason.NOT_JUDGED),
    )
    attestation = AttestationResult(word, word, written=True)
    copy = CopyResult(0, word, DIGEST, 1, 1, 1, 1, number, (DIGEST,), attestation)
    finding = FindingResult("invalid", word, word, word, word, word, word, word, word, {word: word}, word, word, word)
    edits = (Edit(word, 1, word, word), Edit(word, 2, "", word))
    since = SinceResult("rollback", "c" * 40, "2026-01-02T03:04:05Z", 18_000, word, word, word, word)
    found = (finding,) if findings else None
    release = ReleaseResult("web", word, DIGEST, word, True, verdicts, (copy,), edits, findings=found, since=since)
    return Result(
        command="promote",
        exit_code=code,
        source="staging",
        target="prod",
        releases=(release,),
        commit=CommitResult("c" * 40, word, True, word) if code == 0 else None,
        error=ErrorResult("a-code", word, word, word, word) if code else None,
    )
