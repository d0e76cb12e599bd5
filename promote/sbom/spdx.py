"""SPDX 2.2 and 2.3 in JSON.  Source: spdx/spdx-spec, schemas/spdx-schema.json of those versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from promote.model.digest import Digest
from promote.model.malformed import Malformed, shown
from promote.sbom import image_names
from promote.sbom.package import Origin, Package, Sbom, Unreadable, known_text, optional_text
from promote.sbom.purl import valid_purls

VERSIONS = {"SPDX-2.2": "SPDX 2.2", "SPDX-2.3": "SPDX 2.3"}
DOCUMENT = "SPDXRef-DOCUMENT"
UNIQUE = ("cpe22Type", "cpe23Type", "swid", "swh", "gitoid")
"""Reference types that identify a package everywhere, package URLs aside (SPDX 2.3, annex F)."""


def is_spdx(document: dict[str, Any]) -> bool:
    """Whether a JSON object means to be SPDX 2, of any version."""
    return "spdxVersion" in document


def read(document: dict[str, Any]) -> Sbom | Unreadable:
    """The packages of an SPDX document; raises `Malformed`.  An entry without a name is no package.

    The image that the document describes is not counted.  Malformed are also two packages with one SPDXID and a
    relationship of an element that is not there.
    """
    version = VERSIONS.get(str(document.get("spdxVersion")))
    if version is None:
        return Unreadable(
            "unsupported", f"SPDX version {shown(document.get('spdxVersion'))}; 2.2, 2.3 and 3.0 are read"
        )
    entries = [(p, _package(p)) for p in _objects(document, "packages") if optional_text(p.get("name"))]
    files = _objects(document, "files")
    relations = _relations(document, files)
    described = _described(document)
    roots = [(entry, package) for entry, package in entries if package.id in described]
    images = {package.id for entry, package in roots if _is_image(entry, package)}
    info = document.get("creationInfo")
    info = info if isinstance(info, dict) else {}
    return Sbom(
        format=version,
        packages=tuple(p for entry, p in entries if (p.id is None or p.id not in images) and not _is_as_such(entry, p)),
        created=optional_text(info.get("created")),
        origin=_origin(info.get("creators")),
        relations=relations,
        images=frozenset(d for entry, package in roots for d in _images(entry, package)),
        layers=frozenset(d for file in files for d in image_names.of_layer_comment(file.get("comment"))),
    )


def _package(entry: dict[str, Any]) -> Package:
    references = _objects(entry, "externalRefs")
    purls = valid_purls([r.get("referenceLocator") for r in references if r.get("referenceType") == "purl"])
    licences = (entry.get("licenseConcluded"), entry.get("licenseDeclared"))
    return Package(
        name=entry["name"],
        version=optional_text(entry.get("versionInfo")),
        purls=purls,
        id=optional_text(entry.get("SPDXID")),
        supplier=known_text(entry.get("supplier")) or known_text(entry.get("originator")),
        identified=bool(purls) or any(r.get("referenceType") in UNIQUE for r in references),
        hashed=any(optional_text(c.get("checksumValue")) for c in _objects(entry, "checksums")),
        licensed=any(known_text(licence) for licence in licences),
    )


def _origin(creators: object) -> Origin:
    names = [c for c in creators if isinstance(c, str)] if isinstance(creators, list) else []
    parts = [(kind.strip(), known_text(name.strip())) for kind, _, name in (c.partition(":") for c in names)]
    return Origin(
        authors=tuple(name for kind, name in parts if name and kind in ("Person", "Organization")),
        tools=tuple(name for kind, name in parts if name and kind == "Tool"),
    )


def _relations(document: dict[str, Any], files: list[dict[str, Any]]) -> int:
    known = {DOCUMENT, "NONE", "NOASSERTION"}
    for key in ("packages", "snippets"):
        for entry in _objects(document, key):
            name = optional_text(entry.get("SPDXID"))
            if name is not None and name in known:
                raise Malformed("SPDXID", f"{name} twice", "each once")
            known.update([name] if name else [])
    known.update(name for file in files if (name := optional_text(file.get("SPDXID"))))
    relationships = _objects(document, "relationships")
    ends = [r.get(key) for r in relationships for key in ("spdxElementId", "relatedSpdxElement")]
    for end in (*ends, *_list(document.get("documentDescribes"))):
        # An element of another document is ``DocumentRef-x:SPDXRef-y`` (SPDX 2.3, clause 11.1).
        if not isinstance(end, str) or (end not in known and not end.startswith("DocumentRef-")):
            raise Malformed("SPDX relationship", end, "an SPDXID that is listed")
    return len(relationships) + len(_list(document.get("documentDescribes")))


def _described(document: dict[str, Any]) -> set[str]:
    """The SPDXIDs that the document is about.  Call it after `_relations`, which found every end to be a string."""
    found: set[str] = set(_list(document.get("documentDescribes")))
    for relation in _objects(document, "relationships"):
        ends = relation["spdxElementId"], relation["relatedSpdxElement"]
        if relation.get("relationshipType") == "DESCRIBES" and ends[0] == DOCUMENT:
            found.add(ends[1])
        if relation.get("relationshipType") == "DESCRIBED_BY" and ends[1] == DOCUMENT:
            found.add(ends[0])
    return found


def _is_as_such(entry: dict[str, Any], package: Package) -> bool:
    """Whether it is a file, or the operating system as such (as trivy lists it), and no package of it."""
    return entry.get("primaryPackagePurpose") in ("FILE", "OPERATING-SYSTEM", "OPERATING_SYSTEM") and not package.purls


def _is_image(entry: dict[str, Any], package: Package) -> bool:
    named = any(True for _ in (*image_names.of_text(package.version), *image_names.of_text(package.name)))
    is_container = entry.get("primaryPackagePurpose") == "CONTAINER"
    return named or is_container or any(image_names.is_image_purl(p) for p in package.purls)


def _images(entry: dict[str, Any], package: Package) -> Iterator[Digest]:
    yield from image_names.of_purls(package.purls)
    yield from image_names.of_text(package.version)
    yield from image_names.of_text(package.name)
    # The checksum of a root that says it is something else (a jar in the image) is not the image's.
    says_otherwise = entry.get("primaryPackagePurpose") not in (None, "CONTAINER") or package.purls
    if _is_image(entry, package) or not says_otherwise:
        for checksum in _objects(entry, "checksums"):
            yield from image_names.of_hash(checksum.get("algorithm"), checksum.get("checksumValue"))


def _objects(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    listed = holder.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise Malformed(f"SPDX {key}", listed, "a list of objects")
    return listed


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
