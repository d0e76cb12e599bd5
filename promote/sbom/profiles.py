"""The minimum elements of an SBOM, by the lists that authorities published: what is there, and who lacks what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from promote.model.malformed import shown
from promote.sbom.instant import instant
from promote.sbom.package import Package, Sbom

MAX_OFFENDERS = 3


@dataclass(frozen=True, slots=True)
class Element:
    """One minimum element: `present` of `total` have it, a document being one; `offenders` are the first without."""

    name: str
    present: int
    total: int
    offenders: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing lacks it."""
        return self.present == self.total

    def __str__(self) -> str:
        if self.total == 1 and not self.offenders:
            return f"{self.name} {'present' if self.complete else 'missing'}"
        first = f" (first without: {', '.join(self.offenders)})" if self.offenders else ""
        return f"{self.name} {self.present}/{self.total}{first}"


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one profile says about one SBOM."""

    profile: str
    elements: tuple[Element, ...]

    @property
    def missing(self) -> tuple[Element, ...]:
        """The elements that are not complete."""
        return tuple(e for e in self.elements if not e.complete)

    def __str__(self) -> str:
        if not self.missing:
            return f"{self.profile}: all {len(self.elements)} elements"
        kept = len(self.elements) - len(self.missing)
        return f"{self.profile}: {kept} of {len(self.elements)} elements, not {'; '.join(map(str, self.missing))}"


_OfPackage = Callable[[Package], object]
_OfDocument = Callable[[Sbom], object]


@dataclass(frozen=True, slots=True)
class _Profile:
    of_packages: Mapping[str, _OfPackage]
    of_document: Mapping[str, _OfDocument]


_AUTHOR: dict[str, _OfDocument] = {"author": lambda sbom: sbom.origin.authors or sbom.origin.tools}
_TIME: dict[str, _OfDocument] = {"timestamp": lambda sbom: instant(sbom.created)}
_RELATIONS: dict[str, _OfDocument] = {"dependency relationships": lambda sbom: sbom.relations}

PROFILES: Mapping[str, _Profile] = {
    # NTIA, "The Minimum Elements For a Software Bill of Materials", 2021-07, "Data Fields".
    "ntia": _Profile(
        {
            "supplier": lambda p: p.supplier,
            "name": lambda p: p.name,
            "version": lambda p: p.version,
            "unique identifier": lambda p: p.identified,
        },
        {**_RELATIONS, **_AUTHOR, **_TIME},
    ),
    # CISA, "2025 Minimum Elements for a Software Bill of Materials", public comment draft of 2025-08.
    "cisa-2025": _Profile(
        {
            "producer": lambda p: p.supplier,
            "name": lambda p: p.name,
            "version": lambda p: p.version,
            "identifier": lambda p: p.identified,
            "hash": lambda p: p.hashed,
            "licence": lambda p: p.licensed,
        },
        {
            **_RELATIONS,
            "author": lambda sbom: sbom.origin.authors,
            "tool name": lambda sbom: sbom.origin.tools,
            **_TIME,
            "generation context": lambda sbom: sbom.origin.phases,
        },
    ),
}
"""The profiles by the names that promote.yaml uses.  The NTIA list accepts a tool as the author, as its examples do."""


def assess(profile: str, sbom: Sbom) -> Assessment:
    """What the profile of that name says about `sbom`; raises `KeyError` for a name that is not in `PROFILES`."""
    chosen = PROFILES[profile]
    elements = [_of_packages(name, has, sbom.packages) for name, has in chosen.of_packages.items()]
    elements += [Element(name, 1 if has(sbom) else 0, 1) for name, has in chosen.of_document.items()]
    return Assessment(profile, tuple(elements))


def _of_packages(name: str, has: _OfPackage, packages: tuple[Package, ...]) -> Element:
    lacking = [p for p in packages if not has(p)]
    offenders = tuple(shown(p.name, 40) for p in lacking[:MAX_OFFENDERS])
    return Element(name, len(packages) - len(lacking), len(packages), offenders)
