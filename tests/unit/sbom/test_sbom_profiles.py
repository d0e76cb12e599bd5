"""Minimum elements: which are there, and who lacks what."""

from __future__ import annotations

import pytest

from promote.sbom.document import read
from promote.sbom.instant import instant
from promote.sbom.package import Sbom
from promote.sbom.profiles import PROFILES, assess

SPDX, CYCLONEDX = "https://spdx.dev/Document", "https://cyclonedx.org/bom"


def whole_spdx() -> dict:
    package = {
        "name": "a",
        "SPDXID": "SPDXRef-a",
        "versionInfo": "1",
        "supplier": "Organization: Acme",
        "licenseConcluded": "MIT",
        "checksums": [{"algorithm": "SHA1", "checksumValue": "0" * 40}],
        "externalRefs": [{"referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:a:a:1"}],
    }
    return {
        "spdxVersion": "SPDX-2.3",
        "creationInfo": {"created": "2026-11-22T00:00:00Z", "creators": ["Tool: syft-1", "Organization: Acme"]},
        "packages": [package],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-a"}
        ],
    }


def whole_cyclonedx() -> dict:
    component = {
        "name": "a",
        "bom-ref": "a",
        "version": "1",
        "supplier": {"name": "Acme"},
        "purl": "pkg:npm/a@1",
        "licenses": [{"license": {"id": "MIT"}}],
        "hashes": [{"alg": "SHA-1", "content": "0" * 40}],
    }
    metadata = {
        "timestamp": "2026-11-22T01:00:00+01:00",
        "tools": {"components": [{"name": "syft"}]},
        "authors": [{"name": "Acme"}],
        "lifecycles": [{"phase": "build"}],
        "component": {"type": "container", "name": "web", "bom-ref": "web"},
    }
    dependencies = [{"ref": "web", "dependsOn": ["a"]}]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": metadata,
        "components": [component],
        "dependencies": dependencies,
    }


def missing(profile: str, kind: str, document: dict) -> list[str]:
    sbom = read(kind, document)
    assert isinstance(sbom, Sbom), sbom
    return [e.name for e in assess(profile, sbom).missing]


def test_a_document_with_everything_lacks_nothing():
    assert [missing(p, CYCLONEDX, whole_cyclonedx()) for p in PROFILES] == [[], []]
    assert missing("ntia", SPDX, whole_spdx()) == []
    # SPDX 2 has no field for the phase in which it was made.
    assert missing("cisa-2025", SPDX, whole_spdx()) == ["generation context"]


@pytest.mark.parametrize(
    ("key", "value", "elements"),
    [
        ("versionInfo", None, ["version"]),
        ("supplier", "NOASSERTION", ["supplier", "producer"]),
        ("supplier", " ", ["supplier", "producer"]),
        ("externalRefs", [], ["unique identifier", "identifier"]),
        ("licenseConcluded", "NONE", ["licence"]),
        ("checksums", [], ["hash"]),
    ],
)
def test_what_a_package_of_spdx_lacks(key, value, elements):
    document = whole_spdx()
    document["packages"][0][key] = value
    assert set(missing("ntia", SPDX, document) + missing("cisa-2025", SPDX, document)) - {"generation context"} == set(
        elements
    )


@pytest.mark.parametrize(
    ("section", "value", "elements"),
    [
        ("timestamp", "yesterday", ["timestamp"]),
        ("timestamp", "2026-11-22T00:00:00", ["timestamp"]),
        ("tools", [], ["tool name"]),
        ("tools", [{"vendor": "x"}], ["tool name"]),
        ("authors", [], ["author"]),
        ("lifecycles", [], ["generation context"]),
    ],
)
def test_what_a_document_of_cyclonedx_lacks(section, value, elements):
    document = whole_cyclonedx()
    document["metadata"][section] = value
    assert missing("cisa-2025", CYCLONEDX, document) == elements


def test_a_report_counts_and_names_the_first_three():
    document = whole_cyclonedx()
    document["components"] += [{"name": f"b{n}", "version": "1", "purl": f"pkg:npm/b{n}@1"} for n in range(5)]
    sbom = read(CYCLONEDX, document)
    assert isinstance(sbom, Sbom)
    (supplier,) = assess("ntia", sbom).missing
    assert (supplier.present, supplier.total, supplier.offenders) == (1, 6, ("b0", "b1", "b2"))
    assert str(assess("ntia", sbom)) == "ntia: 6 of 7 elements, not supplier 1/6 (first without: b0, b1, b2)"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10),
        ("1970-01-01t00:00:10.999999999z", 10),
        ("1970-01-01T01:00:10+01:00", 10),
        ("1970-01-01T00:00:10", None),
        ("1970-01-01", None),
        ("1970-13-01T00:00:10Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("1970-01-01T00:00:10Z\n", None),
        ("", None),
        (10, None),
        (None, None),
    ],
)
def test_moments(text, seconds):
    found = instant(text)
    assert (found and int(found.timestamp())) == seconds
