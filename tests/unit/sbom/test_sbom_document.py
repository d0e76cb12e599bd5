"""SBOMs in the shapes that signers give them."""

from __future__ import annotations

import json

import pytest

from promote.sbom.document import is_sbom_type, read
from promote.sbom.package import Package, Sbom, Unreadable

SPDX, CYCLONEDX = "https://spdx.dev/Document", "https://cyclonedx.org/bom"
PURL = "pkg:pypi/requests@2.32.5"


def spdx(**more: object) -> dict:
    packages = [
        {"name": "requests", "versionInfo": "2.32.5", "externalRefs": [_ref("cpe23Type", "cpe:x"), _ref("purl", PURL)]},
        {"name": "plain"},
    ]
    info = {"created": "2026-11-22T00:00:00Z"}
    return {"spdxVersion": "SPDX-2.3", "packages": packages, "creationInfo": info} | more


def _ref(kind: str, locator: object) -> dict:
    return {"referenceCategory": "PACKAGE-MANAGER", "referenceType": kind, "referenceLocator": locator}


def cyclonedx(**more: object) -> dict:
    components = [{"name": "requests", "version": "2.32.5", "purl": PURL}, {"name": "plain"}]
    metadata = {"timestamp": "2026-11-22T00:00:00Z", "component": {"name": "the image"}}
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components, "metadata": metadata} | more


PACKAGES = (Package("requests", "2.32.5", (PURL,), identified=True), Package("plain"))


@pytest.mark.parametrize(
    ("predicate_type", "document", "name"), [(SPDX, spdx(), "SPDX 2.3"), (CYCLONEDX, cyclonedx(), "CycloneDX 1.6")]
)
def test_every_shape_of_predicate_gives_the_same_sbom(predicate_type: str, document: dict, name: str) -> None:
    text = json.dumps(document)
    shapes = [document, text, {"Data": document, "Timestamp": "t"}, {"Data": text, "Timestamp": "t"}, {"Data": text}]
    expected = Sbom(name, PACKAGES, "2026-11-22T00:00:00Z")
    assert [read(predicate_type, shape) for shape in shapes] == [expected] * 5


@pytest.mark.parametrize("version", ["SPDX-2.2", "SPDX-2.3"])
def test_spdx_versions(version: str) -> None:
    result = read(SPDX, spdx(spdxVersion=version))
    assert isinstance(result, Sbom)
    assert result.format == version.replace("-", " ")


@pytest.mark.parametrize("version", ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"])
def test_cyclonedx_versions(version: str) -> None:
    result = read(CYCLONEDX, cyclonedx(specVersion=version))
    assert isinstance(result, Sbom)
    assert result.format == f"CycloneDX {version}"


@pytest.mark.parametrize(
    ("predicate_type", "document", "word"),
    [
        (SPDX, spdx(spdxVersion="SPDX-2.1"), "SPDX-2.1"),
        (SPDX, spdx(spdxVersion=None), "None"),
        (SPDX, {"@context": "https://spdx.org/rdf/3.1/spdx-context.jsonld", "@graph": []}, "3.1"),
        (SPDX, {"@context": "https://spdx.org/rdf/3.0.1/other.jsonld", "@graph": []}, "other"),
        (SPDX, "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n", "tag-value"),
        (SPDX, {"Data": "SPDXVersion: SPDX-2.3\n", "Timestamp": ""}, "tag-value"),
        (SPDX, "<rdf:RDF/>", "XML"),
        (CYCLONEDX, '<?xml version="1.0"?><bom/>', "XML"),
        (CYCLONEDX, cyclonedx(specVersion="1.1"), "1.1"),
        (CYCLONEDX, cyclonedx(specVersion=1.6), "1.6"),
        (CYCLONEDX, cyclonedx(specVersion=["1.6"]), "1.6"),
        ("https://slsa.dev/provenance/v1", spdx(), "no SBOM type"),
    ],
)
def test_what_is_not_read_is_named_as_unsupported(predicate_type: str, document: object, word: str) -> None:
    result = read(predicate_type, document)
    assert isinstance(result, Unreadable)
    assert result.reason == "unsupported"
    assert word in result.summary


@pytest.mark.parametrize(
    ("predicate_type", "document"),
    [
        (SPDX, cyclonedx()),
        (CYCLONEDX, spdx()),
        (SPDX, {}),
        (SPDX, None),
        (SPDX, []),
        (SPDX, 1),
        (SPDX, ""),
        (SPDX, "nonsense"),
        (SPDX, "[]"),
        (SPDX, '{"spdxVersion": "SPDX-2.3", "spdxVersion": "SPDX-2.2"}'),
        (SPDX, {"Data": None, "Timestamp": ""}),
        (SPDX, spdx(packages={})),
        (SPDX, spdx(packages=[1])),
        (SPDX, spdx(packages=[{"name": "x", "externalRefs": {}}])),
        (CYCLONEDX, cyclonedx(components="x")),
        (CYCLONEDX, cyclonedx(components=[{"name": "x", "components": 1}])),
        (CYCLONEDX, cyclonedx(bomFormat="cyclonedx")),
    ],
)
def test_what_is_broken_is_named_as_malformed(predicate_type: str, document: object) -> None:
    result = read(predicate_type, document)
    assert isinstance(result, Unreadable)
    assert result.reason == "malformed"
    assert result.summary


@pytest.mark.parametrize(
    "document", [spdx(packages=[]), spdx(packages=[{"name": ""}, {"SPDXID": "x"}]), {"spdxVersion": "SPDX-2.3"}]
)
def test_an_spdx_document_without_named_packages_is_empty(document: dict) -> None:
    result = read(SPDX, document)
    assert isinstance(result, Sbom)
    assert result.packages == ()


def test_nested_components_count_in_the_documents_order_and_the_subject_does_not() -> None:
    nested = {"name": "a", "components": [{"name": "b", "components": [{"name": "c"}]}, {"name": "d"}]}
    result = read(CYCLONEDX, cyclonedx(components=[nested, {"name": "e"}, {"version": "1"}]))
    assert isinstance(result, Sbom)
    assert [p.name for p in result.packages] == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("purl", ["requests", "pkg:", "pkg:pypi", "", None, 1, ["pkg:pypi/x"]])
def test_a_wrong_package_url_is_none(purl: object) -> None:
    by_spdx = read(SPDX, spdx(packages=[{"name": "x", "externalRefs": [_ref("purl", purl)]}]))
    by_cyclonedx = read(CYCLONEDX, cyclonedx(components=[{"name": "x", "purl": purl}]))
    for result in (by_spdx, by_cyclonedx):
        assert isinstance(result, Sbom)
        assert result.packages == (Package("x"),)


def test_the_families_are_versioned_or_not_and_nothing_else() -> None:
    good = [SPDX, f"{SPDX}/v2.3", f"{SPDX}/v3", CYCLONEDX, f"{CYCLONEDX}/v1.4"]
    bad = [
        "",
        SPDX + "/",
        SPDX + "/v",
        SPDX + "x",
        SPDX + "/v2.3/x",
        SPDX.replace(".", "x"),
        "http" + SPDX[5:],
        f" {SPDX}",
    ]
    assert [is_sbom_type(t) for t in good] == [True] * len(good)
    assert [is_sbom_type(t) for t in bad] == [False] * len(bad)


def test_a_versioned_type_reads_the_same() -> None:
    assert read(f"{SPDX}/v2.3", spdx()) == read(SPDX, spdx())


TOOLS = {"tools": {"components": [{"bom-ref": "tool", "name": "builder"}]}}
STEPS = [{"workflows": [{"bom-ref": "step"}], "components": [{"bom-ref": "input", "name": "source"}]}]


def test_a_dependency_may_be_of_whatever_has_a_reference() -> None:
    links = [{"ref": "tool", "dependsOn": ["input"]}, {"ref": "step", "dependsOn": ["tool"], "provides": ["input"]}]
    result = read(CYCLONEDX, cyclonedx(metadata=TOOLS, formulation=STEPS, dependencies=links))
    assert isinstance(result, Sbom)
    assert (result.relations, len(result.packages)) == (3, 2)


@pytest.mark.parametrize("end", ["gone", None, 1, ["tool"]])
def test_a_dependency_of_nothing_in_the_document_is_malformed(end: object) -> None:
    links = [{"ref": "tool", "dependsOn": ["input"]}, {"ref": "tool", "dependsOn": [end]}]
    result = read(CYCLONEDX, cyclonedx(metadata=TOOLS, formulation=STEPS, dependencies=links))
    assert isinstance(result, Unreadable)
    assert result.reason == "malformed"
