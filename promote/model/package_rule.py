"""Rules about packages: a package URL whose version is a range, such as ``pkg:npm/left-pad@<1.3.0``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from promote.model.malformed import Malformed

FORM = "pkg:TYPE/NAMESPACE/NAME@RANGE, the range such as <2.17.1 or >=2.0,<2.17.1"
MAX_LENGTH = 1024

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9.+-]*")
_BOUND = re.compile(r"(<=|>=|!=|<|>|=)?([^\s,<>=!|*]+)")
_KEY = re.compile(r"[a-z][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range.  `operator` is one of ``<  <=  >  >=  =  !=``; `version` is percent-decoded."""

    operator: str
    version: str


@dataclass(frozen=True, slots=True)
class PackageRule:
    """Names a package, and its versions within all of `bounds`; without bounds, every version.

    The parts are those of a package URL (ECMA-427), percent-decoded.  A rule's qualifiers must all be the package's.
    What is the same name, and which version comes first, is for the reader of SBOMs to say: it depends on the type.
    """

    text: str
    type: str
    namespace: str
    name: str
    bounds: tuple[Bound, ...] = ()
    qualifiers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> PackageRule:
        """The rule that `text` spells; raises `Malformed`."""
        if len(text) > MAX_LENGTH or not text.startswith("pkg:") or "#" in text:
            raise Malformed("package rule", text, FORM)
        body, _, qualifiers = text.removeprefix("pkg:").lstrip("/").partition("?")
        path, bounds = _split(body)
        kind, *steps = (unquote(step) for step in path.strip("/").split("/"))
        if not steps or not all(step.strip() for step in steps) or not _TYPE.fullmatch(kind):
            raise Malformed("package rule", text, FORM)
        return cls(
            text=text,
            type=kind.lower(),
            namespace="/".join(steps[:-1]),
            name=steps[-1],
            bounds=_bounds(bounds, text),
            qualifiers=_qualifiers(qualifiers, text),
        )

    def __str__(self) -> str:
        return self.text


def _split(body: str) -> tuple[str, str | None]:
    # The last @ after the last slash begins the version: the @ of an npm scope comes before one.
    path, at, bounds = body.rpartition("@")
    return (path, bounds) if at and "/" not in bounds and not path.endswith("/") else (body, None)


def _bounds(text: str | None, whole: str) -> tuple[Bound, ...]:
    if text is None:
        return ()
    found = [_BOUND.fullmatch(part) for part in text.split(",")]
    matches = [match for match in found if match is not None]
    if len(matches) != len(found):
        raise Malformed("package rule", whole, FORM)
    return tuple(Bound(match[1] or "=", unquote(match[2])) for match in matches)


def _qualifiers(text: str, whole: str) -> tuple[tuple[str, str], ...]:
    pairs = [pair.partition("=") for pair in text.split("&")] if text else []
    if not all(_KEY.fullmatch(key.lower()) and value for key, _, value in pairs):
        raise Malformed("package rule", whole, f"{FORM}?KEY=VALUE")
    return tuple((key.lower(), unquote(value)) for key, _, value in pairs)
