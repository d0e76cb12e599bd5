"""Lists that come in pages, and those that never end."""

from __future__ import annotations

import pytest

from promote.errors import Fault
from promote.gitops.forge.paging import MOST, pages


def test_the_page_that_is_not_full_is_the_last():
    asked = []

    def page(number):
        asked.append(number)
        return [[1, 2], [3, 4], [5], [6]][number - 1]

    assert list(pages(page, 2)) == [1, 2, 3, 4, 5]
    assert asked == [1, 2, 3]


def test_a_list_without_end_is_left():
    asked = []

    def page(number):
        asked.append(number)
        return [number]

    with pytest.raises(Fault, match="more than 100 pages") as raised:
        list(pages(page, 1))
    assert (raised.value.code, len(asked)) == ("forge-answer", MOST)
