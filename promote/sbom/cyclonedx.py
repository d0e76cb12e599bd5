"""CycloneDX 1.2 to 1.7 in JSON.  Source: CycloneDX/specification, schema/bom-1.x.schema.json."""

from __future__ import annotations

from typing import Any

from promote.model.malformed import Malformed, shown
from promote.sbom.package import Package, Sbom, Unreadable, optional_text, valid_purl

VERSIONS = frozenset(f"1.{minor}" for minor in range(2, 8))


def is_cyclonedx(document: dict[str, Any]) -> bool:
    """Whether a JSON object means to be CycloneDX, of any version."""
    return document.get("bomFormat") == "CycloneDX"


def read(document: dict[str, Any]) -> Sbom | Unreadable:
    """The components of a CycloneDX document, nested ones too; raises `Malformed`.

    `metadata.component` is what the document is about and is not counted.
    """
    version = document.get("specVersion")
    if version not in VERSIONS:
        return Unreadable("unsupported", f"CycloneDX version {shown(version)}; 1.2 to 1.7 are read")
    metadata = document.get("metadata")
    created = optional_text(metadata.get("timestamp")) if isinstance(metadata, dict) else None
    return Sbom(f"CycloneDX {version}", tuple(_packages(document)), created)


def _packages(document: dict[str, Any]) -> list[Package]:
    """Depth first, as listed; without recursion, because the nesting is the document's choice."""
    found: list[Package] = []
    waiting = _components(document)[::-1]
    while waiting:
        entry = waiting.pop()
        name = optional_text(entry.get("name"))
        if name:
            found.append(Package(name, optional_text(entry.get("version")), valid_purl(entry.get("purl"))))
        waiting.extend(_components(entry)[::-1])
    return found


def _components(holder: dict[str, Any]) -> list[dict[str, Any]]:
    listed = holder.get("components", [])
    if not isinstance(listed, list) or not all(isinstance(c, dict) for c in listed):
        raise Malformed("CycloneDX components", listed, "a list of objects")
    return listed
