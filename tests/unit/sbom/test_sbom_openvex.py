"""OpenVEX: by which names a statement goes."""

from __future__ import annotations

import pytest

from promote.sbom.openvex import Image, Statement, read
from promote.sbom.package import Unreadable
from promote.sbom.scan import Finding, Severity

CVE, ALIAS, ADDRESS = "CVE-2026-0001", "GHSA-aaaa-bbbb-cccc", "https://vulnerabilities.example/CVE-2026-0001"


def document(vulnerability: object) -> dict:
    statement = {"vulnerability": vulnerability, "status": "not_affected", "justification": "component_not_present"}
    return {"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-11-22T00:00:00Z", "statements": [statement]}


def finding(name: str) -> Finding:
    return Finding(frozenset({name}), Severity.HIGH, "package")


@pytest.mark.parametrize(
    ("vulnerability", "name", "covered"),
    [
        (CVE, CVE, True),
        ({"name": CVE}, CVE, True),
        ({"@id": CVE}, CVE, True),
        ({"@id": ADDRESS, "name": CVE}, CVE, True),
        ({"@id": ADDRESS, "aliases": [ALIAS]}, ALIAS, True),
        ({"@id": ADDRESS}, CVE, False),
        ({"@id": CVE}, ALIAS, False),
    ],
)
def test_a_vulnerability_goes_by_its_name_its_id_and_its_aliases(
    vulnerability: object, name: str, covered: bool
) -> None:
    statements = read(document(vulnerability))
    assert not isinstance(statements, Unreadable)
    (one,) = statements
    assert isinstance(one, Statement)
    assert one.clears
    assert one.covers(finding(name), Image(frozenset(), "web")) is covered


@pytest.mark.parametrize("vulnerability", [None, "", 7, {}, {"@id": ""}, {"@id": 7, "name": None, "aliases": [1]}])
def test_a_vulnerability_without_a_name_is_malformed(vulnerability: object) -> None:
    assert isinstance(read(document(vulnerability)), Unreadable)
