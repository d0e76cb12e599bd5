"""The arrow: every way to say from where to where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promote.errors import Misuse
from promote.model.malformed import shown

SPELLINGS = "'staging->prod', staging:prod, or --from staging --to prod"
ARROWS = ("->", "→", "=>")


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where, and the words after it (apps and tags).

    `redirected`: the shell took the ``>`` of the arrow, so that stdout is a file called like `target`.
    """

    source: str
    target: str
    words: tuple[str, ...]
    redirected: bool = False


def parse(words: Sequence[str], source: str | None, target: str | None, redirected_to: str | None = None) -> Way:
    """The way that the words say, or the two options; raises `Misuse`.

    `redirected_to` is the environment that stdout is a file of, when the shell took the ``>`` of an unquoted arrow.
    """
    if source is not None or target is not None:
        if source is None or target is None:
            raise Misuse("usage", "got one of --from and --to, expected both", hint="promote --from staging --to prod")
        return Way(source, target, tuple(words))
    if not words:
        raise Misuse("usage", f"got no environments, expected {SPELLINGS}", hint="promote 'staging->prod' sha-4f2a91c")
    first, rest = words[0], tuple(words[1:])
    for arrow in ARROWS:
        left, found, right = first.partition(arrow)
        if found and left.strip() and right.strip():
            return Way(left.strip(), right.strip(), rest)
    if len(rest) >= 2 and rest[0] in ARROWS:
        return Way(first, rest[1], rest[2:])
    left, colon, right = first.partition(":")
    if colon and left and right:
        return Way(left, right, rest)
    if rest and rest[0] == "-":  # typed as `staging -> prod`: the shell leaves a lone dash
        first, rest = f"{first}-", rest[1:]
    if first.endswith("-"):
        return _eaten(first.removesuffix("-"), rest, redirected_to)
    raise Misuse(
        "usage",
        f"got {shown(first)!r}, expected {SPELLINGS}",
        expected=SPELLINGS,
        actual=shown(first),
        hint="promote 'staging->prod' sha-4f2a91c",
    )


def _eaten(source: str, rest: tuple[str, ...], redirected_to: str | None) -> Way:
    if redirected_to is not None:
        return Way(source, redirected_to, rest, redirected=True)
    words = " ".join(rest)
    raise Misuse(
        "arrow-redirected",
        f"got {shown(source)}- and no environment's file as stdout: the shell took the > of the arrow as a redirection",
        expected=SPELLINGS,
        actual=f"{shown(source)}-",
        hint=f"promote '{shown(source)}->TARGET' {shown(words)}".rstrip(),
    )
