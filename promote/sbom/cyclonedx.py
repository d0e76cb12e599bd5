"""CycloneDX 1.2 to 1.7 in JSON.  Source: CycloneDX/specification, schema/bom-1.x.schema.json."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from promote.model.digest import Digest
from promote.model.malformed import Malformed, shown
from promote.sbom import image_names
from promote.sbom.package import Origin, Package, Sbom, Unreadable, known_text, optional_text
from promote.sbom.purl import valid_purls

VERSIONS = tuple(f"1.{minor}" for minor in range(2, 8))

# What scanners say of the layer that a component was found in: syft (diff_id), trivy (diff_id, digest of the layer).
_LAYER_PROPERTY = re.compile(r"syft:location:\d+:layerID|aquasecurity:trivy:(LayerDiffID|LayerDigest)")


def is_cyclonedx(document: dict[str, Any]) -> bool:
    """Whether a JSON object means to be CycloneDX, of any version."""
    return document.get("bomFormat") == "CycloneDX"


def read(document: dict[str, Any]) -> Sbom | Unreadable:
    """The components of a CycloneDX document, nested ones too; raises `Malformed`.

    `metadata.component` is what the document is about and is not counted.  Malformed are also two components with one
    bom-ref and a dependency of a component that is not there.
    """
    version = document.get("specVersion")
    if version not in VERSIONS:
        return Unreadable("unsupported", f"CycloneDX version {shown(version)}; 1.2 to 1.7 are read")
    metadata = _object(document.get("metadata"), "CycloneDX metadata")
    root = _object(metadata.get("component"), "CycloneDX metadata.component")
    components = list(_nested(_objects(document, "components")))
    layers = (d for c in components for d in _layers(c))
    return Sbom(
        format=f"CycloneDX {version}",
        packages=tuple(_package(c) for c in components if _is_package(c)),
        created=optional_text(metadata.get("timestamp")),
        origin=_origin(metadata),
        relations=_relations(document, root, components),
        images=frozenset(_images(root)),
        layers=frozenset(layers),
    )


def _nested(listed: list[dict[str, Any]], key: str = "components") -> Iterator[dict[str, Any]]:
    """Depth first, as listed; without recursion, because the nesting is the document's choice."""
    waiting = listed[::-1]
    while waiting:
        entry = waiting.pop()
        yield entry
        waiting.extend(_objects(entry, key)[::-1])


def _is_package(entry: dict[str, Any]) -> bool:
    """Whether it has a name, and is not a file or the operating system as such (syft and trivy list both)."""
    as_such = entry.get("type") in ("file", "operating-system") and not entry.get("purl")
    return optional_text(entry.get("name")) is not None and not as_such


def _package(entry: dict[str, Any]) -> Package:
    purls = valid_purls([entry.get("purl")])
    others = (optional_text(entry.get("cpe")), entry.get("swid"), entry.get("omniborId"), entry.get("swhid"))
    return Package(
        name=entry["name"],
        version=optional_text(entry.get("version")),
        purls=purls,
        id=optional_text(entry.get("bom-ref")),
        supplier=next((name for name in _suppliers(entry) if name), None),
        identified=bool(purls) or any(others),
        hashed=any(isinstance(h, dict) and optional_text(h.get("content")) for h in _list(entry.get("hashes"))),
        licensed=any(_is_licence(item) for item in _list(entry.get("licenses"))),
    )


def _suppliers(entry: dict[str, Any]) -> Iterator[str | None]:
    for key in ("supplier", "manufacturer"):
        value = entry.get(key)
        yield known_text(value.get("name")) if isinstance(value, dict) else None
    for key in ("publisher", "author"):
        yield known_text(entry.get(key))
    for author in _list(entry.get("authors")):
        yield known_text(author.get("name")) if isinstance(author, dict) else None


def _is_licence(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    named = item.get("license")
    names = [item.get("expression"), *((named.get("id"), named.get("name")) if isinstance(named, dict) else ())]
    return any(known_text(name) for name in names)


def _origin(metadata: dict[str, Any]) -> Origin:
    makers = [metadata.get(key) for key in ("manufacturer", "manufacture", "supplier")]
    people = [*_list(metadata.get("authors")), *makers]
    tools = metadata.get("tools")
    # 1.4 and before list tools; 1.5 and later hold components and services in an object.
    listed = (
        [*_list(tools.get("components")), *_list(tools.get("services"))] if isinstance(tools, dict) else _list(tools)
    )
    return Origin(
        authors=_names(people, "name", "email"),
        tools=_names(listed, "name"),
        phases=_names(_list(metadata.get("lifecycles")), "phase", "name"),
    )


def _relations(document: dict[str, Any], root: dict[str, Any], components: list[dict[str, Any]]) -> int:
    listed = [*components, *_nested(_objects(root, "components")), *_nested(_objects(document, "services"), "services")]
    known: set[str] = set()
    for reference in (r for entry in listed if isinstance(r := entry.get("bom-ref"), str)):
        if reference in known:
            raise Malformed("CycloneDX bom-ref", f"{reference} twice", "each once")
        known.add(reference)
    if isinstance(root.get("bom-ref"), str):
        known.add(root["bom-ref"])
    dependencies = _objects(document, "dependencies")
    needed = [[*_list(d.get("dependsOn")), *_list(d.get("provides"))] for d in dependencies]
    ends = [end for d, others in zip(dependencies, needed, strict=True) for end in (d.get("ref"), *others)]
    if not all(isinstance(end, str) and end in known for end in ends):
        known |= _references(document)  # the tools that built it, say, are listed elsewhere: looked for when needed
    for end in ends:
        # A BOM-Link names something in another document (CycloneDX, "BOM-Link").
        if not isinstance(end, str) or (end not in known and not end.startswith("urn:cdx:")):
            raise Malformed("CycloneDX dependency", end, "the bom-ref of something that is listed")
    return sum(len(others) for others in needed)


def _references(document: dict[str, Any]) -> set[str]:
    """Every bom-ref in the document, wherever it stands."""
    found: set[str] = set()
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
            if isinstance(reference := value.get("bom-ref"), str):
                found.add(reference)
        elif isinstance(value, list):
            waiting.extend(value)
    return found


def _images(root: dict[str, Any]) -> Iterator[Digest]:
    purls = valid_purls([root.get("purl")])
    yield from image_names.of_purls(purls)
    yield from image_names.of_text(root.get("version"))
    yield from image_names.of_text(root.get("name"))
    if root.get("type") == "container" or any(image_names.is_image_purl(p) for p in purls):
        for entry in _list(root.get("hashes")):
            if isinstance(entry, dict):
                yield from image_names.of_hash(entry.get("alg"), entry.get("content"))


def _layers(entry: dict[str, Any]) -> Iterator[Digest]:
    for item in _list(entry.get("properties")):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and _LAYER_PROPERTY.fullmatch(name):
            yield from image_names.of_text(item.get("value"))


def _objects(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    listed = holder.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(c, dict) for c in listed):
        raise Malformed(f"CycloneDX {key}", listed, "a list of objects")
    return listed


def _object(value: object, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(what, value, "a JSON object")
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(entries: list[Any], *keys: str) -> tuple[str, ...]:
    found = (next((t for k in keys if (t := known_text(e.get(k)))), None) for e in entries if isinstance(e, dict))
    return tuple(name for name in found if name)
