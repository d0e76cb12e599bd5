"""Where the pins were when promote.yaml was another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.git_insight import CONFIG

from promote.config.load import load
from promote.insight.layout import Slot, Where, earlier, layout
from promote.model.configuration import Configuration

WEB = Slot("prod", "web", 0, 0)


@pytest.fixture(scope="module")
def configuration(tmp_path_factory) -> Configuration:
    path = Path(tmp_path_factory.mktemp("layout")) / "promote.yaml"
    path.write_text(json.dumps(CONFIG))
    return load(path)


def of(configuration: Configuration):
    return layout(configuration, "team", ["prod"], ["web"])


def older(configuration: Configuration, text: str):
    return earlier(of(configuration), configuration, "team", text.encode())


def test_a_slot_lies_below_the_directory_of_promote_yaml(configuration):
    assert of(configuration) == {
        WEB: Where("team/overlays/web/prod", configuration.image_names(configuration.apps["web"]))
    }


def test_an_older_file_says_where_it_was_and_what_it_was_called(configuration):
    text = "apps: {shop: {image: acme/web, names: old}}\nenvironments: {prod: {registry: r, overlays: ['old/{app}']}}\n"
    where = older(configuration, text)[WEB]
    assert where.directory == "team/old/shop"
    assert {"old", "r/acme/web", "web"} <= where.names


def test_an_older_file_that_had_entries_of_other_apps_before_it_says_where_it_was(configuration):
    text = (
        "apps: {shop: {image: acme/web}, api: {image: acme/api}}\nenvironments:\n  prod:\n    registry: r\n"
        "    overlays: [{path: x/api, apps: [api]}, {path: 'old/{app}', apps: [api, shop]}]\n"
    )
    assert older(configuration, text)[WEB].directory == "team/old/shop"


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "- a", "null", "apps: {}", "apps: 1\nenvironments: 2",
        "apps: {web: {image: acme/web}}\nenvironments: {}",
        "apps: {web: {image: acme/web}}\nenvironments: {prod: {registry: r, overlays: [a/.git/b]}}",
        "apps: {web: {image: acme/web}}\nenvironments: {prod: {registry: r, overlays: [\"a\\x07\"]}}",
        "apps: {web: {image: acme/web}}\nenvironments: {prod: {registry: r, overlays: [../../out]}}",
        "apps: {web: {image: acme/web}}\nenvironments: {prod: {registry: r, overlays: [/etc]}}",
        "apps: {web: {image: acme/web}}\nenvironments: {qa: {registry: r, overlays: [a]}}",
        "apps: {web: {image: acme/web}}\nenvironments: {prod: {registry: ' :bad:', overlays: [a]}}",
        "apps: {other: {image: acme/other}}\nenvironments: {prod: {registry: r, overlays: [a]}}",
        "apps: {web: {image: acme/web}}\nenvironments: {prod: {registry: r, overlays: [{path: a, apps: [api]}]}}",
        "apps: {web: {image: acme/web}}\nenvironments: {prod: {registry: r, overlays: [{path: a}, {apps: web}, {}]}}",
    ],
)  # fmt: skip
def test_a_file_that_does_not_say_changes_nothing(configuration, text):
    assert older(configuration, text) == of(configuration)


@settings(max_examples=80)
@given(st.text(alphabet="apsenvirom:{}[]\n -webd/.&*<'\"|0", max_size=200))
def test_no_older_file_is_too_odd(configuration, text):
    for head in ("", "apps: {web: {image: acme/web}}\nenvironments:\n "):
        assert older(configuration, head + text).keys() == {WEB}
