"""`promote explain`: every code in words, in each format, and a near one named where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from support.git_world import isolate
from support.gitops_repo import make

import promote.output
from promote.explanations import explanations, transcript

SCHEMA = Path(promote.output.__file__).parent / "schemas" / "promote.explain.v1.json"


@pytest.fixture
def repo(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    return make(tmp_path, remote=False)


def checked(out: str) -> list[dict]:
    schema = json.loads(SCHEMA.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    value = json.loads(out)
    jsonschema.Draft202012Validator(schema).validate(value)
    return value["explanations"]


def test_one_code_is_told_with_what_to_do_and_an_example(repo):
    ran = repo.run("explain", "floating-tag")
    assert ran.code == 0
    assert ran.out.startswith("floating-tag (exit 14)\n  means ")
    assert "  why       a tag that moves would let tomorrow's bytes run under today's approval\n" in ran.out
    assert "    $ promote 'staging->prod' latest\n" in ran.out
    assert ran.out.endswith("    $ echo $?\n    14\n")


def test_without_a_code_all_are_listed_by_exit_code(repo):
    ran = repo.run("explain")
    assert ran.code == 0
    listed = [row.split()[0] for row in ran.out.splitlines() if row.startswith("  ")]
    assert sorted(listed) == sorted(explanations())
    heads = [int(row.removeprefix("exit ")) for row in ran.out.splitlines() if row.startswith("exit ")]
    assert heads == sorted({e.exit_code for e in explanations().values()})


def test_json_has_one_code_or_all_and_follows_its_schema(repo):
    (one,) = checked(repo.run("explain", "no-sbom", "--format", "json").out)
    assert (one["code"], one["exit_code"], one["example"]) == ("no-sbom", 13, transcript("no-sbom"))
    assert [row["code"] for row in checked(repo.run("explain", "--format", "json").out)] == list(explanations())


def test_markdown_is_the_page(repo):
    out = repo.run("explain", "no-sbom", "--format", "markdown").out
    assert out.startswith("# no-sbom\n\nExit code **13**.")
    assert out.count("```") == 2


def test_an_unknown_code_is_refused_with_the_nearest(repo):
    ran = repo.run("explain", "flotaing-tag", "--format", "json")
    error = ran.json["error"]
    assert (ran.code, error["code"], error["hint"]) == (2, "code-unknown", "promote explain floating-tag")
    assert repo.run("explain", "\x1b[31m").out.count("\x1b") == 0


def test_a_shell_is_offered_the_codes():
    from promote.cli.explain import codes

    assert codes("rebuilt-at") == ["rebuilt-at-target"]
    assert codes("") == list(explanations())
