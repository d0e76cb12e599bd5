"""Install promote from the action's own checkout into a virtual environment of its own.

Run as `python3 -I install.py`.  Reads RUNNER_TEMP; nothing of the caller's environment is changed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


def main() -> int:
    """Make the environment; returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the caller's interpreter is whatever it is
        found = sys.version.split()[0]
        print(f"::error title=promote::got Python {found}, expected 3.11 or newer: run actions/setup-python first")
        return 3
    place = Path(os.environ["RUNNER_TEMP"]) / "promote"
    venv.create(place, with_pip=True, clear=True)
    pip = [
        str(place / "bin" / "python"),
        "-I",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "install",
        "--quiet",
    ]
    locks = [f"--requirement={HERE / 'requirements' / name}" for name in ("run.txt", "build.txt")]
    for arguments in (
        ["--require-hashes", "--no-deps", "--only-binary=:all:", *locks],
        ["--no-deps", "--no-build-isolation", "--no-index", str(HERE)],
    ):
        done = subprocess.run([*pip, *arguments], check=False)
        if done.returncode:
            print(f"::error title=promote::pip could not install promote (exit {done.returncode}): see the log above")
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
