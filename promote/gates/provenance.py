"""What a build provenance says about the build: read here once, for every gate that asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

V1, V02 = "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"
TYPES = (V1, V02)
_COMMIT_V1: tuple[str, ...] = ("gitCommit",)
_COMMIT_V02: tuple[str, ...] = ("gitCommit", "sha1")


@dataclass(frozen=True, slots=True)
class Build:
    """The builder, the source repository's URL, its commit, and when the build began, as they are written.

    None where the predicate does not say.
    """

    builder: str | None = None
    repository: str | None = None
    commit: str | None = None
    started: str | None = None


def read(predicate_type: str | None, predicate: object) -> Build:
    """What a predicate of one of `TYPES` says; empty for any other, and for one that cannot be read.

    Source: slsa.dev/spec, provenance/v1 (buildDefinition, runDetails) and v0.2 (builder, invocation, materials).  The
    first git dependency is the source itself; later ones may be other repositories that the build checked out.
    """
    if predicate_type == V1:
        sources = _each(_at(predicate, "buildDefinition", "resolvedDependencies"))
        builder, names = _at(predicate, "runDetails", "builder", "id"), _COMMIT_V1
        started = _at(predicate, "runDetails", "metadata", "startedOn")
    elif predicate_type == V02:
        sources = iter((_at(predicate, "invocation", "configSource"), *_each(_at(predicate, "materials"))))
        builder, names = _at(predicate, "builder", "id"), _COMMIT_V02
        started = _at(predicate, "metadata", "buildStartedOn")
    else:
        return Build()
    source = next(((c, s) for s in sources if (c := _commit(s, names)) is not None), (None, None))
    return Build(_text(builder), _repository(_at(source[1], "uri")), source[0], _text(started))


def _commit(source: object, names: tuple[str, ...]) -> str | None:
    return next((c for name in names if (c := _text(_at(source, "digest", name))) is not None), None)


def _repository(uri: object) -> str | None:
    """``git+https://host/owner/name@ref`` without its ends (SPDX 2.3, 7.7, "download location")."""
    text = _text(uri)
    if text is None or not text.startswith(("git+", "https://", "ssh://")):
        return None
    location = text.removeprefix("git+").partition("#")[0]
    scheme, _, rest = location.partition("://")
    host, slash, path = rest.partition("/")
    if scheme == "ssh":  # the same repository by another road
        scheme, host = "https", host.rpartition("@")[2]
    return f"{scheme}://{host}{slash}{path.partition('@')[0]}"


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _each(value: object) -> Iterator[object]:
    return iter(value if isinstance(value, list) else ())


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
