"""Workflow commands: lines of the log that the runner obeys, written so that no value can add one.

Source: actions/toolkit, packages/core/src/command.ts (escapeData, escapeProperty); actions/runner, ActionCommand.cs.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from promote.output.style import printable

SECRETS = (
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GITLAB_TOKEN",
    "GITEA_TOKEN",
    "FORGEJO_TOKEN",
    "BITBUCKET_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "SIGSTORE_ID_TOKEN",
    "PROMOTE_KEY_PASSWORD",
    "COSIGN_PASSWORD",
)
"""The variables that promote reads a secret from."""
SHORTEST_SECRET = 4
"""Characters: to mask less would only make the log unreadable."""


def command(name: str, message: str, **properties: str) -> str:
    """One line that says ``::name property=value::message``; line breaks in `message` stay line breaks."""
    pairs = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name}{' ' if pairs else ''}{pairs}::{_data(message)}"


def mask(environ: Mapping[str, str]) -> Iterator[str]:
    """The commands that hide every secret of `environ` that promote may read, line by line as the log is written."""
    for name in SECRETS:
        for line in environ.get(name, "").splitlines():
            if len(line.strip()) >= SHORTEST_SECRET:
                yield f"::add-mask::{_escaped(line.strip())}"


@contextmanager
def stopped(log: TextIO) -> Iterator[None]:
    """While the block runs nothing in the log is a command, whatever a registry or repository says."""
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}", file=log, flush=True)
    try:
        yield
    finally:
        print(f"\n::{token}::", file=log, flush=True)


def _data(text: str) -> str:
    return _escaped("\n".join(printable(line) for line in text.split("\n")))


def _property(text: str) -> str:
    return _escaped(printable(text)).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
