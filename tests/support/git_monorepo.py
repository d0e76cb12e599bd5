"""A large GitOps repository: as many kustomizations and commits as asked for, written by git fast-import in seconds."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

_OTHER = """\
resources: [../base]
images:
- name: {app}
  newTag: sha-{commit}
"""


def grow(bare: Path, *, kustomizations: int, commits: int) -> None:
    """Put `commits` on top of branch main of `bare`.

    One commit writes `kustomizations` files in clusters of fifty, each other one changes one of them.
    """
    tip = subprocess.run(
        ["git", "rev-parse", "main"], cwd=bare, capture_output=True, text=True, check=True
    ).stdout.strip()
    stream = "".join(_stream(tip, kustomizations, commits)).encode()
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(["git", "fast-import", "--quiet"], input=stream, cwd=bare, env=environment, check=True)
    # As a host of git keeps what it serves.
    subprocess.run(["git", "repack", "-adq", "--write-bitmap-index"], cwd=bare, env=environment, check=True)


def _stream(tip: str, kustomizations: int, commits: int) -> Iterator[str]:
    random = Random("monorepo")
    apps = {f"clusters/c{n // 50:02}/app{n % 50:02}/kustomization.yaml": f"app{n}" for n in range(kustomizations)}
    paths = list(apps)
    yield _commit(0, f"from {tip}\n", {path: _overlay(random, app) for path, app in apps.items()})
    for number in range(1, commits):
        path = random.choice(paths)
        yield _commit(number, "", {path: _overlay(random, apps[path])})


def _overlay(random: Random, app: str) -> str:
    return _OTHER.format(app=app, commit=random.randbytes(20).hex())


def _commit(number: int, after: str, files: Mapping[str, str]) -> str:
    message = f"change {number}\n"
    head = f"commit refs/heads/main\ncommitter T <t@example.com> {1_500_000_000 + number * 600} +0000\n"
    changed = "".join(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files.items())
    return f"{head}data {len(message)}\n{message}\n{after}{changed}"
