"""The vulnerability gate: which scan decides, what it counts, and what OpenVEX takes away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from promote.gates import vulnerabilities
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Flaw, Kind, Log, Rejected, SignedBy, Storage
from promote.model.policy import Severity, VulnerabilityPolicy
from promote.model.verdict import Outcome, Verdict
from promote.sbom import scan
from promote.sbom.package import Unreadable

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HERE, AMD, ARM, OTHER, CARRIER = (Digest.of(n.encode()) for n in ("here", "amd", "arm", "other", "carrier"))
COSIGN, IN_TOTO, VEX = (
    "https://cosign.sigstore.dev/attestation/vuln/v1",
    "https://in-toto.io/attestation/vulns/v0.2",
    "https://openvex.dev/ns/v0.2.0",
)
TRIVY, GRYPE = "pkg:github/aquasecurity/trivy", "pkg:github/anchore/grype"
LIMITS = VulnerabilityPolicy({Severity.CRITICAL: 0, Severity.HIGH: 1})
PURL = "pkg:apk/alpine/openssl@3.1.4-r0"


def predicate(result: object, uri: str = f"{TRIVY}@0.60.0", finished: str | None = None) -> dict:
    return {"scanner": {"uri": uri, "result": result}, "metadata": {"scanFinishedOn": finished} if finished else {}}


def trivy(*severities: str) -> dict:
    listed = [
        {
            "VulnerabilityID": f"CVE-2026-{n}",
            "Severity": s,
            "PkgName": "openssl",
            "InstalledVersion": "3.1.4-r0",
            "PkgIdentifier": {"PURL": PURL},
        }
        for n, s in enumerate(severities)
    ]
    return {"SchemaVersion": 2, "Results": [{"Target": "alpine", "Vulnerabilities": listed}, {"Target": "empty"}]}


def grype(*severities: str) -> dict:
    return {
        "matches": [
            {
                "vulnerability": {"id": f"GHSA-{n}", "severity": s.title()},
                "relatedVulnerabilities": [{"id": f"CVE-2026-{n}"}],
                "artifact": {"name": "openssl", "version": "3.1.4-r0", "purl": PURL},
            }
            for n, s in enumerate(severities)
        ]
    }


def in_toto(*severities: str) -> list:
    return [{"id": f"CVE-2026-{n}", "severity": [{"method": "nvd", "score": s}]} for n, s in enumerate(severities)]


def attested(
    kind: str, body: object, subject: Digest = HERE, time: datetime | None = NOW, signers: tuple[str, ...] = ()
) -> Evidence:
    who = SignedBy(issuer="https://issuer.example", identity=signers[0] if signers else "me")
    return Evidence(
        Kind.ATTESTATION, CARRIER, subject, Storage.BUNDLE, who, Log.PROOF, kind, body, time=time, signers=signers
    )


def scanned(*severities: str, **more: object) -> Evidence:
    return attested(COSIGN, predicate(trivy(*severities)), **more)


def vex(*statements: dict, **more: object) -> Evidence:
    document = {
        "@context": VEX,
        "@id": "https://acme.test/vex/1",
        "author": "acme",
        "timestamp": "2026-11-22T00:00:00Z",
        "version": 1,
    }
    return attested(VEX, document | {"statements": list(statements)}, **more)


def cleared(vulnerability: object = None, **more: object) -> dict:
    named = vulnerability if vulnerability is not None else {"name": "CVE-2026-0"}
    return {"vulnerability": named, "status": "not_affected", "justification": "vulnerable_code_not_present"} | more


def judged(
    *things: Evidence,
    policy: VulnerabilityPolicy | None = LIMITS,
    platforms: tuple[Digest, ...] = (),
    rejected: tuple[Rejected, ...] = (),
    now: datetime | None = NOW,
) -> Verdict:
    verdict = vulnerabilities.judge(HERE, platforms or (HERE,), Findings(things, rejected), policy, name="web", now=now)
    for text in (verdict.summary, verdict.expected, verdict.actual, verdict.hint):
        assert text is None or (text and text.isprintable()), text
    if verdict.outcome is Outcome.REFUSE:
        assert verdict.reason is not None
        assert verdict.reason.exit_code == 13
        assert None not in (verdict.expected, verdict.actual, verdict.hint)
    return verdict


def test_nobody_asks():
    assert judged(scanned("CRITICAL"), policy=None).outcome is Outcome.SKIP


@pytest.mark.parametrize(
    ("kind", "shape"), [(COSIGN, trivy), (COSIGN, grype), (IN_TOTO, in_toto), (IN_TOTO.replace("2", "1"), in_toto)]
)
@pytest.mark.parametrize(
    ("found", "code"),
    [
        ((), "ok"),
        (("HIGH",), "ok"),
        (("HIGH", "HIGH"), "vulnerable"),
        (("LOW",) * 9, "ok"),
        (("UNKNOWN", "NEGLIGIBLE", "MEDIUM"), "ok"),
        (("LOW", "CRITICAL"), "vulnerable"),
    ],
)
def test_counts_are_held_to_their_limits(kind, shape, found, code):
    verdict = judged(attested(kind, predicate(shape(*found))))
    assert verdict.code == code
    if code == "vulnerable":
        assert verdict.expected in ("at most 1 high", "at most 0 critical")
        assert "CVE-2026-" in (verdict.actual or "")


def test_a_pass_counts_what_was_found():
    assert judged(scanned("HIGH", "LOW", "LOW")).summary == f"1 high, 2 low, by {TRIVY}@0.60.0"
    assert judged(scanned()).summary == f"no vulnerabilities, by {TRIVY}@0.60.0"


def test_the_unknown_can_have_a_limit_too():
    assert judged(scanned("UNKNOWN"), policy=VulnerabilityPolicy({Severity.UNKNOWN: 0})).code == "vulnerable"


@pytest.mark.parametrize(
    ("score", "severity"),
    [
        ("9.8", "critical"),
        ("9.0", "critical"),
        ("8.9", "high"),
        ("7", "high"),
        ("4.0", "medium"),
        ("0.1", "low"),
        ("0.0", "negligible"),
        ("CRITICAL", "critical"),
        ("important", "high"),
        ("moderate", "medium"),
        (9.8, "critical"),
        (None, "unknown"),
    ],
)
def test_scores_and_words_of_severity(score, severity):
    found = scan.read(IN_TOTO, predicate([{"id": "CVE-1", "severity": {"method": "x", "score": score}}]))
    assert isinstance(found, scan.Scan)
    assert [f.severity.value for f in found.findings] == [severity]


def test_the_worst_of_several_ratings_counts():
    scores = [
        {"method": "nvd", "score": "medium"},
        {"method": "cvss_score", "score": "9.1"},
        {"method": "x", "score": "unknown"},
    ]
    found = scan.read(IN_TOTO, predicate([{"id": "CVE-1", "severity": scores}]))
    assert isinstance(found, scan.Scan)
    assert found.findings[0].severity is Severity.CRITICAL


def test_one_vulnerability_of_one_package_is_counted_once():
    twice = trivy("HIGH")
    twice["Results"] *= 2
    assert judged(attested(COSIGN, predicate(twice))).code == "ok"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (COSIGN, None),
        (COSIGN, []),
        (COSIGN, {}),
        (COSIGN, {"scanner": {}}),
        (COSIGN, predicate(None)),
        (COSIGN, predicate({})),
        (COSIGN, predicate([])),
        (COSIGN, predicate({"vulnerabilities": []})),
        (COSIGN, predicate({"runs": [], "version": "2.1.0"})),
        (COSIGN, predicate({"SchemaVersion": 3, "Results": []})),
        (COSIGN, predicate({"Results": {}})),
        (COSIGN, predicate({"Results": [1]})),
        (COSIGN, predicate({"Results": [{"Vulnerabilities": [{"Severity": "HIGH"}]}]})),
        (COSIGN, predicate(trivy("HGIH"))),
        (COSIGN, predicate({"matches": None})),
        (COSIGN, predicate({"matches": [{"vulnerability": {"id": "x", "severity": 9}, "artifact": {}}]})),
        (COSIGN, predicate({"matches": [{"vulnerability": {"id": "x", "severity": "High"}}]})),
        (IN_TOTO, predicate({})),
        (IN_TOTO, predicate([{"severity": []}])),
        (IN_TOTO, predicate([{"id": "x", "severity": [{"score": "11.0"}]}])),
        (IN_TOTO, predicate([{"id": "x", "severity": "high"}])),
    ],
)
def test_a_scan_that_cannot_be_read_refuses_even_beside_a_good_one(kind, body):
    assert isinstance(scan.read(kind, body), Unreadable)
    assert judged(scanned(), attested(kind, body)).code == "scan-invalid"


def test_no_scan_is_a_refusal_that_says_what_is_there():
    assert judged().code == "no-scan"
    foreign = Rejected(CARRIER, HERE, Flaw.FOREIGN, "signed by somebody else", Kind.ATTESTATION, COSIGN)
    verdict = judged(rejected=(foreign,))
    assert (verdict.code, verdict.actual) == ("no-scan", "one that does not count: signed by somebody else")
    assert judged(scanned(subject=OTHER)).code == "no-scan"


@pytest.mark.parametrize(
    ("scanners", "uri", "code"),
    [
        ((TRIVY,), f"{TRIVY}@0.60.0", "ok"),
        ((TRIVY,), TRIVY, "ok"),
        ((GRYPE, TRIVY), TRIVY, "ok"),
        ((GRYPE,), f"{TRIVY}@0.60.0", "no-scan"),
        ((TRIVY,), f"{TRIVY}-fork@0.60.0", "no-scan"),
        ((TRIVY,), "", "no-scan"),
    ],
)
def test_only_the_scanners_that_are_named_count(scanners, uri, code):
    policy = VulnerabilityPolicy({}, scanners=scanners)
    assert judged(attested(COSIGN, predicate(trivy(), uri)), policy=policy).code == code


@pytest.mark.parametrize(
    ("signed", "finished", "now", "code"),
    [
        (NOW - 23 * HOUR, None, NOW, "ok"),
        (NOW - 25 * HOUR, None, NOW, "scan-old"),
        (NOW, "2026-11-22T00:00:00Z", NOW, "ok"),
        (NOW, "2026-11-20T00:00:00Z", NOW, "scan-old"),
        (NOW - 25 * HOUR, "2026-11-22T11:00:00Z", NOW, "scan-old"),
        (None, "2026-11-22T11:00:00Z", NOW, "scan-old"),
        (NOW, None, None, "scan-old"),
        (NOW + 2 * HOUR, None, NOW, "scan-old"),
    ],
)
def test_the_age_of_a_scan(signed, finished, now, code):
    policy = VulnerabilityPolicy({}, max_age=24 * HOUR)
    assert (
        judged(attested(COSIGN, predicate(trivy(), finished=finished), time=signed), policy=policy, now=now).code
        == code
    )


def test_the_newest_verified_time_decides():
    bad, good = scanned("CRITICAL", time=NOW - HOUR), scanned(time=NOW)
    assert [judged(*order).code for order in ((bad, good), (good, bad))] == ["ok", "ok"]
    worse = scanned("CRITICAL", time=NOW + HOUR)
    assert [judged(*order).code for order in ((worse, good), (good, worse))] == ["vulnerable", "vulnerable"]


def test_where_no_time_is_verified_every_scan_decides():
    assert judged(scanned(time=None), scanned("CRITICAL", time=None)).code == "vulnerable"
    assert judged(scanned("CRITICAL", time=None), scanned(time=NOW)).code == "ok"
    assert judged(scanned("CRITICAL", time=NOW), scanned(time=NOW)).code == "vulnerable"


def test_each_platform_may_have_its_own_scan():
    platforms = (AMD, ARM)
    assert judged(scanned(subject=AMD), platforms=platforms).code == "no-scan"
    assert judged(scanned(subject=AMD), scanned(subject=ARM), platforms=platforms).code == "ok"
    assert judged(scanned(subject=AMD), scanned("CRITICAL", subject=ARM), platforms=platforms).code == "vulnerable"


@pytest.mark.parametrize("shape", [trivy, grype])
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (cleared(), "ok"),
        (cleared("CVE-2026-0"), "ok"),
        (cleared({"name": "X", "aliases": ["cve-2026-0"]}), "ok"),
        (cleared("CVE-2026-1"), "vulnerable"),
        (cleared(justification=None), "vulnerable"),
        (cleared(justification="because"), "vulnerable"),
        (cleared(justification=None, impact_statement="it is fine"), "vulnerable"),
        (cleared(status="fixed"), "vulnerable"),
        (cleared(status="under_investigation"), "vulnerable"),
        (cleared(products=[{"@id": f"pkg:oci/web@{HERE}"}]), "ok"),
        (cleared(products=[{"@id": f"pkg:oci/web@{OTHER}"}]), "vulnerable"),
        (cleared(products=[f"pkg:oci/web@{HERE}"]), "ok"),
        (cleared(products=[{"@id": "pkg:oci/web?repository_url=r.example"}]), "ok"),
        (cleared(products=[{"@id": "pkg:oci/redis"}]), "vulnerable"),
        (cleared(products=[{"@id": "x", "hashes": {"sha-256": HERE.hex}}]), "ok"),
        (cleared(products=[{"@id": "x", "hashes": {"sha-256": OTHER.hex}}]), "vulnerable"),
        (cleared(products=[{"identifiers": {"purl": f"pkg:oci/web@{HERE}"}}]), "ok"),
        (cleared(products=[{"@id": f"pkg:oci/web@{HERE}", "subcomponents": [{"@id": PURL}]}]), "ok"),
        (
            cleared(products=[{"@id": f"pkg:oci/web@{HERE}", "subcomponents": [{"@id": "pkg:apk/alpine/openssl"}]}]),
            "ok",
        ),
        (
            cleared(products=[{"@id": f"pkg:oci/web@{HERE}", "subcomponents": [{"@id": "pkg:apk/alpine/openssl@1"}]}]),
            "vulnerable",
        ),
        (
            cleared(products=[{"@id": f"pkg:oci/web@{HERE}", "subcomponents": [{"@id": "pkg:apk/alpine/zlib"}]}]),
            "vulnerable",
        ),
        (cleared(products=[f"pkg:oci/web@{HERE}"], subcomponents=[PURL]), "ok"),
        (cleared(products=[f"pkg:oci/web@{HERE}"], subcomponents=["pkg:apk/alpine/zlib"]), "vulnerable"),
        (cleared(products=[{"@id": PURL}]), "ok"),
        (cleared(products=[]), "vulnerable"),
        (cleared(products=[{"@id": "pkg:apk/alpine/zlib"}]), "vulnerable"),
    ],
)
def test_openvex_takes_a_finding_away(shape, statement, code):
    verdict = judged(attested(COSIGN, predicate(shape("CRITICAL"))), vex(statement))
    assert verdict.code == code
    if code == "ok":
        assert verdict.summary.endswith("; 1 not affected by OpenVEX")


def test_a_later_statement_overrules():
    affected = cleared(status="affected")
    earlier, later = vex(cleared(), time=NOW - HOUR), vex(affected, time=NOW)
    assert judged(scanned("CRITICAL"), later, earlier).code == "vulnerable"
    assert judged(scanned("CRITICAL"), vex(affected, time=NOW - HOUR), vex(cleared())).code == "ok"
    assert judged(scanned("CRITICAL"), vex(cleared(), affected)).code == "vulnerable"
    assert judged(scanned("CRITICAL"), vex(cleared(timestamp="2026-11-22T09:00:00Z"), affected)).code == "ok"


def test_a_statement_about_one_platform_does_not_clear_another():
    platforms = (AMD, ARM)
    scans = [scanned("CRITICAL", subject=p) for p in platforms]
    assert judged(*scans, vex(cleared(), subject=AMD), platforms=platforms).code == "vulnerable"
    assert judged(*scans, vex(cleared(), subject=AMD), vex(cleared(), subject=ARM), platforms=platforms).code == "ok"
    assert judged(*scans, vex(cleared()), platforms=platforms).code == "ok"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"statements": {}},
        {"statements": [1]},
        {"statements": [{}]},
        {"statements": [cleared(status="fine")]},
        {"statements": [cleared(status=[])]},
        {"statements": [cleared({})]},
        {"statements": [cleared(products={})]},
        {"statements": [cleared(products=[{}])]},
        {"statements": [cleared(products=["x"], subcomponents="x")]},
    ],
)
def test_an_openvex_document_that_cannot_be_read_refuses(body):
    assert judged(scanned(), attested(VEX, body)).code == "scan-invalid"


def test_only_what_the_named_signers_say_counts():
    policy = VulnerabilityPolicy({Severity.CRITICAL: 0}, signers=("scanner", "psirt"))
    good, newer = scanned("LOW", signers=("scanner",), time=NOW - HOUR), scanned("CRITICAL", signers=("other",))
    assert judged(good, newer, policy=policy).code == "ok"
    assert judged(good, attested(COSIGN, "junk", signers=("other",)), policy=policy).code == "ok"
    bad = scanned("CRITICAL", signers=("scanner",))
    assert judged(bad, vex(cleared(), signers=("other",)), policy=policy).code == "vulnerable"
    assert judged(bad, vex(cleared(), signers=("psirt",)), policy=policy).code == "ok"
    verdict = judged(newer, policy=policy)
    assert (verdict.code, verdict.evidence) == ("no-scan", (str(CARRIER),))
    assert "attested by scanner or psirt" in (verdict.expected or "")
    assert verdict.actual == "one signed by other (issuer https://issuer.example)"
