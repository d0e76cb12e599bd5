"""The shipped schemas are schemas, and those of the linter and the doctor know every word that these use."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

import promote.output.doctor
import promote.output.lint
import promote.output.settings
from promote.model.checkup import Check, CheckupResult, Health
from promote.model.lint import Level, LintFinding, LintResult, Rule
from promote.model.result import ErrorResult
from promote.model.setting import Setting, SettingsResult

SCHEMAS = Path(promote.output.lint.__file__).parent / "schemas"
ROOM = Path(promote.output.lint.__file__).parents[1]
ERROR = ErrorResult("bad-key", "it is no key", expected=None, actual=None, hint="look at it")


def schema(name: str) -> dict:
    return json.loads((SCHEMAS / f"promote.{name}.v1.json").read_text())


@pytest.mark.parametrize("word", ["config", "doctor", "lint"])
def test_each_is_a_closed_schema_that_says_its_own_name(word):
    value, name = schema(word), f"promote.{word}"
    jsonschema.Draft202012Validator.check_schema(value)
    assert value["$id"] == f"urn:promote:schema:{name}:v1"
    assert value["additionalProperties"] is False
    assert set(value["required"]) == set(value["properties"])
    assert value["properties"]["schema"] == {"const": f"{name}/v1"}


@pytest.mark.parametrize(
    ("module", "name"),
    [(promote.output.lint, "lint"), (promote.output.doctor, "doctor"), (promote.output.settings, "config")],
)
def test_each_output_names_the_schema_that_is_shipped(module, name):
    assert f"promote.{name}/v1" == module.SCHEMA
    assert schema(name)["title"] == module.SCHEMA


def test_every_rule_and_level_is_in_the_schema_and_no_other():
    finding = schema("lint")["$defs"]["finding"]["properties"]
    assert finding["rule"]["enum"] == [rule.code for rule in Rule]
    assert finding["level"]["enum"] == [level.value for level in Level]
    assert len({rule.code for rule in Rule}) == len(Rule)


def test_every_health_and_area_is_in_the_schema():
    check = schema("doctor")["$defs"]["check"]["properties"]
    assert sorted(check["health"]["enum"]) == sorted(health.value for health in Health)
    source = "".join((ROOM / f"promotion/{name}.py").read_text() for name in ("checkup", "registry_checks"))
    areas = set(re.findall(r'(?:Check|_attempt|failed)\(\s*"([a-z]+)"', source))
    assert areas == set(check["area"]["enum"])


@pytest.mark.parametrize("rule", Rule)
def test_a_finding_of_each_rule_is_valid(rule):
    finding = LintFinding(rule, "a/b.yaml", 3, "", "it is so", None)
    result = LintResult(14, ("",), (finding,), ERROR)
    value = json.loads(promote.output.lint.render_json(result))
    jsonschema.validate(value, schema("lint"))
    assert value["overlays"] == ["."]


@pytest.mark.parametrize("health", Health)
def test_a_check_of_each_health_is_valid(health):
    check = Check("git", "push", health, "m", "bad-key", "f", 2)
    jsonschema.validate(json.loads(promote.output.doctor.render_json(CheckupResult.of((check,)))), schema("doctor"))


def test_settings_and_their_errors_are_valid():
    for result in (SettingsResult(0, settings={"version": Setting(1, 1)}), SettingsResult(2, error=ERROR)):
        jsonschema.validate(json.loads(promote.output.settings.render_json(result)), schema("config"))
