"""A secret that git needs is in no argument of any process that git starts, in no file, and in nothing that is told.

Every program of git is wrapped: what is recorded are the argument lists themselves, and not what happened to be seen.
"""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from support.git_servers import HttpServer, git_over_http
from support.git_world import executable, git, isolate
from support.gitops_repo import TAG, GitopsRepo, make

TOKEN = "ghs_0123%/@:planted"
SPELLINGS = (TOKEN, quote(TOKEN, safe=""), b64encode(f"bot:{TOKEN}".encode()).decode())


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def arguments(tmp_path, monkeypatch) -> Path:
    """The file with the arguments of every program of git that promote starts, or that such a program starts."""
    real = Path(subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip())
    log, programs = tmp_path / "log" / "arguments", tmp_path / "programs"
    log.parent.mkdir()
    programs.mkdir()
    for program in real.iterdir():
        (programs / program.name).symlink_to(program)
    for name, path in {"git": shutil.which("git"), "git-remote-http": real / "git-remote-http"}.items():
        (programs / name).unlink(missing_ok=True)
        executable(programs / name, f'printf "%s\\n" "{name} $*" >>{log}\nexec {path} "$@"')
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("GIT_EXEC_PATH", str(programs))
    return log


@pytest.fixture
def served(tmp_path) -> Iterator[tuple[HttpServer, GitopsRepo]]:
    repo = make(tmp_path)
    for name, environment in repo.config["environments"].items():
        environment["registry"] = f"oci:{tmp_path}/registries/{name}"
    repo.configure()
    assert repo.bare is not None
    git(repo.bare, "config", "uploadpack.allowFilter", "true")
    with git_over_http(repo.bare.parent, TOKEN) as server:
        yield server, repo


def give(way: str, monkeypatch: pytest.MonkeyPatch, server: HttpServer, repo: GitopsRepo) -> None:
    """The token, by the way that a bot may have it."""
    own = repo.home / "own"
    own.mkdir()
    (own / "token").write_text(TOKEN)
    userinfo = ""
    if way == "askpass":
        script = f'case "$1" in Username*) echo bot;; *) cat {own}/token;; esac'
        monkeypatch.setenv("GIT_ASKPASS", str(executable(own / "askpass", script)))
    elif way == "variables":
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"http.http://{server.address}/.extraHeader")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"Authorization: {server.expected}")
    elif way == "url":
        userinfo = f"bot:{SPELLINGS[1]}@"
    git(repo.root, "remote", "set-url", "origin", server.url("deploy.git", userinfo))


def told(log: Path) -> str:
    return log.read_text()


@pytest.mark.parametrize(
    "ends", ["well", *(pytest.param(e, marks=pytest.mark.exhaustive) for e in ("refused", "broken"))]
)
@pytest.mark.parametrize("way", ["askpass", "variables", "url"])
def test_a_token_is_in_no_argument_and_in_nothing_that_is_written(tmp_path, monkeypatch, arguments, served, way, ends):
    server, repo = served
    give(way, monkeypatch, server, repo)
    config = (repo.root / ".git" / "config").read_bytes()
    arguments.unlink(missing_ok=True)
    refusal = {"well": None, "refused": 403, "broken": 503}[ends]
    server.refuse = lambda path: refusal if path.endswith("git-receive-pack") else None
    for form in ("json", "text", "markdown"):
        ran = repo.run("staging->prod", TAG, "--format", form, "--debug", "-v")
        assert ran.code == {"well": 0, "refused": 4, "broken": 3}[ends], ran.out
        assert not any(spelling in ran.out + ran.err for spelling in SPELLINGS)
    assert "git-remote-http" in told(arguments)
    assert "receive-pack" in "".join(server.seen)
    assert not any(spelling in told(arguments) for spelling in SPELLINGS), told(arguments)
    assert (repo.root / ".git" / "config").read_bytes() == config
    for path in (path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()):
        allowed = path.is_relative_to(tmp_path / "own") or path == repo.root / ".git" / "config"
        assert allowed or not any(spelling.encode() in path.read_bytes() for spelling in SPELLINGS), path


@pytest.mark.parametrize("way", ["askpass", "variables"])
def test_a_repository_that_is_named_by_its_url_is_cloned_without_the_token_in_an_argument(
    tmp_path, monkeypatch, arguments, served, way
):
    server, repo = served
    give(way, monkeypatch, server, repo)
    ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", server.url("deploy.git"), cwd=tmp_path)
    assert ran.code == 0, ran.out
    assert "clone" in told(arguments)
    assert not any(spelling in told(arguments) + ran.out + ran.err for spelling in SPELLINGS)


def test_a_password_of_a_url_goes_to_its_own_host_alone(monkeypatch, served, arguments):
    server, repo = served
    give("url", monkeypatch, server, repo)
    with git_over_http(repo.home / "server", "another") as other:
        git(repo.root, "config", f"url.{other.url('')}.pushInsteadOf", server.url("", f"bot:{SPELLINGS[1]}@"))
        ran = repo.run("staging->prod", TAG, "--format", "json")
        assert (ran.code, ran.json["error"]["code"]) == (4, "git-credentials"), ran.out
        assert not any(other.authorizations)
        assert other.address in ran.json["error"]["message"]
    assert repo.promotions() == []


def test_the_password_of_a_url_wins_over_a_helper_as_with_git_itself(monkeypatch, served, tmp_path):
    server, repo = served
    give("url", monkeypatch, server, repo)
    helper = executable(tmp_path / "helper", f'echo "$1" >>{tmp_path}/asked; echo username=x; echo password=y')
    git(repo.root, "config", "credential.helper", str(helper))
    assert repo.promote(TAG).code == 0
    asked = tmp_path / "asked"
    assert "get" not in (asked.read_text() if asked.exists() else "")
