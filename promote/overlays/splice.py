"""Splicing: new text for single scalars, every other byte of the file as it was.

A file is never dumped.  Changes are made at the spans that `reader.Locator` found, and what comes out is read again by
the other reader and compared (`recheck`), so that a wrong span can only lead to an error and never to a wrong file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from promote.errors import Refusal
from promote.model.release import Edit, FileEdit
from promote.overlays.nodes import STRING_TAGS, Mapping, Path, Scalar
from promote.overlays.reader import BREAK, MAX_EDIT_BYTES, decoded
from promote.overlays.recheck import Grown, Wanted, check_bytes, check_values
from promote.overlays.refusals import ambiguous
from promote.overlays.spelling import spelled

_COLON = re.compile(r"[ \t]*:")
_NOTHING_MORE = re.compile(r"[ \t]*(?:[,}#\r\n]|\Z)")
_PREFIX = re.compile(r"\ufeff?( *(?:- +)*)")
_GAP = re.compile(r":[ \t]*")
_SEPARATOR = re.compile(r",\s*")


@dataclass(frozen=True, slots=True)
class Change:
    """New text for the characters `start` to `end`, which makes the leaf at `path` the string `value`.

    `after` is None for a leaf that is there already, else the path of the sibling that the new key follows.
    """

    start: int
    end: int
    text: str
    path: Path
    value: str
    after: Path | None = None

    def inside(self, outer: Path) -> Change:
        """The same change, its paths those inside the text at `outer` (() for the file itself)."""
        after = None if self.after is None else (*outer, *self.after)
        return Change(self.start, self.end, self.text, (*outer, *self.path), self.value, after)

    @property
    def is_new_line(self) -> bool:
        """Whether this adds a line of its own."""
        return self.after is not None and not self.text.startswith(",")


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be edited, and its text with every newline as it is."""

    file: str
    content: bytes
    text: str

    @classmethod
    def of(cls, file: str, content: bytes) -> Source:
        """The source of `content`; raises `Refusal` when it is not UTF-8."""
        return cls(file, content, decoded(file, content, MAX_EDIT_BYTES))

    def replace(self, old: Scalar, value: str) -> Change:
        """The body of `old` replaced by `value`, the kind of quotes kept; raises `Refusal`."""
        start, end = self._span(old)
        if start == end:
            raise self._refusal(old.line, "an empty value")
        if old.style in {"|", ">"}:
            end = start + len(self.text[start:end].rstrip())
            if "#" in BREAK.split(self.text[start:end])[0]:
                raise self._refusal(old.line, "a block of text with a comment in its first line")
        return Change(start, end, spelled(value, old.style), old.path, value)

    def fill(self, key: Scalar, empty: Scalar, value: str) -> Change:
        """`value` written behind the colon of `key`, whose value is `empty`; raises `Refusal`."""
        colon = _COLON.match(self.text, self._span(key)[1])
        if colon is None or not _NOTHING_MORE.match(self.text, colon.end()):
            raise self._refusal(key.line, f"the key {key.value} with nothing plain behind it")
        return Change(colon.end(), colon.end(), " " + spelled(value, '"'), empty.path, value)

    def insert(self, mapping: Mapping, sibling: tuple[Scalar, Scalar], key: str, value: str) -> Change:
        """A new pair right after `sibling`, a pair of `mapping`; raises `Refusal`."""
        old_key, old_value = sibling
        path = (*old_value.path[:-1], f"{key}/1")
        if mapping.flow:
            start, text = self._flow(mapping, old_key, old_value, key, value)
        else:
            start, text = self._block(old_key, old_value, key, value)
        return Change(start, start, text, path, value, after=old_value.path)

    def _flow(self, mapping: Mapping, old_key: Scalar, old_value: Scalar, key: str, value: str) -> tuple[int, str]:
        """``, key: "value"`` behind the sibling, laid out as the pair before is (JSON over several lines)."""
        separator, gap = ", ", ": "
        for (_, one), (other, _) in pairwise(mapping.pairs):
            if isinstance(one, Scalar) and isinstance(other, Scalar):
                between = self.text[self._span(one)[1] : self._span(other)[0]]
                separator = between if _SEPARATOR.fullmatch(between) else separator
        if old_key.style:
            between = self.text[self._span(old_key)[1] : self._span(old_value)[0]]
            gap = between if _GAP.fullmatch(between) else gap
        end = self._span(old_value)[1]
        if self._is_empty(old_value):
            colon = _COLON.match(self.text, self._span(old_key)[1])
            if colon is None:
                raise self._refusal(old_key.line, f"the key {old_key.value} with nothing behind it")
            end = colon.end()
        quote = old_key.style
        return end, f'{separator}{quote}{key}{quote}{gap}"{value}"'

    def _block(self, old_key: Scalar, old_value: Scalar, key: str, value: str) -> tuple[int, str]:
        """A line behind the sibling's, with its indentation and its newline."""
        key_start = self._span(old_key)[0]
        line_start = max(self.text.rfind("\n", 0, key_start), self.text.rfind("\r", 0, key_start)) + 1
        prefix = _PREFIX.fullmatch(self.text[line_start:key_start])
        if prefix is None or old_value.style in {"|", ">"}:
            raise self._refusal(old_key.line, f"the key {old_key.value}, written so that no line can be added after it")
        line = f"{' ' * len(prefix[1])}{key}: {spelled(value, old_value.style)}"
        end = self._span(old_key)[1] if self._is_empty(old_value) else self._span(old_value)[1]
        newline = BREAK.search(self.text, end)
        if newline:
            return newline.end(), line + newline[0]
        first = BREAK.search(self.text)
        return len(self.text), (first[0] if first else "\n") + line

    def _span(self, scalar: Scalar) -> tuple[int, int]:
        if scalar.span is None or scalar.tag not in STRING_TAGS:
            raise self._refusal(scalar.line, f"a value with the tag {scalar.tag}")
        return scalar.span

    def _is_empty(self, scalar: Scalar) -> bool:
        return scalar.span is not None and scalar.span[0] == scalar.span[1]

    def _refusal(self, line: int, problem: str) -> Refusal:
        return ambiguous(
            self.file, [line], f"got {problem}", hint='write the value on one line, as in `newTag: "sha-0a1b2c3"`'
        )


@dataclass(frozen=True, slots=True)
class Growth:
    """New text at the character `at`, which makes a collection grow as `grown` says."""

    at: int
    text: str
    grown: Grown


def extended(source: Source, growth: Growth) -> FileEdit:
    """`source` with `growth` added, proven by a second reader; raises as `spliced`."""
    change = Change(growth.at, growth.at, growth.text, (), "")
    after = _applied(source.text, [change], 0, len(source.text)).encode("utf-8")
    check_bytes(source.file, source.content, after, _byte_spans(source.text, [change]))
    check_values(source.file, source.content, after, (), growth.grown)
    return FileEdit(source.file, source.content, after, tuple(_edits(source, [change])))


def spliced(source: Source, changes: Items[Change]) -> FileEdit:
    """`source` with `changes` made, proven by a second reader.

    Raises `promote.errors.Fault` with the code ``edit-check-failed`` when that reader sees anything but these changes,
    or when a byte outside their spans moved; nothing is returned then.
    """
    ordered = sorted(changes, key=lambda change: change.start)
    text = source.text
    after = _applied(text, ordered, 0, len(text)).encode("utf-8")
    check_bytes(source.file, source.content, after, _byte_spans(text, ordered))
    check_values(source.file, source.content, after, [Wanted(c.path, c.value, c.after) for c in ordered])
    return FileEdit(source.file, source.content, after, tuple(_edits(source, ordered)))


def _applied(text: str, changes: Items[Change], start: int, end: int) -> str:
    parts, at = [], start
    for change in changes:
        parts += [text[at : change.start], change.text]
        at = change.end
    return "".join([*parts, text[at:end]])


def _byte_spans(text: str, changes: Items[Change]) -> Iterator[tuple[int, int, int]]:
    """Start and end in bytes, and the number of new bytes, for each of `changes`."""
    at = offset = 0
    for change in changes:
        start = offset + len(text[at : change.start].encode("utf-8"))
        end = start + len(text[change.start : change.end].encode("utf-8"))
        yield start, end, len(change.text.encode("utf-8"))
        at, offset = change.end, end


def _edits(source: Source, changes: Items[Change]) -> Iterator[Edit]:
    """What `changes` (in order) do to each line; changes that share a line are one edit."""
    text = source.text
    breaks = [(m.start(), m.end()) for m in BREAK.finditer(text)]
    starts = [0, *(end for _, end in breaks)]
    ends = [*(start for start, _ in breaks), len(text)]
    group: list[Change] = []
    for change in changes:
        if group and bisect_right(starts, change.start) > bisect_right(starts, group[-1].end):
            yield from _edit(source, group, starts, ends)
            group = []
        if change.is_new_line:
            yield from _edit(source, group, starts, ends)
            group = []
            line = bisect_right(starts, change.start) + (change.text[0] in "\r\n")
            yield Edit(source.file, line, "", change.text.strip("\r\n"))
        else:
            group.append(change)
    yield from _edit(source, group, starts, ends)


def _edit(source: Source, group: Items[Change], starts: list[int], ends: list[int]) -> Iterator[Edit]:
    """The lines that `group` touches, before and after, unchanged ones left out."""
    if group:
        first, last = bisect_right(starts, group[0].start), bisect_right(starts, group[-1].end)
        begin, end = starts[first - 1], ends[last - 1]
        old, new = (BREAK.split(t) for t in (source.text[begin:end], _applied(source.text, group, begin, end)))
        for line, (before, after) in enumerate(zip_longest(old, new, fillvalue=""), first):
            if before != after:
                yield Edit(source.file, line, before, after)
