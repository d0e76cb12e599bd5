"""promote.yaml as YAML: read safely, with the line of everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarint import ScalarInt

from promote.model.malformed import Malformed, shown

MAX_BYTES = 1024 * 1024
MAX_NODES = 20_000
"""More nodes than any configuration has: a small file of nested aliases expands to more (a "billion laughs")."""


@dataclass(frozen=True)
class Document:
    """A parsed YAML document: `value` in plain Python types, `tree` with ruamel's positions."""

    value: Any
    tree: Any

    def line(self, path: Sequence[str | int]) -> int:
        """The one-based line of the key or item at `path`; of its nearest ancestor when it is absent."""
        node, line = self.tree, 1
        for step in path:
            try:
                position = node.lc.key(step) if isinstance(node, CommentedMap) else node.lc.item(step)
                node = node[step]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
            line = int(position[0]) + 1
        return line


def parse(content: bytes) -> Document:
    """The one document in `content`; raises `Malformed` with the line where it is not plain YAML.

    Refused: duplicate keys, tags, more than one document, more than `MAX_BYTES` or `MAX_NODES`, keys that are no
    strings.
    """
    if len(content) > MAX_BYTES:
        raise Malformed("promote.yaml", f"{len(content)} bytes", f"at most {MAX_BYTES}")
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
    return Document(_plain(documents[0], [0]), documents[0])


def _plain(node: Any, count: list[int]) -> Any:
    count[0] += 1
    if count[0] > MAX_NODES:
        raise Malformed("promote.yaml", f"more than {MAX_NODES} values", "a configuration of ordinary size")
    if isinstance(node, CommentedMap):
        return {_key(key): _plain(value, count) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(item, count) for item in node]
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
