"""Somebody whom promote.yaml names signed exactly this image.  An attestation is no signature."""

from __future__ import annotations

from collections.abc import Sequence

from promote.gates import provenance, signers
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Flaw, Kind, Rejected
from promote.model.malformed import shown
from promote.model.policy import SignaturePolicy, Trust
from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "signature"


def judge(digest: Digest, findings: Findings, policy: SignaturePolicy | None, trust: Trust) -> Verdict:
    """Pass when as many different signers as the policy asks for signed `digest` itself, with what it asks for.

    Different signers are different identities or keys, not different signatures, and not two copies of one.  No
    signature, one that does not hold, one by somebody else and too few are different refusals.
    """
    if policy is None:
        return skipped(GATE, "turned off by promote.yaml", Reason.TURNED_OFF)
    signed = [e for e in findings.accepted if e.subject == digest and _counts(e, policy)]
    candidates = signers.by_any(signed, policy.signers)
    good = [e for e in candidates if _has(e, policy)]
    # Of one signer's evidence a signature is shown rather than what is accepted in its place.
    different = {e.signed_by.who: e for e in sorted(good, key=lambda e: e.kind is Kind.SIGNATURE)}
    if len(different) >= policy.threshold:
        return _passed(good, tuple(different.values()), policy)
    if good:
        return _too_few(good, len(different), policy)
    if candidates:
        return _wrong_annotations(candidates, policy)
    if signed:
        return _not_counted(signed, policy)
    return _nothing_good(digest, findings, policy, trust)


def _passed(good: Sequence[Evidence], different: Sequence[Evidence], policy: SignaturePolicy) -> Verdict:
    best = sorted(different, key=lambda e: e.kind is not Kind.SIGNATURE)[: policy.threshold]
    widened = best[-1].kind is not Kind.SIGNATURE
    what = "build provenance accepted as a signature" if widened else "signed"
    by = "; ".join(f"{e.signed_by}, log: {e.log.value}" for e in best)
    return passed(GATE, f"{what} by {by}", evidence=tuple(sorted({str(e.manifest) for e in good})))


def _too_few(good: Sequence[Evidence], count: int, policy: SignaturePolicy) -> Verdict:
    who = "; ".join(dict.fromkeys(str(e.signed_by) for e in good))
    return refused(
        GATE,
        Reason.SIGNATURE_THRESHOLD,
        f"too few different signers signed this image: {count} where {policy.threshold} are asked for",
        expected=f"{policy.threshold} different identities or keys",
        actual=shown(f"{count}: {who}", 400),
        evidence=tuple(sorted({str(e.manifest) for e in good})),
        hint="let the other signers sign the digest; several signatures by one of them count once",
    )


def _not_counted(signed: Sequence[Evidence], policy: SignaturePolicy) -> Verdict:
    return refused(
        GATE,
        Reason.SIGNATURE_FOREIGN,
        "it is signed by a signer who does not count here",
        expected=f"a signature by {' or '.join(policy.signers)}",
        actual=signers.whom(signed),
        evidence=tuple(sorted({str(e.manifest) for e in signed})),
        hint="sign the digest as one of gates.signature.signers, or add this signer's name there",
    )


def _counts(found: Evidence | Rejected, policy: SignaturePolicy) -> bool:
    if found.kind is Kind.SIGNATURE:
        return policy.signature
    return policy.provenance and found.predicate_type in provenance.TYPES


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


def _nothing_good(digest: Digest, findings: Findings, policy: SignaturePolicy, trust: Trust) -> Verdict:
    failed = [r for r in findings.rejected if r.subject == digest and _counts(r, policy)]
    foreign = [r for r in failed if r.flaw is Flaw.FOREIGN]
    unlogged = [r for r in failed if r.flaw is Flaw.UNLOGGED]
    broken = [r for r in failed if r.flaw in (Flaw.INVALID, Flaw.MALFORMED)]
    whom = "; ".join(str(s) for s in trust.signers) or "nobody: promote.yaml names no signer"
    if unlogged:
        return _from_rejected(
            unlogged,
            Reason.SIGNATURE_UNLOGGED,
            unlogged[0].summary,
            whom,
            "sign with a current cosign, or weaken `log` in promote.yaml until a date",
        )
    if foreign:
        return _from_rejected(
            foreign,
            Reason.SIGNATURE_FOREIGN,
            f"it is {foreign[0].summary}",
            whom,
            "if this signer should be trusted, add it to trust.signers in promote.yaml",
        )
    if broken:
        return _from_rejected(
            broken,
            Reason.SIGNATURE_INVALID,
            f"its signature does not hold: {broken[0].summary}",
            whom,
            "find out who made it; if that was your build, sign the digest again with a current cosign",
        )
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


def _from_rejected(rejected: Sequence[Rejected], reason: Reason, summary: str, whom: str, hint: str) -> Verdict:
    first = rejected[0]
    return refused(
        GATE,
        reason,
        summary,
        expected=first.expected or whom,
        actual=first.actual,
        evidence=tuple(str(r.manifest) for r in rejected),
        hint=hint,
    )


def _found(findings: Findings) -> str:
    seen = [f"an attestation of type {shown(e.predicate_type)}" for e in findings.attestations()]
    seen += [f"{r.summary} ({r.flaw.value})" for r in findings.rejected]
    return "; ".join(dict.fromkeys(seen))
