"""Any YAML 1.2, read with ruamel.yaml, which tells where it is wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarint import ScalarInt

from promote.config.place import Place
from promote.model.malformed import Malformed, shown


def read(content: bytes, most: int) -> tuple[Any, Place | None]:
    """The value of the one document in `content`, and where each part of it is (None for a scalar).

    Raises `Malformed` with the line where it is not plain YAML: see `promote.config.document.parse`.
    """
    try:
        documents = list(YAML(typ="rt", pure=True).load_all(content.decode("utf-8")))
    except MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise Malformed("promote.yaml", f"{where}{shown(problem.problem or 'not YAML')}", "plain YAML") from None
    except (YAMLError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        raise Malformed("promote.yaml", shown(str(problem)), "plain YAML in UTF-8") from None
    if len(documents) != 1:
        raise Malformed("promote.yaml", f"{len(documents)} documents", "one")
    return _Plain(most).value(documents[0])


class _Plain:
    """Makes plain values of ruamel's; an alias counts as often as it is used."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0

    def value(self, node: Any) -> tuple[Any, Place | None]:
        """`node` in plain Python types, and the places in it."""
        self._count += 1
        if self._count > self._most:
            raise Malformed("promote.yaml", f"more than {self._most} values", "a configuration of ordinary size")
        if isinstance(node, CommentedMap):
            return self._mapping(node)
        if isinstance(node, CommentedSeq):
            return self._list(node)
        return _scalar(node), None

    def _mapping(self, node: CommentedMap) -> tuple[dict[str, Any], Place]:
        found: dict[str, Any] = {}
        place, lines = Place(), node.lc.data or {}
        for key, item in node.items():
            name = _key(key)
            found[name], below = self.value(item)
            if key in lines:  # what was merged in is written elsewhere
                place.add(name, int(lines[key][0]) + 1, below)
        return found, place

    def _list(self, node: CommentedSeq) -> tuple[list[Any], Place]:
        found: list[Any] = []
        place, lines = Place(), node.lc.data or {}
        for number, item in enumerate(node):
            value, below = self.value(item)
            found.append(value)
            if number in lines:
                place.add(number, int(lines[number][0]) + 1, below)
        return found, place


def _scalar(node: Any) -> Any:
    for ours, theirs in ((bool, ScalarBoolean), (int, ScalarInt), (float, ScalarFloat), (str, str)):
        if isinstance(node, theirs):
            return ours(node)
    if node is None or isinstance(node, bool | int | float):
        return node
    if type(node) is date:  # a day; YAML 1.1 and ruamel read 2027-01-31 as one
        return node.isoformat()
    raise Malformed(
        "promote.yaml", f"a value of the type {type(node).__name__}", "strings, numbers, lists and mappings"
    )


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise Malformed("promote.yaml", f"the key {key!r}", "keys that are strings: put it in quotes")
    return str(key)
