"""The workflows that check and release promote itself, and the promote.yaml that its own image is promoted by."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from promote.config.load import load

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
RELEASE = ROOT / ".github" / "workflows" / "release.yml"
SCRIPTS = Path(sys.executable).parent


def words(path: Path) -> Any:
    return yaml.load(path.read_text(), yaml.BaseLoader)  # `on` is a word, and a number is text


def says(*argv: str | Path) -> str:
    done = subprocess.run(
        [str(SCRIPTS / argv[0]), *map(str, argv[1:])], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_they_follow_their_schema_and_the_auditor_finds_nothing():
    says("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    options = ("--offline", "--no-progress", "--persona=auditor", "--no-ignores", "--strict-collection")
    configuration = f"--config={ROOT / '.github' / 'zizmor.yml'}"
    assert "No findings to report" in says("zizmor", *options, configuration, *WORKFLOWS)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_job_has_its_permissions_and_what_it_uses_is_pinned(path):
    workflow = words(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert "timeout-minutes" in job
        assert job["permissions"]["contents"]
        for step in job["steps"]:
            uses = step.get("uses", "./")
            assert uses == "./" or re.fullmatch(r"[\w-]+/[\w.-]+@[0-9a-f]{40}", uses)
            assert "${{" not in step.get("run", "")
            if uses.startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] == "false"


def test_ci_runs_what_everybody_runs():
    (job,) = words(ROOT / ".github" / "workflows" / "ci.yml")["jobs"].values()
    assert "bash .ci/run" in job["steps"][-1]["run"]


def test_only_who_signs_may_and_only_after_approval_is_anything_promoted():
    jobs = words(RELEASE)["jobs"]
    assert {name for name, job in jobs.items() if job["permissions"].get("id-token") == "write"} == {"image", "publish"}
    assert {name for name, job in jobs.items() if job["permissions"].get("packages") == "write"} == {"image", "promote"}
    assert {name for name, job in jobs.items() if job["permissions"]["contents"] == "write"} == {"publish"}
    assert jobs["promote"]["environment"] == "release"
    assert jobs["publish"]["needs"] == "promote"


def test_the_release_and_its_promote_yaml_speak_of_the_same():
    configuration = load(ROOT / ".github" / "promote.yaml")
    raw = words(ROOT / ".github" / "promote.yaml")
    release = words(RELEASE)
    (step,) = [step for step in release["jobs"]["promote"]["steps"] if step.get("uses") == "./"]
    source, target = step["with"]["promotion"].split("->")
    assert {source, target} == {str(name) for name in configuration.environments}
    assert step["with"]["config"] == ".github/promote.yaml"
    image = raw["apps"]["promote"]["image"]
    assert release["env"] == {
        "STAGING": f"{raw['environments'][source]['registry']}/{image}",
        "PROD": f"{raw['environments'][target]['registry']}/{image}",
    }
    repository = raw["apps"]["promote"]["source"].removeprefix("https://github.com/")
    (signer,) = raw["trust"]["signers"]
    assert signer["identity"] == f"https://github.com/{repository}/.github/workflows/release.yml@refs/heads/main"
    assert all(f"github.repository == '{repository}'" in release["jobs"][name]["if"] for name in ("image", "promote"))
    assert set(step["with"]) <= set(words(ROOT / "action.yml")["inputs"])


def test_only_what_the_containerfile_copies_reaches_the_builder():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    ignore = (ROOT / ".containerignore").read_text().splitlines()
    assert ignore[1] == "*"
    assert {line.removeprefix("!") for line in ignore if line.startswith("!")} == {
        path for paths in copied for path in paths.split()
    }
