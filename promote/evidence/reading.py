"""Reading values out of parsed JSON and base64 that a stranger wrote."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from promote.model.malformed import Malformed

_LINE_BREAKS = str.maketrans("", "", "\r\n")
_URL_SAFE = str.maketrans("-_", "+/")


def unbase64(value: object, what: str) -> bytes:
    """The bytes of base64 in one of its two alphabets (RFC 4648, sections 4 and 5); raises `Malformed`.

    DSSE's envelopes and protobuf's JSON leave the alphabet to the writer, protobuf's JSON the padding as well.  Go's
    decoder, and with it cosign, passes over line breaks, which `openssl base64` writes.
    """
    if not isinstance(value, str):
        raise Malformed(what, value, "a base64 string")
    plain = value.translate(_LINE_BREAKS)
    if plain.isascii() and not ({"+", "/"} & set(plain)):
        plain = plain.translate(_URL_SAFE)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
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
