"""The whole of a promote.yaml, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from promote.model.attestor import Attestor
from promote.model.digest import Digest
from promote.model.environment import App, Environment
from promote.model.policy import Gates, Trust

_EMPTY = Digest.of(b"")


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """How to reach one registry.  `plain_http` None: plain for a loopback host, TLS for any other.

    `concurrency` is how many requests it is asked at a time, 2 or more, and `rate` how many a second; None for as many
    as the whole run is allowed.
    """

    plain_http: bool | None = None
    ca: Path | None = None
    concurrency: int | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class GitOptions:
    """Where commits go.  `branch` None: the one that is checked out.  `remote` None: origin, where there is one.

    `delivery` is ``push``, ``pull-request`` or ``github-api``; `forge` the kind of host, None: told by its name.
    `labels` and `auto_merge` are for pull requests.  `whole_history` says that a repository which is named by its URL
    is fetched with all of its commits.
    """

    branch: str | None = None
    remote: str | None = None
    delivery: str = "push"
    forge: str | None = None
    labels: tuple[str, ...] = ()
    auto_merge: bool = False
    whole_history: bool = False


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked promote.yaml.  `path` is the file; `root` the directory that its paths are relative to.

    `gates` holds one entry an environment, the file's own gates already merged in; `default_gates` are the file's own.
    `attestors` has who signs the verdict, for the environments that want one; `digest` is that of the file's bytes.
    """

    path: Path
    apps: Mapping[str, App] = field(hash=False)
    environments: Mapping[str, Environment] = field(hash=False)
    trust: Trust
    gates: Mapping[str, Gates] = field(hash=False)
    default_gates: Gates
    git: GitOptions
    registries: Mapping[str, RegistryOptions] = field(hash=False)
    attestors: Mapping[str, Attestor] = field(default_factory=dict, hash=False)
    digest: Digest = _EMPTY

    @property
    def root(self) -> Path:
        """The directory of promote.yaml."""
        return self.path.parent

    def image_names(self, app: App) -> frozenset[str]:
        """Everything that a manifest may call the app's image, without tag and digest."""
        names = {app.image, *app.names}
        for environment in self.environments.values():
            for place in environment.places:
                pull = place.pull_name(app)
                names.update(n for n in (pull, None if place.is_layout else str(place.repository(app))) if n)
        return frozenset(names)
