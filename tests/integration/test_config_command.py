"""`promote config`: what is shown is a promote.yaml that means the same, and every value has the line it is from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.git_world import isolate
from support.gitops_repo import GitopsRepo, make
from support.in_process import schema

from promote.config.load import load
from promote.config.schema import json_schema
from promote.model.configuration import Configuration
from promote.model.digest import Digest

FULL = """\
version: 1
apps:
  web: {image: acme/web, names: [web, "on"], source: "https://github.com/acme/web"}
  api: {image: acme/api}
environments:
  staging: {registry: "oci:registries/staging", overlays: [overlays/staging]}
  prod:
    from: [staging]
    places:
      - {registry: eu.example/acme, overlays: ["overlays/{app}/eu"]}
      - {registry: us.example, pull: pull.example, overlays: ["overlays/{app}/us"]}
    gates:
      deployed: current
      sbom: {min_packages: 5, deny: ["pkg:npm/evil"]}
      signature: {annotations: {env: prod}}
      attestations: [{type: vuln}]
      commit: {require: [label]}
      vulnerabilities: {max: {high: 3}}
  open:
    from: [staging]
    registry: open.example
    gates: {signature: off, sbom: off, vulnerabilities: off}
trust:
  signers:
    - {name: build, issuer: "https://i.example", identity_pattern: "https://github.com/acme/web/*", source: {ref: main}}
gates:
  tag: '(?P<commit>[0-9a-f]{40})'
  signature: {annotations: {repo: acme/web}, log: proof}
  sbom: {max_age: 7d, deny: ["pkg:npm/bad@<2"], profiles: {ntia: report}}
  attestations: [{type: slsaprovenance1}]
  commit: {require: [certificate]}
  vulnerabilities: {max: {critical: 0}, max_age: 24h}
git: {branch: main}
registries: {"eu.example": {concurrency: 4}}
"""


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def at(root: Path, text: str = FULL) -> GitopsRepo:
    (root / "promote.yaml").write_text(text)
    return GitopsRepo(root, root, None, {})


def told(repo: GitopsRepo, *arguments: str) -> dict[str, Any]:
    ran = repo.run("config", "show", *arguments, "--format", "json")
    value: dict[str, Any] = json.loads(ran.out)
    schema("config").validate(value)
    assert value["exit_code"] == ran.code
    return value


def meaning(path: Path) -> Configuration:
    """What a file means, whatever its bytes are."""
    return replace(load(path), digest=Digest.of(b""))


@pytest.mark.parametrize("options", [(), ("--origin",)], ids=["plain", "origin"])
def test_what_is_shown_means_the_same(tmp_path, options):
    repo = at(tmp_path)
    before = meaning(repo.root / "promote.yaml")
    shown = repo.run("config", "show", *options)
    assert shown.code == 0
    (repo.root / "promote.yaml").write_text(shown.out)
    after = meaning(repo.root / "promote.yaml")
    assert after == before
    for mapping in ("apps", "environments", "gates", "registries"):
        assert dict(getattr(after, mapping)) == dict(getattr(before, mapping))
    assert repo.run("config", "show").out == repo.run("config", "show").out


def test_an_example_world_and_its_json_mean_the_same_too(tmp_path):
    repo = make(tmp_path)
    before = meaning(repo.root / "promote.yaml")
    value = told(repo)["configuration"]
    repo.write("promote.yaml", json.dumps(value))
    assert dict(meaning(repo.root / "promote.yaml").gates) == dict(before.gates)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("gates", "deployed"), "current", 13),
        (("gates", "tag"), "(?P<commit>[0-9a-f]{40})", 27),
        (("gates", "sbom", "min_packages"), 5, 14),
        (("gates", "sbom", "max_age"), "7d", 29),
        (("gates", "sbom", "min_versions"), 0, None),
        (("gates", "sbom", "profiles", "ntia"), "report", 29),
        (("gates", "sbom", "deny", 0), "pkg:npm/bad@<2", 29),
        (("gates", "sbom", "deny", 1), "pkg:npm/evil", 14),
        (("gates", "signature", "annotations", "repo"), "acme/web", 28),
        (("gates", "signature", "annotations", "env"), "prod", 15),
        (("gates", "signature", "log"), "proof", 28),
        (("gates", "signature", "threshold"), 1, None),
        (("gates", "attestations", 0, "type"), "slsaprovenance1", 30),
        (("gates", "attestations", 1, "type"), "vuln", 16),
        (("gates", "commit", "require", 1), "label", 17),
        (("gates", "vulnerabilities", "max", "critical"), 0, 32),
        (("gates", "vulnerabilities", "max", "high"), 3, 18),
        (("gates", "effect"), "checked", None),
        (("places", 0, "pull"), "eu.example/acme", None),
        (("places", 1, "pull"), "pull.example", 11),
        (("from", 0), "staging", 8),
    ],
    ids=str,
)
def test_a_value_has_the_line_that_decides_it(tmp_path, path, value, line):
    found = told(at(tmp_path), "prod")["settings"]
    wanted = ["environments", "prod", *path]
    assert [(s["value"], s["line"]) for s in found if s["path"] == wanted] == [(value, line)]


def test_gates_that_are_turned_off_are_shown_as_that(tmp_path):
    gates = told(at(tmp_path), "open")["configuration"]["environments"]["open"]["gates"]
    assert (gates["signature"], gates["sbom"], gates["vulnerabilities"]) == ("off", "off", "off")


def test_one_environment_is_shown_alone(tmp_path):
    value = told(at(tmp_path), "staging")
    assert (value["environment"], list(value["configuration"]["environments"])) == ("staging", ["staging"])


def test_origins_stand_behind_the_values(tmp_path):
    rows = at(tmp_path).run("config", "show", "prod", "--origin").out.splitlines()
    found = {row.partition("#")[0].strip(): row.partition("#")[2].strip() for row in rows if "#" in row}
    assert found["deployed: current"] == "promote.yaml:13"
    assert found["effect: checked"] == "default"


def test_the_schema_is_the_shipped_one_with_and_without_a_promote_yaml(tmp_path):
    ran = GitopsRepo(tmp_path, tmp_path, None, {}).run("config", "schema")
    assert (ran.code, json.loads(ran.out)) == (0, json_schema())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "nowhere"), "environment-unknown"),
        (("schema", "prod"), "usage"),
        (("show", "--config", "gone.yaml"), "file-unreadable"),
    ],
    ids=["environment", "schema", "file"],
)
def test_what_cannot_be_shown_is_said(tmp_path, arguments, code):
    repo = at(tmp_path)
    ran = repo.run("config", *arguments, "--format", "json")
    assert (ran.code, json.loads(ran.out)["error"]["code"]) == (2, code)
    schema("config").validate(json.loads(ran.out))
    assert code in repo.run("config", *arguments).out


def test_text_from_outside_stays_a_value(tmp_path):
    evil = "x\u202e\u2028: y # z\n- ##[group]\u001b[31m"
    repo = at(tmp_path, yaml.safe_dump({**yaml.safe_load(FULL), "git": {"remote": evil}}))
    shown = repo.run("config", "show", "--origin").out
    assert yaml.safe_load(shown)["git"]["remote"] == evil
    assert "\x1b" not in shown
    assert "##[" not in shown
