"""The name of a request's branch, and which other branch it takes the place of."""

from __future__ import annotations

import pytest

from promote.gitops.request_branch import branch_name, takes_the_place

A, B = "a" * 64, "b" * 64


def test_one_app_gives_its_name_and_twelve_digits():
    assert branch_name("prod", {"shop": A}) == "promote/prod/shop/aaaaaaaaaaaa"


def test_several_apps_give_one_name_whatever_their_order():
    name = branch_name("prod", {"web": B, "shop": A})
    assert name == branch_name("prod", {"shop": A, "web": B})
    assert name.startswith("promote/prod/shop+web/")
    assert name != branch_name("prod", {"shop": B, "web": A})


def test_very_many_apps_give_a_short_name():
    apps = {f"service-{number}": A for number in range(50)}
    assert len(branch_name("prod", apps)) < 80
    assert branch_name("prod", apps) != branch_name("prod", {**apps, "web": A})


@pytest.mark.parametrize(
    ("new", "old", "answer"),
    [
        ("promote/prod/shop/2", "promote/prod/shop/1", True),
        ("promote/prod/shop+web/2", "promote/prod/web/1", True),
        ("promote/prod/shop+web/2", "promote/prod/shop+web/1", True),
        ("promote/prod/shop/2", "promote/prod/shop+web/1", False),
        ("promote/prod/shop/2", "promote/prod/shop/2", False),
        ("promote/prod/shop/2", "promote/staging/shop/1", False),
        ("promote/prod/shop/2", "promote/prod/web/1", False),
        ("promote/prod/shop/2", "promote/prod/shop", False),
        ("promote/prod/shop/2", "feature/prod/shop/1", False),
        ("promote/prod/shop/2", "promote/prod/shop/1/more", False),
        ("promote/prod/2-apps+0123/2", "promote/prod/2-apps+0123/1", True),
    ],
)
def test_a_request_takes_the_place_of_those_whose_apps_it_has_all(new, old, answer):
    assert takes_the_place(new, old) is answer
