"""promote.yaml as nearly everybody writes it, read with libyaml in a thirtieth of the time that ruamel.yaml takes.

libyaml reads YAML 1.1, and promote.yaml is YAML 1.2.  So only what means the same in both is read here, and whatever is
rare, doubtful or wrong is left to ruamel.yaml, which also says where it is wrong.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from promote.config.place import Place

MAX_DEPTH = 40
"""How deep a simple file nests; a configuration needs eight."""

# Source: YAML 1.2.2, section 10.3.2 (core schema), and what 1.1 has besides: sexagesimals, octals, yes, no, on, off.
_STRING = re.compile(
    r"(?:[A-Za-z/_]|\.{1,2}/)[A-Za-z0-9_./{}@+-]*(?:[: =,][A-Za-z0-9_/{}@+-][A-Za-z0-9_./{}@+-]*)*+"
    r"|[1-9][0-9]{0,4}[mhd]"  # a duration
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5})?(?:/[A-Za-z0-9_./-]*)?"  # a registry
)
_IN_FLOW = re.compile(r"[A-Za-z0-9_./+-]++")
_INTEGER = re.compile(r"0|[1-9][0-9]{0,17}")
_FRACTION = re.compile(r"(?:0|[1-9][0-9]{0,8})\.[0-9]{1,9}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_DOUBTFUL = frozenset({"y", "n", "yes", "no", "on", "off", *_WORDS})
"""Words, in lower case, that some reader takes for something else than a string."""
_UNLIKE = re.compile(rb"[\t\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\xa0]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|^%", re.MULTILINE)
"""Tabs, byte-order marks, directives and the line breaks of YAML 1.1 alone."""


class _NotSimpleError(Exception):
    """Something that is not read here."""


def read(content: bytes, most: int) -> tuple[Any, Place] | None:
    """The value of the one document in `content`, and where each part of it is; None where ruamel.yaml has to look.

    The value has mappings, lists, strings, whole numbers, fractions, booleans and None, at most `most` of them.
    """
    parser = getattr(yaml, "CSafeLoader", None)
    if parser is None or _UNLIKE.search(content):
        return None
    try:
        return _Builder(most).document(yaml.parse(content.decode("utf-8"), Loader=parser))
    except (_NotSimpleError, yaml.YAMLError, ValueError):
        return None


class _Builder:
    """Puts a value together from events."""

    def __init__(self, most: int) -> None:
        self._left = most

    def document(self, events: Any) -> tuple[Any, Place]:
        """The value of the one document, a mapping."""
        _expect(events, yaml.StreamStartEvent)
        _expect(events, yaml.DocumentStartEvent)
        value, place = self._mapping(events, _expect(events, yaml.MappingStartEvent), 0)
        _expect(events, yaml.DocumentEndEvent)
        _expect(events, yaml.StreamEndEvent)
        return value, place

    def _value(self, events: Any, event: Any, depth: int, *, in_flow: bool) -> tuple[Any, Place | None]:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise _NotSimpleError
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event, in_flow=in_flow), None
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, event, depth)
        raise _NotSimpleError  # an alias

    def _mapping(self, events: Any, start: Any, depth: int) -> tuple[dict[str, Any], Place]:
        _check_bare(start)
        found: dict[str, Any] = {}
        place = Place()
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return found, place
            key = _scalar(event, in_flow=start.flow_style) if isinstance(event, yaml.ScalarEvent) else None
            if not isinstance(key, str) or key in found or key == "<<":
                raise _NotSimpleError
            found[key], below = self._value(events, next(events), depth + 1, in_flow=start.flow_style)
            place.add(key, event.start_mark.line + 1, below)
        raise _NotSimpleError

    def _sequence(self, events: Any, start: Any, depth: int) -> tuple[list[Any], Place]:
        _check_bare(start)
        found: list[Any] = []
        place = Place()
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return found, place
            value, below = self._value(events, event, depth + 1, in_flow=start.flow_style)
            place.add(len(found), event.start_mark.line + 1, below)
            found.append(value)
        raise _NotSimpleError


def _expect(events: Any, kind: type[yaml.Event]) -> Any:
    """The next event, which has to be of `kind`."""
    event = next(events)
    if not isinstance(event, kind):
        raise _NotSimpleError
    return event


def _check_bare(event: Any) -> None:
    if event.anchor is not None or event.tag is not None:
        raise _NotSimpleError


def _scalar(event: Any, *, in_flow: bool) -> Any:
    """What a scalar without anchor, tag or doubt says."""
    _check_bare(event)
    text = str(event.value)
    if event.style in {"'", '"'}:
        if event.start_mark.line != event.end_mark.line:
            raise _NotSimpleError
        return text
    if event.style or event.start_mark.line != event.end_mark.line or (in_flow and not _IN_FLOW.fullmatch(text)):
        raise _NotSimpleError
    if text in _WORDS:
        return _WORDS[text]
    if _STRING.fullmatch(text) and text.lower() not in _DOUBTFUL:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    raise _NotSimpleError
