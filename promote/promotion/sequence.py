"""The order of environments by custom: what their names say of where they stand, and what is promoted from where."""

from __future__ import annotations

import re
from collections.abc import Collection

_WORDS = (
    ("dev", "develop", "development", "sandbox", "sbox", "sbx"),
    ("int", "integration"),
    ("test", "testing", "tst"),
    ("qa",),
    ("stag", "stg", "stage", "staging", "nonprod", "non-prod"),
    ("uat", "acc", "acceptance"),
    ("preprod", "pre-prod", "preproduction", "pre-production"),
    ("canary",),
    ("prod", "prd", "production", "live"),
)
"""What environments are called, in the order that releases go; a name that has none of them says nothing."""

_RANKS = {word: rank for rank, words in enumerate(_WORDS, start=1) for word in words}
_WORD = re.compile(rf"(?:^|(?<=[-_.]))(?:{'|'.join(sorted(_RANKS, key=len, reverse=True))})(?=$|[-_.\d])")


def rank(name: str) -> int:
    """The place of an environment in the order of promotion; 0 for a name that says nothing.

    Of several words the furthest counts; a longer one, such as pre-prod, hides what it ends with.
    """
    return max((_RANKS[word] for word in _WORD.findall(name)), default=0)


def is_plain(name: str) -> bool:
    """Whether `name` is such a word and nothing else, a number apart."""
    return re.sub(r"[-_.]?\d+$", "", name) in _RANKS


def qualifier(name: str) -> str:
    """What `name` says besides the word: a region, a cluster; "" for a plain one."""
    return re.sub(r"[-_.]+", "-", _WORD.sub("", name)).strip("-")


def in_order(names: Collection[str]) -> list[str]:
    """`names` in the order of promotion; those that say nothing come first, and equals by name."""
    return sorted(names, key=lambda name: (rank(name), name))


def sources(name: str, names: Collection[str]) -> tuple[str, ...]:
    """Which of `names` is promoted to `name`: of the stage before, its own region, else the one without, else all.

    () for the first stage, and for a name that says nothing: it is for a person to say.
    """
    stages = {rank(n) for n in names if 0 < rank(n) < rank(name)}
    before = [n for n in in_order(names) if stages and rank(n) == max(stages)]
    for wanted in (qualifier(name), ""):
        if alike := [n for n in before if qualifier(n) == wanted]:
            return tuple(alike)
    return tuple(before)
