"""Where a promotion works: its configuration, its git repository, its registries, and who watches."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from promote.errors import Misuse
from promote.model.configuration import Configuration
from promote.model.environment import App, Place
from promote.model.progress import Observer, Silent
from promote.oci.store import Store
from promote.oci.stores import Stores
from promote.promotion.background import Background

if TYPE_CHECKING:
    from promote.gitops.repository import Repository as GitRepository
    from promote.overlays.oracle import Builder


@dataclass
class Workplace(AbstractContextManager["Workplace"]):
    """What every step needs.  `push` False: commits stay local.  Close it, or use it in a `with`.

    `now` is the moment that ages are counted to: the clock is read once, so that one run has one answer.
    """

    configuration: Configuration
    stores: Stores
    observer: Observer = field(default_factory=Silent)
    jobs: int = 10
    push: bool = True
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    background: Background = field(default_factory=Background)
    _git: GitRepository | None = None

    def store(self, place: Place, app: App) -> Store:
        """The store that keeps `app` at `place`."""
        return self.stores.open(place.repository(app))

    @cached_property
    def builder(self) -> Builder | None:
        """The program on PATH that builds kustomizations, None when there is none."""
        from promote.overlays.oracle import find_builder  # noqa: PLC0415 - ruamel.yaml, where it is needed

        return find_builder()

    @property
    def git(self) -> GitRepository:
        """The GitOps repository that promote.yaml lies in; raises `Misuse` when it lies in none."""
        if self._git is None:
            from promote.gitops.repository import Repository  # noqa: PLC0415 - GitPython, where it is needed

            options = self.configuration.git
            remote = options.remote or "origin"
            self._git = Repository.open(self.configuration.root, branch=options.branch, remote=remote)
            if self._git.is_temporary and not self.push:
                raise Misuse(
                    "commit-lost",
                    "got --no-push with a repository that is named by its URL, whose clone is gone after this run",
                    expected="a push, or a directory that keeps the commit",
                    hint="clone the repository yourself and name the directory with --repo",
                )
            if options.remote and self._git.remote_url is None:
                raise Misuse(
                    "remote-missing",
                    f"got no git remote {options.remote}, expected the one that promote.yaml names",
                    hint=f"git remote add {options.remote} URL",
                )
        return self._git

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What was begun ahead of time uses the stores; after an interrupt nobody waits for it.
        self.background.close(wait=error is None or isinstance(error, Exception))
        self.stores.close()
        if self._git is not None:
            self._git.close()


def require_signers(configuration: Configuration) -> None:
    """Raise `Misuse` when evidence is demanded and promote.yaml trusts nobody."""
    gates = configuration.gates.values()
    if not configuration.trust.signers and any(
        g.signature or g.sbom or g.attestations or g.vulnerabilities for g in gates
    ):
        raise Misuse(
            "no-signers",
            f"got no signer in {configuration.path.name}, expected trust.signers to name at least one",
            hint="see who signs with `promote init --from IMAGE --dry-run`, and add them, or the key, to trust.signers",
        )
