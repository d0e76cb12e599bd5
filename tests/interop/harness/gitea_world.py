"""A GitOps repository whose remote is a repository on a real Gitea, which the bot writes with a token.

world = gitea_world(host, tmp_path, monkeypatch)
assert world.promote().code == 0
assert world.one()["head"]["sha"] == world.tip(BRANCH)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness.gitea import BOT, DEVELOPER, PASSWORD, RIGHTS, Gitea, Hosted
from support.git_world import commit_file, executable, git, isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, Ran, make

BRANCH = f"promote/prod/shop/{DIGEST.removeprefix('sha256:')[:12]}"


@dataclass
class World:
    """A GitOps repository whose remote is a repository on Gitea, which the bot writes."""

    repo: GitopsRepo
    hosted: Hosted
    monkeypatch: pytest.MonkeyPatch

    def promote(self, *arguments: str) -> Ran:
        return self.repo.promote(TAG, "--pull-request", *arguments)

    def tip(self, branch: str = "main") -> str:
        return git(self.hosted.bare, "rev-parse", f"refs/heads/{branch}")

    def branches(self) -> list[str]:
        return git(self.hosted.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()

    def one(self) -> Any:
        """The only open request."""
        (request,) = self.hosted.requests()
        return request

    def commit_on(self, start: str, path: str, message: str) -> str:
        """A commit upon the branch `start` of the server, in a clone of somebody's."""
        theirs = self.repo.home / "theirs"
        if not theirs.exists():
            git(self.repo.home, "init", "-q", str(theirs))
        git(theirs, "fetch", "-q", str(self.hosted.bare), start)
        git(theirs, "checkout", "-q", "--detach", "FETCH_HEAD")
        return commit_file(theirs, path, message.encode(), message)

    def push_as(self, user: str, commits: Mapping[str, str], *, to: Hosted | None = None) -> None:
        """Let somebody push commits, by the branch of each."""
        url = (to or self.hosted).url.replace("://", f"://{user}:{PASSWORD}@")
        where = [f"{commit}:refs/heads/{branch}" for branch, commit in commits.items()]
        git(self.repo.home / "theirs", "push", "-q", url, *where)

    def moved(self, branch: str) -> str:
        """A commit of a person upon `branch`, pushed there."""
        commit = self.commit_on(branch, "mine", "one more")
        self.push_as(DEVELOPER, {branch: commit})
        return commit

    def older(self, *branches: str) -> list[int]:
        """The numbers of new requests of the bot, each of one commit of promote about another release."""
        message = "promote(prod): shop another\n\nPromote-Id: 00000000-0000-4000-8000-000000000000\n"
        self.push_as(BOT, {branch: self.commit_on("main", f"other/{branch}", message) for branch in branches})
        asked = [{"head": branch, "base": "main", "title": f"an older one of {branch}"} for branch in branches]
        return [int(self.hosted.call("POST", "/pulls", body, who=BOT)["number"]) for body in asked]

    def passed(self, commit: str) -> None:
        """Let the check that main requires pass at `commit`."""
        self.hosted.call("POST", f"/statuses/{commit}", {"context": "ci", "state": "success"}, who=DEVELOPER)


def gitea_world(host: Gitea, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apps: tuple[str, ...]) -> World:
    """An empty repository of its own on `host`, and the environment in which promote reaches it."""
    isolate(monkeypatch, tmp_path)
    for name in ("FORGEJO_TOKEN", "GITHUB_SERVER_URL", "CI_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITEA_TOKEN", host.token(BOT, *RIGHTS))
    answers = f'test "$1" = get && echo username={BOT} && echo "password=$GITEA_TOKEN"'
    helper = executable(tmp_path / "own" / "helper", answers)
    (tmp_path / "own" / "gitconfig").write_text(f"[credential]\n\thelper = {helper}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "own" / "gitconfig"))
    repo = make(tmp_path, apps=apps, git={"branch": "main", "forge": "gitea"})
    for name, environment in repo.config["environments"].items():
        environment["registry"] = f"oci:{tmp_path}/registries/{name}"
    hosted = host.repository("deploy")
    git(repo.root, "remote", "set-url", "origin", hosted.url)
    repo.bare = hosted.bare
    repo.configure()
    hosted.settle()
    return World(repo, hosted, monkeypatch)
