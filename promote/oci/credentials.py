"""Credentials for a registry, from where docker, podman and GitHub Actions keep them.

In this order, the first that has an entry wins: ``REGISTRY_AUTH_FILE``, ``$XDG_RUNTIME_DIR/containers/auth.json``,
``~/.config/containers/auth.json``, ``$DOCKER_CONFIG/config.json`` or ``~/.docker/config.json``, and what the place
where promote runs has by itself (`promote.oci.ambient`).  netrc is never read.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from promote.errors import Misuse
from promote.model import strict_json
from promote.model.malformed import Malformed
from promote.model.reference import Repository
from promote.oci.ambient import ambient_credential
from promote.oci.credential_helper import HELPER_NAME, IdentityToken, Login, ask_helper

DOCKER_HUB = "docker.io"
DOCKER_HUB_KEY = "https://index.docker.io/v1/"
MAX_FILE = 1024 * 1024

T = TypeVar("T")
Credential = Login | IdentityToken

_HUB_NAMES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_DOCKER_KEY = re.compile(r"(?:https?://)?([^/]+)(?:/(?:v1/?|v2/?)?)?")


@dataclass(frozen=True, slots=True)
class AuthFile:
    """A file of credentials, parsed.  `namespaced`: its keys may be ``host/path`` (containers-auth.json(5))."""

    path: Path
    namespaced: bool
    auths: Mapping[str, Any] = field(repr=False, hash=False)
    helpers: Mapping[str, str] = field(hash=False)
    store: str | None


def find_credential(repository: Repository, environ: Mapping[str, str]) -> Credential | None:
    """What to show the registry of `repository`; None for nothing, which is to say anonymously.

    Raises `Misuse` for a file that is not what it should be, `CredentialsFault` for a helper that fails.
    """
    found = find_in_files(repository, environ)
    return found[0] if found else ambient_credential(repository.registry, environ)


def find_in_files(repository: Repository, environ: Mapping[str, str]) -> tuple[Credential, Path] | None:
    """The credential that a file holds or its helper tells, and that file; raises as `find_credential`."""
    for path, namespaced in _places(environ):
        if (file := read_auth_file(path, namespaced=namespaced)) and (found := _in_file(file, repository, environ)):
            return found, path
    return None


def _places(environ: Mapping[str, str]) -> Iterator[tuple[Path, bool]]:
    home = environ.get("HOME")
    if explicit := environ.get("REGISTRY_AUTH_FILE"):
        if not Path(explicit).is_file():
            raise Misuse(
                "auth-file-missing",
                f"REGISTRY_AUTH_FILE names {explicit}, which is not a file",
                hint="let it name an existing auth.json, or unset it",
            )
        yield Path(explicit), True
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "containers", "auth.json"), True
    if home:
        yield Path(home, ".config", "containers", "auth.json"), True
    if docker := environ.get("DOCKER_CONFIG"):
        yield Path(docker, "config.json"), False
    elif home:
        yield Path(home, ".docker", "config.json"), False


def read_auth_file(path: Path, *, namespaced: bool) -> AuthFile | None:
    """The file at `path`, None when there is none; raises `Misuse` that names the file and never quotes it."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise _unusable(path, problem.strerror or "it cannot be read") from None
    if len(content) > MAX_FILE:
        raise _unusable(path, f"it is larger than {MAX_FILE} bytes")
    try:
        value = strict_json.loads_object(content) if content.strip() else {}
    except Malformed:
        raise _unusable(path, "it is not a JSON object in UTF-8") from None
    auths, helpers, store = (value.get(key) or None for key in ("auths", "credHelpers", "credsStore"))
    return AuthFile(
        path,
        namespaced,
        _objects(path, auths),
        {key: _helper(path, name) for key, name in _object(path, "credHelpers", helpers).items()},
        None if store is None else _helper(path, store),
    )


def _in_file(file: AuthFile, repository: Repository, environ: Mapping[str, str]) -> Credential | None:
    """credHelpers, then auths, then credsStore, as docker and containers/image look."""
    keys = list(_keys(repository, namespaced=file.namespaced))
    server = DOCKER_HUB_KEY if repository.registry in _HUB_NAMES else repository.registry
    helpers = _normalised(file.helpers, namespaced=file.namespaced)
    for key in keys:
        if (name := helpers.get(key)) and (found := ask_helper(name, server, environ)):
            return found
    auths = _normalised(file.auths, namespaced=file.namespaced)
    for key in keys:
        if (entry := auths.get(key)) and (found := _entry(file.path, entry)):
            return found
    return ask_helper(file.store, server, environ) if file.store else None


def _keys(repository: Repository, *, namespaced: bool) -> Iterator[str]:
    """The keys that fit `repository`, the longest first."""
    host = DOCKER_HUB if repository.registry in _HUB_NAMES else repository.registry
    parts = repository.path.split("/") if namespaced else []
    for length in range(len(parts), -1, -1):
        yield "/".join([host, *parts[:length]])


def _normalised(entries: Mapping[str, T], *, namespaced: bool) -> dict[str, T]:
    """`entries` by host (and path where `namespaced`): docker's keys may have a scheme, /v1/ and Docker Hub's old name.

    An exact key is stronger than one that only means the same.
    """
    found: dict[str, T] = {}
    for key, value in entries.items():
        match = _DOCKER_KEY.fullmatch(key)
        host = match[1] if match else ""
        name = DOCKER_HUB if host in _HUB_NAMES else host
        if match and (key == name or name not in found):
            found[name] = value
        elif not match and namespaced and "://" not in key:
            found[key] = value
    return found


def _entry(path: Path, entry: Mapping[str, Any]) -> Credential | None:
    """What one entry of ``auths`` holds; None for an empty one, which says that a store has it."""
    if token := entry.get("identitytoken"):
        return IdentityToken(_text(path, token))
    if entry.get("username"):
        return Login(_text(path, entry["username"]), _text(path, entry.get("password", "")))
    if not entry.get("auth"):
        return None
    try:
        name, colon, password = base64.b64decode(_text(path, entry["auth"]), validate=True).decode().partition(":")
    except ValueError:
        raise _unusable(path, "an auth is not user:password in base64") from None
    if not colon:
        raise _unusable(path, "an auth is not user:password in base64")
    return Login(name, password.rstrip("\0"))


def _text(path: Path, value: object) -> str:
    if not isinstance(value, str):
        raise _unusable(path, "an entry of auths is not text")
    return value


def _object(path: Path, key: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _unusable(path, f"{key} is not an object")
    return value


def _objects(path: Path, value: object) -> dict[str, Any]:
    entries = _object(path, "auths", value)
    if not all(isinstance(entry, dict) for entry in entries.values()):
        raise _unusable(path, "an entry of auths is not an object")
    return entries


def _helper(path: Path, name: object) -> str:
    """The name of a helper; anything that could be a path is refused, since it is run."""
    if not isinstance(name, str) or not HELPER_NAME.fullmatch(name):
        raise _unusable(path, "a credential helper's name is not of a-z 0-9 . _ -")
    return name


def _unusable(path: Path, reason: str) -> Misuse:
    return Misuse(
        "auth-file-malformed",
        f"the credentials file {path} cannot be used: {reason}",
        hint=f"repair {path}, or make it anew with `docker login` or `podman login`",
    )
