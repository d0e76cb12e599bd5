"""What an SBOM says once read, whatever format it was written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from packageurl import PackageURL


@dataclass(frozen=True, slots=True)
class Package:
    """One package as listed.  `purl` is a valid package URL as the document spells it, None without one."""

    name: str
    version: str | None = None
    purl: str | None = None


@dataclass(frozen=True, slots=True)
class Sbom:
    """A document that was read.  `format` is such as ``SPDX 2.3`` or ``CycloneDX 1.6``.

    `packages` are in the document's order, each as often as it is listed.  `created` is the document's own word for
    when it was made, not checked.
    """

    format: str
    packages: tuple[Package, ...]
    created: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that was not read: it is broken, or of a kind that promote does not read.  `summary` is one phrase."""

    reason: Literal["malformed", "unsupported"]
    summary: str


def valid_purl(value: object) -> str | None:
    """`value` when it is a package URL (ECMA-427), else None: a wrong one identifies nothing."""
    if not isinstance(value, str):
        return None
    try:
        PackageURL.from_string(value)
    except ValueError:
        return None
    return value


def optional_text(value: object) -> str | None:
    """`value` when it is a string with something in it, else None."""
    return value if isinstance(value, str) and value else None
