"""The `overlays:` of promote.yaml: directories for every app, and those that say for which."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import promote.config
from promote.config.load import load
from promote.errors import Misuse
from promote.model.environment import App, OverlayEntry

APPS = "apps: {web: {image: acme/web}, api: {image: acme/api}, job: {image: acme/job}}\n"
SCHEMA = json.loads((Path(promote.config.__file__).parent / "promote.schema.json").read_bytes())


def text(overlays: str, more: str = "") -> str:
    return f"version: 1\n{APPS}environments:\n  prod: {{registry: a.example, overlays: {overlays}{more}}}\n"


@pytest.fixture
def read(tmp_path):
    def reading(content: str):
        (tmp_path / "promote.yaml").write_text(content)
        return load(tmp_path / "promote.yaml")

    return reading


def app(name: str) -> App:
    return App(name, f"acme/{name}")


def test_an_entry_is_for_every_app_or_for_those_that_it_names(read):
    content = text('[all, {path: "src/{app}/./prod", apps: [web, job]}, {path: src/api, apps: [api]}]')
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml.safe_load(content))
    prod = read(content).environments["prod"]
    assert prod.places[0].overlays == (
        OverlayEntry("all"),
        OverlayEntry("src/{app}/prod", ("web", "job")),
        OverlayEntry("src/api", ("api",)),
    )
    assert {name: prod.places[0].overlays_of(app(name)) for name in ("web", "api", "job")} == {
        "web": ("all", "src/web/prod"),
        "api": ("all", "src/api"),
        "job": ("all", "src/job/prod"),
    }


def test_an_environment_lacks_an_app_that_all_its_overlays_are_for_others_of(read):
    found = read(
        f"version: 1\n{APPS}environments:\n"
        "  staging: {registry: a.example}\n"
        "  prod:\n    places:\n"
        "    - {registry: b.example, overlays: [{path: src/web, apps: [web]}]}\n"
        "    - {registry: c.example, overlays: [{path: src/api, apps: [api]}]}\n"
    ).environments
    assert [found["prod"].lacks(app(name)) for name in ("web", "api", "job")] == [False, False, True]
    assert not found["staging"].lacks(app("job"))


@pytest.mark.parametrize(
    ("overlays", "words"),
    [
        ("[{path: a, apps: [wbe]}]", "environments.prod.overlays.0.apps.0: unknown app 'wbe', did you mean 'web'?"),
        ("[{path: a, apps: [zzzzz]}]", "overlays.0.apps.0: unknown app 'zzzzz'"),
        ("[{path: a, apps: [web, web]}]", "overlays.0.apps.1: got web twice, expected each app once"),
        ("[{path: a, apps: []}]", "overlays.0.apps: got [], expected otherwise: list should have at least 1 item"),
        ("[{path: a}]", "overlays.0.apps: missing, expected a value"),
        ("[{apps: [web]}]", "overlays.0.path: missing, expected a value"),
        ("[{path: a, apps: [web], for: [web]}]", "overlays.0.for: unknown key 'for'"),
        ("[{path: ../a, apps: [web]}]", "overlays.0.path: got '../a', expected a directory below promote.yaml"),
        ("[{path: /a, apps: [web]}]", "overlays.0.path: got '/a', expected a directory below promote.yaml"),
        ("[{path: -a, apps: [web]}]", "overlays.0.path: got '-a', expected a directory below promote.yaml"),
        ("[{path: '', apps: [web]}]", "overlays.0.path: got , expected otherwise: string should have at least 1"),
        ("[a, b, a]", "overlays.2: got a again for web, expected one entry: item 1 has it"),
        ("[a, {path: ./a/, apps: [api]}]", "overlays.1: got a again for api, expected one entry: item 1 has it"),
        ('["{app}", {path: job, apps: [job]}]', "overlays.1: got job again for job, expected one entry"),
        ('[{path: "{app}", apps: [web]}, {path: web, apps: [api, web]}]', "overlays.1: got web again for web"),
        ("[[a]]", "overlays.0: got ['a'], expected otherwise: input should be a valid string"),
        ("[1]", "overlays.0: got 1, expected otherwise: input should be a valid string"),
        ("{path: a, apps: [web]}", "overlays: got"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(read, overlays, words):
    with pytest.raises(Misuse) as caught:
        read(text(overlays))
    assert (caught.value.code, caught.value.exit_code) == ("configuration-invalid", 2)
    assert "1 problem: promote.yaml:4: " in caught.value.message
    assert words in caught.value.message


def test_one_directory_may_be_of_two_apps_by_two_entries(read):
    entries = read(text("[{path: a, apps: [web]}, {path: a, apps: [api]}]")).environments["prod"].places[0].overlays
    assert entries == (OverlayEntry("a", ("web",)), OverlayEntry("a", ("api",)))


PARTS = ", fields: [{file: v.yaml, path: tag, value: tag@digest}]"


def test_a_part_needs_no_app_where_each_overlay_is_of_one(read):
    assert read(text("[{path: a, apps: [web]}, {path: b, apps: [api]}]", PARTS)).environments["prod"].places[0].fields


@pytest.mark.parametrize("overlays", ["[a]", "[{path: a, apps: [web, api]}]"])
def test_a_part_needs_its_app_where_an_overlay_is_of_several(read, overlays):
    with pytest.raises(Misuse, match="the overlay is of several apps"):
        read(text(overlays, PARTS))
