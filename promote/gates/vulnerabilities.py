"""A recent scan of this image found no more vulnerabilities than are allowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from promote.gates import signers
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Rejected
from promote.model.length import said, utc
from promote.model.malformed import shown
from promote.model.policy import Severity, VulnerabilityPolicy
from promote.model.verdict import Reason, Verdict, passed, refused, skipped
from promote.sbom import openvex, scan
from promote.sbom.instant import SKEW
from promote.sbom.package import Unreadable

GATE = "vulnerabilities"
HINT = "scan the digest and attest the result: `cosign attest --type vuln --predicate scan.json IMAGE@DIGEST`"


@dataclass(frozen=True, slots=True)
class _Scanned:
    evidence: Evidence
    scan: scan.Scan


@dataclass(frozen=True, slots=True)
class _Vex:
    """A statement, the time that is known for it, and the digest that it was attested of."""

    statement: openvex.Statement
    time: datetime
    subject: Digest


def judge(
    digest: Digest,
    platforms: Sequence[Digest],
    findings: Findings,
    policy: VulnerabilityPolicy | None,
    *,
    name: str = "",
    now: datetime | None = None,
) -> Verdict:
    """Pass when the image, or each of its platforms, has a scan that is recent and within the limits.

    Where the policy names signers, only their scans and statements count.  Of several scans of one digest the newest
    by *verified* time decides; where no time is verified, all do.  An OpenVEX statement by a trusted signer that this
    image is not affected, with its justification, takes a finding away, unless a later one says otherwise.  `name` is
    the last part of the repository's path, which a statement may call the image.
    """
    if policy is None:
        return skipped(GATE, "promote.yaml asks for no vulnerability scan")
    counted = signers.by_any(findings.attestations(), policy.signers)
    attested = [e for e in counted if scan.is_scan_type(e.predicate_type or "")]
    documents = [(e, scan.read(e.predicate_type or "", e.predicate)) for e in attested]
    broken = next(((e, s) for e, s in documents if isinstance(s, Unreadable)), None)
    if broken is not None:
        return _unreadable("scan", *broken)
    scans = [_Scanned(e, s) for e, s in documents if isinstance(s, scan.Scan) and _counts(s, policy)]
    statements = _statements(counted)
    if isinstance(statements, Verdict):
        return statements
    deciding = _deciding(scans, digest, platforms)
    if not deciding:
        return _none([s for _, s in documents if isinstance(s, scan.Scan)], findings, policy)
    old = next((s for s in deciding if not _is_recent(s, policy, now)), None)
    if old is not None:
        return _old(old, policy)
    judged = [(s, _left(s, statements, _named(s, digest, platforms, name), digest)) for s in deciding]
    return next((v for s, left in judged if (v := _over(s, left, policy)) is not None), None) or _pass(judged)


def _counts(found: scan.Scan, policy: VulnerabilityPolicy) -> bool:
    return not policy.scanners or any(found.scanner == s or found.scanner.startswith(f"{s}@") for s in policy.scanners)


def _deciding(scans: Sequence[_Scanned], digest: Digest, platforms: Sequence[Digest]) -> list[_Scanned]:
    """The scans that decide: of the image itself, else of each platform; none when some platform has none."""
    newest = {subject: _newest([s for s in scans if s.evidence.subject == subject]) for subject in (digest, *platforms)}
    if newest[digest]:
        return newest[digest]
    return [s for p in platforms for s in newest[p]] if all(newest[p] for p in platforms) else []


def _newest(scans: Sequence[_Scanned]) -> list[_Scanned]:
    times = [s.evidence.time for s in scans if s.evidence.time is not None]
    return [s for s in scans if s.evidence.time == max(times)] if times else list(scans)


def _is_recent(scanned: _Scanned, policy: VulnerabilityPolicy, now: datetime | None) -> bool:
    if policy.max_age is None:
        return True
    signed = scanned.evidence.time
    if signed is None or now is None:
        return False
    # An old result may be attested today: the scan's own word counts too, where it makes it older.
    oldest = min(signed, scanned.scan.finished or signed)
    return now - oldest <= policy.max_age and signed <= now + SKEW


def _statements(counted: Sequence[Evidence]) -> list[_Vex] | Verdict:
    found: list[_Vex] = []
    for evidence in counted:
        if openvex.is_vex_type(evidence.predicate_type or ""):
            read = openvex.read(evidence.predicate)
            if isinstance(read, Unreadable):
                return _unreadable("OpenVEX document", evidence, read)
            found += [_Vex(s, evidence.time or s.said, evidence.subject) for s in read]
    return found


def _named(scanned: _Scanned, digest: Digest, platforms: Sequence[Digest], name: str) -> openvex.Image:
    subject = scanned.evidence.subject
    return openvex.Image(frozenset({digest, subject, *(platforms if subject == digest else ())}), name)


def _left(scanned: _Scanned, statements: Sequence[_Vex], image: openvex.Image, digest: Digest) -> list[scan.Finding]:
    """The findings of a scan that no statement takes away."""
    usable = [v for v in statements if v.subject in (digest, scanned.evidence.subject)]
    return [f for f in scanned.scan.findings if not _is_cleared(f, usable, image)]


def _is_cleared(finding: scan.Finding, statements: Sequence[_Vex], image: openvex.Image) -> bool:
    about = [v for v in statements if v.statement.covers(finding, image)]
    if not about:
        return False
    latest = max((v.time, v.statement.said) for v in about)
    return all(v.statement.clears for v in about if (v.time, v.statement.said) == latest)


def _over(scanned: _Scanned, left: Sequence[scan.Finding], policy: VulnerabilityPolicy) -> Verdict | None:
    counts = Counter(f.severity for f in left)
    for severity in Severity:
        limit = policy.limits.get(severity)
        if limit is not None and counts[severity] > limit:
            first = list(_first(f for f in left if f.severity is severity))
            return refused(
                GATE,
                Reason.VULNERABLE,
                f"the scan found more {severity.value} vulnerabilities than are allowed",
                expected=f"at most {limit} {severity.value}",
                actual=f"{counts[severity]} {severity.value}: {'; '.join(first)}",
                evidence=(str(scanned.evidence.manifest),),
                hint="fix them, or attest with OpenVEX which of them do not affect this image, and why",
            )
    return None


def _first(found: Iterator[scan.Finding]) -> Iterator[str]:
    for _, finding in zip(range(3), found, strict=False):
        yield shown(f"{min(finding.names)} {finding.package}".strip(), 80)


def _pass(judged: Sequence[tuple[_Scanned, list[scan.Finding]]]) -> Verdict:
    counts = Counter(f.severity for _, left in judged for f in left)
    cleared = sum(len(s.scan.findings) - len(left) for s, left in judged)
    found = ", ".join(f"{counts[s]} {s.value}" for s in Severity if counts[s]) or "no vulnerabilities"
    by = ", ".join(sorted({shown(s.scan.scanner, 60) or "an unnamed scanner" for s, _ in judged}))
    summary = f"{found}, by {by}" + (f"; {cleared} not affected by OpenVEX" if cleared else "")
    return passed(GATE, summary, evidence=tuple(sorted({str(s.evidence.manifest) for s, _ in judged})))


def _old(scanned: _Scanned, policy: VulnerabilityPolicy) -> Verdict:
    signed, finished = scanned.evidence.time, scanned.scan.finished
    times = f"signed {utc(signed)}" if signed else "no verified signing time"
    return refused(
        GATE,
        Reason.SCAN_OLD,
        "the scan is older than is asked for" if signed else "nothing proves how old the scan is",
        expected=f"at most {said(policy.max_age)} old" if policy.max_age else None,
        actual=times + (f", scanned {utc(finished)}" if finished else ""),
        evidence=(str(scanned.evidence.manifest),),
        hint=HINT,
    )


def _unreadable(what: str, evidence: Evidence, document: Unreadable) -> Verdict:
    return refused(
        GATE,
        Reason.SCAN_INVALID,
        f"the {what} cannot be read: {document.summary}",
        expected="cosign's vuln with the report of Trivy or Grype, in-toto's vulns, or OpenVEX, by its specification",
        actual=document.summary,
        evidence=(str(evidence.manifest),),
        hint=HINT,
    )


def _none(scans: Sequence[scan.Scan], findings: Findings, policy: VulnerabilityPolicy) -> Verdict:
    scanners = sorted({shown(s.scanner, 60) or "an unnamed scanner" for s in scans})
    rejected = [r for r in findings.rejected if scan.is_scan_type(r.predicate_type or "")]
    every = [e for e in findings.attestations() if scan.is_scan_type(e.predicate_type or "")]
    others = [e for e in every if not signers.by_any([e], policy.signers)]
    wanted = f" by {' or '.join(policy.scanners)}" if policy.scanners else ""
    by = f" by {' or '.join(policy.signers)}" if policy.signers else ""
    found = [f"a scan by {s}" for s in scanners] + ([f"one signed by {signers.whom(others)}"] if others else [])
    found += [f"one that does not count: {r.summary}" for r in rejected]
    by_whomever: list[Evidence | Rejected] = [*others, *rejected]
    return refused(
        GATE,
        Reason.NO_SCAN,
        "no scan of this image, or not of each of its platforms, is attested by a trusted signer",
        expected=f"a vulnerability scan{wanted}, attested{by} of the image or of each platform",
        actual="; ".join(found) or "no scan",
        evidence=tuple(str(found.manifest) for found in by_whomever),
        hint=HINT,
    )
