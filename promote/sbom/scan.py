"""Vulnerability scans that are attested: in-toto's ``vulns``, and cosign's ``vuln`` with Trivy's or Grype's report.

Sources: in-toto/attestation, spec/predicates/vulns_02.md; sigstore/cosign, specs/COSIGN_VULN_ATTESTATION_SPEC.md;
Trivy's JSON report (SchemaVersion 2); Grype's JSON document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promote.model.malformed import Malformed, shown
from promote.model.policy import Severity
from promote.sbom.instant import instant
from promote.sbom.package import Unreadable, optional_text
from promote.sbom.purl import valid_purls

COSIGN = re.compile(r"https://cosign\.sigstore\.dev/attestation/vuln/v1|cosign\.sigstore\.dev/attestation/vuln/v1")
IN_TOTO = re.compile(r"https://in-toto\.io/attestation/vulns(/v0\.[12])?")

MAX_FINDINGS = 200_000

_WORDS = {severity.value: severity for severity in Severity} | {
    "important": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "minor": Severity.LOW,
    "none": Severity.NEGLIGIBLE,
    "informational": Severity.NEGLIGIBLE,
    "": Severity.UNKNOWN,
}
_ORDER = list(Severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """One vulnerability in one package.  `names` are its id and aliases; `purl` None where the scan gives none."""

    names: frozenset[str]
    severity: Severity
    package: str
    purl: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan that was read.  `scanner` is its URI; `finished` its own word for when, not checked."""

    scanner: str
    findings: tuple[Finding, ...]
    finished: datetime | None = None


def is_scan_type(predicate_type: str) -> bool:
    """Whether a predicate of this type is a vulnerability scan."""
    return bool(COSIGN.fullmatch(predicate_type) or IN_TOTO.fullmatch(predicate_type))


def read(predicate_type: str, predicate: Any) -> Scan | Unreadable:
    """The scan in a parsed predicate.  Raises nothing: what cannot be read is `Unreadable` and says why.

    The same vulnerability of the same package is counted once.
    """
    try:
        scanner = _object(_object(predicate, "scan").get("scanner"), "scanner")
        result = scanner.get("result")
        found = _in_toto(result) if IN_TOTO.fullmatch(predicate_type) else _report(result)
        findings = _once(found)
    except Malformed as problem:
        return Unreadable("malformed", str(problem))
    metadata = predicate.get("metadata")
    finished = metadata.get("scanFinishedOn") if isinstance(metadata, dict) else None
    return Scan(optional_text(scanner.get("uri")) or "", findings, instant(finished))


def _once(found: Iterator[Finding]) -> tuple[Finding, ...]:
    worst: dict[tuple[frozenset[str], str, str | None], Finding] = {}
    for number, finding in enumerate(found):
        if number >= MAX_FINDINGS:
            raise Malformed("scan", f"more than {MAX_FINDINGS} findings", f"at most {MAX_FINDINGS}")
        key = (finding.names, finding.package, finding.purl)
        if key not in worst or _ORDER.index(finding.severity) < _ORDER.index(worst[key].severity):
            worst[key] = finding
    return tuple(worst.values())


def _in_toto(result: object) -> Iterator[Finding]:
    for entry in _objects(result, "scanner.result"):
        name = _text(entry.get("id"), "vulnerability id")
        said = entry.get("severity")
        scores = _objects(said if isinstance(said, list) else [said], "severity") if said is not None else []
        severities = [_score(score) for score in scores] or [Severity.UNKNOWN]
        known = [s for s in severities if s is not Severity.UNKNOWN] or severities
        # Several methods may rate it differently: the worst counts.
        yield Finding(frozenset({name}), min(known, key=_ORDER.index), "")


def _score(score: dict[str, Any]) -> Severity:
    value = score.get("score")
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if isinstance(text, str) and re.fullmatch(r"\d{1,2}(\.\d{1,3})?", text, re.ASCII):
        return _rated(float(text))
    return _word(text)


def _rated(score: float) -> Severity:
    """CVSS v3.1, section 5, "Qualitative Severity Rating Scale"."""
    if score > 10:
        raise Malformed("severity score", str(score), "0.0 to 10.0")
    scale = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
    return next((severity for least, severity in scale if score >= least), Severity.NEGLIGIBLE)


def _report(result: object) -> Iterator[Finding]:
    report = _object(result, "scanner.result")
    if "matches" in report:
        return _grype(report)
    if "Results" in report or "SchemaVersion" in report:
        return _trivy(report)
    keys = ", ".join(sorted(map(str, report))[:5]) or "none"
    raise Malformed("scanner.result", f"keys {keys}", "Trivy's report (Results) or Grype's (matches)")


def _grype(report: dict[str, Any]) -> Iterator[Finding]:
    for match in _objects(report["matches"], "matches"):
        vulnerability = _object(match.get("vulnerability"), "vulnerability")
        artifact = _object(match.get("artifact"), "artifact")
        related = _objects(_present(match, "relatedVulnerabilities"), "relatedVulnerabilities")
        names = {_text(v.get("id"), "vulnerability id") for v in (vulnerability, *related)}
        yield _finding(
            names, vulnerability.get("severity"), artifact.get("name"), artifact.get("version"), artifact.get("purl")
        )


def _trivy(report: dict[str, Any]) -> Iterator[Finding]:
    if report.get("SchemaVersion", 2) != 2:
        raise Malformed("Trivy SchemaVersion", report["SchemaVersion"], "2")
    for target in _objects(_present(report, "Results"), "Results"):
        for entry in _objects(_present(target, "Vulnerabilities"), "Vulnerabilities"):
            identifier = entry.get("PkgIdentifier")
            purl = identifier.get("PURL") if isinstance(identifier, dict) else None
            names = {_text(entry.get("VulnerabilityID"), "VulnerabilityID")}
            yield _finding(names, entry.get("Severity"), entry.get("PkgName"), entry.get("InstalledVersion"), purl)


def _finding(names: set[str], severity: object, package: object, version: object, purl: object) -> Finding:
    spelled = f"{optional_text(package) or ''} {optional_text(version) or ''}".strip()
    return Finding(frozenset(names), _word(severity), spelled, next(iter(valid_purls([purl])), None))


def _word(value: object) -> Severity:
    found = _WORDS.get(value.strip().lower()) if isinstance(value, str) else Severity.UNKNOWN if value is None else None
    if found is None:
        raise Malformed("severity", value, "a word such as critical, or a CVSS score")
    return found


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(what, value, "a JSON object")
    return value


def _present(holder: dict[str, Any], key: str) -> object:
    """What stands there; an empty list for null, which is how Go writes one."""
    value = holder.get(key)
    return [] if value is None else value


def _objects(value: object, what: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Malformed(what, value, "a list of objects")
    return value


def _text(value: object, what: str) -> str:
    text = optional_text(value)
    if text is None:
        raise Malformed(what, shown(value), "a name such as CVE-2021-44228")
    return text
