"""A real Gitea on 127.0.0.1, of one test run alone: SQLite, its users, its repositories and what guards their branches.

with gitea(tools, directory) as server:
    repository = server.repository("deploy")           # empty, of the organization acme; the bot may write it
    token = server.token("bot", "write:repository", "write:issue")
"""

from __future__ import annotations

import base64
import getpass
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from harness.process import START_SECONDS, free_port, run, server
from harness.tools import gitea_files

OWNER = "acme"
ADMIN, BOT, DEVELOPER = "keeper", "bot", "developer"
PASSWORD = "only-of-this-test-run"
RIGHTS = ("write:repository", "write:issue")
"""The scopes that a token needs for pull requests."""
PAGE = 5
"""Items of a list that the server gives at most, which is fewer than by default."""

# As root it runs only when it is told to, as anybody else it does not mind.  No service of the internet is asked.
CONFIGURATION = """\
RUN_USER = {user}
RUN_MODE = prod
WORK_PATH = {root}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {static}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = {root}/gitea.db
[repository]
ROOT = {root}/repositories
[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
DISABLE_GIT_HOOKS = false
[indexer]
ISSUE_INDEXER_TYPE = db
[api]
MAX_RESPONSE_ITEMS = {page}
[log]
MODE = console
LEVEL = Warn
[cron]
ENABLED = false
[cron.update_checker]
ENABLED = false
[actions]
ENABLED = false
"""


class Declined(AssertionError):
    """Gitea answered a call of the tests with another status than 2xx."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Hosted:
    """One repository of the server."""

    server: Gitea
    owner: str
    name: str

    @property
    def url(self) -> str:
        """Where git finds it."""
        return f"{self.server.origin}/{self.owner}/{self.name}.git"

    @property
    def bare(self) -> Path:
        """Where the server keeps it."""
        return self.server.root / "repositories" / self.owner / f"{self.name}.git"

    def call(self, method: str, path: str, body: Any = None, *, who: str = ADMIN) -> Any:
        """The answer of ``/repos/OWNER/NAME`` + `path` to `who`; raises `Declined`."""
        return self.server.call(method, f"/repos/{self.owner}/{self.name}{path}", body, who=who)

    def requests(self, state: str = "open") -> list[Any]:
        """The pull requests in that state, oldest first."""
        return sorted(self.call("GET", f"/pulls?state={state}&limit={PAGE}"), key=lambda item: item["number"])

    def settle(self) -> None:
        """Return when the server has taken note of the first push; its API calls the repository empty until then."""
        until(lambda: not self.call("GET", "")["empty"])

    def mergeable(self, number: int) -> Any:
        """The request, once the server has looked for conflicts and found none."""
        until(lambda: self.call("GET", f"/pulls/{number}")["mergeable"])
        return self.call("GET", f"/pulls/{number}")

    def protect(self, **rules: Any) -> None:
        """Guard main: nobody pushes; `rules` may say otherwise, and of other branches."""
        self.call("POST", "/branch_protections", {"rule_name": "main", "enable_push": False, **rules})

    def approve(self, number: int, commit: str) -> None:
        """The developer's approval of a request at `commit`."""
        review = {"event": "APPROVED", "body": "fine", "commit_id": commit}
        self.call("POST", f"/pulls/{number}/reviews", review, who=DEVELOPER)


@dataclass(frozen=True, slots=True)
class Gitea:
    """A running server; `origin` is its URL without a slash at the end."""

    origin: str
    root: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def call(self, method: str, path: str, body: Any = None, *, who: str = ADMIN) -> Any:
        """The answer of the API's `path` to the user `who`; raises `Declined`."""
        content = None if body is None else json.dumps(body).encode()
        known = base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {known}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.origin}/api/v1{path}", content, headers, method=method)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(asked, timeout=60) as answer:
                told = answer.read()
        except urllib.error.HTTPError as problem:
            raise Declined(problem.code, problem.read().decode(errors="replace")) from None
        return json.loads(told) if told else None

    def repository(self, kind: str) -> Hosted:
        """A new repository without a commit, whose name begins with `kind`; the bot and the developer may write it."""
        name = f"{kind}-{next(self._numbers)}"
        settings = {"name": name, "private": True, "auto_init": False, "default_branch": "main"}
        self.call("POST", f"/orgs/{OWNER}/repos", settings)
        for user in (BOT, DEVELOPER):
            self.call("PUT", f"/repos/{OWNER}/{name}/collaborators/{user}", {"permission": "write"})
        return Hosted(self, OWNER, name)

    def token(self, user: str, *scopes: str) -> str:
        """A new token of `user`, for these scopes alone."""
        wanted = {"name": f"token-{next(self._numbers)}", "scopes": list(scopes)}
        return str(self.call("POST", f"/users/{user}/tokens", wanted, who=user)["sha1"])


def until(is_so: Callable[[], bool]) -> None:
    """Return when it is; raises `AssertionError` when that takes too long."""
    end = time.monotonic() + START_SECONDS
    while not is_so():
        assert time.monotonic() < end, "the server does not get there"
        time.sleep(0.05)


@contextmanager
def gitea(tools: Mapping[str, Path], directory: Path) -> Iterator[Gitea]:
    """A Gitea that keeps everything below `directory`, with its users and the organization, while the block runs."""
    port = free_port()
    configuration, home = directory / "app.ini", directory / "home"
    home.mkdir(parents=True)
    configuration.write_text(
        CONFIGURATION.format(
            user=getpass.getuser(), root=directory, port=port, static=gitea_files(), secret="s" * 40, page=PAGE
        )
    )
    # Gitea writes git's configuration for itself, and none of whoever runs the tests may reach it.
    environment = {"HOME": str(home), "GITEA_WORK_DIR": str(directory), "GIT_CONFIG_NOSYSTEM": "1"}
    command = [tools["gitea"], "--config", configuration]
    origin = f"http://127.0.0.1:{port}"
    with server(
        [*command, "web"], ready=f"{origin}/api/v1/version", log=directory / "log", cwd=directory, env=environment
    ):
        who = ["--username", ADMIN, "--password", PASSWORD, "--email", f"{ADMIN}@acme.example"]
        made = [*command, "admin", "user", "create", "--admin", "--must-change-password=false", *who]
        run(made, cwd=directory, env=environment)
        running = Gitea(origin, directory)
        for user in (BOT, DEVELOPER):
            account = {"username": user, "email": f"{user}@acme.example", "password": PASSWORD}
            running.call("POST", "/admin/users", {**account, "must_change_password": False})
        running.call("POST", "/orgs", {"username": OWNER})
        yield running
