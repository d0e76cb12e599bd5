"""Whether a rule such as ``pkg:maven/g/a@<2.17.1`` means a package that an SBOM lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from promote.model.package_rule import Bound, PackageRule
from promote.sbom.package import Package
from promote.sbom.purl import Coordinates, coordinates, identity


class Answer(Enum):
    """Whether a rule means a package.  Not comparable: it may, and nobody can tell."""

    NO = "no"
    YES = "yes"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Match:
    """A package that a rule means, or may mean.  `version` is the one that was looked at, None without any."""

    rule: PackageRule
    package: Package
    answer: Answer
    version: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """Packages that many rules are asked about: their package URLs are taken apart once.

    `named` are the packages by what their package URLs name, `nameless` those that have none, by their folded name.
    """

    named: Mapping[tuple[str, str, str], list[tuple[Package, Coordinates]]]
    nameless: Mapping[str, list[Package]]

    @classmethod
    def of(cls, packages: Iterable[Package]) -> Listing:
        """The listing of `packages`."""
        named: dict[tuple[str, str, str], list[tuple[Package, Coordinates]]] = {}
        nameless: dict[str, list[Package]] = {}
        for package in packages:
            found = [c for purl in package.purls if (c := coordinates(purl)) is not None]
            for each in found:
                named.setdefault(each.identity, []).append((package, each))
            if not found:
                nameless.setdefault(package.name.casefold(), []).append(package)
        return cls(named, nameless)

    def matches(self, rule: PackageRule) -> Iterator[Match]:
        """The packages that `rule` means or may mean, those it may mean only for want of a package URL last."""
        wanted = identity(rule.type, rule.namespace, rule.name)
        for package, found in self.named.get(wanted, ()):
            if all(found.qualifiers.get(key) == value for key, value in rule.qualifiers):
                match = _judge(rule, found, package)
                if match.answer is not Answer.NO:
                    yield match
        # Without a package URL nobody can tell of which type it is, nor hence how its versions are ordered.
        spelled = (rule.name, f"{rule.namespace}/{rule.name}", f"{rule.namespace}:{rule.name}")
        for name in dict.fromkeys(name.casefold() for name in spelled):
            for package in self.nameless.get(name, ()):
                yield Match(rule, package, Answer.NOT_COMPARABLE, package.version)


def meets(rule: PackageRule, kind: str, version: str | None) -> Answer:
    """Whether `version`, of a package of purl type `kind`, lies within all bounds of the rule."""
    if not rule.bounds:
        return Answer.YES
    if version is None:
        return Answer.NOT_COMPARABLE
    answers = [_within(bound, kind, version) for bound in rule.bounds]
    if Answer.NO in answers:
        return Answer.NO
    return Answer.NOT_COMPARABLE if Answer.NOT_COMPARABLE in answers else Answer.YES


def _judge(rule: PackageRule, found: Coordinates, package: Package) -> Match:
    """One package URL of a package: yes where any version that it claims is meant, no where one is known not to be."""
    judged = [Match(rule, package, meets(rule, found.type, v), v) for v in _versions(found, package)]
    for answer in (Answer.YES, Answer.NO):
        match = next((m for m in judged if m.answer is answer), None)
        if match is not None:
            return match
    return judged[0]


def _versions(found: Coordinates, package: Package) -> Iterator[str | None]:
    """Every version that the package claims to have: the purl's, and the document's own where it says another."""
    in_purl = found.version
    epoch = found.qualifiers.get("epoch")
    if in_purl is not None and epoch is not None and ":" not in in_purl:
        in_purl = f"{epoch}:{in_purl}"  # purl-spec, types rpm and (as tools write it) deb
    beside = package.version
    if beside is None or in_purl is None:
        yield in_purl or beside
    elif beside.endswith(f":{in_purl}"):
        yield beside  # the same version, the purl without its epoch
    elif in_purl.endswith(f":{beside}") or (found.type in _RELEASED and in_purl.startswith(f"{beside}-")):
        yield in_purl  # the same again, the other without its epoch, or without its release
    else:
        yield from (in_purl, beside)


def _within(bound: Bound, kind: str, version: str) -> Answer:
    if bound.operator in ("=", "!=") and bound.version == version:
        return Answer.YES if bound.operator == "=" else Answer.NO
    from promote.sbom.version_order import compare  # noqa: PLC0415 - univers, only where a range is looked at

    order = compare(kind, version, bound.version)
    if order is None:
        return Answer.NOT_COMPARABLE
    return Answer.YES if _HOLDS[bound.operator](order) else Answer.NO


_RELEASED = frozenset({"alpm", "apk", "deb", "rpm"})
"""Types whose versions end in the release of the packaging."""

_HOLDS: Mapping[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
    "=": lambda order: order == 0,
    "!=": lambda order: order != 0,
}
