"""The outputs of the action, from the JSON that promote printed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LONGEST = 900_000
"""Characters of an output: a job may have 1 MiB of them in all."""


def of(result: Mapping[str, Any], exit_code: int) -> dict[str, str]:
    """Each output by its name; `result` is empty when promote printed none."""
    releases = result.get("releases") or []
    digests = [(r["app"], r["digest"]) for r in releases if r.get("digest")]
    commit = result.get("commit") or {}
    acts = result.get("command") in ("promote", "rollback") and not result.get("dry_run")
    landed = acts and bool(result.get("ok")) and not commit.get("base")
    whole = json.dumps(result, separators=(",", ":"))
    return {
        "digest": "\n".join(digest if len(releases) == 1 else f"{app}={digest}" for app, digest in digests),
        "changed": _truth(bool(result.get("ok")) and any(r.get("changed") for r in releases)),
        "promoted": _truth(landed),
        "refused-by": refused_by(result),
        "error": (result.get("error") or {}).get("code", ""),
        "commit": commit.get("id") or "",
        "pull-request": commit.get("pull_request") or "",
        "exit-code": str(exit_code),
        "result": whole if len(whole) <= LONGEST else "{}",
    }


def refused_by(result: Mapping[str, Any]) -> str:
    """The gate that decided, in the order of the gates; empty when none refused."""
    error = result.get("error") or {}
    for release in result.get("releases") or []:
        for gate in release["gates"]:
            if gate["verdict"] == "refuse" and gate["code"] == error.get("code"):
                return str(gate["gate"])
    return ""


def write(environ: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Append the outputs to GITHUB_OUTPUT, each between delimiters that no value can guess."""
    if path := environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a", encoding="utf-8") as file:
            for name, value in values.items():
                mark = f"end-{secrets.token_hex(16)}"
                file.write(f"{name}<<{mark}\n{value}\n{mark}\n")


def _truth(value: bool) -> str:  # noqa: FBT001 - it is the value
    return "true" if value else "false"
