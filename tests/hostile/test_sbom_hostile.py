"""Whatever a predicate is, reading it ends in an SBOM or in a reason."""

from __future__ import annotations

import contextlib
import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.model.package_rule import PackageRule
from promote.model.policy import Severity
from promote.sbom import openvex, scan
from promote.sbom.document import read
from promote.sbom.package import Package, Sbom, Unreadable
from promote.sbom.profiles import PROFILES, Assessment, assess
from promote.sbom.rule import Listing
from promote.sbom.version_order import compare

SPDX2 = [
    "spdxVersion",
    "packages",
    "name",
    "SPDXID",
    "externalRefs",
    "referenceType",
    "referenceLocator",
    "files",
    "comment",
]
SPDX2 += [
    "relationships",
    "spdxElementId",
    "relatedSpdxElement",
    "relationshipType",
    "documentDescribes",
    "creationInfo",
]
SPDX3 = [
    "@context",
    "@graph",
    "@id",
    "type",
    "spdxId",
    "name",
    "rootElement",
    "from",
    "to",
    "import",
    "createdBy",
    "creationInfo",
]
SPDX3 += [
    "externalIdentifier",
    "externalIdentifierType",
    "identifier",
    "verifiedUsing",
    "software_packageUrl",
    "suppliedBy",
]
CYCLONE = [
    "bomFormat",
    "specVersion",
    "components",
    "purl",
    "name",
    "bom-ref",
    "dependencies",
    "ref",
    "dependsOn",
    "metadata",
]
CYCLONE += [
    "component",
    "version",
    "hashes",
    "alg",
    "content",
    "properties",
    "value",
    "licenses",
    "tools",
    "supplier",
    "services",
]
SCAN = [
    "scanner",
    "uri",
    "result",
    "Results",
    "Vulnerabilities",
    "VulnerabilityID",
    "Severity",
    "matches",
    "vulnerability",
]
SCAN += ["id", "severity", "score", "artifact", "metadata", "scanFinishedOn", "SchemaVersion", "PkgIdentifier", "PURL"]
OPENVEX = [
    "statements",
    "status",
    "justification",
    "products",
    "subcomponents",
    "@id",
    "identifiers",
    "hashes",
    "aliases",
]
WORDS = [
    "SPDX-2.3",
    "CycloneDX",
    "1.6",
    "purl",
    "pkg:pypi/x@1",
    f"sha256:{'a' * 64}",
    "SPDXRef-DOCUMENT",
    "DESCRIBES",
    "CVE-1",
]
WORDS += [
    "SpdxDocument",
    "software_Package",
    "Relationship",
    "CreationInfo",
    "high",
    "not_affected",
    "container",
    "2026-11-22T00:00:00Z",
]
CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([*WORDS, CONTEXT])
)
TYPES = st.sampled_from(["https://spdx.dev/Document", "https://cyclonedx.org/bom/v1.6"])
SPDX_TYPE, CYCLONEDX_TYPE = "https://spdx.dev/Document", "https://cyclonedx.org/bom"


def values(keys: list[str]) -> st.SearchStrategy:
    return st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*keys, "Data"]), inner, max_size=5)
        ),
        max_leaves=20,
    )


VALUES = values([*SPDX2, *SPDX3, *CYCLONE])


@settings(max_examples=150)
@given(predicate_type=TYPES, predicate=VALUES)
def test_any_value_is_read_or_named(predicate_type: str, predicate: object) -> None:
    for shape in (predicate, {"Data": predicate, "Timestamp": 1}):
        result = read(predicate_type, shape)
        assert isinstance(result, Sbom | Unreadable)
        if isinstance(result, Unreadable):
            assert result.summary.isprintable()


HEADS = [
    (SPDX_TYPE, {"spdxVersion": "SPDX-2.3"}, SPDX2),
    (SPDX_TYPE, {"@context": CONTEXT}, SPDX3),
    (CYCLONEDX_TYPE, {"bomFormat": "CycloneDX", "specVersion": "1.6"}, CYCLONE),
]


@pytest.mark.parametrize(("predicate_type", "head", "keys"), HEADS)
def test_any_body_of_a_document_is_read_or_named(predicate_type: str, head: dict, keys: list[str]) -> None:
    @settings(max_examples=150)
    @given(body=st.dictionaries(st.sampled_from(keys), values(keys), max_size=6))
    def check(body: dict) -> None:
        result = read(predicate_type, body | head)
        assert isinstance(result, Sbom | Unreadable)
        if isinstance(result, Sbom):
            assert all(isinstance(assess(name, result), Assessment) for name in PROFILES)

    check()


SPDX2_WHOLE = {
    "spdxVersion": "SPDX-2.3",
    "creationInfo": {"created": "2026-11-22T00:00:00Z", "creators": ["Tool: x"]},
    "packages": [
        {
            "name": "a",
            "SPDXID": "SPDXRef-a",
            "versionInfo": "1",
            "supplier": "Organization: x",
            "checksums": [{"algorithm": "SHA256", "checksumValue": "a" * 64}],
            "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:npm/a@1"}],
        }
    ],
    "files": [{"SPDXID": "SPDXRef-f", "comment": f"layerID: sha256:{'a' * 64}"}],
    "relationships": [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-a"}
    ],
    "documentDescribes": ["SPDXRef-a"],
}
SPDX3_WHOLE = {
    "@context": CONTEXT,
    "@graph": [
        {
            "type": "CreationInfo",
            "@id": "_:i",
            "created": "2026-11-22T00:00:00Z",
            "createdBy": ["u:p"],
            "createdUsing": ["u:t"],
        },
        {
            "type": "SpdxDocument",
            "spdxId": "u:d",
            "creationInfo": "_:i",
            "rootElement": ["u:a"],
            "import": [{"externalSpdxId": "u:x"}],
        },
        {"type": "software_Sbom", "spdxId": "u:s", "rootElement": ["u:a"], "software_sbomType": ["build"]},
        {"type": "Person", "spdxId": "u:p", "name": "p"},
        {
            "type": "software_Package",
            "spdxId": "u:a",
            "name": "a",
            "software_packageVersion": "1",
            "software_packageUrl": "pkg:npm/a@1",
            "suppliedBy": "u:p",
            "originatedBy": ["u:p"],
            "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": "a" * 64}],
            "externalIdentifier": [{"externalIdentifierType": "cpe23", "identifier": "cpe:x"}],
        },
        {
            "type": "Relationship",
            "spdxId": "u:r",
            "from": "u:a",
            "to": ["u:x"],
            "relationshipType": "hasDeclaredLicense",
        },
    ],
}
CYCLONE_WHOLE = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {
        "timestamp": "2026-11-22T00:00:00Z",
        "tools": {"components": [{"name": "x"}], "services": [{"name": "y"}]},
        "authors": [{"name": "x"}],
        "lifecycles": [{"phase": "build"}],
        "component": {
            "type": "container",
            "name": "w",
            "bom-ref": "w",
            "version": "1",
            "hashes": [{"alg": "SHA-256", "content": "a" * 64}],
        },
    },
    "components": [
        {
            "name": "a",
            "version": "1",
            "purl": "pkg:npm/a@1",
            "bom-ref": "a",
            "supplier": {"name": "x"},
            "authors": [{"name": "x"}],
            "licenses": [{"license": {"id": "MIT"}}],
            "hashes": [{"alg": "SHA-1", "content": "a" * 40}],
            "properties": [{"name": "syft:location:0:layerID", "value": f"sha256:{'a' * 64}"}],
            "components": [{"name": "b"}],
        }
    ],
    "services": [{"name": "s", "bom-ref": "s", "services": []}],
    "dependencies": [{"ref": "w", "dependsOn": ["a"], "provides": ["s"]}],
}
TRIVY_WHOLE = {
    "scanner": {
        "uri": "pkg:github/aquasecurity/trivy@1",
        "result": {
            "SchemaVersion": 2,
            "Results": [
                {
                    "Vulnerabilities": [
                        {
                            "VulnerabilityID": "CVE-1",
                            "Severity": "HIGH",
                            "PkgName": "a",
                            "InstalledVersion": "1",
                            "PkgIdentifier": {"PURL": "pkg:npm/a@1"},
                        }
                    ]
                }
            ],
        },
    },
    "metadata": {"scanFinishedOn": "2026-11-22T00:00:00Z"},
}
GRYPE_WHOLE = {
    "scanner": {
        "result": {
            "matches": [
                {
                    "vulnerability": {"id": "GHSA-1", "severity": "High"},
                    "relatedVulnerabilities": [{"id": "CVE-1"}],
                    "artifact": {"name": "a", "version": "1", "purl": "pkg:npm/a@1"},
                }
            ]
        }
    }
}
IN_TOTO_WHOLE = {"scanner": {"uri": "x", "result": [{"id": "CVE-1", "severity": [{"method": "nvd", "score": "9.8"}]}]}}
OPENVEX_WHOLE = {
    "timestamp": "2026-11-22T00:00:00Z",
    "statements": [
        {
            "vulnerability": {"name": "CVE-1", "aliases": ["GHSA-1"]},
            "products": [
                {
                    "@id": "pkg:oci/w",
                    "identifiers": {"purl": "pkg:oci/w"},
                    "hashes": {"sha-256": "a" * 64},
                    "subcomponents": [{"@id": "pkg:npm/a@1"}],
                }
            ],
            "status": "not_affected",
            "justification": "component_not_present",
        }
    ],
}
JUNK: list = [
    None,
    True,
    1,
    1.5,
    "",
    "x",
    "\x1b[2J",
    [],
    {},
    [1],
    [[]],
    [{}],
    {"x": 1},
    [None],
    "sha256:",
    {"name": []},
    [{"name": {}}],
]


def places(value: object, path: tuple = ()) -> list[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [p for key, item in inner for p in places(item, (*path, key))]


def with_junk(whole: dict, path: tuple, junk: object) -> dict:
    changed = copy.deepcopy(whole)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = junk
    return changed


@pytest.mark.parametrize(
    ("predicate_type", "whole"), [(SPDX_TYPE, SPDX2_WHOLE), (SPDX_TYPE, SPDX3_WHOLE), (CYCLONEDX_TYPE, CYCLONE_WHOLE)]
)
def test_junk_in_any_place_of_a_whole_document_is_read_or_named(predicate_type: str, whole: dict) -> None:
    assert isinstance(read(predicate_type, whole), Sbom)
    for path in places(whole):
        for junk in JUNK:
            result = read(predicate_type, with_junk(whole, path, junk))
            assert isinstance(result, Sbom | Unreadable)
            if isinstance(result, Unreadable):
                assert result.summary.isprintable()
            else:
                assert all(assess(name, result) for name in PROFILES)


SCANS = [("https://cosign.sigstore.dev/attestation/vuln/v1", w) for w in (TRIVY_WHOLE, GRYPE_WHOLE)]
SCANS += [("https://in-toto.io/attestation/vulns/v0.2", IN_TOTO_WHOLE)]


@pytest.mark.parametrize(("predicate_type", "whole"), SCANS)
def test_junk_in_any_place_of_a_scan_is_read_or_named(predicate_type: str, whole: dict) -> None:
    assert isinstance(scan.read(predicate_type, whole), scan.Scan)
    for path in places(whole):
        for junk in JUNK:
            result = scan.read(predicate_type, with_junk(whole, path, junk))
            assert isinstance(result, scan.Scan | Unreadable)
            if isinstance(result, Unreadable):
                assert result.summary.isprintable()


def test_junk_in_any_place_of_an_openvex_document_is_read_or_named_and_clears_nothing_else() -> None:
    image = openvex.Image(frozenset({Digest("sha256", "a" * 64)}), "w")
    mine = scan.Finding(frozenset({"CVE-1"}), Severity.HIGH, "a 1", "pkg:npm/a@1")
    other = scan.Finding(frozenset({"CVE-2"}), Severity.HIGH, "a 1", "pkg:npm/a@1")
    whole = openvex.read(OPENVEX_WHOLE)
    assert [s.covers(mine, image) and s.clears for s in whole] == [True]
    for path in places(OPENVEX_WHOLE):
        for junk in JUNK:
            result = openvex.read(with_junk(OPENVEX_WHOLE, path, junk))
            assert isinstance(result, tuple | Unreadable)
            assert isinstance(result, Unreadable) or not any(s.covers(other, image) for s in result)


@settings(max_examples=150)
@given(value=values([*SCAN, *OPENVEX]))
def test_any_value_is_a_scan_or_a_statement_or_named(value: object) -> None:
    for predicate_type, _ in SCANS:
        for shape in (value, {"scanner": value}, {"scanner": {"result": value}}):
            assert isinstance(scan.read(predicate_type, shape), scan.Scan | Unreadable)
    for shape in (value, {"statements": value}, {"statements": [value]}):
        assert isinstance(openvex.read(shape), tuple | Unreadable)


@settings(max_examples=200)
@given(
    kind=st.sampled_from(
        ["maven", "npm", "pypi", "deb", "rpm", "apk", "gem", "nuget", "golang", "alpm", "composer", "x"]
    ),
    data=st.data(),
)
def test_any_two_versions_are_ordered_both_ways_alike_or_not_at_all(kind: str, data: st.DataObject) -> None:
    text = (
        st.text(alphabet="0123456789.-+~:^_abcrvpxRC!", max_size=12)
        | st.text(max_size=6)
        | st.sampled_from(["1.0", "1.0.0"])
    )
    one, other = data.draw(text), data.draw(text)
    there, back = compare(kind, one, other), compare(kind, other, one)
    assert there in (None, -1, 0, 1)
    assert (back is None) if there is None else back == -there


@settings(max_examples=200)
@given(text=st.text(alphabet="pkg:/npm@<>=!,?#&a1%. ", max_size=30))
def test_any_text_is_a_rule_or_malformed(text: str) -> None:
    for spelled in (text, f"pkg:npm/a{text}"):
        with contextlib.suppress(Malformed):
            rule = PackageRule.parse(spelled)
            assert list(Listing.of([Package("zz", "1", ("pkg:other/zz@1",))]).matches(rule)) == []


@settings(max_examples=100)
@given(text=st.text(max_size=60))
def test_any_text_is_read_or_named(text: str) -> None:
    assert isinstance(read("https://spdx.dev/Document", text), Unreadable)


def test_depth_is_bounded_in_text_and_does_not_matter_in_a_value() -> None:
    deep: dict = {"name": "x"}
    for _ in range(5000):
        deep = {"name": "x", "components": [deep]}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [deep]}
    result = read("https://cyclonedx.org/bom", document)
    assert isinstance(result, Sbom)
    assert len(result.packages) == 5001
    text = '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": ' + "[" * 100_000 + "]" * 100_000 + "}"
    refused = read("https://cyclonedx.org/bom", text)
    assert isinstance(refused, Unreadable)
    assert refused.reason == "malformed"


def test_control_characters_do_not_reach_a_message() -> None:
    for predicate in ({"spdxVersion": "\x1b[2J"}, {"\x1b[2J": 1}, "\x1b[2J"):
        result = read("https://spdx.dev/Document", predicate)
        assert isinstance(result, Unreadable)
        assert result.summary.isprintable()


def test_many_packages_are_counted_one_by_one() -> None:
    packages = [{"name": f"p{n}", "versionInfo": "1"} for n in range(20_000)]
    result = read("https://spdx.dev/Document", json.dumps({"spdxVersion": "SPDX-2.3", "packages": packages}))
    assert isinstance(result, Sbom)
    assert len(result.packages) == 20_000
