"""Sizes, rates and counts as people read them."""

from __future__ import annotations

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: float) -> str:
    """A number of bytes, such as ``33.4 KiB``."""
    units = list(UNITS)
    while count >= 1024 and len(units) > 1:
        count, units = count / 1024, units[1:]
    return f"{count:.0f} {units[0]}" if units[0] == "B" else f"{count:.1f} {units[0]}"


def rate(count: float, seconds: float) -> str:
    """Bytes in a time, such as ``12.0 MiB/s``; a time too short to measure counts as a millisecond."""
    return f"{size(count / max(seconds, 0.001))}/s"


def counted(count: int, noun: str) -> str:
    """A number of things, such as ``1 blob`` and ``2 blobs``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
