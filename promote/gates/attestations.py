"""The further attestations that promote.yaml demands are there."""

from __future__ import annotations

from collections.abc import Sequence

from promote.model.digest import Digest
from promote.model.evidence import Findings
from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "attestations"


def judge(digest: Digest, findings: Findings, demanded: Sequence[str]) -> Verdict:
    """Pass when for each demanded predicate type a trusted signer attested it of `digest`."""
    if not demanded:
        return skipped(GATE, "promote.yaml asks for no further attestation")
    found = [e for e in findings.attestations() if e.subject == digest and e.predicate_type in demanded]
    types = {e.predicate_type for e in found}
    for wanted in demanded:
        if wanted not in types:
            present = sorted({e.predicate_type or "" for e in findings.attestations()})
            return refused(
                GATE,
                Reason.NO_ATTESTATION,
                f"no attestation of type {wanted} by a trusted signer",
                expected=wanted,
                actual=", ".join(present) or "no attestation",
                hint="attest it where the image is built, or take it out of gates.attestations in promote.yaml",
            )
    return passed(GATE, ", ".join(demanded), evidence=tuple(sorted({str(e.manifest) for e in found})))
