"""The row of `promote status`: 1,000 kustomizations, 10,000 records, against one ``git log`` over the same paths."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

from harness.gitops import GIT_ENV
from harness.process import run

from bench.measure import Command, in_turns
from bench.rows import Row, row_of
from bench.world import PROMOTE, World

APPS = 500
ENVIRONMENTS = ("staging", "prod")
RECORDS = 10_000
PATHS = "overlays"

_OVERLAY = """\
# {environment}
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../base
images:
  - name: {app}  # the app
    newName: registry.{environment}.example/acme/{app}
    newTag: "{tag}"
    digest: {digest}
"""

_MESSAGE = """\
promote({environment}): {app}

Promote-Kind: promote
Promote-Env: {environment}
Promote-From: staging
Promote-App: {app}
Promote-Image: acme/{app}:{tag}@{digest}
"""


def status(world: World, pairs: int) -> list[Row]:
    """What runs where, since when and by whom, of all of it; git's part alone is what it is measured against."""
    repository = world.directory / "monorepo"
    _make(repository)
    contenders = {
        "promote": lambda _: world.command(PROMOTE, "status", "--format=json", cwd=repository),
        "git log": lambda _: world.command("git", "log", "--raw", "--", PATHS, cwd=repository),
    }
    runs = in_turns(contenders, pairs)
    row = row_of(
        "status over 1,000 kustomizations, 10,000 records", "one git log --raw over them", runs, "git log", 2.0
    )
    row.facts = {"rows": _rows(contenders["promote"](0))}
    row.met = bool(row.met) and row.facts["rows"] == APPS * len(ENVIRONMENTS)
    return [row]


def _rows(command: Command) -> int:
    return sum(row["since"] is not None for row in json.loads(command.run().out)["rows"])


def _make(directory: Path) -> None:
    directory.mkdir()
    run(["git", "init", "--quiet", "--initial-branch=main", directory], env=GIT_ENV)
    subprocess.run(
        ["git", "fast-import", "--quiet"], input="".join(_stream()).encode(), cwd=directory, env=GIT_ENV, check=True
    )
    run(["git", "reset", "--quiet", "--hard"], cwd=directory, env=GIT_ENV)


def _stream() -> Iterator[str]:
    """The repository for git fast-import: each release of each app a commit an environment, apps in random order."""
    random, number = Random("status"), 0
    apps = [f"app{n:03}" for n in range(APPS)]
    first = {"promote.yaml": json.dumps(_configuration(apps), indent=1)}
    first |= {f"{PATHS}/{app}/base/kustomization.yaml": "resources: []\n" for app in apps}
    yield _commit(number, "begin", first)
    each = RECORDS // (APPS * len(ENVIRONMENTS))
    for app in random.sample(apps * each, APPS * each):
        release = {"tag": f"sha-{random.randbytes(20).hex()}", "digest": f"sha256:{random.randbytes(32).hex()}"}
        for environment in ENVIRONMENTS:
            number += 1
            words = {"app": app, "environment": environment, **release}
            path = f"{PATHS}/{app}/{environment}/kustomization.yaml"
            yield _commit(number, _MESSAGE.format(**words), {path: _OVERLAY.format(**words)})


def _commit(number: int, message: str, files: dict[str, str]) -> str:
    head = f"commit refs/heads/main\ncommitter T <t@e> {1_700_000_000 + number * 600} +0000\n"
    changed = "".join(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files.items())
    return f"{head}data {len(message)}\n{message}\n{changed}"


def _configuration(apps: list[str]) -> dict[str, object]:
    places = {
        env: {"registry": f"registry.{env}.example", "overlays": [f"{PATHS}/{{app}}/{env}"]} for env in ENVIRONMENTS
    }
    places["prod"]["from"] = ["staging"]
    return {
        "version": 1,
        "apps": {app: {"image": f"acme/{app}", "names": [app]} for app in apps},
        "environments": places,
        "git": {"branch": "main"},
    }
