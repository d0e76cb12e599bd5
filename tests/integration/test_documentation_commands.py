"""The commands of README.md and of the tutorial are run, as they stand; what is not, is in a table with the reason."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from generate.walk import INSTEAD, TUTORIAL
from support.git_world import isolate
from support.gitops_repo import TAG, make
from support.walk import commands, typed

from promote.config.load import load

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
OWN_IMAGE = "## An image of your own"
"""From here on the tutorial needs cosign and crane: tests/interop/test_tutorial.py runs the whole of it."""
NOT_RUN = {
    "make demo": "it sets up .venv from a package registry; the tutorial's test runs what it runs then",
    "make test": "it is what runs this test",
}
DEMO = ["$ promote 'staging->prod' latest", "(exit code 14)", "(exit code 15)", "(exit code 0)"]


def of_readme() -> list[str]:
    return [re.split(r" +# ", command)[0] for command in commands(README)]


@pytest.mark.parametrize("line", [line for line in of_readme() if line not in NOT_RUN])
def test_a_command_of_the_readme_runs(monkeypatch, tmp_path, line):
    isolate(monkeypatch, tmp_path)
    repo = make(tmp_path, apps=("web", "api") if "web=" in line else ("shop",))
    ran = repo.run(*shlex.split(line.replace("sha-4f2a91c", TAG[:11]))[1:])
    assert ran.code == 0, ran.out + ran.err


def test_what_is_not_run_is_there():
    assert set(NOT_RUN) <= set(of_readme())


def test_the_configuration_of_the_readme_is_one(tmp_path):
    blocks = re.findall(r"^```yaml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    (configuration,) = (block for block in blocks if block.startswith("version: 1"))
    (tmp_path / "promote.yaml").write_text(configuration)
    loaded = load(tmp_path / "promote.yaml")
    assert (list(loaded.apps), list(loaded.environments)) == (["shop"], ["staging", "prod"])


def test_the_workflow_of_the_readme_gives_inputs_that_the_action_has():
    blocks = re.findall(r"^```yaml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    (workflow,) = (yaml.safe_load(block) for block in blocks if block.startswith("jobs:"))
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    assert set(workflow["jobs"]["promote"]["steps"][1]["with"]) <= set(inputs)


@pytest.mark.exhaustive
def test_the_tutorial_runs_as_far_as_it_needs_no_other_tool(tmp_path):
    page = TUTORIAL.read_text().partition(OWN_IMAGE)[0]
    ran = typed(commands(page), tmp_path, INSTEAD)
    assert [(r.command, r.code, r.output) for r in ran if r.code] == []
    said = {r.command: r.output for r in ran}
    assert [part for part in DEMO if part not in said["make demo"]] == []
    assert "pass     signature" in said["promote verify staging"]
    assert "2 files changed, 3 insertions(+), 3 deletions(-)" in said["git show --stat HEAD"]
    assert said["promote explain floating-tag"].startswith("floating-tag (exit 14)")
