"""The whole of a promote.yaml, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from promote.model.environment import App, Environment
from promote.model.policy import Gates, Trust


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """How to reach one registry.  `plain_http` None: plain for a loopback host, TLS for any other."""

    plain_http: bool | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class GitOptions:
    """Where commits go.  `branch` None: the branch that is checked out."""

    branch: str | None = None
    remote: str = "origin"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked promote.yaml.  `path` is the file; `root` the directory that its paths are relative to.

    `gates` holds one entry an environment, the file's own gates already merged in.
    """

    path: Path
    apps: Mapping[str, App] = field(hash=False)
    environments: Mapping[str, Environment] = field(hash=False)
    trust: Trust
    gates: Mapping[str, Gates] = field(hash=False)
    git: GitOptions
    registries: Mapping[str, RegistryOptions] = field(hash=False)

    @property
    def root(self) -> Path:
        """The directory of promote.yaml."""
        return self.path.parent
