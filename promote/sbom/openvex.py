"""OpenVEX documents: that a vulnerability does not affect the image, and why.  Source: openvex/spec, 0.2.0."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.sbom import image_names
from promote.sbom.instant import instant
from promote.sbom.package import Unreadable, optional_text
from promote.sbom.purl import coordinates
from promote.sbom.scan import Finding

TYPE = re.compile(r"https://openvex\.dev/ns(/v[0-9.]+)?")
NOT_AFFECTED = "not_affected"
STATUSES = (NOT_AFFECTED, "affected", "fixed", "under_investigation")
JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Image:
    """The image as a product may name it: by one of its digests, or by the last part of its repository's name."""

    digests: frozenset[Digest]
    name: str


@dataclass(frozen=True, slots=True)
class Product:
    """What a statement is about.  `names` are its identifiers, `hashes` its digests, `parts` its subcomponents."""

    names: tuple[str, ...]
    hashes: frozenset[Digest]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.  `products` None: whatever the attestation is about.  `said` is its own word for when."""

    vulnerabilities: frozenset[str]
    products: tuple[Product, ...] | None
    status: str
    justified: bool
    said: datetime = NEVER

    @property
    def clears(self) -> bool:
        """Whether it says that the product is not affected, and why."""
        return self.status == NOT_AFFECTED and self.justified

    def covers(self, finding: Finding, image: Image) -> bool:
        """Whether it is about this vulnerability in this package of the image."""
        if not self.vulnerabilities & {name.upper() for name in finding.names}:
            return False
        return self.products is None or any(_is_about(product, finding, image) for product in self.products)


def is_vex_type(predicate_type: str) -> bool:
    """Whether a predicate of this type is an OpenVEX document."""
    return bool(TYPE.fullmatch(predicate_type))


def read(predicate: Any) -> tuple[Statement, ...] | Unreadable:
    """The statements of a document.  Raises nothing: what cannot be read is `Unreadable` and says why."""
    try:
        if not isinstance(predicate, dict) or not isinstance(predicate.get("statements"), list):
            raise Malformed("OpenVEX", predicate, "an object with a list of statements")
        written = instant(predicate.get("last_updated")) or instant(predicate.get("timestamp")) or NEVER
        return tuple(_statement(entry, written) for entry in predicate["statements"])
    except Malformed as problem:
        return Unreadable("malformed", str(problem))


def _statement(entry: object, written: datetime) -> Statement:
    if not isinstance(entry, dict) or entry.get("status") not in STATUSES:
        raise Malformed("OpenVEX statement", entry, f"an object with one of the statuses {', '.join(STATUSES)}")
    # Before 0.2.0 vulnerability and products were plain strings, and subcomponents stood beside them.
    shared = tuple(_names(entry.get("subcomponents")))
    products = entry.get("products")
    if products is not None and not isinstance(products, list):
        raise Malformed("OpenVEX products", products, "a list")
    return Statement(
        vulnerabilities=frozenset(name.upper() for name in _vulnerability(entry.get("vulnerability"))),
        products=None if products is None else tuple(_product(product, shared) for product in products),
        status=entry["status"],
        justified=entry.get("justification") in JUSTIFICATIONS,
        said=instant(entry.get("last_updated")) or instant(entry.get("timestamp")) or written,
    )


def _vulnerability(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        aliases = value.get("aliases")
        # The identifier may be the name itself, or an address that is no finding's name and fits none.
        listed = [value.get("name"), value.get("@id"), *(aliases if isinstance(aliases, list) else [])]
    else:
        listed = [value]
    found = [name for name in listed if isinstance(name, str) and name]
    if not found:
        raise Malformed("OpenVEX vulnerability", value, "a name such as CVE-2021-44228")
    yield from found


def _product(value: object, shared: tuple[str, ...]) -> Product:
    hashes = value.get("hashes") if isinstance(value, dict) else None
    pairs = hashes.items() if isinstance(hashes, dict) else ()
    parts = value.get("subcomponents") if isinstance(value, dict) else None
    return Product(
        names=tuple(_names([value])),
        hashes=frozenset(d for algorithm, content in pairs for d in image_names.of_hash(algorithm, content)),
        parts=(*shared, *_names(parts)),
    )


def _names(listed: object) -> Iterator[str]:
    if listed is not None and not isinstance(listed, list):
        raise Malformed("OpenVEX component", listed, "a list")
    for entry in listed or []:
        identifiers = entry.get("identifiers") if isinstance(entry, dict) else None
        purl = identifiers.get("purl") if isinstance(identifiers, dict) else None
        names = [entry.get("@id"), purl] if isinstance(entry, dict) else [entry]
        found = [text for name in names if (text := optional_text(name))]
        if not found and not (isinstance(entry, dict) and entry.get("hashes")):
            raise Malformed("OpenVEX component", entry, "an @id or a package URL")
        yield from found


def _is_about(product: Product, finding: Finding, image: Image) -> bool:
    if _is_image(product, image):
        return not product.parts or any(_is_package(part, finding) for part in product.parts)
    return any(_is_package(name, finding) for name in product.names)


def _is_image(product: Product, image: Image) -> bool:
    digests = {*product.hashes, *(d for name in product.names for d in image_names.of_text(_version(name)))}
    if digests:
        return bool(digests & image.digests)
    named = (coordinates(name) for name in product.names if image_names.is_image_purl(name))
    return any(c is not None and c.version is None and c.name == image.name.lower() for c in named)


def _version(name: str) -> str | None:
    found = coordinates(name)
    return found.version if found is not None else name


def _is_package(name: str, finding: Finding) -> bool:
    meant, found = coordinates(name), coordinates(finding.purl)
    if meant is None or found is None or meant.identity != found.identity:
        return False
    return meant.version is None or meant.version == found.version
