"""Install the tools of tools.py, each once: `cd tests/interop && python3 -m harness.install`.

Needs python3 and go, nothing else.  What is there already is left alone; the first thing that cannot be installed ends
the run with a non-zero code and says what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness.tools import DEBIAN_TOOLS, GO_TOOLS, REFREGISTRY, DebianTool, GoTool, built, cache, refregistry

# The same flags for all: another flag (-trimpath, say) would throw the shared build cache away.
GO_ENV = {"GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local"}


def main() -> None:
    """Install everything, one line a tool and one for the whole."""
    began = time.monotonic()
    print(f"interop tools in {cache()}", flush=True)
    missing = [tool for tool in DEBIAN_TOOLS if shutil.which(tool.name) is None]
    if missing:
        install_debian(missing)
    for debian in DEBIAN_TOOLS:
        report(debian.name, "Debian", "installed" if debian in missing else "already there")
    for tool in GO_TOOLS:
        install_go(tool, [f"{tool.package}@{tool.version}"], cwd=None)
    install_go(refregistry(), ["."], cwd=REFREGISTRY)
    report("all tools", "", f"ready in {time.monotonic() - began:.0f} s")


def install_go(tool: GoTool, package: list[str], *, cwd: Path | None) -> None:
    """Build `tool` aside, then move it into place whole, so that a killed run leaves no half of one."""
    target = built(tool)
    if target.is_file():
        report(tool.name, tool.version, "already there")
        return
    if shutil.which("go") is None:
        sys.exit(f"interop: cannot build {tool.name}: no `go` on PATH; install Go 1.26 or newer")
    began = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as aside:
        run(["go", "install", *package], f"build {tool.name} {tool.version}", env={**GO_ENV, "GOBIN": aside}, cwd=cwd)
        (binary,) = Path(aside).iterdir()
        binary.replace(target)
    report(tool.name, tool.version, f"built in {time.monotonic() - began:.0f} s")


def install_debian(missing: list[DebianTool]) -> None:
    """Install Debian packages, which takes root."""
    packages = [tool.package for tool in missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        names = ", ".join(tool.name for tool in missing)
        sys.exit(f"interop: {names} missing; as root: apt-get install {' '.join(packages)}")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], "refresh Debian's package lists", env=env)
    run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages], f"install {packages}", env=env)


def run(argv: list[str], purpose: str, *, env: dict[str, str], cwd: Path | None = None) -> None:
    """Run a command quietly; when it fails, print what it said and end."""
    done = subprocess.run(argv, env={**os.environ, **env}, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\ninterop: could not {purpose}: {argv[0]} exited {done.returncode}")


def report(name: str, version: str, outcome: str) -> None:
    """One line of the table that this command prints."""
    print(f"  {name:20} {version:12} {outcome}", flush=True)


if __name__ == "__main__":
    main()
