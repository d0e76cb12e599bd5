"""What an SBOM says of the image that it is about, and of how its parts belong together."""

from __future__ import annotations

import pytest

from promote.model.digest import Digest
from promote.sbom.document import read
from promote.sbom.package import Sbom, Unreadable

SPDX, CYCLONEDX = "https://spdx.dev/Document", "https://cyclonedx.org/bom"
IMAGE, LAYER = Digest.of(b"image"), Digest.of(b"layer")
PURL = f"pkg:oci/web@sha256%3A{IMAGE.hex}?arch=amd64"


def good(kind: str, document: dict) -> Sbom:
    result = read(kind, document)
    assert isinstance(result, Sbom), result
    return result


def cyclonedx(root: dict | None = None, **more: object) -> dict:
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": root or {}},
        "components": [{"name": "a", "bom-ref": "a"}],
    } | more


def spdx(root: dict | None = None, **more: object) -> dict:
    packages = [{"name": "a", "SPDXID": "SPDXRef-a"}]
    described = []
    if root is not None:
        packages.append({"name": "web", "SPDXID": "SPDXRef-root"} | root)
        described = [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-root"}
        ]
    return {"spdxVersion": "SPDX-2.3", "packages": packages, "relationships": described} | more


SHA = {"alg": "SHA-256", "content": IMAGE.hex}
CHECKSUM = {"algorithm": "SHA256", "checksumValue": IMAGE.hex}


@pytest.mark.parametrize(
    ("root", "named"),
    [
        ({"type": "container", "name": "web", "purl": PURL}, True),
        ({"type": "container", "name": "web", "version": str(IMAGE)}, True),
        ({"type": "container", "name": f"registry.example/web@{IMAGE}"}, True),
        ({"type": "container", "name": "web", "hashes": [SHA]}, True),
        ({"type": "application", "name": "web", "purl": PURL, "hashes": [SHA]}, True),
        ({"type": "container", "name": "web", "version": "1.2"}, False),
        ({"type": "container", "name": "web", "purl": "pkg:oci/web@1.2"}, False),
        ({"type": "application", "name": "app.jar", "hashes": [SHA]}, False),
        (
            {
                "type": "container",
                "name": "web",
                "hashes": [{"alg": "SHA-1", "content": "0" * 40}, 1, {"alg": [], "content": {}}],
            },
            False,
        ),
    ],
)
def test_the_root_component_of_cyclonedx_names_the_image(root, named):
    assert good(CYCLONEDX, cyclonedx(root)).images == ({IMAGE} if named else frozenset())


@pytest.mark.parametrize(
    ("root", "named", "counted"),
    [
        ({"externalRefs": [{"referenceType": "purl", "referenceLocator": PURL}]}, True, False),
        ({"versionInfo": str(IMAGE)}, True, False),
        ({"name": f"web@{IMAGE}"}, True, False),
        ({"name": str(IMAGE)}, True, False),
        ({"checksums": [CHECKSUM], "primaryPackagePurpose": "CONTAINER"}, True, False),
        ({"checksums": [CHECKSUM]}, True, True),
        ({"checksums": [CHECKSUM], "primaryPackagePurpose": "APPLICATION"}, False, True),
        (
            {
                "checksums": [CHECKSUM],
                "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:maven/g/a@1"}],
            },
            False,
            True,
        ),
        ({"versionInfo": "1.2", "primaryPackagePurpose": "CONTAINER"}, False, False),
        ({}, False, True),
    ],
)
def test_the_described_package_of_spdx_names_the_image_and_is_not_one_of_its_packages(root, named, counted):
    found = good(SPDX, spdx(root))
    assert found.images == ({IMAGE} if named else frozenset())
    assert len(found.packages) == (2 if counted else 1)


@pytest.mark.parametrize(
    "relation",
    [
        {
            "relationships": [
                {
                    "spdxElementId": "SPDXRef-root",
                    "relationshipType": "DESCRIBED_BY",
                    "relatedSpdxElement": "SPDXRef-DOCUMENT",
                }
            ]
        },
        {"relationships": [], "documentDescribes": ["SPDXRef-root"]},
    ],
)
def test_the_other_ways_to_describe(relation):
    assert good(SPDX, spdx({"versionInfo": str(IMAGE)}, **relation)).images == {IMAGE}


def test_a_package_that_is_not_described_names_no_image():
    assert good(SPDX, spdx({"versionInfo": str(IMAGE)}, relationships=[])).images == frozenset()


def test_layers_are_read_as_syft_and_trivy_write_them():
    names = (
        "syft:location:0:layerID",
        "syft:location:12:layerID",
        "aquasecurity:trivy:LayerDiffID",
        "aquasecurity:trivy:LayerDigest",
    )
    for name in names:
        components = [
            {
                "name": "a",
                "properties": [{"name": name, "value": str(LAYER)}, {"name": "other", "value": str(IMAGE)}, 1],
            }
        ]
        assert good(CYCLONEDX, cyclonedx(components=components)).layers == {LAYER}
    files = [
        {"SPDXID": "SPDXRef-f", "fileName": "/f", "comment": f"layerID: {LAYER}"},
        {"SPDXID": "SPDXRef-g", "comment": "none"},
    ]
    assert good(SPDX, spdx(files=files)).layers == {LAYER}


def related(source: object, target: object) -> dict:
    return {"spdxElementId": source, "relationshipType": "CONTAINS", "relatedSpdxElement": target}


@pytest.mark.parametrize(
    "document",
    [
        spdx(packages=[{"name": "a", "SPDXID": "SPDXRef-a"}, {"name": "b", "SPDXID": "SPDXRef-a"}]),
        spdx(packages=[{"name": "a", "SPDXID": "SPDXRef-DOCUMENT"}]),
        spdx(relationships=[related("SPDXRef-a", "SPDXRef-gone")]),
        spdx(relationships=[related("SPDXRef-gone", "SPDXRef-a")]),
        spdx(relationships=[related("SPDXRef-a", None)]),
        spdx(relationships=[related([], {})]),
        spdx(documentDescribes=["SPDXRef-gone"]),
        spdx(documentDescribes=[[]]),
        spdx(relationships={}),
    ],
)
def test_spdx_that_contradicts_itself_is_malformed(document):
    result = read(SPDX, document)
    assert isinstance(result, Unreadable)
    assert result.reason == "malformed"


def test_spdx_relates_files_snippets_other_documents_and_nothing():
    ends = [
        related("SPDXRef-a", e)
        for e in ("SPDXRef-f", "SPDXRef-s", "NONE", "NOASSERTION", "DocumentRef-x:SPDXRef-y", "SPDXRef-DOCUMENT")
    ]
    assert (
        good(
            SPDX, spdx(files=[{"SPDXID": "SPDXRef-f"}], snippets=[{"SPDXID": "SPDXRef-s"}], relationships=ends)
        ).relations
        == 6
    )


@pytest.mark.parametrize(
    "more",
    [
        {"components": [{"name": "a", "bom-ref": "a"}, {"name": "b", "bom-ref": "a"}]},
        {"components": [{"name": "a", "bom-ref": "a", "components": [{"name": "b", "bom-ref": "a"}]}]},
        {"services": [{"name": "s", "bom-ref": "a"}]},
        {"dependencies": [{"ref": "gone"}]},
        {"dependencies": [{"ref": "a", "dependsOn": ["gone"]}]},
        {"dependencies": [{"ref": "a", "dependsOn": [1]}]},
        {"dependencies": [{}]},
        {"dependencies": [1]},
        {"dependencies": "a"},
        {"metadata": []},
        {"metadata": {"component": []}},
    ],
)
def test_cyclonedx_that_contradicts_itself_is_malformed(more):
    result = read(CYCLONEDX, cyclonedx() | more)
    assert isinstance(result, Unreadable)
    assert result.reason == "malformed"


def test_cyclonedx_relates_the_root_its_parts_services_and_other_documents():
    root = {"type": "container", "name": "web", "bom-ref": "root", "components": [{"name": "os", "bom-ref": "os"}]}
    services = [{"name": "s", "bom-ref": "s", "services": [{"name": "t", "bom-ref": "t"}]}]
    dependencies = [{"ref": "root", "dependsOn": ["a", "os", "s", "t", "urn:cdx:f08a6ccd/1#x"]}, {"ref": "a"}]
    assert good(CYCLONEDX, cyclonedx(root, services=services, dependencies=dependencies)).relations == 5


def test_a_file_and_the_operating_system_as_such_are_no_packages():
    kinds = ("file", "operating-system", "library")
    components = [{"name": k, "type": k} for k in kinds] + [{"name": "kept", "type": "file", "purl": "pkg:maven/g/a@1"}]
    assert [p.name for p in good(CYCLONEDX, cyclonedx(components=components)).packages] == ["library", "kept"]
    packages = [
        {"name": k, "primaryPackagePurpose": k} for k in ("FILE", "OPERATING_SYSTEM", "OPERATING-SYSTEM", "LIBRARY")
    ]
    assert [p.name for p in good(SPDX, spdx(packages=packages)).packages] == ["LIBRARY"]
