"""SPDX 3.0 in JSON-LD.  Source: spdx/spdx-3-model, and the serialization clause of spdx/spdx-spec 3.0.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from promote.model.digest import Digest
from promote.model.malformed import Malformed, shown
from promote.sbom import image_names
from promote.sbom.package import Origin, Package, Sbom, Unreadable, known_text, optional_text
from promote.sbom.purl import valid_purls

CONTEXT = re.compile(r"https://spdx\.org/rdf/3\.[^ ]*")
READ = re.compile(r"https://spdx\.org/rdf/(3\.0(?:\.\d+)?)/spdx-context\.jsonld")

# Individuals that the model itself defines, and that no document lists (NoneElement, NoAssertionElement, ...).
_DEFINED = re.compile(r"(https://spdx\.org/rdf/3\.[^ ]*|[A-Za-z_]*(None|NoAssertion)[A-Za-z]*)")
_AUTHORS = ("Agent", "Person", "Organization")
_UNIQUE = ("cpe22", "cpe23", "swid", "swhid", "gitoid", "packageUrl")
RELATIONSHIPS = ("Relationship", "LifecycleScopedRelationship")
_LICENCES = ("hasDeclaredLicense", "hasConcludedLicense")


def is_spdx3(document: dict[str, Any]) -> bool:
    """Whether a JSON object is SPDX 3 in JSON-LD, which has another data model than SPDX 2."""
    return _context(document) is not None


def read(document: dict[str, Any]) -> Sbom | Unreadable:
    """The packages of an SPDX 3 document; raises `Malformed`.

    The image that the document is about is not counted.  Malformed are also two packages with one spdxId and a
    relationship of an element that is neither there nor imported.
    """
    context = _context(document)
    version = READ.fullmatch(context or "")
    if version is None:
        return Unreadable("unsupported", f"SPDX with the context {shown(context)}; 2.2, 2.3 and 3.0 are read")
    graph = _graph(document)
    relationships = graph.of_type(*RELATIONSHIPS)
    relations = _relations(graph, relationships)
    links = _Links.of(relationships)
    entries = [
        (e, _package(graph, e, links)) for e in graph.of_type("software_Package") if optional_text(e.get("name"))
    ]
    described = _roots(graph)
    roots = [(entry, package) for entry, package in entries if package.id in described]
    images = {package.id for entry, package in roots if _is_image(entry, package)}
    made = _creation(graph)
    return Sbom(
        format=f"SPDX {version[1]}",
        packages=tuple(p for entry, p in entries if (p.id is None or p.id not in images) and not _is_as_such(entry, p)),
        created=optional_text(made.get("created")),
        origin=_origin(graph, made),
        relations=relations,
        images=frozenset(d for entry, package in roots for d in _images(graph, entry, package)),
    )


@dataclass(frozen=True, slots=True)
class _Graph:
    elements: list[dict[str, Any]]
    by_id: dict[str, dict[str, Any]]

    def of_type(self, *types: str) -> list[dict[str, Any]]:
        return [e for e in self.elements if e.get("type", e.get("@type")) in types]

    def found(self, value: object) -> dict[str, Any]:
        """What an id refers to, or an object that stands in its place; empty when it is not there."""
        if isinstance(value, dict):
            return value
        return self.by_id.get(value, {}) if isinstance(value, str) else {}


@dataclass(frozen=True, slots=True)
class _Links:
    """The spdxIds of the elements from which some relationship says a licence."""

    licensed: frozenset[str]

    @classmethod
    def of(cls, relationships: list[dict[str, Any]]) -> _Links:
        return cls(
            frozenset(
                r["from"]
                for r in relationships
                if r.get("relationshipType") in _LICENCES
                and isinstance(r.get("from"), str)
                and not all(_is_defined(t) for t in _texts(r.get("to")))
            )
        )


def _context(document: dict[str, Any]) -> str | None:
    named = document.get("@context")
    return next((c for c in _texts(named) if CONTEXT.match(c)), None)


def _graph(document: dict[str, Any]) -> _Graph:
    # A document of a single element may stand without @graph (SPDX 3.0.1, "Serialization in JSON-LD").
    listed = document.get("@graph", [document])
    if not isinstance(listed, list) or not all(isinstance(e, dict) for e in listed):
        raise Malformed("SPDX @graph", listed, "a list of objects")
    by_id: dict[str, dict[str, Any]] = {}
    for element in listed:
        name = _id(element)
        # Published documents repeat the ids of relationships, which nothing refers to: in JSON-LD they are one node.
        if name in by_id and element.get("type") not in RELATIONSHIPS:
            raise Malformed("SPDX spdxId", f"{name} twice", "each once")
        if name is not None:
            by_id[name] = element
    return _Graph(listed, by_id)


def _id(element: dict[str, Any]) -> str | None:
    return optional_text(element.get("spdxId")) or optional_text(element.get("@id"))


def _relations(graph: _Graph, relationships: list[dict[str, Any]]) -> int:
    imported = {
        entry.get("externalSpdxId")
        for document in graph.of_type("SpdxDocument")
        for entry in _objects(document, "import")
        if isinstance(entry.get("externalSpdxId"), str)
    }
    count = 0
    for relationship in relationships:
        targets = relationship.get("to", [])
        for end in (relationship.get("from"), *(targets if isinstance(targets, list) else [targets])):
            if isinstance(end, dict):
                continue  # the element itself stands where its id might
            if not isinstance(end, str) or not (end in graph.by_id or end in imported or _is_defined(end)):
                raise Malformed("SPDX relationship", end, "the spdxId of an element that is listed")
        count += len(_list(targets)) or 1
    return count


def _is_defined(name: str) -> bool:
    return bool(_DEFINED.fullmatch(name))


def _roots(graph: _Graph) -> set[str]:
    """What the document, and the SBOM that it holds, are about."""
    holders = graph.of_type("SpdxDocument", "software_Sbom", "Bom", "Bundle")
    return {name for holder in holders for name in _texts(holder.get("rootElement"))}


def _package(graph: _Graph, entry: dict[str, Any], links: _Links) -> Package:
    identifiers = _objects(entry, "externalIdentifier")
    listed = [i.get("identifier") for i in identifiers if i.get("externalIdentifierType") == "packageUrl"]
    purls = valid_purls([entry.get("software_packageUrl"), *listed])
    suppliers = (entry.get("suppliedBy"), *_list(entry.get("originatedBy")))
    unique = any(i.get("externalIdentifierType") in _UNIQUE and i.get("identifier") for i in identifiers)
    name = _id(entry)
    return Package(
        name=entry["name"],
        version=optional_text(entry.get("software_packageVersion")),
        purls=purls,
        id=name,
        supplier=next((n for s in suppliers if (n := known_text(graph.found(s).get("name")))), None),
        identified=bool(purls) or unique or bool(entry.get("software_contentIdentifier")),
        hashed=any(optional_text(h.get("hashValue")) for h in _hashes(graph, entry)),
        licensed=name in links.licensed,
    )


def _creation(graph: _Graph) -> dict[str, Any]:
    """The creation info of the document element, else of the only one there is."""
    for element in (*graph.of_type("SpdxDocument"), *graph.of_type("software_Sbom")):
        found = graph.found(element.get("creationInfo"))
        if found:
            return found
    return next(iter(graph.of_type("CreationInfo")), {})


def _origin(graph: _Graph, made: dict[str, Any]) -> Origin:
    creators = [graph.found(c) for c in _list(made.get("createdBy"))]
    tools = [graph.found(t) for t in _list(made.get("createdUsing"))]
    # The model lets a tool stand among the creators as a SoftwareAgent.
    tools += [c for c in creators if c.get("type") == "SoftwareAgent"]
    phases = (t for sbom in graph.of_type("software_Sbom") for t in _texts(sbom.get("software_sbomType")))
    return Origin(
        authors=tuple(n for c in creators if c.get("type") in _AUTHORS and (n := known_text(c.get("name")))),
        tools=tuple(n for t in tools if (n := known_text(t.get("name")))),
        phases=tuple(phases),
    )


def _is_as_such(entry: dict[str, Any], package: Package) -> bool:
    """Whether it is a file, or the operating system as such, and no package of it."""
    return _purpose(entry) in ("file", "operatingSystem") and not package.purls


def _is_image(entry: dict[str, Any], package: Package) -> bool:
    named = any(True for _ in (*image_names.of_text(package.version), *image_names.of_text(package.name)))
    return named or _purpose(entry) == "container" or any(image_names.is_image_purl(p) for p in package.purls)


def _purpose(entry: dict[str, Any]) -> object:
    return entry.get("software_primaryPurpose")


def _images(graph: _Graph, entry: dict[str, Any], package: Package) -> Iterator[Digest]:
    yield from image_names.of_purls(package.purls)
    yield from image_names.of_text(package.version)
    yield from image_names.of_text(package.name)
    says_otherwise = _purpose(entry) not in (None, "container") or package.purls
    if _is_image(entry, package) or not says_otherwise:
        for found in _hashes(graph, entry):
            yield from image_names.of_hash(found.get("algorithm"), found.get("hashValue"))


def _hashes(graph: _Graph, entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [graph.found(h) for h in _list(entry.get("verifiedUsing"))]


def _objects(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    listed = holder.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise Malformed(f"SPDX {key}", listed, "a list of objects")
    return listed


def _texts(value: object) -> list[str]:
    return [t for t in (value if isinstance(value, list) else [value]) if isinstance(t, str)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
