"""The SBOM in an attestation's predicate, in every shape that signers give it."""

from __future__ import annotations

import re
from typing import Any

from promote.model import strict_json
from promote.model.malformed import Malformed, shown
from promote.sbom import cyclonedx, spdx, spdx3
from promote.sbom.package import Sbom, Unreadable

__all__ = ["Sbom", "Unreadable", "is_sbom_type", "read"]

MAX_TEXT = 64 * 1024 * 1024
MAX_PACKAGES = 500_000
"""Far above what an image has; more is an attack on whoever reads it."""

# cosign says ``https://spdx.dev/Document``, actions/attest adds the document's version: a family, versioned or not.
_FAMILIES = {
    "SPDX": re.compile(r"https://spdx\.dev/Document(/v\d+(\.\d+)*)?"),
    "CycloneDX": re.compile(r"https://cyclonedx\.org/bom(/v\d+(\.\d+)*)?"),
}


def is_sbom_type(predicate_type: str) -> bool:
    """Whether a predicate of this type is an SBOM."""
    return _family(predicate_type) is not None


def read(predicate_type: str, predicate: Any) -> Sbom | Unreadable:
    """The SBOM in a parsed predicate.  Raises nothing: what cannot be read is `Unreadable` and says why.

    A predicate is the document itself, its text in a string (`cosign attest --type spdx`), or either as ``Data``
    beside a ``Timestamp`` (old cosign, `--type custom`).  The document must be of the family that the type names.
    """
    family = _family(predicate_type)
    if family is None:
        return Unreadable("unsupported", f"{shown(predicate_type)} is no SBOM type")
    try:
        document = _document(predicate)
        if isinstance(document, Unreadable):
            return document
        found = _read(family, document)
        if isinstance(found, Sbom) and len(found.packages) > MAX_PACKAGES:
            raise Malformed("SBOM", f"{len(found.packages)} packages", f"at most {MAX_PACKAGES}")
        return found
    except Malformed as problem:
        return Unreadable("malformed", str(problem))


def _read(family: str, document: dict[str, Any]) -> Sbom | Unreadable:
    if spdx.is_spdx(document):
        found, reader = "SPDX", spdx.read
    elif spdx3.is_spdx3(document):
        found, reader = "SPDX", spdx3.read
    elif cyclonedx.is_cyclonedx(document):
        found, reader = "CycloneDX", cyclonedx.read
    else:
        raise Malformed("SBOM", f"keys {', '.join(sorted(document)[:5]) or 'none'}", "an SPDX or CycloneDX document")
    if found != family:
        raise Malformed("SBOM", f"a {found} document", f"{family}, which its predicate type says")
    return reader(document)


def _document(predicate: Any) -> dict[str, Any] | Unreadable:
    if isinstance(predicate, dict) and "Data" in predicate and set(predicate) <= {"Data", "Timestamp"}:
        predicate = predicate["Data"]
    if isinstance(predicate, str):
        return _parsed(predicate)
    if not isinstance(predicate, dict):
        raise Malformed("SBOM", predicate, "a JSON object, or its text")
    return predicate


def _parsed(text: str) -> dict[str, Any] | Unreadable:
    if len(text) > MAX_TEXT:
        raise Malformed("SBOM", f"{len(text)} characters", f"at most {MAX_TEXT}")
    start = text.lstrip()[:64]
    if start.startswith("<"):
        return Unreadable("unsupported", "an SBOM in XML; JSON is read")
    if start.startswith(("SPDXVersion:", "#", "DataLicense:")):
        return Unreadable("unsupported", "SPDX in tag-value form; JSON is read")
    return strict_json.loads_object(text, "SBOM")


def _family(predicate_type: str) -> str | None:
    return next((name for name, form in _FAMILIES.items() if form.fullmatch(predicate_type)), None)
