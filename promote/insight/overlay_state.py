"""What an overlay pins of each app, from files that are known by their objects; read anew only where it must be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from promote.errors import Refusal
from promote.insight.layout import Slot, Where
from promote.model.malformed import Malformed, shown
from promote.model.record import Pinned
from promote.model.release import Pin
from promote.overlays.sites import pins
from promote.overlays.tree import Tree

_TAG = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_NOT_TEXT = frozenset({b"null", b"Null", b"NULL"})
_NO_OVERLAY = "no-overlay"


@dataclass(frozen=True, slots=True)
class State:
    """What one slot pins: sorted, each once.

    `problem` says why that cannot be told; `there` is False where there is no overlay.
    """

    pins: tuple[Pinned, ...] = ()
    problem: str | None = None
    there: bool = True


ABSENT = State(there=False)


class Files:
    """The files of one commit, by path: a `Tree` of overlays.  `apply` turns it into that of another commit.

    `special` are the paths of symbolic links and submodules.  `read_blob` gives the content of an object.
    """

    def __init__(self, files: dict[str, str], special: set[str], read_blob: Callable[[str], bytes]) -> None:
        self._files = files
        self._special = special
        self._read_blob = read_blob
        self.asked: set[str] = set()
        """The paths that were asked for, there or not, since somebody emptied this."""

    def oid(self, path: str) -> str | None:
        """The object of the file at `path`."""
        return self._files.get(path)

    def apply(self, path: str, oid: str | None) -> None:
        """Let `path` hold another object, or nothing."""
        self._special.discard(path)
        if oid is None:
            self._files.pop(path, None)
        else:
            self._files[path] = oid

    def read(self, path: str) -> bytes | None:
        """See `promote.overlays.tree.Tree`; raises `Refusal` for a link or a submodule, as a snapshot does."""
        self.asked.add(path)
        oid = self._files.get(path)
        if oid is not None:
            return self._read_blob(oid)
        if self._special and any(p in self._special for p in (path, *_parents(path))):
            raise Refusal(
                "overlay-ambiguous", f"{shown(path)} is, or lies behind, a symbolic link or a submodule", exit_code=16
            )
        return None


def read_states(
    files: Files, directory: str, members: Mapping[Slot, Where]
) -> tuple[dict[Slot, State], Template | None]:
    """What each of `members`, all in `directory`, pins; with a template where there is just one pin in one file."""
    found = _together(files, directory, members) if len(members) > 1 else None
    if found is None:
        found = {slot: _alone(files, where) for slot, where in members.items()}
    template = _template(files, found)
    return {slot: _state(pinned) for slot, pinned in found.items()}, template


def pinned_by(tree: Tree, where: Where) -> State:
    """What the overlay at `where` pins in any tree."""
    return _state(_alone(tree, where))


@dataclass(frozen=True, slots=True)
class Template:
    """A file with just one pin, of `slot`, cut around tag and digest, each of which stands there once.

    Whatever reads the pin out of this file reads it out of any other that differs in these two words only: what may
    stand in their place (a tag of OCI's grammar, a sha256 digest) means nothing else in YAML wherever they can stand.
    That spares most versions of a file from being parsed.
    """

    path: str
    slot: Slot
    before: bytes
    between: bytes
    after: bytes
    tag_first: bool

    def match(self, content: bytes) -> State | None:
        """What `content` pins; None when it differs in more than tag and digest."""
        start, end = len(self.before), len(content) - len(self.after)
        if end < start or not content.startswith(self.before) or not content.endswith(self.after):
            return None
        first, cut, second = content[start:end].partition(self.between)
        tag, digest = (first, second) if self.tag_first else (second, first)
        if not cut or tag in _NOT_TEXT or not _TAG.fullmatch(tag) or not _DIGEST.fullmatch(digest):
            return None
        return State((Pinned(tag.decode(), digest.decode()),))


def _template(files: Files, found: Mapping[Slot, tuple[Pin, ...] | State]) -> Template | None:
    pinned = [(slot, pin) for slot, pins_ in found.items() if isinstance(pins_, tuple) for pin in pins_]
    if len(pinned) != 1:
        return None
    slot, pin = pinned[0]
    oid = files.oid(pin.file)
    if oid is None or not pin.tag or not pin.digest:
        return None
    content = files.read(pin.file) or b""
    tag, digest = pin.tag.encode(), str(pin.digest).encode()
    at, there = content.find(tag), content.find(digest)
    # An escape could spell the tag where it counts, and the one that is found be in a comment.
    once = content.count(tag) == 1 == content.count(digest) and b"\\" not in content
    if not once or not _TAG.fullmatch(tag) or not _DIGEST.fullmatch(digest):
        return None
    (a, first), (b, second) = sorted([(at, tag), (there, digest)])
    between = content[a + len(first) : b]
    if not between or _TAG.fullmatch(b"x" + between):
        return None  # without a sign between them nobody could say where the one ends
    return Template(pin.file, slot, content[:a], between, content[b + len(second) :], tag_first=at < there)


def _alone(tree: Tree, where: Where) -> tuple[Pin, ...] | State:
    try:
        return pins(tree, where.directory, where.names, where.fields)
    except Refusal as refusal:
        return ABSENT if refusal.code == _NO_OVERLAY else State(problem=refusal.message)
    except Malformed as problem:
        return State(problem=str(problem))


def _together(
    files: Files, directory: str, members: Mapping[Slot, Where]
) -> dict[Slot, tuple[Pin, ...] | State] | None:
    """One pass for several apps; None when it cannot be told whose each pin is."""
    if any(where.fields for where in members.values()):
        return None
    everything = _alone(files, Where(directory, frozenset().union(*(where.names for where in members.values()))))
    if isinstance(everything, State):
        return dict.fromkeys(members, everything) if everything is ABSENT else None
    found: dict[Slot, tuple[Pin, ...]] = dict.fromkeys(members, ())
    for pin in everything:
        owners = [slot for slot, where in members.items() if pin.name in where.names]
        if len({slot.app for slot in owners}) != 1:
            return None
        for slot in owners:
            found[slot] += (pin,)
    return dict(found)


def _state(found: tuple[Pin, ...] | State) -> State:
    if isinstance(found, State):
        return found
    return State(tuple(sorted({Pinned(p.tag or "", str(p.digest) if p.digest else "") for p in found})))


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]
