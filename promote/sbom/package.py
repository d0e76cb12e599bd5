"""What an SBOM says once read, whatever format it was written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from promote.model.digest import Digest

SUPPLIED_BY_NOBODY = frozenset({"NOASSERTION", "NONE", "UNKNOWN"})
"""How documents write that they do not know (SPDX 2.3, clause 7.5, and what tools write instead)."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package as listed.

    `purls` are the valid package URLs that it has, as the document spells them; `id` is its name within the document.
    `supplier` is whoever made or distributed it.  `identified` says whether it has any identifier that means the same
    elsewhere (package URL, CPE, SWID, SWHID, gitoid); `hashed` and `licensed` whether it has a hash and a licence.
    """

    name: str
    version: str | None = None
    purls: tuple[str, ...] = ()
    id: str | None = None
    supplier: str | None = None
    identified: bool = False
    hashed: bool = False
    licensed: bool = False

    @property
    def purl(self) -> str | None:
        """The first package URL."""
        return self.purls[0] if self.purls else None


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made the document, with what, and in which phase of the software's life; all as the document says."""

    authors: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sbom:
    """A document that was read.  `format` is such as ``SPDX 2.3`` or ``CycloneDX 1.6``.

    `packages` are in the document's order, each as often as it is listed, without the image itself.  `created` is the
    document's own word for when it was made, not checked.  `relations` counts its statements of what belongs to what.
    `images` are the digests by which it names the image that it is about, `layers` those of the layers that it found
    packages in; both are empty where it names none.
    """

    format: str
    packages: tuple[Package, ...]
    created: str | None = None
    origin: Origin = Origin()
    relations: int = 0
    images: frozenset[Digest] = frozenset()
    layers: frozenset[Digest] = frozenset()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that was not read: it is broken, or of a kind that promote does not read.  `summary` is one phrase."""

    reason: Literal["malformed", "unsupported"]
    summary: str


def optional_text(value: object) -> str | None:
    """`value` when it is a string with something in it, else None."""
    return value if isinstance(value, str) and value.strip() else None


def known_text(value: object) -> str | None:
    """`value` when it is a string that says something, and not that nobody knows."""
    text = optional_text(value)
    return None if text is None or text.strip().upper() in SUPPLIED_BY_NOBODY else text
