"""action.yml and the example workflows, against their published schemas, and by zizmor, an auditor of workflows.

They are run besides: GitHub's in tests/interop/test_example_workflows_run.py, the scripts of the others in
tests/interop/test_example_scripts.py; what Tekton and Argo Workflows say of theirs, in test_example_manifests.py there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TREE = Path(__file__).parents[2]
EXAMPLES = TREE / "examples" / "workflows"
ACTION = TREE / "action.yml"
GITHUB = sorted((EXAMPLES / "github").glob("*.yml"))
GITLAB = EXAMPLES / "gitlab" / ".gitlab-ci.yml"
TEKTON = EXAMPLES / "tekton" / "promote.yaml"
ARGO = EXAMPLES / "argo" / "promote.yaml"
SCRIPTS = Path(sys.executable).parent


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def load(path: Path) -> Any:
    return yaml.load(path.read_text(), yaml.BaseLoader)  # `on` is a word, and a number is text


def says(*argv: str | Path) -> str:
    """What a command of the environment prints when it finds nothing; raises with what it found."""
    done = subprocess.run(
        [str(SCRIPTS / argv[0]), *map(str, argv[1:])], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_an_example_for_each_way() -> None:
    assert names(GITHUB) == ["bot.yml", "build-and-promote.yml", "promote-by-hand.yml", "pull-request.yml"]
    assert all(path.is_file() for path in (GITLAB, TEKTON, ARGO))


@pytest.mark.parametrize(
    ("schema", "paths"),
    [("github-workflows", GITHUB), ("github-actions", [ACTION]), ("gitlab-ci", [GITLAB])],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_follows_its_schema(schema: str, paths: list[Path]) -> None:
    says("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths)


@pytest.mark.parametrize("path", [ACTION, *GITHUB], ids=names([ACTION, *GITHUB]))
def test_auditor_finds_nothing(path: Path) -> None:
    options = ("--offline", "--no-progress", "--persona=auditor", "--no-ignores", "--strict-collection")
    assert "No findings to report" in says("zizmor", *options, path)


@pytest.mark.parametrize("page", ["README.md", "docs/howto/github-actions.md"])
def test_workflow_in_the_documentation_is_as_sound(tmp_path: Path, page: str) -> None:
    (block,) = re.findall(r"^```yaml\n(jobs:\n.*?)^```$", (TREE / page).read_text(), re.MULTILINE | re.DOTALL)
    workflow = tmp_path / "workflow.yml"
    around = "name: promote\non: workflow_dispatch\npermissions: {}\n"
    around += "concurrency: {group: promote, cancel-in-progress: false}\n"
    workflow.write_text(around + block.replace("    runs-on:", "    name: Promote\n    runs-on:"))
    says("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
    options = ("--offline", "--no-progress", "--persona=auditor", "--strict-collection")
    assert "No findings to report" in says("zizmor", *options, workflow)
    given = {name for job in load(workflow)["jobs"].values() for name in job["steps"][-1]["with"]}
    assert given <= set(load(ACTION)["inputs"])


def test_auditor_would_find_an_expansion(tmp_path: Path) -> None:
    text = GITHUB[2].read_text() + "      - run: echo ${{ inputs.reason }}\n"
    (tmp_path / "bad.yml").write_text(text)
    with pytest.raises(AssertionError, match="template-injection"):
        says("zizmor", "--offline", "--no-progress", tmp_path / "bad.yml")


def test_action_expands_inputs_in_env_alone_and_uses_no_action() -> None:
    action = load(ACTION)
    steps = action["runs"]["steps"]
    assert [step for step in steps if "uses" in step] == []
    assert [step for step in steps if "${{" in step["run"]] == []
    passed = {value for step in steps for value in step.get("env", {}).values()}
    assert passed >= {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]}
    for name, output in action["outputs"].items():
        assert output["value"] == f"${{{{ steps.promote.outputs.{name} }}}}"


@pytest.mark.parametrize("path", GITHUB, ids=names(GITHUB))
def test_workflow_gives_each_job_its_permissions_and_pins_what_it_uses(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert "concurrency" in workflow
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert "timeout-minutes" in job
        for step in job["steps"]:
            uses = step.get("uses", "")
            assert not uses or re.fullmatch(r"[\w-]+/[\w.-]+@[0-9a-f]{40}", uses)
            if uses.startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] == "false"


@pytest.mark.parametrize("path", GITHUB, ids=names(GITHUB))
def test_workflow_gives_the_action_only_inputs_that_it_has(path: Path) -> None:
    inputs = set(load(ACTION)["inputs"])
    used = [step for job in load(path)["jobs"].values() for step in job["steps"] if "promote@" in step.get("uses", "")]
    assert used
    assert {name for step in used for name in step["with"]} <= inputs


def test_tekton_pipeline_gives_its_task_what_it_declares() -> None:
    task, pipeline = yaml.safe_load_all(TEKTON.read_text())
    assert {(d["apiVersion"], d["kind"]) for d in (task, pipeline)} == {
        ("tekton.dev/v1", "Task"), ("tekton.dev/v1", "Pipeline"),
    }  # fmt: skip
    judge, promote = pipeline["spec"]["tasks"]
    assert promote["runAfter"] == [judge["name"]]
    declared = {param["name"]: param["type"] for param in task["spec"]["params"]}
    for part in (judge, promote):
        assert part["taskRef"]["name"] == task["metadata"]["name"]
        given = {param["name"]: "array" if isinstance(param["value"], list) else "string" for param in part["params"]}
        assert given == {"mode": "string", **declared}


def test_tekton_script_has_no_parameter_in_its_text() -> None:
    task, _ = yaml.safe_load_all(TEKTON.read_text())
    (step,) = task["spec"]["steps"]
    assert "$(" not in step["script"].replace("$(mktemp)", "")


def test_argo_template_refers_to_what_it_has() -> None:
    spec = yaml.safe_load(ARGO.read_text())["spec"]
    templates = {template["name"]: template for template in spec["templates"]}
    assert spec["entrypoint"] in templates
    steps = [step for group in templates["main"]["steps"] for step in group]
    assert [step["template"] for step in steps] == ["promote", "approval", "promote"]
    assert "{{" not in templates["promote"]["script"]["source"]
    parameters = {parameter["name"] for parameter in spec["arguments"]["parameters"]}
    assert set(re.findall(r"\{\{workflow\.parameters\.([\w-]+)\}\}", ARGO.read_text())) == parameters
    volumes = {volume["name"] for volume in spec["volumes"]}
    assert {mount["name"] for mount in templates["promote"]["script"]["volumeMounts"]} == volumes


def test_gitlab_jobs_refer_to_stages_that_are_there() -> None:
    pipeline = yaml.safe_load(GITLAB.read_text())
    jobs = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "script" in job}
    assert {job["stage"] for job in jobs.values()} == set(pipeline["stages"])
    assert all(job["extends"] == ".promote" for job in jobs.values())
