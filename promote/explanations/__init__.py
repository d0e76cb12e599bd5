"""What each error code means, in words for people: the one source of `promote explain` and of docs/errors/."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

FILES = ("gates", "commandline", "git", "registries", "checks")
"""The tables, by subject, in the order in which the codes are listed."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code: the exit code it leads to, what it means, what stands under got and expected, and what to do.

    `why` is None where promote.output.why has the words, which every refusal prints.
    """

    code: str
    exit_code: int
    means: str
    got: str
    expected: str
    do: str
    why: str | None = None


def explanations() -> Mapping[str, Explanation]:
    """Every explanation by its code, those of one subject together."""
    found: dict[str, Explanation] = {}
    for name in FILES:
        text = (files(__name__) / f"{name}.toml").read_text(encoding="utf-8")
        for code, table in tomllib.loads(text).items():
            exit_code = table.pop("exit")
            found[code] = Explanation(code, exit_code, **table)
    return found


def transcript(code: str) -> str | None:
    """What a real run printed that ended with this code, with the command before it; None where there is none."""
    file = files(__name__) / "transcripts" / f"{code}.txt"
    return file.read_text(encoding="utf-8") if file.is_file() else None
