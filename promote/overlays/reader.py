"""The two readers: PyYAML for finding and for checking, ruamel.yaml for positions.

libyaml is many times faster than ruamel's scanner, and a repository may hold a thousand kustomizations, so a file is
read for its positions only when it has to change.  That two independent readers see the same is part of the proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import yaml

from promote.errors import Refusal
from promote.overlays.nodes import Document, Event, Scalar, TooDeep, documents
from promote.overlays.refusals import too_large, unreadable

MAX_BYTES = 4 * 1024 * 1024
"""The largest file that is read (four times what etcd takes for an object)."""

MAX_EDIT_BYTES = 1024 * 1024
"""The largest file that is edited: ruamel's scanner reads about half a megabyte a second."""

LOADER: type[yaml.CSafeLoader | yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BREAK = re.compile(r"\r\n|\n|\r")
_TRAILING_BLANKS = re.compile(r"(?<![ \t])[ \t]++(?=[\r\n#]|\Z)")
_SEPARATOR = re.compile(r"^[ \t]*(?:---|\.\.\.)", re.MULTILINE)


class Reader(Protocol):
    """Documents out of bytes."""

    def documents(self, file: str, content: bytes) -> tuple[Document, ...]:
        """The documents of `content`; raises `Refusal` with the line and column where it cannot be read."""

    def inside(self, file: str, content: bytes, outer: Scalar) -> tuple[Document, ...]:
        """The documents that the block literal `outer` of `content` holds; raises `Refusal`."""


class Finder:
    """Reads with PyYAML: values and lines, no positions."""

    def documents(self, file: str, content: bytes) -> tuple[Document, ...]:
        """See `Reader`."""
        decoded(file, content, MAX_BYTES)
        return _guarded(file, lambda: tuple(documents(map(Event, yaml.parse(content, Loader=LOADER)))))

    def rendered(self, program: str, content: bytes) -> tuple[Document, ...]:
        """The documents that `program` printed, which may be larger than a file is; raises as `documents`."""
        return _guarded(program, lambda: tuple(documents(map(Event, yaml.parse(content, Loader=LOADER)))))

    def inside(self, file: str, content: bytes, outer: Scalar) -> tuple[Document, ...]:
        """See `Reader`."""
        del content
        source = "\n" * outer.line + outer.value  # so that lines are those of the outer file
        return _guarded(file, lambda: tuple(documents(map(Event, yaml.parse(source, Loader=LOADER)))))


class Locator:
    """Reads with ruamel.yaml: every scalar has the character offsets of its body.

    A file of more than `MAX_EDIT_BYTES` is read as `Finder` does, without offsets, and can be looked at only.
    """

    def documents(self, file: str, content: bytes) -> tuple[Document, ...]:
        """See `Reader`."""
        if len(content) > MAX_EDIT_BYTES:
            return Finder().documents(file, content)
        text = decoded(file, content, MAX_EDIT_BYTES)
        return _guarded(file, lambda: tuple(documents(_located(text, 0))))

    def inside(self, file: str, content: bytes, outer: Scalar) -> tuple[Document, ...]:
        """See `Reader`.

        The body of a block literal is YAML with its indentation left on, so it is read in place; only document markers
        would then stand in the wrong column.
        """
        text = decoded(file, content, MAX_EDIT_BYTES)
        if outer.span is None or _SEPARATOR.search(outer.value):
            raise unreadable(file, outer.line, 1, "several documents in one block of text")
        header = BREAK.search(text, outer.span[0])
        start = header.end() if header else outer.span[1]
        before = "\n" * len(BREAK.findall(text[:start]))
        body = before + text[start : outer.span[1]]
        return _guarded(file, lambda: tuple(documents(_located(body, start - len(before)))))


def decoded(file: str, content: bytes, limit: int) -> str:
    """`content` as text, a byte-order mark and every newline kept; raises `Refusal` when too large or not UTF-8."""
    if len(content) > limit:
        raise too_large(file, len(content), limit)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        column = problem.start - content.rfind(b"\n", 0, problem.start)
        raise unreadable(file, line, column, f"the byte 0x{content[problem.start]:02x}, which is not UTF-8") from None


def _located(text: str, shift: int) -> Iterator[Event]:
    """The events of `text` with the spans of scalar bodies, taken from the scanner's tokens and moved by `shift`.

    Marks of events would not do: they take anchors and tags in.  Every scalar event but an empty one has one token.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - for what is edited, and most runs only look
    from ruamel.yaml.events import ScalarEvent  # noqa: PLC0415
    from ruamel.yaml.tokens import ScalarToken  # noqa: PLC0415

    text = _TRAILING_BLANKS.sub(lambda blanks: " " * len(blanks[0]), text)  # ruamel takes no tab before a line's end
    tokens = (t for t in YAML(typ="safe", pure=True).scan(text) if isinstance(t, ScalarToken))
    for event in YAML(typ="safe", pure=True).parse(text):
        span = None
        if isinstance(event, ScalarEvent):
            token = next(tokens) if event.value or event.style else None
            if token and token.value != event.value:
                raise ValueError("a scalar whose token and event differ")
            mark = token or event
            span = (
                mark.start_mark.index + shift,
                mark.end_mark.index + shift if token else mark.start_mark.index + shift,
            )
        yield Event(event, span)


def _guarded(file: str, read: Callable[[], tuple[Document, ...]]) -> tuple[Document, ...]:
    try:
        return read()
    except Refusal:
        raise
    except TooDeep as problem:
        raise unreadable(file, problem.line, 1, str(problem)) from None
    except Exception as problem:  # noqa: BLE001  on hostile text both raise YAMLError, ValueError, IndexError and more
        mark: Any = getattr(problem, "problem_mark", None)
        said = getattr(problem, "problem", None) or getattr(problem, "reason", None) or str(problem)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise unreadable(file, line, column, str(said)) from None
