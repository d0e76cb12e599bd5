"""The Tekton and Argo Workflows examples, as these two read them: by their own types, defaults and validation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from harness.process import CommandFailed, run

EXAMPLES = Path(__file__).parents[2] / "examples" / "workflows"
TEKTON = EXAMPLES / "tekton" / "promote.yaml"
ARGO = EXAMPLES / "argo" / "promote.yaml"


def test_their_makers_admit_them(tools: Mapping[str, Path]) -> None:
    assert run([tools["cilint"], TEKTON, ARGO]).splitlines() == [
        "tekton.dev/v1 Task",
        "tekton.dev/v1 Pipeline",
        "argoproj.io/v1alpha1 WorkflowTemplate",
    ]


@pytest.mark.parametrize(
    ("example", "right", "wrong", "said"),
    [
        (TEKTON, "drop: [ALL]", "dropped: [ALL]", 'unknown field "dropped"'),
        (TEKTON, "$(params.reason)}", "$(params.why)}", 'non-existent variable in "$(params.why)"'),
        (TEKTON, '["$(params.release[*])"]', '["$(params.releases[*])"]', "non-existent variable"),
        (TEKTON, "taskRef: {name: promote}", "taskRef: {}", "missing field(s): spec.tasks[0].taskRef.name"),
        (TEKTON, "default: []", "default: []\n      enum: [a]", "enum can only be set with string type param"),
        (ARGO, "template: approval", "template: approved", "template name 'approved' undefined"),
        (ARGO, "{{inputs.parameters.mode}}", "{{inputs.parameters.modus}}", "failed to resolve"),
        (ARGO, "valueFrom: {path:", "valueFrom: {paths:", 'unknown field "paths"'),
        (ARGO, "entrypoint: main", "entrypoint: start", "template name 'start' undefined"),
    ],
)  # fmt: skip
def test_a_mistake_is_found(
    tools: Mapping[str, Path], tmp_path: Path, example: Path, right: str, wrong: str, said: str
) -> None:
    text = example.read_text()
    assert right in text
    (tmp_path / "bad.yaml").write_text(text.replace(right, wrong, 1))
    with pytest.raises(CommandFailed) as found:
        run([tools["cilint"], tmp_path / "bad.yaml"])
    assert said in str(found.value)
