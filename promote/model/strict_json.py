"""JSON as a security tool must read it: one meaning, no duplicate keys, bounded depth.

Python's parser lets the last of two equal keys win, Go's folds case: two readers of one signed document may
then see two documents (research: containers/image's "paranoid" decoder exists for this).  Duplicates are
refused here; case is never folded.
"""

from __future__ import annotations

import json
from typing import Any

from promote.model.malformed import Malformed

MAX_DEPTH = 64


def loads(content: bytes | str, what: str = "JSON") -> Any:
    """The value of a JSON text in UTF-8; raises `Malformed` where the text has no or more than one meaning.

    Refused: a byte-order mark, trailing bytes, duplicate keys, NaN and Infinity, nesting deeper than `MAX_DEPTH`,
    text that is not UTF-8.
    """
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except Malformed as problem:
        raise Malformed(what, problem.got, problem.expected) from None
    except (ValueError, RecursionError) as problem:
        raise Malformed(what, str(problem), "well-formed JSON in UTF-8") from None
    _check_depth(value, what)
    return value


def loads_object(content: bytes | str, what: str = "JSON") -> dict[str, Any]:
    """Like `loads`, for a text whose value must be an object."""
    value = loads(content, what)
    if not isinstance(value, dict):
        raise Malformed(what, type(value).__name__, "a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise Malformed("JSON", f"the key {twice!r} twice", "each key once")
    return result


def _no_constant(name: str) -> Any:
    raise Malformed("JSON", name, "a JSON number")


def _check_depth(value: Any, what: str) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise Malformed(what, f"nested deeper than {MAX_DEPTH}", f"at most {MAX_DEPTH} levels")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = below
