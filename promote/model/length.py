"""Lengths of time, and moments, as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def said(length: timedelta) -> str:
    """A length to the minute, in the two largest units that it has, such as ``1 d 2 h``; below a minute in seconds."""
    return " ".join(_parts(length)[:2]) or f"{max(int(length.total_seconds()), 0)} s"


def ago(length: timedelta) -> str:
    """How long ago something was, in the largest unit, such as ``5 h ago``; ``just now`` below a minute.

    What is still to come, by somebody's clock, is ``in the future``.
    """
    if length < -timedelta(minutes=1):
        return "in the future"
    return "just now" if length < timedelta(minutes=1) else f"{_parts(length)[0]} ago"


def utc(moment: datetime) -> str:
    """A moment that has a zone, in UTC to the second, such as ``2026-01-02 03:04:05 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _parts(length: timedelta) -> list[str]:
    """The units of `length` that are not zero, the largest first."""
    seconds, parts = max(int(length.total_seconds()), 0), []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return parts
