"""Install promote from the action's own checkout into a virtual environment of its own.

Run as `python3 -I install.py`.  Reads RUNNER_TEMP and GITHUB_OUTPUT; nothing of the caller's environment is changed.
The output `python` is the interpreter of that environment, which a later step of the same job finds ready.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
LOCKS = ("run.txt", "build.txt")


def main() -> int:
    """Make the environment unless it is there; returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the caller's interpreter is whatever it is
        found = sys.version.split()[0]
        print(f"::error title=promote::got Python {found}, expected 3.11 or newer: run actions/setup-python first")
        return 3
    place = Path(os.environ["RUNNER_TEMP"]) / f"promote-{content()}"
    whole = place / "promote.installed"
    if not whole.exists() and not install(place):
        return 3
    whole.touch()
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"python={place / 'bin' / 'python'}\n")
    return 0


def content() -> str:
    """A name for what is installed: the interpreter, the locks, and every file of promote."""
    known = hashlib.sha256(f"{sys.executable} {sys.version}".encode())
    for path in files():
        known.update(b"%s %s\n" % (str(path.relative_to(HERE)).encode(), hashlib.sha256(path.read_bytes()).digest()))
    return known.hexdigest()[:16]


def files() -> Iterator[Path]:
    """The files that decide what is installed, in order."""
    yield from (HERE / "requirements" / name for name in LOCKS)
    yield HERE / "pyproject.toml"
    yield from sorted(p for p in (HERE / "promote").rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def install(place: Path) -> bool:
    """Make the environment at `place`, from packages that have the lock's hashes; whether it was made."""
    venv.create(place, with_pip=True, clear=True)
    pip = [str(place / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    locks = [f"--requirement={HERE / 'requirements' / name}" for name in LOCKS]
    # The build of promote itself runs Python without -I: what would steer it, and the caller's directory, stay outside.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for arguments in (
        ["--require-hashes", "--no-deps", "--only-binary=:all:", *locks],
        ["--no-deps", "--no-build-isolation", "--no-index", str(HERE)],
    ):
        done = subprocess.run([*pip, "--quiet", *arguments], cwd=HERE, env=environ, check=False)
        if done.returncode:
            print(f"::error title=promote::pip could not install promote (exit {done.returncode}): see the log above")
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
