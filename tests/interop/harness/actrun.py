"""Workflows, run by nektos/act on this machine itself: no container, and stand-ins for what is GitHub's own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.process import run
from harness.promote import nobody
from harness.tools import cache

TREE = Path(__file__).parents[3]
STUBS = Path(__file__).parents[1] / "workflows" / "stubs"
STAND_INS = {
    "actions/checkout": STUBS / "checkout",
    "sigstore/cosign-installer": STUBS / "cosign-installer",
    "anchore/sbom-action": STUBS / "sbom-action",
}
"""The directory that is used for each action that the examples name beside promote."""
SHIPPED = ("action.yml", "action", "promote", "examples", "requirements", "pyproject.toml", "README.md", "LICENSE")
"""What of the tree the action is made of: act copies it whole for each step."""
HERE = tuple(f"--platform={name}=-self-hosted" for name in ("ubuntu-latest", "ubuntu-24.04"))
OFFLINE = (*HERE, "--pull=false", "--action-offline-mode", "--no-cache-server")


@dataclass(frozen=True, slots=True)
class Workflow:
    """What is left of a run: its exit code, act's log, and the summaries of all its steps one after the other."""

    code: int
    log: str
    summary: str


@dataclass(frozen=True, slots=True)
class Act:
    """act with an empty HOME below `directory`."""

    act: Path
    directory: Path

    def run(
        self,
        workflow: Path,
        event: str,
        payload: Mapping[str, Any],
        variables: Mapping[str, str],
        *,
        project: Path | None = None,
        path: str = "",
        token: str = "",
        code: int = 0,
    ) -> Workflow:
        """Run `workflow` for an event with `payload`, with `variables` in its environment; it must exit with `code`.

        `project` is the repository that it is of, an empty one when None; `path` goes before PATH; `token` is that of
        the job.
        """
        place = project or self._project()
        (self.directory / "event.json").write_text(json.dumps(payload))
        # act empties the summary before each step and shows it nowhere; bash reads this file before it runs a step.
        bash = f"export GITHUB_STEP_SUMMARY={self.directory}/summary.md\n"
        (self.directory / "bash-env").write_text(bash + (f"export PATH={path}:$PATH\n" if path else ""))
        (self.directory / "summary.md").write_text("")
        variables = {**variables, "OUTPUTS": str(self.directory), "BASH_ENV": str(self.directory / "bash-env")}
        variables |= {"PIP_CACHE_DIR": str(cache() / "pip")}  # each run installs promote anew
        stand_ins = {**STAND_INS, "acme/promote": self._promote()}
        options = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
        options += [f"--local-repository={used}={stand_ins[used.split('@')[0]]}" for used in used_by(workflow)]
        options += [f"--secret=GITHUB_TOKEN={token}"] if token else []
        argv = [self.act, event, f"--workflows={workflow}", "--no-skip-checkout", *OFFLINE, *options]
        caches = {"XDG_CACHE_HOME": str(self.directory / "cache"), "XDG_CONFIG_HOME": str(self.directory / "config")}
        log = run(
            [*argv, f"--eventpath={self.directory}/event.json"],
            cwd=place,
            env={**nobody(self.directory), **caches},
            code=code,
        )
        return Workflow(code, log, (self.directory / "summary.md").read_text())

    def _promote(self) -> Path:
        """A copy of what the action is made of, made once."""
        copy = self.directory / "promote-action"
        if not copy.exists():
            listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *SHIPPED], cwd=TREE)
            for name in filter(None, listed.split("\0")):
                if (TREE / name).is_file():
                    (copy / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(TREE / name, copy / name)
        return copy

    def _project(self) -> Path:
        place = self.directory / "project"
        shutil.rmtree(place, ignore_errors=True)
        run(["git", "init", "--quiet", "--initial-branch=main", place])
        return place


def used_by(workflow: Path) -> list[str]:
    """Each ``owner/name@ref`` that a workflow uses, once."""
    return list(dict.fromkeys(re.findall(r"uses: ([\w-]+/[\w.-]+@[0-9a-f]{40})", workflow.read_text())))
