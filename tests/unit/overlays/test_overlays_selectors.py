# ruff: noqa: E501  lists of selectors
"""Selectors choose by labels as Kubernetes does, and what is no selector is said."""

import pytest

from promote.overlays.selectors import UnknownSelector, is_selected

LABELS = {"app": "web", "x.example/tier": "front", "empty": ""}


@pytest.mark.parametrize(
    "selector",
    [
        "", "app=web", "app==web", " app = web ", "app", "!other", "app!=api", "other!=web", "x.example/tier=front", "empty=",
        "app in (web,api)", "app in ( api , web )", "app notin (api)", "other notin (web)", "app=web,x.example/tier in (front),!other",
    ],
)  # fmt: skip
def test_a_requirement_that_is_met(selector):
    assert is_selected(selector, LABELS)


@pytest.mark.parametrize(
    "selector",
    ["app=api", "app!=web", "other", "!app", "other=web", "app in (api)", "app notin (web,api)", "app=web,other", "other,app=web"],
)  # fmt: skip
def test_a_requirement_that_is_not_met(selector):
    assert not is_selected(selector, LABELS)


@pytest.mark.parametrize(
    "selector",
    [
        "app=(web)",
        "app in web",
        "=web",
        "app>1",
        "app=we b",
        ",",
        "app in (a",
        "a b",
        "app=web,,b",
        "-a",
        "a" * 1025,
        "a" + " " * 1000 + "(",
    ],
)
def test_what_is_no_selector(selector):
    with pytest.raises(UnknownSelector):
        is_selected(selector, LABELS)
