"""`promote lint`: without promote.yaml and with it, whole repositories and parts, in every format."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.git_world import isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, Ran, make
from support.in_process import schema

FORMATS = ("text", "json", "sarif", "junit", "github")
EVIL = "x::error::owned%0A<script>\u202e\x1b[31m##[group]"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path: Path) -> GitopsRepo:
    """Staging pins tag and digest, prod a tag alone."""
    return make(tmp_path, remote=False)


def plain(root: Path, **files: str) -> GitopsRepo:
    """A directory with overlays, no git and no promote.yaml; each of `files` is a kustomization."""
    for name, content in files.items():
        (root / name).mkdir(parents=True)
        (root / name / "kustomization.yaml").write_text(content)
    return GitopsRepo(root, root, None, {})


def linted(repo: GitopsRepo, *arguments: str) -> dict[str, Any]:
    ran = repo.run("lint", *arguments, "--format", "json")
    value: dict[str, Any] = json.loads(ran.out)
    schema("lint").validate(value)
    assert value["exit_code"] == ran.code
    return value


def codes(value: dict[str, Any]) -> list[str]:
    return [f["rule"] for f in value["findings"]]


def test_a_tag_without_a_digest_is_refused_at_its_line(repo):
    value = linted(repo)
    (finding,) = value["findings"]
    assert (value["exit_code"], value["error"]["code"]) == (14, "digest-missing")
    assert (finding["file"], finding["line"]) == ("overlays/shop/prod/kustomization.yaml", 4)
    assert (finding["overlay"], finding["image"]) == ("overlays/shop/prod", "shop:sha-89abcdef")
    assert value["overlays"] == ["overlays/shop/prod", "overlays/shop/staging"]


def test_what_a_promotion_wrote_passes(tmp_path):
    repo = make(tmp_path)
    assert repo.promote(TAG).code == 0
    assert linted(repo) | {"overlays": []} == {
        "schema": "promote.lint/v1", "command": "lint", "ok": True, "exit_code": 0, "overlays": [], "findings": [],
        "error": None,
    }  # fmt: skip


def test_paths_choose_what_is_reported_and_not_what_is_read(repo):
    assert linted(repo, "overlays/shop/staging")["findings"] == []
    assert codes(linted(repo, "overlays/shop/prod/kustomization.yaml")) == ["digest-missing"]
    ran = repo.run("lint", ".", "--format", "json", cwd=repo.root / "overlays" / "shop" / "prod")
    assert codes(json.loads(ran.out)) == ["digest-missing"]
    repo.write("overlays/shop/staging/kustomization.yaml", "resources: [../base]\n")
    assert codes(linted(repo, "overlays/shop/base")) == ["tag-missing"]


def test_with_promote_yaml_an_app_needs_a_commit_tag_and_without_a_version_will_do(repo):
    repo.set_overlay("prod", f"resources: [../base]\nimages: [{{name: shop, newTag: v1, digest: '{DIGEST}'}}]\n")
    assert codes(linted(repo)) == ["tag-not-a-commit"]
    (repo.root / "promote.yaml").unlink()
    assert linted(repo)["findings"] == []


def test_a_promote_yaml_that_is_wrong_is_said(repo):
    repo.write("promote.yaml", "version: 2\n")
    value = linted(repo)
    assert (value["exit_code"], value["error"]["code"]) == (2, "configuration-invalid")


def test_warnings_fail_when_strict_and_rules_can_be_left_out(tmp_path):
    repo = plain(tmp_path, a=f"images: [{{name: web, digest: '{DIGEST}'}}]\n")
    assert (linted(repo)["exit_code"], codes(linted(repo))) == (0, ["digest-only"])
    assert linted(repo, "--strict")["exit_code"] == 14
    assert linted(repo, "--strict", "--ignore", "digest-only")["findings"] == []
    assert linted(repo, "--ignore", "nonsense")["exit_code"] == 2
    assert linted(repo, "gone")["exit_code"] == 2


def test_nothing_but_a_file_that_cannot_be_read_is_a_fault(tmp_path):
    assert linted(plain(tmp_path, a="images: [\n"))["exit_code"] == 3


def test_what_cannot_be_read_at_all_is_told_as_every_other_error_is(repo):
    ran = repo.run("lint", "gone")
    assert ran.out.splitlines()[0].startswith("Failed (exit 2, ")
    assert "  do        " in ran.out


def test_links_are_not_followed_and_hidden_directories_not_entered(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kustomization.yaml").write_text("images: [{name: web, newTag: latest}]\n")
    repo = plain(tmp_path / "in", a="resources: [../linked]\n")
    (repo.root / "linked").symlink_to(outside)
    (repo.root / ".git").mkdir()
    (repo.root / ".git" / "kustomization.yaml").write_text("images: [{name: web, newTag: latest}]\n")
    assert codes(linted(repo)) == ["overlay-unseen"]


def test_text_says_where_what_and_what_to_do(repo):
    ran = repo.run("lint")
    assert ran.out.splitlines()[0] == (
        "overlays/shop/prod/kustomization.yaml:4: error digest-missing: shop:sha-89abcdef has a tag and no digest"
    )
    assert ran.out.splitlines()[1].startswith("    do  add the digest")
    assert ran.out.splitlines()[-1] == "2 overlays read: 1 error"


def test_sarif_has_the_shape_of_2_1_0(repo):
    log = json.loads(repo.run("lint", "--format", "sarif").out)
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    (run,) = log["runs"]
    (result,) = run["results"]
    rules = run["tool"]["driver"]["rules"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "digest-missing"
    assert {rule["defaultConfiguration"]["level"] for rule in rules} == {"error", "warning", "note"}
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "overlays/shop/prod/kustomization.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 4},
    }
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 14}]
    assert re.fullmatch("[0-9a-f]{64}", result["partialFingerprints"]["promote/v1"])


def test_a_finding_keeps_its_fingerprint_when_lines_move(repo):
    def fingerprint() -> str:
        log = json.loads(repo.run("lint", "--format", "sarif").out)
        return str(log["runs"][0]["results"][0]["partialFingerprints"])

    before = fingerprint()
    file = repo.root / "overlays/shop/prod/kustomization.yaml"
    file.write_text(f"# above\n{file.read_text()}")
    assert fingerprint() == before


def test_junit_has_a_test_for_each_overlay_and_finding(repo):
    suites = ET.fromstring(repo.run("lint", "--format", "junit").out)
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("2", "1", "0")
    passed, failed = suites.iter("testcase")
    assert (passed.get("name"), len(passed)) == ("overlays/shop/staging", 0)
    failure = failed.find("failure")
    assert failure is not None
    assert (failure.get("type"), failed.get("line")) == ("digest-missing", "4")


def test_github_gets_a_command_for_each_finding(repo):
    command, summary = repo.run("lint", "--format", "github").out.splitlines()
    assert command.startswith(
        "::error file=overlays/shop/prod/kustomization.yaml,line=4,title=digest-missing::shop:sha-89abcdef has a tag"
    )
    assert not summary.startswith("::")


@pytest.mark.parametrize("form", FORMATS)
def test_what_cannot_be_done_is_said_in_every_format(repo, form):
    ran = repo.run("lint", "gone", "--format", form)
    assert ran.code == 2
    assert "gone" in ran.out
    if form == "junit":
        assert ET.fromstring(ran.out).get("errors") == "1"
    if form == "sarif":
        assert json.loads(ran.out)["runs"][0]["invocations"][0]["executionSuccessful"] is False


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_in_a_name_or_a_path_can_be_a_command_or_markup(tmp_path, form):
    image = yaml.safe_dump([{"name": EVIL, "newTag": EVIL}], allow_unicode=False)
    repo = plain(tmp_path, **{"a,b:c\r%::d<e>": f"images:\n{image}"})
    ran: Ran = repo.run("lint", "--format", form)
    assert ran.code == 14
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert "##[" not in ran.out
    lines = ran.out.split("\n")
    assert [line[:9] for line in lines if line.lstrip().startswith("::")] == (
        ["::notice ", "::error f"] if form == "github" else []
    )
    if form == "github":
        properties = lines[1].removeprefix("::error ").partition("::")[0]
        assert [p.partition("=")[0] for p in properties.split(",")] == ["file", "line", "title"]
    if form == "junit":
        assert [e.tag for e in ET.fromstring(ran.out).iter() if e.tag == "script"] == []
    if form in ("json", "sarif"):
        json.loads(ran.out)


def test_the_hook_runs_this_verb(repo):
    (hook,) = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text())
    program, *arguments = hook["entry"].split()
    assert (program, hook["language"], hook["pass_filenames"]) == ("promote", "python", False)
    assert repo.run(*arguments).code == 14
    pattern = re.compile(hook["files"])
    names = ("a/kustomization.yaml", "a/x.yml", "Kustomization", "a/Kustomization", "a/README.md")
    assert [bool(pattern.search(name)) for name in names] == [True, True, True, True, False]


def test_no_socket_is_opened(repo, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection"))
    assert repo.run("lint").code == 14
