"""The promote that is tested, always as a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from harness.gitops import GIT_ENV
from harness.process import run


def nobody(home: Path) -> dict[str, str]:
    """An environment in which no credentials of whoever runs the tests are found."""
    return {**GIT_ENV, "HOME": str(home), "DOCKER_CONFIG": str(home), "XDG_RUNTIME_DIR": str(home), "NO_COLOR": "1"}


def promote(clone: Path, *arguments: str, home: Path, code: int = 0) -> dict[str, Any]:
    """Run `promote ... --format json` in a GitOps clone; its result.  Raises `CommandFailed` unless it exits `code`."""
    output = run([sys.executable, "-m", "promote", *arguments, "--format=json"], cwd=clone, env=nobody(home), code=code)
    result: dict[str, Any] = json.loads(output)
    return result
