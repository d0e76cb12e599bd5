"""Package URLs (ECMA-427): what is one, and which two name the same package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from packageurl import PackageURL

from promote.model.manifest import nothing

MAX_LENGTH = 4096

# Types whose registries do not tell names apart by case.  The specification keeps the case of some of them (npm has
# old mixed-case names, NuGet compares without case): folding can make a rule meet one package more, never one less.
_CASELESS = frozenset(
    {
        "alpm",
        "apk",
        "bitbucket",
        "bitnami",
        "composer",
        "deb",
        "docker",
        "github",
        "gitlab",
        "golang",
        "hex",
        "luarocks",
    }
    | {"npm", "nuget", "oci", "pub", "pypi", "qpkg"}
)


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The parts of a package URL, percent-decoded.  `namespace` is empty where there is none."""

    type: str
    namespace: str
    name: str
    version: str | None = None
    qualifiers: Mapping[str, str] = field(default_factory=nothing, hash=False)

    @property
    def identity(self) -> tuple[str, str, str]:
        """Type, namespace and name such that two spellings of one package are equal."""
        return identity(self.type, self.namespace, self.name)


def identity(kind: str, namespace: str, name: str) -> tuple[str, str, str]:
    """The one spelling of a package's type, namespace and name, by the rules of its type."""
    kind = kind.lower()
    if kind in _CASELESS:
        namespace, name = namespace.lower(), name.lower()
    if kind == "pypi":
        name = re.sub(r"[-_.]+", "-", name)  # PEP 503, "Normalized Names"
    if kind == "golang":
        # golang.org/x/net and its package html are one module path; where the purl cuts it is the tool's choice.
        return kind, "", f"{namespace}/{name}".strip("/")
    return kind, namespace, name


def coordinates(value: object) -> Coordinates | None:
    """The parts of `value` when it is a package URL, else None: a wrong one identifies nothing."""
    if not isinstance(value, str) or len(value) > MAX_LENGTH:
        return None
    try:
        found = PackageURL.from_string(value)
    except ValueError:
        return None
    return Coordinates(found.type, found.namespace or "", found.name, found.version, dict(found.qualifiers or {}))


def valid_purls(values: object) -> tuple[str, ...]:
    """Those of `values` (anything) that are package URLs, each once, in order."""
    listed = values if isinstance(values, list | tuple) else ()
    return tuple(dict.fromkeys(v for v in listed if isinstance(v, str) and coordinates(v) is not None))
