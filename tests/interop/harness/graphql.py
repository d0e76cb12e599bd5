"""GitHub's published GraphQL schema, asked by graphql-js about operations and what was answered to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import run
from typing import Any

from harness.tools import FORGES, forges

Operation = tuple[str, Any, Any]
"""A query, its variables, and what was answered; None where nothing was."""
Complaints = Callable[[Sequence[Operation]], list[list[str]]]
"""What the schema has against each of several operations."""


def complaints_of(tools: Mapping[str, Path]) -> Complaints:
    """Ask with the packages of this user, whatever HOME is when it is asked."""
    argv = [tools["node"], FORGES / "validate.cjs", forges() / "node_modules"]

    def complaints(operations: Sequence[Operation]) -> list[list[str]]:
        asked = [{"query": query, "variables": told, "answer": answer} for query, told, answer in operations]
        done = run(argv, input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60)
        found: list[list[str]] = json.loads(done.stdout)
        return found

    return complaints
