"""Files that were parsed once, for everything that one promotion asks of nearly the same tree."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # ruamel.yaml, while registries are waited for
    from promote.overlays.nodes import Document, Scalar
    from promote.overlays.reader import Reader

MAX_HELD = 8 * 1024 * 1024
"""Bytes of content whose documents are kept; beyond, all are let go, for a promotion may look at a thousand files."""


class Parsed:
    """Both readers, each of which parses a content once.  Safe to use from several threads; errors are not kept."""

    @cached_property
    def finder(self) -> Reader:
        """As `promote.overlays.reader.Finder`."""
        from promote.overlays.reader import Finder  # noqa: PLC0415 - see above

        return _Once(Finder())

    @cached_property
    def locator(self) -> Reader:
        """As `promote.overlays.reader.Locator`."""
        from promote.overlays.reader import Locator  # noqa: PLC0415 - see above

        return _Once(Locator())


class _Once:
    """A reader that remembers: documents are never changed by who reads them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._whole: dict[bytes, tuple[Document, ...]] = {}
        self._inner: dict[tuple[object, ...], tuple[Document, ...]] = {}
        self._held = 0

    def documents(self, file: str, content: bytes) -> tuple[Document, ...]:
        """See `promote.overlays.reader.Reader`."""
        found = self._whole.get(content)
        if found is None:
            found = self._reader.documents(file, content)
            self._make_room(len(content))
            self._whole[content] = found
        return found

    def inside(self, file: str, content: bytes, outer: Scalar) -> tuple[Document, ...]:
        """See `promote.overlays.reader.Reader`."""
        key = (content, outer.path, outer.line, outer.span)
        found = self._inner.get(key)
        if found is None:
            found = self._reader.inside(file, content, outer)
            self._make_room(len(outer.value))
            self._inner[key] = found
        return found

    def _make_room(self, size: int) -> None:
        if self._held + size > MAX_HELD:
            self._whole.clear()
            self._inner.clear()
            self._held = 0
        self._held += size
