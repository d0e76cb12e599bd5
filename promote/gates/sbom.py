"""A trusted signer attested an SBOM of this image, and it says something."""

from __future__ import annotations

from collections.abc import Sequence

from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Flaw, Kind
from promote.model.policy import SbomPolicy
from promote.model.verdict import Reason, Verdict, passed, refused, skipped
from promote.sbom.document import Sbom, Unreadable, is_sbom_type, read

GATE = "sbom"
HINT = "attest one where the image is built: `cosign attest --type spdxjson --predicate sbom.spdx.json IMAGE@DIGEST`"


def judge(digest: Digest, platforms: Sequence[Digest], findings: Findings, policy: SbomPolicy | None) -> Verdict:
    """Pass when the image, or each of its platforms, has an SBOM with as many packages as are asked for."""
    if policy is None:
        return skipped(GATE, "turned off by promote.yaml", Reason.TURNED_OFF)
    attested = [e for e in findings.attestations() if is_sbom_type(e.predicate_type or "")]
    read_ones = [(e, read(e.predicate_type or "", e.predicate)) for e in attested]
    good = [(e, s) for e, s in read_ones if isinstance(s, Sbom) and len(s.packages) >= policy.min_packages]
    covered = {e.subject for e, _ in good}
    if good and (digest in covered or (platforms and covered.issuperset(platforms))):
        counts = ", ".join(f"{s.format} with {_packages(len(s.packages))}" for _, s in good)
        return passed(GATE, counts, evidence=tuple(sorted({str(e.manifest) for e, _ in good})))
    if good:
        lacking = next(p for p in platforms if p not in covered)
        return refused(
            GATE,
            Reason.NO_SBOM,
            "some platform of the image has no SBOM",
            expected=f"an SBOM of {lacking}",
            actual=f"SBOMs of {', '.join(sorted(map(str, covered)))}",
            hint=HINT,
        )
    if read_ones:
        return _not_good_enough(read_ones, policy)
    return _none(findings)


def _packages(count: int) -> str:
    return "1 package" if count == 1 else f"{count} packages"


def _not_good_enough(read_ones: Sequence[tuple[Evidence, Sbom | Unreadable]], policy: SbomPolicy) -> Verdict:
    evidence = tuple(str(e.manifest) for e, _ in read_ones)
    thin = [s for _, s in read_ones if isinstance(s, Sbom)]
    if thin:
        most = max(len(s.packages) for s in thin)
        return refused(
            GATE,
            Reason.SBOM_EMPTY,
            "the SBOM lists too few packages to describe an image",
            expected=f"at least {policy.min_packages}",
            actual=str(most),
            evidence=evidence,
            hint="look at the tool that made it: an SBOM without packages means that it saw nothing",
        )
    unreadable = [s for _, s in read_ones if isinstance(s, Unreadable)]
    return refused(
        GATE,
        Reason.SBOM_INVALID,
        f"the SBOM cannot be read: {unreadable[0].summary}",
        expected="SPDX or CycloneDX in JSON",
        actual=unreadable[0].summary,
        evidence=evidence,
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
