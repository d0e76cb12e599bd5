"""Which of two versions comes first, in the order of the package's own type; or that nobody here can tell.

Loaded only when a rule about a package that is present has a range: univers brings four distributions with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from univers import versions as orders

MAX_LENGTH = 200
"""Versions are short; some of the algorithms are quadratic, or recurse, in the length."""

_SEMVER = r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z.-]+)?"
_PLAIN = r"[0-9A-Za-z._+~^-]+"


@dataclass(frozen=True, slots=True)
class _Order:
    """An algorithm, and the versions that it really orders: univers drops or guesses at what lies outside."""

    algorithm: type[orders.Version]
    grammar: re.Pattern[str]


def _order(algorithm: type[orders.Version], grammar: str) -> _Order:
    return _Order(algorithm, re.compile(grammar, re.ASCII))


_ORDERS = {
    "alpm": _order(orders.ArchLinuxVersion, rf"([0-9]+:)?{_PLAIN}"),
    "apk": _order(orders.AlpineLinuxVersion, r"[0-9]+(\.[0-9]+)*[a-z]?(_(alpha|beta|pre|rc|p)[0-9]*)*(-r[0-9]+)?"),
    "cargo": _order(orders.SemverVersion, _SEMVER),
    # Composer orders pre-releases by its own words; only what it shares with semantic versions is compared.
    "composer": _order(orders.SemverVersion, r"v?(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}"),
    "deb": _order(orders.DebianVersion, r"([0-9]+:)?[0-9][0-9A-Za-z.+~:-]*"),
    "gem": _order(orders.RubygemsVersion, r"[0-9]+(\.[0-9A-Za-z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"),
    "golang": _order(orders.GolangVersion, rf"v?{_SEMVER}"),
    "hex": _order(orders.SemverVersion, _SEMVER),
    "maven": _order(orders.MavenVersion, rf"[0-9]{_PLAIN}|[0-9]"),
    "npm": _order(orders.SemverVersion, _SEMVER),
    "nuget": _order(
        orders.NugetVersion, r"[0-9]+(\.[0-9]+){1,3}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z.-]+)?"
    ),
    "pypi": _order(orders.PypiVersion, r"v?([0-9]+!)?[0-9][0-9A-Za-z.+!_-]*"),
    "rpm": _order(orders.RpmVersion, rf"([0-9]+:)?{_PLAIN}"),
}


def compare(kind: str, one: str, other: str) -> int | None:
    """Negative, zero or positive as `one` comes before, is or comes after `other` among versions of a purl type.

    None when that cannot be told: the type has no order that is known here, or a version is not of its form.
    """
    order = _ORDERS.get(kind)
    if order is None:
        return None
    if kind == "rpm" and ("-" in one) != ("-" in other):
        # rpm: a version without a release stands for every release of it.
        return compare(kind, one.partition("-")[0], other.partition("-")[0]) or None
    first, second = _parsed(order, one), _parsed(order, other)
    if first is None or second is None:
        return None
    try:
        return -1 if first < second else 1 if second < first else 0
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        # Foreign code on foreign text: whatever it trips over, the answer is that it cannot compare.
        return None


def _parsed(order: _Order, text: str) -> orders.Version | None:
    if len(text) > MAX_LENGTH or not order.grammar.fullmatch(text):
        return None
    try:
        return order.algorithm(text)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return None
