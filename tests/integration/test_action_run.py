"""The GitHub action as its second step runs it: the command `python -I action`, variables in, files and a log out.

What a runner does with these is shown by nektos/act in tests/interop/test_action.py.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.git_servers import git_over_http
from support.git_world import git
from support.gitops_repo import DIGEST, TAG, GitopsRepo, make

ACTION = Path(__file__).parents[2] / "action"
OVERLAY = "overlays/shop/prod/kustomization.yaml"
_OUTPUT = re.compile(r"([a-z-]+)<<(end-[0-9a-f]{32})\n(.*?)\n\2\n", re.DOTALL)


@dataclass(frozen=True)
class Ended:
    """How the step ended.  `commands` are the lines that a runner obeys."""

    code: int
    outputs: dict[str, str]
    summary: str
    log: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.outputs["result"])
        return value

    @property
    def commands(self) -> list[str]:
        token, obeyed = None, []
        for line in self.log.splitlines():
            if token is not None:
                token = None if line == f"::{token}::" else token
            elif line.startswith("::stop-commands::"):
                token = line.removeprefix("::stop-commands::")
            elif line.lstrip().startswith("::") or "##[" in line:
                obeyed.append(line)
        return obeyed


@pytest.fixture
def repo(tmp_path: Path) -> GitopsRepo:
    return make(tmp_path / "world")


def step(repo: GitopsRepo, more: dict[str, str] | None = None, /, **inputs: str) -> Ended:
    """Run the step with `inputs` (dashes as underscores) in the clone as its workspace."""
    output, summary = repo.home / "output", repo.home / "summary"
    output.write_text("")
    summary.write_text("")
    files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(repo.root)}
    variables = {f"PROMOTE_INPUT_{name.upper()}": value for name, value in inputs.items()}
    kept = {n: v for n, v in os.environ.items() if not n.endswith("_TOKEN") and n != "GIT_ASKPASS"}
    done = subprocess.run(
        [sys.executable, "-I", str(ACTION)],
        cwd=repo.root,
        env={**kept, "NO_COLOR": "1", **files, **variables, **(more or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    outputs = {name: value for name, _, value in _OUTPUT.findall(output.read_text())}
    return Ended(done.returncode, outputs, summary.read_text(), done.stdout, done.stderr)


def test_promotion_has_its_outputs_summary_and_notice(repo: GitopsRepo) -> None:
    ended = step(repo, promotion="staging->prod", release=TAG, reason="the train")
    assert ended.code == 0, ended.log + ended.err
    commit = ended.result["commit"]["id"]
    assert {name: value for name, value in ended.outputs.items() if name != "result"} == {
        "digest": DIGEST,
        "changed": "true",
        "promoted": "true",
        "refused-by": "",
        "error": "",
        "commit": commit,
        "pull-request": "",
        "exit-code": "0",
    }
    (notice,) = ended.commands
    assert notice.startswith(f"::notice file={OVERLAY},line=5,title=shop%3A staging -> prod::promote changed this:%0A")
    assert f"+ digest: {DIGEST}" in notice
    for words in ("**Promoted**", "| ✅ pass | `signature` |", "```diff", "| arrived and verified again |", commit):
        assert words in ended.summary
    assert "Promoted: commit" in ended.log  # the same text as at a prompt


def test_refusal_is_an_error_at_the_line_of_the_overlay_and_names_its_gate(repo: GitopsRepo) -> None:
    before = repo.everything()
    ended = step(repo, promotion="staging->prod", release="latest")
    assert (ended.code, ended.outputs["exit-code"], ended.outputs["refused-by"], ended.outputs["error"]) == (
        14, "14", "tag", "floating-tag",
    )  # fmt: skip
    assert (ended.outputs["changed"], ended.outputs["promoted"], ended.outputs["commit"]) == ("false", "false", "")
    (error,) = ended.commands
    title = "promote shop%3A refused by tag (floating-tag%2C exit 14)"
    assert error.startswith(f"::error file={OVERLAY},line=5,title={title}::")
    assert "%0Awhy: " in error
    assert "%0Ado: " in error
    assert "**Refused (exit 14, `floating-tag`)**" in ended.summary
    after = {name: digest for name, digest in repo.everything().items() if name not in ("output", "summary")}
    assert after == {name: digest for name, digest in before.items() if name not in ("output", "summary")}


def test_nothing_changed_is_loud(repo: GitopsRepo) -> None:
    step(repo, promotion="staging->prod", release=TAG)
    again = step(repo, promotion="staging->prod", release=TAG)
    assert (again.code, again.outputs["changed"], again.outputs["promoted"]) == (0, "false", "true")
    assert again.commands == ["::warning title=promote changed nothing::nothing was changed: prod runs this already"]
    assert again.summary.startswith("> [!WARNING]\n> **Nothing was changed.**")
    required = step(repo, promotion="staging->prod", release=TAG, require_change="true")
    assert (required.code, required.outputs["error"], required.outputs["refused-by"]) == (6, "nothing-changed", "")
    (error,) = required.commands
    assert error.startswith("::error ")
    assert "nothing-changed (exit 6)" in error


@pytest.mark.exhaustive
def test_dry_run_says_what_would_change_and_promotes_nothing(repo: GitopsRepo) -> None:
    ended = step(repo, promotion="staging->prod", release=TAG, dry_run="true")
    assert (ended.code, ended.outputs["changed"], ended.outputs["promoted"]) == (0, "true", "false")
    assert "promote would change this:" in ended.commands[0]
    assert repo.promotions() == []


def test_verify_takes_a_reference_and_says_nothing_of_change(repo: GitopsRepo) -> None:
    ended = step(repo, command="verify", reference="staging", explain="true")
    assert (ended.code, ended.outputs["digest"], ended.outputs["promoted"], ended.commands) == (0, DIGEST, "false", [])
    assert "Beside the image:" in ended.summary


@pytest.mark.exhaustive
def test_rollback_is_refused_where_nothing_ran_before(repo: GitopsRepo) -> None:
    ended = step(repo, command="rollback", environment="prod", release="shop", reason="it broke")
    assert (ended.code, ended.outputs["error"], ended.outputs["promoted"]) == (10, "no-release-before", "false")


@pytest.mark.exhaustive
def test_rollback_goes_through_the_gates(repo: GitopsRepo) -> None:
    step(repo, promotion="staging->prod", release=TAG, lift="there is nothing to lift, and that is fine")
    ended = step(repo, command="rollback", environment="prod", reason="it broke")
    assert (ended.code, ended.outputs["error"], ended.outputs["refused-by"]) == (10, "no-such-tag", "source")
    assert ended.commands[0].startswith(f"::error file={OVERLAY},line=7,title=promote shop%3A refused by source")


def test_status_has_its_rows_as_result_and_summary(repo: GitopsRepo) -> None:
    ended = step(repo, command="status", environment="staging")
    assert (ended.code, ended.result["schema"], ended.commands) == (0, "promote.status/v1", [])
    assert [row["environment"] for row in ended.result["rows"]] == ["staging"]
    assert "| `shop` | `staging` |" in ended.summary
    assert "staging" in ended.log


@pytest.mark.exhaustive
def test_status_of_no_environment_is_an_error(repo: GitopsRepo) -> None:
    ended = step(repo, command="status", environment="nowhere")
    assert (ended.code, ended.outputs["exit-code"]) == (2, "2")
    assert ended.commands[0].startswith("::error title=promote%3A exit 2::")


@pytest.mark.exhaustive
@pytest.mark.parametrize("form", ["markdown", "json"])
def test_log_is_in_the_format_that_was_asked_for(repo: GitopsRepo, form: str) -> None:
    ended = step(repo, promotion="staging->prod", release="latest", format=form)
    assert (ended.log.count("## promote:"), ended.log.count('"schema"')) == ((1, 0) if form == "markdown" else (0, 1))


@pytest.mark.exhaustive
def test_no_summary_is_written_where_none_is_wanted(repo: GitopsRepo) -> None:
    assert step(repo, promotion="staging->prod", release="latest", summary="false").summary == ""


@pytest.mark.exhaustive
def test_repository_below_the_workspace_is_named_in_annotations(repo: GitopsRepo) -> None:
    ended = step(repo, {"GITHUB_WORKSPACE": str(repo.home)}, promotion="staging->prod", release="latest", repo="deploy")
    assert ended.commands[0].startswith(f"::error file=deploy/{OVERLAY},line=5,")


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, "got no promotion, expected one such as staging->prod"),
        ({"command": "verify"}, "got no reference, expected one such as staging or staging:sha-4f2a91c"),
        ({"command": "init"}, "got command: 'init', expected one of promote, verify, rollback, status"),
        ({"promotion": "a->b", "dry_run": "yes"}, "got dry-run: 'yes', expected true or false"),
        ({"promotion": "a->b", "format": "xml"}, "got format: 'xml', expected one of text, markdown, json"),
        (
            {"command": "status", "dry_run": "true"},
            "got dry-run with command: status, expected it with",
        ),
        ({"promotion": "a->b", "explain": "true"}, "got explain with command: promote, expected it with verify alone"),
    ],
)
def test_input_that_cannot_be_meant_stops_before_promote_runs(
    repo: GitopsRepo, inputs: dict[str, str], expected: str
) -> None:
    ended = step(repo, **inputs)
    assert (ended.code, ended.outputs["exit-code"], ended.outputs["error"], ended.outputs["result"]) == (
        2, "2", "usage", "{}",
    )  # fmt: skip
    (error,) = ended.commands
    assert error.startswith(f"::error title=promote%3A usage (exit 2)::{expected}")


EVIL = (
    "x' \"`touch pwned` $(touch pwned)\n::error::evil\r\n##[error]evil %0A::error::evil\n::set-output name=digest::evil"
)
INPUTS = ("promotion", "release", "config", "repo", "jobs", "command", "format", "dry_run", "reason")


@pytest.mark.parametrize("name", [*INPUTS[:3], *(pytest.param(n, marks=pytest.mark.exhaustive) for n in INPUTS[3:])])
def test_hostile_input_is_text_in_log_annotation_output_and_summary(repo: GitopsRepo, name: str) -> None:
    ended = step(repo, **{"promotion": "staging->prod", "release": "latest", name: EVIL})
    assert ended.code in (2, 10, 14)
    assert ended.outputs["digest"] == ""
    assert [line for line in ended.commands if not line.startswith("::error ")] == []
    assert all("\n" not in line and "evil" not in line.split("::")[1] for line in ended.commands)
    assert not any(line.startswith("::") for line in ended.summary.splitlines())
    assert list(repo.home.rglob("pwned")) == []


@pytest.mark.parametrize(
    "word",
    ["--config=evil.yaml", *(pytest.param(w, marks=pytest.mark.exhaustive) for w in ("--debug", "--no-push", "-h"))],
)
def test_option_among_the_words_is_a_word(repo: GitopsRepo, word: str) -> None:
    ended = step(repo, promotion="staging->prod", release=f"{TAG} {word}")
    assert ended.code != 0
    assert repo.promotions() == []
    assert ended.outputs["promoted"] == "false"


def test_secrets_are_masked_before_anything_else(repo: GitopsRepo) -> None:
    secrets = {"GITHUB_TOKEN": "ghs_first%x", "COSIGN_PASSWORD": "one line\nanother line", "GITEA_TOKEN": "abc"}
    ended = step(repo, secrets, promotion="staging->prod", release="latest")
    assert ended.commands[:3] == ["::add-mask::ghs_first%25x", "::add-mask::one line", "::add-mask::another line"]
    assert ended.log.index("::add-mask::another line") < ended.log.index("::stop-commands::")
    assert "ghs_first" not in ended.summary + ended.outputs["result"] + ended.err


def test_tree_that_is_checked_out_is_never_imported(repo: GitopsRepo) -> None:
    for module in ("promote", "promote_action", "sitecustomize", "json", "yaml"):
        (repo.root / f"{module}.py").write_text(f"open({str(repo.home / 'imported')!r}, 'w')\n")
    python = {"PYTHONPATH": str(repo.root), "PYTHONHOME": "", "PYTHONSTARTUP": str(repo.root / "promote.py")}
    ended = step(repo, python, command="verify", reference="staging")
    assert ended.code == 0, ended.err
    assert not (repo.home / "imported").exists()


def test_missing_identity_names_the_permission_to_add(repo: GitopsRepo) -> None:
    repo.config["environments"]["prod"]["attest"] = True
    repo.write_config()
    repo.commit("attest")
    ended = step(repo, {"GITHUB_ACTIONS": "true"}, promotion="staging->prod", release=TAG)
    assert (ended.code, ended.outputs["error"]) == (4, "identity-missing")
    lacking = next(line for line in ended.commands if "lacks a permission" in line)
    assert "%0A    permissions:%0A      id-token: write%0A" in lacking
    assert "    permissions:\n      id-token: write\n" in ended.summary


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN",
        *(pytest.param(n, marks=pytest.mark.exhaustive) for n in ("PROMOTE_JOB_TOKEN", "PROMOTE_INPUT_GITHUB_TOKEN")),
    ],
)
def test_commit_is_pushed_with_the_token_where_the_checkout_kept_none(repo: GitopsRepo, name: str) -> None:
    with git_over_http(repo.home / "server") as server:
        server.expected = "Basic " + base64.b64encode(b"x-access-token:ghs_of_the_job").decode()
        git(repo.root, "remote", "set-url", "origin", server.url("deploy.git"))
        where = {"GITHUB_SERVER_URL": f"http://{server.address}"}
        refused = step(repo, where | {name: "ghs_other"}, promotion="staging->prod", release=TAG)
        assert (refused.code, refused.outputs["error"]) == (4, "git-credentials")
        assert any("%0A    permissions:%0A      contents: write%0A" in line for line in refused.commands)
        ended = step(repo, where | {name: "ghs_of_the_job"}, promotion="staging->prod", release=TAG)
    assert (ended.code, ended.outputs["promoted"], len(repo.promotions())) == (0, "true", 1), ended.log
    assert ended.commands[0] == "::add-mask::ghs_of_the_job"
    written = ended.log.replace("::add-mask::ghs_of_the_job", "") + ended.err + ended.summary + ended.outputs["result"]
    assert "ghs_of_the_job" not in written + (repo.root / ".git" / "config").read_text()


def test_git_is_answered_for_the_server_of_github_alone() -> None:
    environment = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_TOKEN": "ghs_token", "PATH": os.environ["PATH"]}

    def asked(prompt: str) -> tuple[int, str]:
        done = subprocess.run(
            [ACTION / "askpass.sh", prompt], env=environment, capture_output=True, text=True, timeout=10, check=False
        )
        return done.returncode, done.stdout

    assert asked("Username for 'https://github.com': ") == (0, "x-access-token\n")
    assert asked("Password for 'https://x-access-token@github.com': ") == (0, "ghs_token\n")
    for prompt in (
        "Username for 'https://github.com.evil.example': ",
        "Password for 'https://x-access-token@evil.example': ",
        "Password for 'http://x-access-token@github.com': ",
        "Password for 'https://somebody@github.com': ",
        "",
    ):
        assert asked(prompt) == (1, "")
