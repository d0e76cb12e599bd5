"""Which environments come first, and what each is promoted from."""

from __future__ import annotations

import pytest

from promote.promotion.sequence import in_order, is_plain, qualifier, rank, sources


def test_environments_stand_in_the_order_that_releases_go():
    names = ["live", "pre-prod", "uat", "stage", "qa", "test", "int", "dev", "canary"]
    assert in_order(names) == ["dev", "int", "test", "qa", "stage", "uat", "pre-prod", "canary", "live"]


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("prod-eu", "prod"), ("eu.prod", "prod"), ("prod2", "prod"), ("production_us", "prod"),
        ("pre-prod-eu", "preprod"),
        ("preproduction", "preprod"), ("non-prod", "staging"), ("nonprod", "staging"), ("stg01", "staging"),
    ],
)  # fmt: skip
def test_a_region_or_a_number_changes_no_place(name, like):
    assert rank(name) == rank(like) != 0


@pytest.mark.parametrize(
    "name", ["products", "deviation", "latest", "livestock", "blue", "eu-west-1", "", "integrator"]
)
def test_a_word_inside_another_says_nothing(name):
    assert rank(name) == 0


def test_a_plain_name_is_the_word_alone():
    assert [n for n in ("prod", "prod2", "prod-1", "prod-eu", "test-runner", "blue") if is_plain(n)] == [
        "prod", "prod2", "prod-1",
    ]  # fmt: skip


def test_a_qualifier_is_what_is_left_of_the_name():
    assert [qualifier(n) for n in ("prod", "prod-eu", "eu-prod", "init-db_staging.2")] == ["", "eu", "eu", "init-db-2"]


@pytest.mark.parametrize(
    ("name", "names", "came"),
    [
        ("prod", ["dev", "staging", "prod"], ("staging",)),
        ("prod-eu", ["staging", "prod-eu", "prod-us"], ("staging",)),
        ("prod-eu", ["staging-eu", "staging-us", "prod-eu"], ("staging-eu",)),
        ("prod-eu", ["staging", "staging-us", "prod-eu"], ("staging",)),
        ("prod", ["staging-eu", "staging-us", "prod"], ("staging-eu", "staging-us")),
        ("dev", ["dev", "prod"], ()),
        ("blue", ["dev", "blue"], ()),
        ("prod", ["blue", "prod"], ()),
        ("production", ["prod", "production"], ()),
    ],
)
def test_an_environment_is_promoted_from_the_stage_before_and_its_own_region(name, names, came):
    assert sources(name, names) == came
