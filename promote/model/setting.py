"""The effective configuration: every value that counts, and where it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from promote.model.result import ErrorResult


@dataclass(frozen=True, slots=True)
class Setting:
    """One value: text, a number, a truth value, or an empty list or mapping.  `line` None: nobody wrote it."""

    value: Any
    line: int | None


Settings: TypeAlias = "Setting | Mapping[str, Settings] | Sequence[Settings]"
"""Mappings and lists of settings, as promote.yaml has them."""


@dataclass(frozen=True, slots=True)
class SettingsResult:
    """The effective settings of `file`, for one environment or for all of them (None)."""

    exit_code: int
    file: str = "promote.yaml"
    environment: str | None = None
    settings: Settings | None = None
    error: ErrorResult | None = None


def flat(settings: Settings, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Setting]]:
    """Every single setting with the way to it: keys, and numbers in lists."""
    if isinstance(settings, Setting):
        yield path, settings
        return
    pairs = settings.items() if isinstance(settings, Mapping) else enumerate(settings)
    for key, below in pairs:
        yield from flat(below, (*path, key))


def plain(settings: Settings) -> Any:
    """The values alone, in plain mappings and lists."""
    if isinstance(settings, Setting):
        return settings.value
    if isinstance(settings, Mapping):
        return {key: plain(below) for key, below in settings.items()}
    return [plain(below) for below in settings]
