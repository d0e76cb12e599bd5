"""Install the tools of tools.py, each once: `cd tests/interop && python3 -m harness.install [full]`.

Needs python3 and go, nothing else.  What is there already is left alone; the first thing that cannot be installed ends
the run with a non-zero code and says what to do.  `full` adds what `make interop-full` needs: a Rekor v1.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from harness.tools import (
    DEBIAN,
    DEBIAN_TOOLS,
    FORGES,
    FULL_DEBIAN_TOOLS,
    FULL_GO_TOOLS,
    GITEA,
    GO_TOOLS,
    TRILLIAN,
    DebianTool,
    GoTool,
    built,
    cache,
    debian_base,
    forges,
    gitea_files,
    on_path,
    our_tools,
    trillian_schema,
)

# The same flags for all: another flag (-trimpath, say) would throw the shared build cache away.
GO_ENV = {"GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local"}


def main(arguments: list[str]) -> None:
    """Install everything, one line a tool and one for the whole, each with how long it took."""
    if arguments not in ([], ["full"]):
        sys.exit(f"interop: got {' '.join(arguments)}, expected nothing or full")
    began = time.monotonic()
    print(f"interop tools in {cache()}", flush=True)
    install_debian((*DEBIAN_TOOLS, *(FULL_DEBIAN_TOOLS if arguments else ())))
    for tool in (*GO_TOOLS, *(FULL_GO_TOOLS if arguments else ())):
        install_go(tool, [f"{tool.package}@{tool.version}"], cwd=None)
    for tool in our_tools():
        install_go(tool, ["."], cwd=Path(tool.package))
    install_gitea()
    install_forges()
    install_debian_base()
    if arguments:
        install_trillian_schema()
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


def install_gitea() -> None:
    """Build Gitea in its module with SQLite, which takes a C compiler, and keep the files that it reads beside it.

    Without its web pages, which take npm and are not tested here.
    """
    target = built(GITEA)
    if target.is_file():
        report(GITEA.name, GITEA.version, "already there")
        return
    if shutil.which("gcc") is None:
        sys.exit(f"interop: cannot build {GITEA.name}: no `gcc` on PATH; as root: apt-get install gcc libc6-dev")
    began = time.monotonic()
    source = module(f"{GITEA.package}@{GITEA.version}")
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as aside:
        whole = Path(aside) / target.parent.name
        named = f"-X main.Version={GITEA.version.removeprefix('v')}"
        build = ["go", "build", "-tags", "sqlite sqlite_unlock_notify", "-ldflags", named]
        run([*build, "-o", str(whole / target.name), "."], f"build {target.name}", env=GO_ENV, cwd=source)
        (whole / gitea_files().name).mkdir()
        read = [str(source / name) for name in ("options", "public", "templates")]
        copy = ["cp", "--recursive", "--no-preserve=mode", *read, str(whole / gitea_files().name)]
        run(copy, "copy what Gitea reads", env={})
        whole.replace(target.parent)
    report(GITEA.name, GITEA.version, f"built in {time.monotonic() - began:.0f} s")


def install_forges() -> None:
    """The npm packages of `FORGES` by their lock file, whose hashes npm checks; no script of theirs is run."""
    target = forges()
    if target.is_dir():
        report("forges", "npm", "already there")
        return
    began = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as aside:
        whole = Path(aside) / "forges"
        shutil.copytree(FORGES, whole)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "install the npm packages", env={}, cwd=whole)
        # Nine hundred megabytes are the descriptions of other products, and this one's without references.
        for file in (whole / "node_modules/@octokit/openapi/generated").glob("*.json"):
            if file.name != "api.github.com.json":
                file.unlink()
        whole.replace(target)
    report("forges", "npm", f"installed in {time.monotonic() - began:.0f} s")


def install_debian_base() -> None:
    """A minimal Debian from its own signed packages, which takes root."""
    target = debian_base()
    if target.is_file():
        report("debian base", DEBIAN, "already there")
        return
    began = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as aside:
        root, whole = Path(aside) / "root", Path(aside) / "root.tar"
        # In a mount namespace of its own: what debootstrap mounts is gone with it, however it ends.
        bootstrap = ["unshare", "--mount", "debootstrap", "--variant=minbase", "--force-check-gpg", DEBIAN, str(root)]
        run(bootstrap, f"bootstrap Debian {DEBIAN}", env={})
        left_out = ("--exclude=./dev/*", "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*")
        pack = ["tar", f"--directory={root}", *left_out, "--create", f"--file={whole}", "."]
        run(pack, f"pack Debian {DEBIAN}", env={})
        whole.replace(target)
    report("debian base", DEBIAN, f"made in {time.monotonic() - began:.0f} s")


def install_trillian_schema() -> None:
    """Copy the SQL out of the module that Trillian was built from."""
    target = trillian_schema()
    if target.is_file():
        report("trillian schema", TRILLIAN, "already there")
        return
    source = module(f"github.com/google/trillian@{TRILLIAN}")
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = target.with_suffix(".new")
    whole.write_bytes((source / "storage" / "mysql" / "schema" / "storage.sql").read_bytes())
    whole.replace(target)
    report("trillian schema", TRILLIAN, "copied")


def module(name: str) -> Path:
    """The sources of the Go module `name` (``PATH@VERSION``), which nothing may write to."""
    said = run(["go", "mod", "download", "-json", name], f"download {name}", env=GO_ENV)
    return Path(json.loads(said)["Dir"])


def install_debian(tools: Iterable[DebianTool]) -> None:
    """Install the packages of those that are missing, which takes root."""
    missing = [tool for tool in tools if on_path(tool) is None]
    began = time.monotonic()
    if missing:
        install_packages(sorted({tool.package for tool in missing}), missing)
    took = f"installed in {time.monotonic() - began:.0f} s"
    for tool in tools:
        report(tool.name, "Debian", took if tool in missing else "already there")


def install_packages(packages: list[str], missing: list[DebianTool]) -> None:
    """`apt-get install`."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        names = ", ".join(tool.name for tool in missing)
        sys.exit(f"interop: {names} missing; as root: apt-get install --no-install-recommends {' '.join(packages)}")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], "refresh Debian's package lists", env=env)
    run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages], f"install {packages}", env=env)


def run(argv: list[str], purpose: str, *, env: dict[str, str], cwd: Path | None = None) -> str:
    """Standard output of a command; when it fails, print what it said and end."""
    done = subprocess.run(argv, env={**os.environ, **env}, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\ninterop: could not {purpose}: {argv[0]} exited {done.returncode}")
    return done.stdout


def report(name: str, version: str, outcome: str) -> None:
    """One line of the table that this command prints."""
    print(f"  {name:20} {version:12} {outcome}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
