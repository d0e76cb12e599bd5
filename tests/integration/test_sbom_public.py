"""SBOMs that others published: those inside the packages that promote is installed with (PEP 770)."""

from __future__ import annotations

import json
from importlib.metadata import distributions
from pathlib import Path

import pytest

from promote.sbom.document import read
from promote.sbom.instant import instant
from promote.sbom.package import Sbom

CYCLONEDX = "https://cyclonedx.org/bom"
# `cryptography` and `rfc3161-client` are dependencies of promote; their wheels list what their Rust part is made of.
EXPECTED = {"cryptography", "rfc3161-client"}


def published() -> dict[str, Path]:
    """Every CycloneDX document in the metadata of an installed package."""
    found: dict[str, Path] = {}
    for distribution in distributions():
        for file in distribution.files or ():
            if file.parent.name == "sboms" and file.name.endswith(".json"):
                found[f"{distribution.name}/{file.name}"] = Path(str(distribution.locate_file(file)))
    return found


PUBLISHED = published()


def test_there_are_some_to_read() -> None:
    assert {name.partition("/")[0] for name in PUBLISHED} >= EXPECTED


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_sbom_is_read_whole_in_every_shape_of_predicate(name: str) -> None:
    text = PUBLISHED[name].read_text()
    document = json.loads(text)
    assert document["bomFormat"] == "CycloneDX"
    shapes = [document, text, {"Data": document, "Timestamp": "t"}, {"Data": text, "Timestamp": "t"}]
    versioned = f"{CYCLONEDX}/v{document['specVersion']}"
    first, *others = [read(kind, shape) for kind in (CYCLONEDX, versioned) for shape in shapes]
    assert isinstance(first, Sbom), first
    assert others == [first] * 7
    components = document["components"]
    assert [p.name for p in first.packages] == [c["name"] for c in components]
    assert [p.version for p in first.packages] == [c.get("version") for c in components]
    assert [list(p.purls) for p in first.packages] == [[c["purl"]] for c in components]
    assert first.format == f"CycloneDX {document['specVersion']}"
    assert instant(first.created) is not None
    assert first.relations == sum(len(d.get("dependsOn", [])) for d in document.get("dependencies", []))
    assert first.images == frozenset()
