"""Points in time as documents write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

SKEW = timedelta(minutes=10)
"""How far two clocks may be apart before what they say is a contradiction."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def instant(text: object) -> datetime | None:
    """The moment that `text` writes as RFC 3339, in UTC; None for anything else, a time without a zone included."""
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        return None
    fraction = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        return datetime.fromisoformat(fraction.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
