"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from promote.errors import Fault

MOST = 100
"""Pages of one list: ten thousand open requests, and a host that never ends its list is left."""


def pages(page: Callable[[int], list[Any]], size: int) -> Iterator[Any]:
    """Every item of a list; `page` gives one page (the first is 1), and one with fewer than `size` items is the last.

    Raises `Fault` after `MOST` pages.
    """
    for number in range(1, MOST + 1):
        items = page(number)
        yield from items
        if len(items) < size:
            return
    raise Fault(
        "forge-answer",
        f"got more than {MOST} pages of one list, expected it to end",
        hint="close some of the open pull requests of the GitOps repository",
    )
