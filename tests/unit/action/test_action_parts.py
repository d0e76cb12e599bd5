"""The parts of the action that are pure: commands, outputs, permissions, where an overlay pins an app."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from promote_action import outputs, overlay, permissions, summary
from promote_action.annotations import MOST, annotations_of
from promote_action.commands import command
from promote_action.inputs import FORMATS, Wrong, read
from support.results import result_of

from promote.output import reading, text
from promote.output.json import as_object
from promote.output.style import Style


@settings(max_examples=150)
@given(message=st.text(max_size=60), title=st.text(min_size=1, max_size=30))
def test_command_is_one_line_whatever_it_says(message: str, title: str) -> None:
    line = command("error", message, title=title)
    assert len(line.splitlines()) == 1
    properties, _, _ = line.removeprefix("::error ").partition("::")
    assert properties.startswith("title=")
    assert "," not in properties
    assert "##[" not in line


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["promotion", "release", "reason", "config", "repo"]), st.text(max_size=20)))
def test_inputs_never_become_options(inputs: dict[str, str]) -> None:
    environ = {f"PROMOTE_INPUT_{name.upper()}": value.replace("\0", "") for name, value in inputs.items()}
    try:
        asked = read(environ)
    except Wrong:
        return
    line = asked.command_line(FORMATS[0])
    options = line[1 : line.index("--")]
    assert all(o.split("=")[0] in ("--reason", "--config", "--repo", "--jobs", "--format") for o in options)


def test_annotations_are_at_most_what_github_shows_and_worst_first() -> None:
    result = result_of("word", 12)
    lines = list(annotations_of(result, {"web": ("overlays/prod/kustomization.yaml", 3)}, "deploy"))
    assert all(line.startswith("::error file=deploy/overlays/prod/kustomization.yaml,line=3,") for line in lines)
    assert "refused by signature" in lines[0]
    assert "unknown by sbom" in lines[1]
    many = type(result)("promote", 12, releases=result.releases * 30, error=result.error)
    assert len(list(annotations_of(many, {}, ""))) == MOST


def test_several_apps_have_a_digest_a_line() -> None:
    value = as_object(result_of("word", 0))
    (release,) = value["releases"]
    both: dict[str, Any] = value | {"releases": [release, release | {"app": "api"}]}
    digest = release["digest"]
    assert outputs.of(value, 0)["digest"] == digest
    assert outputs.of(both, 0)["digest"] == f"web={digest}\napi={digest}"


def test_pull_request_that_waits_is_no_promotion() -> None:
    value = as_object(result_of("word", 0))
    value["commit"] |= {"pull_request": "https://github.com/acme/deploy/pull/7", "branch": "promote/x", "base": "main"}
    said = outputs.of(value, 0)
    assert (said["pull-request"], said["promoted"], said["changed"]) == (
        "https://github.com/acme/deploy/pull/7", "false", "true",
    )  # fmt: skip


def test_pull_request_that_was_merged_at_once_is_a_promotion() -> None:
    value = as_object(result_of("word", 0))
    value["commit"] |= {"pull_request": "https://github.com/acme/deploy/pull/7", "branch": "main", "base": None}
    said = outputs.of(value, 0)
    assert (said["pull-request"], said["promoted"]) == ("https://github.com/acme/deploy/pull/7", "true")
    read_back = reading.result_of(value)
    for written in (summary.of(read_back, None), text.render(read_back, Style(colour=False))):
        assert "Promoted" in written
        assert "merged and read back" in written
        assert "https://github.com/acme/deploy/pull/7" in written


def test_pull_request_that_waits_is_no_promotion_in_the_log_and_the_summary_either() -> None:
    value = as_object(result_of("word", 0))
    value["commit"] |= {"pull_request": "https://github.com/acme/deploy/pull/7", "branch": "promote/x", "base": "main"}
    read_back = reading.result_of(value)
    for written in (summary.of(read_back, None), text.render(read_back, Style(colour=False))):
        assert "Proposed" in written
        assert "Promoted" not in written
        assert "https://github.com/acme/deploy/pull/7" in written
        assert "rolls it out" not in written


def test_result_that_github_would_not_take_is_left_out_whole() -> None:
    said = outputs.of({"releases": [], "error": {"code": "x" * outputs.LONGEST}}, 3)
    assert json.loads(said["result"]) == {}


def test_outputs_cannot_end_early(tmp_path: Path) -> None:
    outputs.write({"GITHUB_OUTPUT": str(tmp_path / "out")}, {"digest": "a\nEOF\nchanged=true", "changed": "false"})
    lines = (tmp_path / "out").read_text().splitlines()
    first, second = lines[0].removeprefix("digest<<"), lines[5].removeprefix("changed<<")
    assert (lines[1:5], lines[6:], first != second) == (["a", "EOF", "changed=true", first], ["false", second], True)


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("git-credentials", "", "contents: write"),
        ("forge-token-missing", "", "pull-requests: write"),
        ("identity-missing", "", "id-token: write"),
        ("credentials-missing", "ghcr.io wants credentials", "packages: write"),
        ("credentials-refused", "registry.example refused", "docker login"),
    ],
)
def test_what_the_workflow_lacks_is_named_with_its_yaml(code: str, message: str, expected: str) -> None:
    advice = permissions.advice({"error": {"code": code, "message": message}})
    assert advice is not None
    assert expected in advice


def test_who_only_reads_is_not_told_to_write() -> None:
    error = {"code": "credentials-refused", "message": "ghcr.io refused"}
    for verb in ("verify", "status"):
        advice = permissions.advice({"command": verb, "error": error})
        assert advice is not None
        assert "packages: read" in advice
        assert "packages: write" not in advice


def test_status_is_of_the_apps_that_are_named() -> None:
    environ = {
        "PROMOTE_INPUT_COMMAND": "status",
        "PROMOTE_INPUT_RELEASE": "web --check",
        "PROMOTE_INPUT_ENVIRONMENT": "",
    }
    assert read(environ).command_line("json") == ["status", "--app=web", "--app=--check", "--format=json", "--"]


@pytest.mark.parametrize(("debug", "verbose"), [("1", True), ("0", False), ("", False)])
def test_debug_logging_of_the_job_is_that_of_promote(debug: str, verbose: bool) -> None:
    environ = {"PROMOTE_INPUT_PROMOTION": "staging->prod", "RUNNER_DEBUG": debug}
    assert ("--verbose" in read(environ).arguments) is verbose


def test_nothing_is_advised_where_credentials_were_fine() -> None:
    assert permissions.advice({"error": {"code": "floating-tag", "message": "no"}}) is None
    assert permissions.advice({"error": None}) is None


def test_summary_is_cut_at_a_line_below_what_github_takes(tmp_path: Path) -> None:
    summary.write({"GITHUB_STEP_SUMMARY": str(tmp_path / "s")}, "a line of a table\n" * 100_000)
    text = (tmp_path / "s").read_text()
    assert len(text.encode()) <= 1024 * 1024
    assert text.rstrip().endswith("has all of it.")
    assert set(text.splitlines()[:-3]) <= {"a line of a table", ""}


def test_pin_is_found_by_digest_else_tag_else_at_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "kustomization.yaml").write_text(
        "images:\n  - name: web\n    newTag: sha-1\n    digest: sha256:a\n"
    )
    rows = [{"app": "web", "overlay": "o", "tag": "sha-1", "digest": "sha256:a"}]
    assert overlay.lines(tmp_path, {"rows": rows}) == {"web": ("o/kustomization.yaml", 4)}
    assert overlay.lines(tmp_path, {"rows": [rows[0] | {"digest": None}]}) == {"web": ("o/kustomization.yaml", 3)}
    assert overlay.lines(tmp_path, {"rows": [rows[0] | {"digest": None, "tag": None}]}) == {
        "web": ("o/kustomization.yaml", 1)
    }


def test_link_out_of_the_repository_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sha-1\n")
    (tmp_path / "repo" / "o").mkdir(parents=True)
    (tmp_path / "repo" / "o" / "kustomization.yaml").symlink_to(tmp_path / "secret")
    rows = [{"app": "web", "overlay": "o", "tag": "sha-1", "digest": None}]
    assert overlay.lines(tmp_path / "repo", {"rows": rows}) == {}
