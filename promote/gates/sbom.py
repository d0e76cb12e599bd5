"""A trusted signer attested an SBOM of this image; it says something, and nothing that is denied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from promote.gates import signers
from promote.gates.sbom_demands import Attested, Image, Problem, begun, contradiction, denied, shortcoming
from promote.model.contents import Contents
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Flaw, Kind
from promote.model.policy import SbomPolicy
from promote.model.verdict import Reason, Verdict, passed, refused, skipped
from promote.sbom.document import Sbom, Unreadable, is_sbom_type, read
from promote.sbom.profiles import assess

GATE = "sbom"
HINT = "attest one where the image is built: `cosign attest --type spdxjson --predicate sbom.spdx.json IMAGE@DIGEST`"


def judge(
    digest: Digest,
    platforms: Sequence[Digest],
    findings: Findings,
    policy: SbomPolicy | None,
    *,
    contents: Sequence[Contents] = (),
    now: datetime | None = None,
) -> Verdict:
    """Pass when the image, or each of its platforms, has an SBOM that meets what is asked for.

    Every SBOM by a trusted signer is looked at, by one whom the policy names where it names some: one that is broken,
    that contradicts the image or its build, or that lists a denied package refuses whatever the others say.  One that
    meets less than is asked for, or is of a kind that is not read, does not count, and another may take its place.
    `contents` are what the platforms are made of, as far as known.  `now` None: unknown, and then no SBOM is young
    enough where an age is asked for.
    """
    if policy is None:
        return skipped(GATE, "turned off by promote.yaml", Reason.TURNED_OFF)
    every = [e for e in findings.attestations() if is_sbom_type(e.predicate_type or "")]
    attested = signers.by_any(every, policy.signers)
    if every and not attested:
        return _not_counted(every, policy)
    documents = [(e, read(e.predicate_type or "", e.predicate)) for e in attested]
    image = Image(digest, platforms, contents, begun(findings))
    sboms = [Attested(e, s) for e, s in documents if isinstance(s, Sbom)]
    unread = [(e, s) for e, s in documents if isinstance(s, Unreadable)]
    broken = (_unreadable(e, s) for e, s in unread if s.reason == "malformed")
    stop = next(broken, None) or next(_stops(sboms, image, policy, now), None)
    if stop is not None:
        return stop
    judged = [(a, shortcoming(a, policy, now)) for a in sboms]
    good = [a for a, problem in judged if problem is None]
    if _covers({a.evidence.subject for a in good}, image):
        return _pass(good, unread, policy)
    short = (_refuse(a, problem) for a, problem in judged if problem is not None)
    return next(short, None) or _missing(good, unread, image, findings)


def _not_counted(found: Sequence[Evidence], policy: SbomPolicy) -> Verdict:
    return refused(
        GATE,
        Reason.SBOM_FOREIGN,
        "the SBOM is attested by a signer who does not count here",
        expected=f"an SBOM by {' or '.join(policy.signers)}",
        actual=f"signed by {signers.whom(found)}",
        evidence=tuple(sorted({str(e.manifest) for e in found})),
        hint="attest it as one of gates.sbom.signers, or add this signer's name there",
    )


def _missing(
    good: Sequence[Attested], unread: Sequence[tuple[Evidence, Unreadable]], image: Image, findings: Findings
) -> Verdict:
    if good:
        return _uncovered({a.evidence.subject for a in good}, image)
    return _unreadable(*unread[0]) if unread else _none(findings)


def _stops(sboms: Sequence[Attested], image: Image, policy: SbomPolicy, now: datetime | None) -> Iterator[Verdict]:
    for attested in sboms:
        problem = contradiction(attested, image, now)
        if problem is not None:
            yield _refuse(attested, problem)
    found = [(attested, problem) for attested in sboms if (problem := denied(attested, policy)) is not None]
    # A package that is denied says more than one that cannot be compared.
    found.sort(key=lambda pair: pair[1].reason is not Reason.PACKAGE_DENIED)
    yield from (_refuse(attested, problem) for attested, problem in found)


def _covers(subjects: set[Digest], image: Image) -> bool:
    return image.digest in subjects or bool(image.platforms and subjects.issuperset(image.platforms))


def _pass(good: Sequence[Attested], unread: Sequence[tuple[Evidence, Unreadable]], policy: SbomPolicy) -> Verdict:
    said = ", ".join(f"{a.sbom.format} with {_packages(len(a.sbom.packages))}" for a in good)
    reports = [str(assess(name, a.sbom)) for name in (*policy.required, *policy.reported) for a in good]
    ignored = [f"not read: {u.summary}" for _, u in unread]
    summary = "; ".join((said, *reports, *dict.fromkeys(ignored)))
    return passed(GATE, summary, evidence=tuple(sorted({str(a.evidence.manifest) for a in good})))


def _refuse(attested: Attested, problem: Problem) -> Verdict:
    return refused(
        GATE,
        problem.reason,
        problem.summary,
        expected=problem.expected,
        actual=problem.actual,
        evidence=(str(attested.evidence.manifest),),
        hint=problem.hint,
    )


def _uncovered(covered: set[Digest], image: Image) -> Verdict:
    lacking = next((p for p in image.platforms if p not in covered), image.digest)
    return refused(
        GATE,
        Reason.NO_SBOM,
        "some platform of the image has no SBOM",
        expected=f"an SBOM of {lacking}",
        actual=f"SBOMs of {', '.join(sorted(map(str, covered)))}",
        hint=HINT,
    )


def _packages(count: int) -> str:
    return "1 package" if count == 1 else f"{count} packages"


def _unreadable(evidence: Evidence, document: Unreadable) -> Verdict:
    return refused(
        GATE,
        Reason.SBOM_INVALID,
        f"the SBOM cannot be read: {document.summary}",
        expected="SPDX or CycloneDX in JSON",
        actual=document.summary,
        evidence=(str(evidence.manifest),),
        hint=HINT,
    )


def _none(findings: Findings) -> Verdict:
    failed = [r for r in findings.rejected if r.kind is Kind.ATTESTATION and is_sbom_type(r.predicate_type or "")]
    unsigned = [r for r in findings.rejected if r.flaw is Flaw.UNSIGNED]
    reasons = {Flaw.FOREIGN: Reason.SBOM_FOREIGN, Flaw.UNSIGNED: Reason.SBOM_UNSIGNED}
    if failed or unsigned:
        rejected = (*failed, *unsigned)[0]
        return refused(
            GATE,
            reasons.get(rejected.flaw, Reason.SBOM_INVALID),
            f"an SBOM is there and does not count: {rejected.summary}",
            expected=rejected.expected or "an SBOM attested by a trusted signer",
            actual=rejected.actual or rejected.flaw.value,
            evidence=(str(rejected.manifest),),
            hint=HINT,
        )
    types = sorted({e.predicate_type or "" for e in findings.attestations()})
    return refused(
        GATE,
        Reason.NO_SBOM,
        "no SBOM of this image is attested",
        expected="an attested SPDX or CycloneDX document",
        actual=f"attestations of type {', '.join(types)}" if types else "no attestation",
        hint=HINT,
    )
