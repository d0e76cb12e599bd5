"""Run promote for the action: inputs from PROMOTE_* variables, outputs to GITHUB_OUTPUT.

Run as `python -I run.py` by the interpreter of the environment that install.py made.  Inputs are never seen by a shell,
and never taken for options: they come after `--`.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def main(environ: Mapping[str, str]) -> int:
    """Promote as the variables say; returns promote's exit code."""
    try:
        arguments = command_line(environ)
    except ValueError as problem:
        print(f"::error title=promote::{problem}")
        return 2
    done = subprocess.run(
        [sys.executable, "-I", "-m", "promote", *arguments],
        cwd=environ.get("GITHUB_WORKSPACE") or None,
        stdout=subprocess.PIPE,
        check=False,
    )
    result = read(done.stdout)
    write_outputs(environ, outputs(result, done.returncode))
    report(result, done.returncode)
    return done.returncode


def command_line(environ: Mapping[str, str]) -> list[str]:
    """The arguments that the inputs ask for; raises ValueError for an input that cannot be meant."""
    arguments = ["promote", "--format=json"]
    given = {name: environ.get(f"PROMOTE_{name.upper()}", "") for name in ("config", "repo", "reason")}
    arguments += [f"--{name}={value}" for name, value in given.items() if value]
    for name in ("dry-run", "require-change"):
        value = environ.get(f"PROMOTE_{name.upper().replace('-', '_')}", "") or "false"
        if value not in ("true", "false"):
            raise ValueError(f"got {name}: {value!a}, expected true or false")
        if value == "true":
            arguments.append(f"--{name}")
    promotion = environ.get("PROMOTE_PROMOTION", "").strip()
    if not promotion:
        raise ValueError("got no promotion, expected one such as staging->prod")
    return [*arguments, "--", promotion, *environ.get("PROMOTE_RELEASE", "").split()]


def read(stdout: bytes) -> dict[str, Any]:
    """The result that promote printed; an empty one when it printed none."""
    try:
        value = json.loads(stdout)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def outputs(result: dict[str, Any], exit_code: int) -> dict[str, str]:
    """The outputs of the action."""
    releases = result.get("releases", [])
    digests = [(r["app"], r["digest"]) for r in releases if r.get("digest")]
    one = len(releases) == 1
    return {
        "digest": "\n".join(digest if one else f"{app}={digest}" for app, digest in digests),
        "changed": "true" if result.get("ok") and any(r.get("changed") for r in releases) else "false",
        "commit": (result.get("commit") or {}).get("id", ""),
        "exit-code": str(exit_code),
        "result": json.dumps(result),
    }


def write_outputs(environ: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Append the outputs to GITHUB_OUTPUT, each between delimiters that no value can guess."""
    if path := environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a", encoding="utf-8") as file:
            for name, value in values.items():
                mark = f"end-{secrets.token_hex(16)}"
                file.write(f"{name}<<{mark}\n{value}\n{mark}\n")


def report(result: dict[str, Any], exit_code: int) -> None:
    """Print the verdicts for the log; what comes from outside cannot be read as a workflow command meanwhile."""
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}")
    for release in result.get("releases", []):
        print(shown(f"{release['app']} {release['tag']} {release['digest'] or ''}"))
        for gate in release["gates"]:
            print(shown(f"  {gate['verdict']:8} {gate['gate']:12} {gate['summary']}"))
            for name in ("expected", "actual", "hint"):
                if gate["verdict"] in ("refuse", "unknown") and gate[name]:
                    print(shown(f"{'':24}{name:9} {gate[name]}"))
        for edit in release["edits"]:
            print(shown(f"  {edit['file']}:{edit['line']}  {edit['after'].strip()}"))
    print(f"::{token}::")
    error = result.get("error")
    if error:
        hint = f" -- {error['hint']}" if error["hint"] else ""
        print(f"::error title=promote (exit {exit_code}, {shown(error['code'])})::{data(error['message'] + hint)}")
    elif exit_code:
        print(f"::error title=promote::promote ended with exit code {exit_code}")
    elif result.get("commit"):
        print(f"promoted: commit {result['commit']['id']} on {shown(result['commit']['branch'])}")
    else:
        print("nothing was changed" if not result.get("dry_run") else "dry run: nothing was written")


def shown(text: str) -> str:
    """`text` on one line, without control characters and without the runner's older command marker."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text).replace("##[", "# #[")


def data(text: str) -> str:
    """`text` as the message of a workflow command."""
    return shown(text).replace("%", "%25")


if __name__ == "__main__":
    sys.exit(main(os.environ))
