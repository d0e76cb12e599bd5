"""The GitHub action, run by nektos/act on this machine and without a container: every way that it can end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness import gitops
from harness.gitops import GitOps
from harness.images import SOURCE, Images, SignedImage
from harness.process import run
from harness.promote import nobody
from harness.signing import Signer
from harness.tools import cache

TREE = Path(__file__).parents[2]
WORKFLOW = Path(__file__).parent / "workflows" / "promote.yml"
COMMIT = "456789abcdef0123456789abcdef0123456789ab"
HOSTILE = (
    "-x --debug $(touch pwned-a) `touch pwned-b`; touch pwned-c; ' || touch pwned-d || '\" && touch pwned-e \"\n"
    "::set-output name=digest::evil\n::error::evil\n##[error]evil\n%0A::add-mask::evil%0A\r::save-state name=a::evil\n"
    "digest=evil\nEOF"
)
"""Shell, quotes, options, line breaks and workflow commands in one value."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What is left of a run of the workflow: `steps` is its context of that name, `log` what act printed."""

    image: SignedImage
    registry: str
    repository: GitOps
    head_before: str
    directory: Path
    steps: Mapping[str, Mapping[str, Any]]
    summary: str
    log: str

    def said(self, step: str, *outputs: str) -> tuple[str, ...]:
        """The outcome of a step, and some of its outputs."""
        return (self.steps[step]["outcome"], *(self.steps[step]["outputs"][name] for name in outputs))


@pytest.fixture(scope="module")
def ran(
    tools: Mapping[str, Path],
    registries: Mapping[str, str],
    signers: Mapping[str, Signer],
    signed_image: Callable[..., SignedImage],
    tmp_path_factory: pytest.TempPathFactory,
) -> Ran:
    """The workflow, run once for all tests here."""
    directory, registry = tmp_path_factory.mktemp("action"), f"{registries['ggcr']}/action"
    image = signed_image(registry, "staging/acme/web", COMMIT)
    repository = gitops.create(
        directory,
        source=SOURCE,
        staging=f"{registry}/staging",
        prod=f"{registry}/prod",
        trust=signers["keyless"].trust(SOURCE),
        trust_files=signers["keyless"].trust_files(),
        tag=image.tag,
        digest=image.digest,
    )
    head = repository.head()
    log = _act(
        tools["act"], directory, {"GITOPS": str(repository.origin), "TAG": image.tag, "HOSTILE": HOSTILE}, "--json"
    )
    steps = json.loads((directory / "steps.json").read_text())
    summary = (directory / "summary.md").read_text()
    return Ran(image, registry, repository, head, directory, steps, summary, log)


def _act(act: Path, directory: Path, variables: Mapping[str, str], *more: str) -> str:
    """Run the workflow on this machine itself, with HOME and OUTPUTS in `directory`; raises when it fails."""
    project = directory / "project"
    project.mkdir()
    shutil.copy(WORKFLOW, project)
    # act empties the summary before each step and shows it nowhere; bash reads this file before it runs a step.
    (directory / "bash-env").write_text(f"export GITHUB_STEP_SUMMARY={directory}/summary.md\n")
    run(["git", "init", "--quiet", project])
    env = {"TREE": str(TREE), "OUTPUTS": str(directory), "BASH_ENV": str(directory / "bash-env"), **variables}
    env["PIP_CACHE_DIR"] = str(cache() / "pip")
    options = [part for name, value in env.items() for part in ("--env", f"{name}={value}")]
    offline = ["--platform=ubuntu-latest=-self-hosted", "--pull=false", "--action-offline-mode", "--no-cache-server"]
    caches = {"XDG_CACHE_HOME": str(directory / "cache"), "XDG_CONFIG_HOME": str(directory / "config")}
    return run(
        [act, "push", f"--workflows={WORKFLOW.name}", *offline, *more, *options],
        cwd=project,
        env={**nobody(directory), **caches},
    )


def test_floating_tag_fails_the_step(ran: Ran) -> None:
    assert ran.said("floating", "exit-code", "refused-by", "error", "changed", "promoted", "commit") == (
        "failure", "14", "tag", "floating-tag", "false", "false", "",
    )  # fmt: skip


def test_verify_and_dry_run_change_nothing(ran: Ran) -> None:
    assert ran.said("verify", "exit-code", "digest", "changed", "promoted") == (
        "success", "0", ran.image.digest, "false", "false",
    )  # fmt: skip
    assert ran.said("dry-run", "exit-code", "digest", "changed", "promoted", "commit") == (
        "success", "0", ran.image.digest, "true", "false", "",
    )  # fmt: skip


def test_promotion_says_what_it_did(ran: Ran) -> None:
    assert ran.said("promotion", "exit-code", "changed", "promoted", "refused-by", "digest", "commit") == (
        "success", "0", "true", "true", "", ran.image.digest, ran.repository.head(),
    )  # fmt: skip
    assert ran.repository.head() != ran.head_before
    result = json.loads(ran.steps["promotion"]["outputs"]["result"])
    assert (result["schema"], result["ok"], result["commit"]["id"]) == (
        "promote.result/v1", True, ran.repository.head(),
    )  # fmt: skip


def test_promotion_is_one_commit_that_has_its_reason_on_one_line(ran: Ran, tmp_path: Path) -> None:
    fresh = ran.repository.checkout(tmp_path / "fresh")
    said = run(["git", "log", "--format=%B", f"{ran.head_before}..HEAD"], cwd=fresh)
    assert [line for line in said.splitlines() if "touch pwned" in line] != []
    assert not [line for line in said.splitlines() if line.startswith(("::", "digest=", "EOF"))]
    assert run(["git", "rev-list", "--count", f"{ran.head_before}..HEAD"], cwd=fresh) == "1"


def test_nothing_changed_is_loud_and_fails_where_a_change_is_required(ran: Ran) -> None:
    assert ran.said("unchanged", "exit-code", "changed", "promoted") == ("success", "0", "false", "true")
    assert ran.said("required", "exit-code", "error", "changed") == ("failure", "6", "nothing-changed", "false")
    assert "::warning title=promote changed nothing::" in ran.log
    assert "**Nothing was changed.**" in ran.summary


def test_status_says_what_runs(ran: Ran) -> None:
    outcome, code, result = ran.said("status", "exit-code", "result")
    (row,) = json.loads(result)["rows"]
    assert (outcome, code, row["digest"], row["kind"]) == ("success", "0", ran.image.digest, "promote")


def test_image_is_verified_where_it_arrived(ran: Ran, images: Images, signers: Mapping[str, Signer]) -> None:
    target = f"{ran.registry}/prod/acme/web"
    assert images.digest(f"{target}:{ran.image.tag}") == ran.image.digest
    images.verify(f"{target}@{ran.image.digest}", SOURCE, signers["keyless"])


HOSTILE_STEPS = ("release", "promotion", "config", "repo", "command", "options")


@pytest.mark.parametrize("step", HOSTILE_STEPS)
def test_hostile_input_is_refused_and_sets_no_output(ran: Ran, step: str) -> None:
    outcome, code, digest, changed, commit = ran.said(
        f"hostile-{step}", "exit-code", "digest", "changed", "commit"
    )  # fmt: skip
    assert (outcome, digest, changed, commit) == ("failure", "", "false", "")
    assert code in ("2", "10", "14")


def test_no_input_ran_anything(ran: Ran) -> None:
    found = [path for path in ran.directory.rglob("*") if path.name.startswith("pwned")]
    assert found == []


def test_nothing_of_the_checked_out_tree_was_imported(ran: Ran) -> None:
    assert sorted(path.name for path in ran.directory.glob("imported-*")) == []


def test_no_value_became_a_workflow_command(ran: Ran) -> None:
    commands = [json.loads(line) for line in ran.log.splitlines() if line.startswith("{")]
    assert [c for c in commands if c.get("command") == "set-output"] != []  # so that they would be seen
    assert not [c for c in commands if "command" in c and str(c.get("arg")).strip() in ("evil", "evil%0A")]
    assert not [c for c in commands if c.get("command") == "save-state"]


def test_annotations_are_at_the_overlay(ran: Ran) -> None:
    overlay = "gitops/overlays/prod/kustomization.yaml"
    assert f"::error file={overlay},line=" in ran.log
    assert f"::notice file={overlay},line=" in ran.log


def test_summary_has_gates_diff_and_evidence(ran: Ran) -> None:
    for words in (
        "**Refused (exit 14, `floating-tag`)**",
        "| ✅ pass | `signature` |",
        "```diff",
        f"digest: {ran.image.digest}",
        "| arrived and verified again | sent | evidence |",
        f"- commit `{ran.repository.head()}`",
    ):
        assert words in ran.summary, words
