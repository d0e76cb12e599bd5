"""Somebody whom promote.yaml names signed exactly this image.  An attestation is no signature."""

from __future__ import annotations

from collections.abc import Sequence

from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Flaw, Kind, Log, Rejected
from promote.model.malformed import shown
from promote.model.policy import LogDemand, SignaturePolicy, Trust
from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "signature"
PROVENANCE = ("https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2")


def judge(digest: Digest, findings: Findings, policy: SignaturePolicy | None, trust: Trust) -> Verdict:
    """Pass when one accepted signature names `digest` itself and has what the policy asks for.

    No signature, one that does not hold, and one by somebody else are three different refusals.
    """
    if policy is None:
        return skipped(GATE, "turned off by promote.yaml", Reason.TURNED_OFF)
    candidates = [e for e in findings.accepted if e.subject == digest and _counts(e, policy)]
    logged = [e for e in candidates if _logged(e, policy)]
    good = [e for e in logged if _has(e, policy)]
    if good:
        best = good[0]
        widened = best.kind is not Kind.SIGNATURE
        what = "build provenance accepted as a signature" if widened else "signed"
        return passed(
            GATE,
            f"{what} by {best.signed_by}, log: {best.log.value}",
            evidence=tuple(sorted({str(e.manifest) for e in good})),
        )
    if logged:
        return _wrong_annotations(logged, policy)
    if candidates:
        return _unlogged(candidates, policy)
    return _nothing_good(digest, findings, trust)


def _counts(evidence: Evidence, policy: SignaturePolicy) -> bool:
    if evidence.kind is Kind.SIGNATURE:
        return policy.signature
    return policy.provenance and evidence.predicate_type in PROVENANCE


def _logged(evidence: Evidence, policy: SignaturePolicy) -> bool:
    if policy.log is LogDemand.PROOF:
        return evidence.log is Log.PROOF
    if policy.log is LogDemand.PROMISE and evidence.signed_by.identity is not None:
        return evidence.log is not Log.NONE
    return True


def _has(evidence: Evidence, policy: SignaturePolicy) -> bool:
    return all(evidence.annotations.get(key) == value for key, value in policy.annotations.items())


def _wrong_annotations(signatures: Sequence[Evidence], policy: SignaturePolicy) -> Verdict:
    has = signatures[0].annotations
    key, value = next((k, v) for k, v in policy.annotations.items() if has.get(k) != v)
    return refused(
        GATE,
        Reason.SIGNATURE_ANNOTATIONS,
        f"the signature does not have the signed annotation {key} that is asked for",
        expected=f"{key}={value}",
        actual=shown(f"{key}={has[key]}") if key in has else f"no annotation {key}",
        evidence=tuple(str(s.manifest) for s in signatures),
        hint=f"sign with `cosign sign -a {key}={value}`, or change gates.signature.annotations in promote.yaml",
    )


def _unlogged(signatures: Sequence[Evidence], policy: SignaturePolicy) -> Verdict:
    return refused(
        GATE,
        Reason.SIGNATURE_UNLOGGED,
        "the signature has less from the transparency log than is asked for",
        expected=f"log: {policy.log.value}",
        actual=", ".join(sorted({f"log: {s.log.value}" for s in signatures})),
        evidence=tuple(str(s.manifest) for s in signatures),
        hint="sign with a current cosign, or weaken gates.signature.log in promote.yaml",
    )


def _nothing_good(digest: Digest, findings: Findings, trust: Trust) -> Verdict:
    failed = [r for r in findings.rejected if r.kind is Kind.SIGNATURE and r.subject == digest]
    foreign = [r for r in failed if r.flaw is Flaw.FOREIGN]
    broken = [r for r in failed if r.flaw in (Flaw.INVALID, Flaw.MALFORMED)]
    whom = "; ".join(str(s) for s in trust.signers) or "nobody: promote.yaml names no signer"
    if foreign:
        return _from_rejected(
            foreign, Reason.SIGNATURE_FOREIGN, "it is signed by somebody whom promote.yaml does not name", whom
        )
    if broken:
        return _from_rejected(broken, Reason.SIGNATURE_INVALID, "its signature does not hold", whom)
    found = _found(findings)
    return refused(
        GATE,
        Reason.NO_SIGNATURE,
        "there is no signature of this image",
        expected=f"a signature by {whom}",
        actual=found or "nothing at all beside the image",
        evidence=tuple(str(e.manifest) for e in findings.accepted),
        hint="sign the digest where it is built, with `cosign sign IMAGE@DIGEST`",
    )


def _from_rejected(rejected: Sequence[Rejected], reason: Reason, summary: str, whom: str) -> Verdict:
    first = rejected[0]
    return refused(
        GATE,
        reason,
        f"{summary}: {first.summary}",
        expected=first.expected or whom,
        actual=first.actual,
        evidence=tuple(str(r.manifest) for r in rejected),
        hint="if this signer should be trusted, add it to trust.signers in promote.yaml",
    )


def _found(findings: Findings) -> str:
    seen = [f"an attestation of type {e.predicate_type}" for e in findings.accepted if e.kind is Kind.ATTESTATION]
    seen += [f"{r.summary} ({r.flaw.value})" for r in findings.rejected]
    return "; ".join(dict.fromkeys(seen))
