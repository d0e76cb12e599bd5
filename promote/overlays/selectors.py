"""Selectors of Kubernetes, by which a patch chooses objects from their labels or annotations."""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_LENGTH = 1024
"""The longest selector that is read, in characters."""

_KEY = r"(?P<key>[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?)"
_IS_THERE = re.compile(rf"(?P<no>!?)\s*{_KEY}")
_EQUALS = re.compile(rf"{_KEY}\s*(?P<no>!?)==?\s*(?P<value>[A-Za-z0-9._-]*)")
_IN = re.compile(rf"{_KEY}\s+(?P<no>not)?in\s*\((?P<values>[A-Za-z0-9._,\s-]*)\)")
_REQUIREMENT = re.compile(r"[^,()]+(?:\([^()]*\))?\s*(?:,|\Z)")


class UnknownSelector(ValueError):
    """A selector that is not of the grammar below."""


def is_selected(selector: str, values: Mapping[str, object]) -> bool:
    """Whether an object with `values` for labels is chosen: every requirement of `selector` is met; "" has none.

    A requirement is ``KEY``, ``!KEY``, ``KEY=VALUE`` (or ``==``, ``!=``), ``KEY in (A, B)`` or ``KEY notin (A, B)``,
    with commas between them (apimachinery `labels.Parse`).  Raises `UnknownSelector` for anything else.
    """
    if len(selector) > MAX_LENGTH:
        raise UnknownSelector(f"{len(selector)} characters")
    position = 0
    is_met = True
    while position < len(selector):
        part = _REQUIREMENT.match(selector, position)
        if part is None:
            raise UnknownSelector(selector)
        is_met &= _is_met(part[0].rstrip().removesuffix(",").strip(), values)
        position = part.end()
    return is_met


def _is_met(requirement: str, values: Mapping[str, object]) -> bool:
    if hit := _EQUALS.fullmatch(requirement):
        return (values.get(hit["key"]) == hit["value"]) is not bool(hit["no"])
    if hit := _IN.fullmatch(requirement):
        wanted = {value.strip() for value in hit["values"].split(",")}
        return (values.get(hit["key"]) in wanted) is not bool(hit["no"])
    if hit := _IS_THERE.fullmatch(requirement):
        return (hit["key"] in values) is not bool(hit["no"])
    raise UnknownSelector(requirement)
