"""A GitOps repository whose remote is a host of `support.forge_server`, and requests of earlier releases there.

with forge_world(tmp_path, "github", monkeypatch) as world:
    assert world.promote().code == 0
    (request,) = world.host.open()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.forge_server import TOKEN, ForgeServer, Hosted, commit_on, forge_server
from support.git_world import git
from support.gitops_repo import DIGEST, TAG, GitopsRepo, Ran, make

TOKENS = {
    "github": "GITHUB_TOKEN",
    "gitlab": "GITLAB_TOKEN",
    "gitea": "GITEA_TOKEN",
    "bitbucket": "BITBUCKET_TOKEN",
}
BRANCH = f"promote/prod/shop/{DIGEST.removeprefix('sha256:')[:12]}"
OLDER = "promote/prod/shop/aaaaaaaaaaaa"
OLDER_MESSAGE = "promote(prod): shop sha-1\n\nPromote-Id: 0123456789abcdef\nPromote-Env: prod\n"


@dataclass
class World:
    """A GitOps repository whose remote is a host, and the host."""

    repo: GitopsRepo
    host: ForgeServer

    def promote(self, *arguments: str) -> Ran:
        """Promote by a request."""
        return self.repo.promote(TAG, "--pull-request", *arguments)

    def tip(self, branch: str = "main") -> str:
        """The commit that a branch of the host is at."""
        return git(self.host.bare, "rev-parse", branch)

    def branches(self) -> list[str]:
        """The branches of the host."""
        return git(self.host.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()

    def older(self, branch: str = OLDER, *, fork: bool = False, message: str = OLDER_MESSAGE) -> Hosted:
        """A request of an earlier release, open; `message` is that of the one commit of its branch."""
        if not fork:
            git(self.host.bare, "branch", branch, "main")
            commit_on(self.host.bare, branch, self.tip(), message, {"overlays/older": b"x"})
        return self.host.add(branch, "main", "an older one", "body", fork=fork)


@contextmanager
def forge_world(tmp_path: Path, kind: str, monkeypatch: Any, *, port: int = 0, **settings: Any) -> Iterator[World]:
    """A repository whose `git` section has `settings`, on a host of `kind` whose token is in the environment."""
    repo = make(tmp_path, git={"branch": "main", "forge": kind, **settings})
    with forge_server(repo.bare, kind, port=port) as host:
        git(repo.root, "remote", "set-url", "origin", host.url)
        monkeypatch.setenv(TOKENS[kind], TOKEN)
        monkeypatch.setenv("GITHUB_SERVER_URL", host.origin)
        yield World(repo, host)
