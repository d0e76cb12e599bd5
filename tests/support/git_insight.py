"""A GitOps repository for what only reads git: overlays written by hand, commits with any message and date.

deploy = Deploy(tmp_path / "deploy")
deploy.set("staging", 1)                    # writes the overlay and commits it: release 1 of app web
deploy.set("prod", 1, trailers=True)        # with the trailers of a promotion
ran = deploy.run("status", "prod", "--format", "json")
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.git_world import git
from support.in_process import run_in, schema
from support.release_world import tag

CONFIG: dict[str, Any] = {
    "version": 1,
    "apps": {"web": {"image": "acme/web", "names": ["web"]}},
    "environments": {
        "staging": {"registry": "registry.staging.example", "overlays": ["overlays/{app}/staging"]},
        "prod": {"from": ["staging"], "registry": "registry.prod.example", "overlays": ["overlays/{app}/prod"]},
    },
    "git": {"branch": "main"},
}


def digest(number: int) -> str:
    """The digest of a release."""
    return "sha256:" + f"{number:02x}" * 32


def kustomization(app: str, number: int) -> str:
    """An overlay that runs a release."""
    return f'images:\n  - name: {app}  # the app\n    newTag: "{tag(number)}"\n    digest: {digest(number)}\n'


def promotion(app: str, environment: str, number: int, *, kind: str = "promote", source: str = "staging") -> str:
    """The message of a promotion, as promote writes it."""
    return (
        f"{kind}({environment}): {app} {tag(number)[:16]}\n\n{app}: it -> {tag(number)}\n\n"
        f"Promote-Id: 0123456789abcdef\nPromote-Kind: {kind}\nPromote-Env: {environment}\nPromote-From: {source}\n"
        f"Promote-App: {app}\nPromote-Image: acme/{app}:{tag(number)}@{digest(number)}\n"
        f"Promote-Reason: because {number}\n"
    )


@dataclass(frozen=True)
class Ran:
    """What one run of the command did."""

    verb: str
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The answer, checked against the schema of the verb."""
        value: dict[str, Any] = json.loads(self.out)
        schema(self.verb).validate(value)
        return value

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a status."""
        return list(self.json["rows"])

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of a history."""
        return list(self.json["records"])


@dataclass
class Deploy:
    """The repository, with the clock of its commits: each is a minute after the one before."""

    root: Path
    config: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(CONFIG)))
    clock: int = 1_767_323_045

    def __post_init__(self) -> None:
        if not (self.root / ".git").exists():
            self.root.mkdir(parents=True, exist_ok=True)
            git(self.root, "init", "-q", "-b", "main")
            self.write("promote.yaml", json.dumps(self.config, indent=1) + "\n")
            self.commit("begin")

    def write(self, path: str, content: str) -> None:
        """Write one file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)

    def configure(self) -> None:
        """Let promote.yaml say what `config` says; the caller commits."""
        self.write("promote.yaml", json.dumps(self.config, indent=1) + "\n")

    def commit(self, message: str = "change", *, at: int | None = None, author: str = "Test <test@example.com>") -> str:
        """Commit everything; `at` is the committer date in seconds, else the clock's."""
        self.clock += 60
        date = f"{at if at is not None else self.clock} +0000"
        git(self.root, "add", "-A")
        name, _, mail = author.rstrip(">").partition(" <")
        self.git_as(name, mail, date, "commit", "-q", "--allow-empty", "-m", message)
        return self.head

    def git_as(self, name: str, mail: str, date: str, *arguments: str) -> None:
        """A git command by somebody, at a date."""
        who = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": mail,
        }
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        environment = {**os.environ, **who, **dates}
        subprocess.run(["git", *arguments], cwd=self.root, env=environment, check=True, capture_output=True)

    def tick(self) -> Mapping[str, str]:
        """The environment of the next commit that git makes by itself (a merge, a revert)."""
        self.clock += 60
        return {"GIT_AUTHOR_DATE": f"{self.clock} +0000", "GIT_COMMITTER_DATE": f"{self.clock} +0000"}

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return git(self.root, "rev-parse", "HEAD")

    def set(
        self, environment: str, number: int, *, app: str = "web", message: str | None = None, trailers: bool = False,
        **how: Any,
    ) -> str:  # fmt: skip
        """Let an overlay run a release, and commit that."""
        self.write(f"overlays/{app}/{environment}/kustomization.yaml", kustomization(app, number))
        said = promotion(app, environment, number) if trailers else f"set {app} in {environment}"
        return self.commit(message or said, **how)

    def run(self, *arguments: str, cwd: Path | None = None) -> Ran:
        """Run promote in this process, in the repository."""
        return Ran(arguments[0], *run_in(cwd or self.root, *arguments))

    def status(self, *arguments: str) -> list[dict[str, Any]]:
        """The rows of ``promote status ARGUMENTS``, which succeeds."""
        ran = self.run("status", *arguments, "--format", "json")
        assert ran.code == 0, ran.out
        return ran.rows

    def history(self, *arguments: str) -> list[dict[str, Any]]:
        """The records of ``promote history ARGUMENTS``, which succeeds."""
        ran = self.run("history", *arguments, "--format", "json")
        assert ran.code == 0, ran.out
        return ran.records
