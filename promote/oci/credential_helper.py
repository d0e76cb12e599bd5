"""Credential helpers: the programs that keep what docker and podman do not want to keep in a file."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from promote.errors import CredentialsFault
from promote.model import strict_json
from promote.model.malformed import Malformed, shown

HELPER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
HELPER_SECONDS = 10
MAX_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password.  Neither is ever shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A refresh token, to be exchanged for an access token (OAuth2 grant, what `az acr login` stores)."""

    token: str = field(repr=False)


def ask_helper(name: str, server: str, environ: Mapping[str, str]) -> Login | IdentityToken | None:
    """What ``docker-credential-<name> get`` has for `server`; None when it says that it has nothing.

    `name` matches `HELPER_NAME`.  Raises `CredentialsFault`; the helper's own words are never repeated, because some
    print what they were given.  Source: docker/docker-credential-helpers, README, "Development".
    """
    program = f"docker-credential-{name}"
    try:
        run = subprocess.run(  # noqa: S603 - the name is checked, the configuration that gave it is the user's own
            [program, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=HELPER_SECONDS,
            env=dict(environ),
            check=False,
        )
    except FileNotFoundError:
        raise _failed(program, server, "is not on PATH") from None
    except subprocess.TimeoutExpired:
        raise _failed(program, server, f"gave no answer within {HELPER_SECONDS} s") from None
    except OSError as problem:
        # A directory of PATH that may not be searched hides that there is no such program (execvp(3), EACCES).
        if shutil.which(program, path=environ.get("PATH")) is None:
            raise _failed(program, server, "is not on PATH") from None
        raise _failed(program, server, f"could not be run: {problem.strerror}") from None
    if run.returncode != 0:
        if b"credentials not found" in run.stdout:
            return None
        raise _failed(program, server, f"ended with status {run.returncode}")
    return _parse(program, server, run.stdout)


def _parse(program: str, server: str, answer: bytes) -> Login | IdentityToken | None:
    try:
        value = strict_json.loads_object(answer if len(answer) <= MAX_ANSWER else b"")
    except Malformed:
        raise _failed(program, server, "answered something that is not a JSON object") from None
    username, secret = value.get("Username"), value.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str):
        raise _failed(program, server, "answered without Username and Secret")
    if not secret:
        return None
    return IdentityToken(secret) if username == "<token>" else Login(username, secret)


def _failed(program: str, server: str, reason: str) -> CredentialsFault:
    return CredentialsFault(
        "credential-helper-failed",
        f"the credential helper {program} {reason}; it was asked for {shown(server)}",
        hint=f"run `echo {shown(server)} | {program} get` and see what it says",
    )
