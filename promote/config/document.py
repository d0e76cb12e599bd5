"""promote.yaml as YAML: read safely, with the line of everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from promote.config import simple_yaml
from promote.config.place import Place
from promote.model.malformed import Malformed

MAX_BYTES = 1024 * 1024
MAX_NODES = 20_000
"""More nodes than any configuration has: a small file of nested aliases expands to more (a "billion laughs")."""


@dataclass(frozen=True)
class Document:
    """A parsed YAML document: `value` in plain Python types, and the `place` of each part of it."""

    value: Any
    place: Place

    def line(self, path: Sequence[str | int]) -> int:
        """The one-based line of the key or item at `path`; of its nearest ancestor when it is absent."""
        return self.place.line(path)


def parse(content: bytes) -> Document:
    """The one document in `content`; raises `Malformed` with the line where it is not plain YAML.

    Refused: duplicate keys, tags, more than one document, more than `MAX_BYTES` or `MAX_NODES`, keys that are no
    strings.
    """
    if len(content) > MAX_BYTES:
        raise Malformed("promote.yaml", f"{len(content)} bytes", f"at most {MAX_BYTES}")
    if (found := simple_yaml.read(content, MAX_NODES - 1)) is not None:
        return Document(*found)
    from promote.config import any_yaml  # noqa: PLC0415 - ruamel.yaml, where it is needed

    value, place = any_yaml.read(content, MAX_NODES)
    return Document(value, place or Place())
