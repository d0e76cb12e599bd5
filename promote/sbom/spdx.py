"""SPDX 2.2 and 2.3 in JSON.  Source: spdx/spdx-spec, schemas/spdx-schema.json of those versions."""

from __future__ import annotations

from typing import Any

from promote.model.malformed import Malformed, shown
from promote.sbom.package import Package, Sbom, Unreadable, optional_text, valid_purl

VERSIONS = {"SPDX-2.2": "SPDX 2.2", "SPDX-2.3": "SPDX 2.3"}


def is_spdx(document: dict[str, Any]) -> bool:
    """Whether a JSON object means to be SPDX, of any version."""
    return "spdxVersion" in document or is_spdx3(document)


def is_spdx3(document: dict[str, Any]) -> bool:
    """Whether a JSON object is SPDX 3 in JSON-LD, which has another data model."""
    context = document.get("@context")
    return isinstance(context, str) and context.startswith("https://spdx.org/rdf/3.")


def read(document: dict[str, Any]) -> Sbom | Unreadable:
    """The packages of an SPDX document; raises `Malformed`.  An entry without a name is no package."""
    if is_spdx3(document):
        return Unreadable("unsupported", "SPDX 3 in JSON-LD; SPDX 2.2 and 2.3 in JSON are read")
    version = VERSIONS.get(str(document.get("spdxVersion")))
    if version is None:
        return Unreadable("unsupported", f"SPDX version {shown(document.get('spdxVersion'))}; 2.2 and 2.3 are read")
    listed = document.get("packages", [])
    if not isinstance(listed, list) or not all(isinstance(p, dict) for p in listed):
        raise Malformed("SPDX packages", listed, "a list of objects")
    info = document.get("creationInfo")
    created = optional_text(info.get("created")) if isinstance(info, dict) else None
    return Sbom(version, tuple(_package(p) for p in listed if optional_text(p.get("name"))), created)


def _package(entry: dict[str, Any]) -> Package:
    references = entry.get("externalRefs", [])
    if not isinstance(references, list):
        raise Malformed("SPDX externalRefs", references, "a list")
    locators = (
        r.get("referenceLocator") for r in references if isinstance(r, dict) and r.get("referenceType") == "purl"
    )
    purls = (valid_purl(locator) for locator in locators)
    return Package(entry["name"], optional_text(entry.get("versionInfo")), next((p for p in purls if p), None))
