"""SPDX 3 in JSON-LD says the same things as SPDX 2, elsewhere."""

from __future__ import annotations

import json

import pytest

from promote.model.digest import Digest
from promote.sbom.document import read
from promote.sbom.package import Package, Sbom, Unreadable

TYPE = "https://spdx.dev/Document/v3"
CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
ID = "https://acme.test/sbom/"
PURL = "pkg:pypi/requests@2.32.5"
IMAGE = Digest.of(b"the image")


def info(**more: object) -> dict:
    made = {"type": "CreationInfo", "@id": "_:made", "specVersion": "3.0.1", "created": "2026-11-22T00:00:00Z"}
    return made | {"createdBy": [f"{ID}acme"], "createdUsing": [f"{ID}tool"]} | more


def element(kind: str, name: str, **more: object) -> dict:
    return {"type": kind, "spdxId": f"{ID}{name}", "creationInfo": "_:made", "name": name} | more


def package(name: str, **more: object) -> dict:
    return element("software_Package", name, **more)


def relation(kind: str, source: str, *targets: str) -> dict:
    ends = {"from": f"{ID}{source}", "to": [f"{ID}{t}" for t in targets]}
    return element("Relationship", f"{kind}-{source}", relationshipType=kind) | ends


def graph(*elements: dict, root: str = "image") -> dict:
    document = element("SpdxDocument", "document", rootElement=[f"{ID}sbom"])
    sbom = element("software_Sbom", "sbom", rootElement=[f"{ID}{root}"], software_sbomType=["build"])
    makers = [element("Organization", "acme"), element("Tool", "tool")]
    return {"@context": CONTEXT, "@graph": [info(), document, sbom, *makers, *elements]}


def good(document: dict) -> Sbom:
    result = read(TYPE, document)
    assert isinstance(result, Sbom), result
    return result


def test_a_whole_document_is_read():
    image = package("image", software_primaryPurpose="container", software_packageUrl=f"pkg:oci/web@{IMAGE}")
    requests = package(
        "requests",
        software_packageVersion="2.32.5",
        software_packageUrl=PURL,
        suppliedBy=f"{ID}acme",
        verifiedUsing=[{"type": "Hash", "algorithm": "sha256", "hashValue": "ab" * 32}],
    )
    licence = element("simplelicensing_LicenseExpression", "mit", simplelicensing_licenseExpression="MIT")
    found = good(
        graph(
            image,
            requests,
            licence,
            relation("contains", "image", "requests"),
            relation("hasDeclaredLicense", "requests", "mit"),
        )
    )
    assert found.format == "SPDX 3.0.1"
    assert found.packages == (
        Package("requests", "2.32.5", (PURL,), f"{ID}requests", "acme", identified=True, hashed=True, licensed=True),
    )
    assert found.created == "2026-11-22T00:00:00Z"
    assert (found.origin.authors, found.origin.tools, found.origin.phases) == (("acme",), ("tool",), ("build",))
    assert (found.relations, found.images) == (2, {IMAGE})


@pytest.mark.parametrize(
    "context",
    [CONTEXT, [CONTEXT], [{"x": "y"}, CONTEXT], CONTEXT.replace("3.0.1", "3.0.0"), CONTEXT.replace("3.0.1", "3.0")],
)
def test_the_context_says_the_version(context):
    assert good(graph(package("a")) | {"@context": context}).format.startswith("SPDX 3.0")


def test_the_text_of_a_document_and_the_old_wrapping_read_the_same():
    document = graph(package("a"))
    text = json.dumps(document)
    results = [read(TYPE, shape) for shape in (document, text, {"Data": document, "Timestamp": ""}, {"Data": text})]
    assert results == [results[0]] * 4


def test_a_document_of_one_element_needs_no_graph():
    found = good({"@context": CONTEXT} | package("a", software_packageVersion="1"))
    assert [p.name for p in found.packages] == ["a"]


def test_identifiers_besides_the_package_url():
    identifiers = [
        {"externalIdentifierType": "packageUrl", "identifier": PURL},
        {"externalIdentifierType": "cpe23", "identifier": "cpe:x"},
    ]
    a, b, c = good(
        graph(
            package("a", externalIdentifier=identifiers), package("b", externalIdentifier=identifiers[1:]), package("c")
        )
    ).packages
    assert [(p.purls, p.identified) for p in (a, b, c)] == [((PURL,), True), ((), True), ((), False)]


def test_a_licence_that_nobody_asserts_is_none():
    for target in (
        "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense",
        "expandedlicensing_NoAssertionLicense",
    ):
        link = relation("hasConcludedLicense", "a") | {"to": [target]}
        assert not good(graph(package("a"), link)).packages[0].licensed


def test_what_is_imported_from_another_document_is_no_dangling_relationship():
    document = graph(package("a"), relation("dependsOn", "a", "elsewhere"))
    assert isinstance(read(TYPE, document), Unreadable)
    document["@graph"][1]["import"] = [{"externalSpdxId": f"{ID}elsewhere"}]
    assert good(document).relations == 1


@pytest.mark.parametrize(
    "document",
    [
        graph(package("a"), package("a")),
        graph(package("a"), relation("dependsOn", "a", "gone")),
        graph(relation("dependsOn", "gone")),
        graph(package("a"), relation("dependsOn", "a") | {"to": [1]}),
        graph(package("a", externalIdentifier="x")),
        {"@context": CONTEXT, "@graph": {}},
        {"@context": CONTEXT, "@graph": [1]},
    ],
)
def test_what_contradicts_itself_is_malformed(document):
    result = read(TYPE, document)
    assert isinstance(result, Unreadable)
    assert result.reason == "malformed"


def test_published_documents_repeat_the_ids_of_relationships():
    link = relation("dependsOn", "a", "b")
    assert good(graph(package("a"), package("b"), link, link)).relations == 2


def test_a_root_that_is_no_image_is_a_package():
    found = good(graph(package("app", software_primaryPurpose="application"), root="app"))
    assert ([p.name for p in found.packages], found.images) == (["app"], frozenset())


def test_a_file_and_the_operating_system_as_such_are_no_packages():
    kinds = ("file", "operatingSystem", "library")
    found = good(graph(*(package(k, software_primaryPurpose=k) for k in kinds)))
    assert [p.name for p in found.packages] == ["library"]
