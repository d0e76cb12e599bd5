"""The files that promote.yaml may name, for whoever has to bring them before it can be loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from promote.config.document import parse
from promote.model.malformed import Malformed


def mentioned(content: bytes) -> tuple[str, ...]:
    """Every text in promote.yaml that could be the path of a file, each once; none where it is not plain YAML.

    Which of them are paths is not known here: whoever asks looks whether there is such a file.
    """
    try:
        return tuple(dict.fromkeys(_texts(parse(content).value)))
    except Malformed:
        return ()  # said when the file is loaded


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
