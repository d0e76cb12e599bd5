"""The further attestations that promote.yaml demands are there, and say what it demands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from promote.gates import provenance, signers, summary
from promote.gates.labels import same_source
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Kind
from promote.model.length import said, utc
from promote.model.malformed import shown
from promote.model.policy import AttestationDemand
from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "attestations"


def judge(
    digest: Digest,
    platforms: Sequence[Digest],
    findings: Findings,
    demanded: Sequence[AttestationDemand],
    now: datetime,
) -> Verdict:
    """Pass when each of `demanded` holds for `digest`, or for every one of its `platforms`.

    `now`, with a zone, is what ages are counted to.
    """
    if not demanded:
        return skipped(GATE, "promote.yaml asks for no further attestation")
    used: set[str] = set()
    for demand in demanded:
        answer = _answer(digest, platforms, findings, demand, now)
        if isinstance(answer, Verdict):
            return answer
        used.update(str(e.manifest) for e in answer)
    return passed(GATE, ", ".join(shown(d.type) for d in demanded), evidence=tuple(sorted(used)))


def _answer(
    digest: Digest, platforms: Sequence[Digest], findings: Findings, demand: AttestationDemand, now: datetime
) -> tuple[Evidence, ...] | Verdict:
    """The attestations that meet `demand`, or the refusal."""
    first = _of_subject(digest, findings, demand, now)
    if not isinstance(first, Verdict):
        return (first,)
    each = [_of_subject(platform, findings, demand, now) for platform in platforms if platform != digest]
    good = [e for e in each if isinstance(e, Evidence)]
    if each and len(good) == len(each):
        return tuple(good)
    # Where some platform has one, what its sibling lacks says more than what the index lacks.
    return next((v for v in each if isinstance(v, Verdict)), first) if good else first


def _of_subject(digest: Digest, findings: Findings, demand: AttestationDemand, now: datetime) -> Evidence | Verdict:
    found = [e for e in findings.attestations() if e.subject == digest and e.predicate_type == demand.type]
    counted = signers.by_any(found, demand.signers)
    if not counted:
        return _none(digest, found, findings, demand)
    problems = []
    for evidence in _deciding(counted, demand):
        problem = _problem(evidence, digest, demand, now)
        if problem is None and not summary.has_result(demand.type):
            return evidence
        problems.append((evidence, problem))
    wrong = next(((e, p) for e, p in problems if p is not None), None)
    if wrong is None:
        return problems[0][0]
    evidence, (reason, what, expected, actual) = wrong
    return refused(
        GATE,
        reason,
        f"the attestation of type {shown(demand.type)} {what}",
        expected=expected,
        actual=shown(actual, 200),
        evidence=(str(evidence.manifest),),
        hint="attest it again where this is decided, or change gates.attestations in promote.yaml",
    )


def _deciding(counted: Sequence[Evidence], demand: AttestationDemand) -> Sequence[Evidence]:
    """Newest first.  Where attestations carry a result, the newest alone decides.

    A failure is not undone by an older success.  Without a verified time nobody knows which is newest, and every one
    must be good.
    """
    timed = sorted(((e.time, i) for i, e in enumerate(counted) if e.time is not None), reverse=True)
    newest_first = [counted[i] for _, i in timed]
    if len(timed) < len(counted) or not summary.has_result(demand.type):
        return [*newest_first, *(e for e in counted if e.time is None)]
    return newest_first[:1]


Problem = tuple[Reason, str, str, str]
"""The reason, what is wrong, what was expected and what is there."""


def _problem(evidence: Evidence, digest: Digest, demand: AttestationDemand, now: datetime) -> Problem | None:
    build = provenance.read(demand.type, evidence.predicate)
    if demand.builder is not None and build.builder != demand.builder:
        return _content("is by another builder", demand.builder, build.builder or "no builder")
    if demand.source is not None and not (build.repository and same_source(demand.source, build.repository)):
        return _content("names another source", demand.source, build.repository or "no source repository")
    wrong = summary.first_wrong(evidence.predicate, digest, demand)
    if wrong is not None:
        return _content(*wrong)
    return _too_old(evidence, demand.max_age, now) if demand.max_age is not None else None


def _content(what: str, expected: str, actual: str) -> Problem:
    return (Reason.ATTESTATION_CONTENT, what, expected, actual)


def _too_old(evidence: Evidence, max_age: timedelta, now: datetime) -> Problem | None:
    if evidence.time is None:
        return (Reason.ATTESTATION_OLD, "has no verified time", f"signed within {said(max_age)}", "nothing proves when")
    age = now - evidence.time
    if age <= max_age:
        return None
    actual = f"{said(age)} (signed {utc(evidence.time)})"
    return (Reason.ATTESTATION_OLD, "is too old", f"at most {said(max_age)}", actual)


def _none(digest: Digest, found: Sequence[Evidence], findings: Findings, demand: AttestationDemand) -> Verdict:
    wanted = f"{demand.type} by {' or '.join(demand.signers)}" if demand.signers else demand.type
    if found:
        actual = f"signed by {signers.whom(found)}"
    else:
        failed = [r for r in findings.rejected if r.kind is Kind.ATTESTATION and r.predicate_type == demand.type]
        present = sorted({e.predicate_type or "" for e in findings.attestations()})
        actual = "; ".join(dict.fromkeys(r.summary for r in failed)) or ", ".join(present) or "no attestation"
    return refused(
        GATE,
        Reason.NO_ATTESTATION,
        f"no attestation of type {shown(demand.type)} by a trusted signer",
        expected=f"{shown(wanted)} of {digest}",
        actual=shown(actual, 400),
        hint="attest it where the image is built, or take it out of gates.attestations in promote.yaml",
    )
