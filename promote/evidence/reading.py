"""Reading values out of parsed JSON and base64 that a stranger wrote."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from promote.model.malformed import Malformed


def unbase64(value: object, what: str) -> bytes:
    """The bytes of standard, padded base64 (RFC 4648 section 4); raises `Malformed`."""
    if not isinstance(value, str):
        raise Malformed(what, value, "a base64 string")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(what, value, "base64") from None


def text(value: object, what: str) -> str:
    """`value` when it is a string with something in it; raises `Malformed`."""
    if not isinstance(value, str) or not value:
        raise Malformed(what, value, "a string")
    return value


def whole(value: object, what: str) -> int:
    """A whole number below 2**63 that is not negative, as JSON number or, as protobuf writes it, string."""
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20 else value
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
        raise Malformed(what, value, "a whole number")
    return number


def child(value: dict[str, Any], key: str, what: str) -> dict[str, Any]:
    """The object under `key`; raises `Malformed`."""
    found = value.get(key)
    if not isinstance(found, dict):
        raise Malformed(f"{what}.{key}", found, "a JSON object")
    return found


def children(value: dict[str, Any], key: str, what: str) -> list[Any]:
    """The list under `key`, empty where the key is absent; raises `Malformed`."""
    found = value.get(key, [])
    if not isinstance(found, list):
        raise Malformed(f"{what}.{key}", found, "a list")
    return found


def exact_keys(value: dict[str, Any], what: str, allowed: frozenset[str]) -> None:
    """Raise `Malformed` for a key that is not in `allowed`: other readers fold case and might see a second value."""
    strange = sorted(set(value) - allowed)
    if strange:
        raise Malformed(what, f"the key {strange[0]!r}", "only " + ", ".join(sorted(allowed)))
