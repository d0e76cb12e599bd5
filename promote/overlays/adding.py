"""A new `images:` entry in a kustomization that has none for the image, in the file's own style."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promote.errors import Refusal
from promote.overlays.kustomize import Kustomization
from promote.overlays.nodes import Alias, Mapping, Node, Scalar, Sequence
from promote.overlays.reader import BREAK
from promote.overlays.recheck import Grown
from promote.overlays.refusals import ambiguous
from promote.overlays.spelling import spelled
from promote.overlays.splice import Growth, Source

_DASH = re.compile(r"( *)-( +)")
_BETWEEN = re.compile(r"(?:\s|#[^\r\n]*(?=[\r\n]|\Z)|,)*([\]}])")
_COMMENT = re.compile(r"#[^\r\n]*")
_EMPTY_LIST = re.compile(r"[ \t]*:[ \t]*\[(?=[ \t]*\])")
_EMPTY_VALUE = re.compile(r"[ \t]*:[ \t]*(?:\[[ \t]*\]|\{[ \t]*\})")
_EMPTY = re.compile(r"[ \t]*:(?=[ \t]*(?:[\r\n#]|\Z))")


def new_entry(source: Source, layer: Kustomization, entry: dict[str, str]) -> Growth:
    """Where and how `entry` is written into `layer`, which `source` holds and which was read with positions.

    The list grows by one entry at its end; a file without `images:` gets the list as its last key.
    Raises `Refusal` where the place for it cannot be told.
    """
    pairs = layer.root.all_folded("images", "imagetags")
    if not pairs:
        return _new_list(source, layer.root, entry)
    key, value = pairs[0]
    if isinstance(value, Sequence) and value.items and not value.flow:
        return _new_item(source, value, entry)
    if isinstance(value, Sequence) and value.items:
        return _new_flow_item(source, value, entry)
    grown = Grown(value.path, dict(entry), is_empty=isinstance(value, Scalar)) if not isinstance(value, Alias) else None
    hit = _EMPTY_LIST.match(source.text, _end_of(source, key))
    if grown and isinstance(value, Sequence) and hit:
        return Growth(hit.end(), _flow(entry, is_json=bool(key.style)), grown)
    hit = _EMPTY.match(source.text, _end_of(source, key))
    if grown and isinstance(value, Scalar) and value.text is None and hit and not layer.root.flow:
        return _block(source, hit.end(), _lines(_line_before(source, key) + "  ", " ", entry), grown)
    raise _no_room(source, value.line)


def _new_item(source: Source, block: Sequence, entry: dict[str, str]) -> Growth:
    """After the last entry of a block list, its dash where theirs are."""
    first = next(_scalars(block.items[-1]), None)
    before = _line_before(source, first) if first else ""
    prefix = _DASH.fullmatch(before)
    if prefix is None:
        raise _no_room(source, block.line)
    return _block(source, _last(source, block), _lines(prefix[1], prefix[2], entry), Grown(block.path, dict(entry)))


def _new_flow_item(source: Source, block: Sequence, entry: dict[str, str]) -> Growth:
    """After the last entry of a flow list, behind its closing brace."""
    last = block.items[-1]
    ends = _closed(source, _last(source, block, is_closed=False))
    first = next(_scalars(last), None)
    if not isinstance(last, Mapping) or not last.flow or not ends or first is None or first.span is None:
        raise _no_room(source, block.line)
    is_json = first.style == '"'
    text = _separator(source, source.text.rfind("{", 0, first.span[0])) + _flow(entry, is_json=is_json)
    return Growth(ends[0], text, Grown(block.path, dict(entry)))


def _new_list(source: Source, root: Mapping, entry: dict[str, str]) -> Growth:
    """The list as the last key of the file."""
    grown = Grown(root.path, [dict(entry)], key="images")
    key = root.pairs[0][0] if root.pairs else None
    if not isinstance(key, Scalar) or key.span is None:
        raise _no_room(source, root.line)
    if root.flow:
        last = _last(source, root, is_closed=False)
        ends = [last, *_closed(source, last)]
        if len(ends) < 2 or "," in _COMMENT.sub("", source.text[ends[-2] : ends[-1]]):
            raise _no_room(source, root.line)
        separator, quote = _separator(source, key.span[0]), key.style
        text = f"{separator}{quote}images{quote}: [{_flow(entry, is_json=bool(quote))}]"
        return Growth(ends[-2], text, grown)
    margin = _line_before(source, key)
    if margin.strip(" "):
        raise _no_room(source, key.line)
    dash, gap = _list_style(source, root)
    return _block(source, _last(source, root), [f"{margin}images:", *_lines(margin + dash, gap, entry)], grown)


def _separator(source: Source, start: int) -> str:
    """The comma before a sibling of what begins at `start`, with the line break and indentation where that has them."""
    line_start = _line_start(source.text, start)
    indentation = source.text[line_start:start]
    if indentation.strip(" \t") or not line_start:
        return ", "
    return f",{_newline(source)}{indentation}"


def _block(source: Source, end: int, lines: list[str], grown: Grown) -> Growth:
    """`lines` after the line that `end` is in; a file without a newline at its end goes on having none."""
    newline = BREAK.search(source.text, end)
    if newline:
        return Growth(newline.end(), "".join(line + newline[0] for line in lines), grown)
    return Growth(len(source.text), "".join(_newline(source) + line for line in lines), grown)


def _list_style(source: Source, root: Mapping) -> tuple[str, str]:
    """The indentation of the dashes of this file's block lists, relative to their key, and the blanks behind them."""
    votes: dict[tuple[str, str], int] = {}
    for key, value in root.pairs:
        if isinstance(value, Sequence) and not value.flow and value.items and isinstance(key, Scalar):
            first = next(_scalars(value.items[0]), None)
            margin = len(_line_before(source, key))
            hit = _DASH.fullmatch(_line_before(source, first)) if first else None
            if hit and len(hit[1]) >= margin:
                style = (hit[1][margin:], hit[2])
                votes[style] = votes.get(style, 0) + 1
    return max(votes, key=lambda style: votes[style]) if votes else ("", " ")


def _lines(margin: str, gap: str, entry: dict[str, str]) -> list[str]:
    """`entry` as the lines of an item of a block list."""
    first, other = f"{margin}-{gap}", " " * (len(margin) + 1 + len(gap))
    pairs = [f"{key}: {spelled(value, '')}" for key, value in entry.items()]
    return [first + pairs[0], *(other + pair for pair in pairs[1:])]


def _flow(entry: dict[str, str], *, is_json: bool) -> str:
    quote = '"' if is_json else ""
    return "{" + ", ".join(f'{quote}{key}{quote}: "{value}"' for key, value in entry.items()) + "}"


def _scalars(node: Node | None) -> Iterator[Scalar]:
    """The scalars at and below `node` in the order written; aliases end it, because their place is not known."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _scalars(item)
    elif isinstance(node, Mapping):
        for key, value in node.pairs:
            yield from _scalars(key)
            yield from _scalars(value)


def _last(source: Source, node: Node, *, is_closed: bool = True) -> int:
    """The offset where `node` ends: behind its last scalar, and behind what closes it if `is_closed`."""
    scalars, deepest = list(_scalars(node)), _deepest(node)
    if not scalars or scalars[-1].span is None or isinstance(deepest, Alias):
        raise _no_room(source, node.line)
    start, end = scalars[-1].span
    end = start + len(source.text[start:end].rstrip())
    if not isinstance(deepest, Scalar):
        empty = _EMPTY_VALUE.match(source.text, end)  # the last scalar is then the key of the empty collection
        if empty is None:
            raise _no_room(source, node.line)
        end = empty.end()
    ends = _closed(source, end) if is_closed and _ends_in_flow(node) else []
    return ends[-1] if ends else end


def _closed(source: Source, offset: int) -> list[int]:
    """The offsets behind each bracket that closes after `offset`, until something else than a comment follows."""
    ends: list[int] = []
    while hit := _BETWEEN.match(source.text, ends[-1] if ends else offset):
        ends.append(hit.end())
    return ends


def _ends_in_flow(node: Node) -> bool:
    while isinstance(node, Sequence | Mapping):
        if node.flow:
            return True
        below = node.items if isinstance(node, Sequence) else [value for _, value in node.pairs]
        if not below:
            return False
        node = below[-1]
    return False


def _deepest(node: Node) -> Node:
    """The node that is written last at or below `node`: an alias, a scalar, or a collection without anything in it."""
    while isinstance(node, Sequence | Mapping):
        below = node.items if isinstance(node, Sequence) else [value for _, value in node.pairs]
        if not below:
            break
        node = below[-1]
    return node


def _end_of(source: Source, scalar: Scalar) -> int:
    if scalar.span is None:
        raise _no_room(source, scalar.line)
    return scalar.span[1]


def _line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def _line_before(source: Source, scalar: Scalar) -> str:
    """What stands before `scalar` in its line, a byte-order mark left out."""
    start = scalar.span[0] if scalar.span else 0
    return source.text[_line_start(source.text, start) : start].removeprefix("\ufeff")


def _newline(source: Source) -> str:
    first = BREAK.search(source.text)
    return first[0] if first else "\n"


def _no_room(source: Source, line: int) -> Refusal:
    hint = "add an `images:` entry for the image by hand: `- name: NAME` is enough"
    return ambiguous(source.file, [line], "got no place where an images entry can be added", hint=hint)
