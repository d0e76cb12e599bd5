"""`--repo URL` of servers that can do less: what is missing is said, and all that can be done works."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.git_monorepo import grow
from support.git_servers import git_over_http
from support.git_world import git, isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, make

from promote.gitops.scratch import RECENT


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path) -> GitopsRepo:
    made = make(tmp_path)
    for name, environment in made.config["environments"].items():
        environment["registry"] = f"oci:{tmp_path}/registries/{name}"
    made.configure()
    return made


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def plain_files(repo) -> Iterator[str]:
    """The URL of the repository at a server that knows nothing of git."""
    assert repo.bare is not None
    git(repo.bare, "update-server-info")
    handler = functools.partial(_Files, directory=str(repo.bare.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/deploy.git"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("quiet", [True, False])
def test_a_server_that_leaves_no_file_out_is_told_of_and_serves(repo, tmp_path, quiet):
    git(repo.bare, "config", "uploadpack.allowFilter", "false")
    with git_over_http(repo.bare.parent) as server:
        words = ["--repo", server.url("deploy.git"), *(["-q"] if quiet else [])]
        ran = repo.run("staging->prod", TAG, *words, cwd=tmp_path)
    assert ran.code == 0, ran.out
    assert DIGEST.encode() in repo.overlay()
    note = f"note: {server.address} cannot leave files out: they are fetched with the newest {RECENT} commits\n"
    assert (note in ran.err) is not quiet


def test_a_server_of_plain_files_is_told_of_and_read(repo, tmp_path, plain_files):
    ran = repo.run("staging->prod", TAG, "--dry-run", "--repo", plain_files, cwd=tmp_path)
    assert "cannot leave out what is old: all of the repository is fetched" in ran.err
    assert ran.code == 0, ran.out + ran.err


def test_a_server_of_plain_files_takes_no_push_and_the_hint_says_so(repo, tmp_path, plain_files):
    ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", plain_files, cwd=tmp_path)
    assert (ran.code, ran.json["error"]["code"]) == (3, "git-transport"), ran.out
    assert "takes no push" in ran.json["error"]["hint"]
    assert repo.promotions() == []


def test_a_promotion_by_url_is_a_small_number_of_requests(repo, tmp_path):
    """A clone, promote.yaml, what it names, the overlays, the right to push, the push, and the branch read back."""
    git(repo.bare, "config", "uploadpack.allowFilter", "true")
    grow(repo.bare, kustomizations=10, commits=RECENT + 10)
    with git_over_http(repo.bare.parent) as server:
        ran = repo.run("staging->prod", TAG, "--repo", server.url("deploy.git"), cwd=tmp_path)
    assert ran.code == 0, ran.out
    pulled, pushed = "/deploy.git/git-upload-pack", "/deploy.git/git-receive-pack"
    offered = {name: f"GET /deploy.git/info/refs?service={name.rpartition('/')[2]}" for name in (pulled, pushed)}
    counts = {request: server.seen.count(request) for request in server.seen}
    assert counts == {
        offered[pulled]: 4,  # the clone, and three times files: each conversation of protocol 2 begins so
        f"POST {pulled}": 5,
        offered[pushed]: 3,
        f"POST {pushed}": 1,
    }


def test_a_branch_that_is_not_the_default_one_is_fetched_by_name(repo, tmp_path):
    git(repo.bare, "config", "uploadpack.allowFilter", "true")
    git(repo.bare, "branch", "release", "main")
    repo.configure(git={"branch": "release"})
    with git_over_http(repo.bare.parent) as server:
        ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", server.url("deploy.git"), cwd=tmp_path)
    assert ran.code == 0, ran.out
    assert ran.json["commit"]["branch"] == "release"
    assert git(repo.bare, "rev-parse", "release") == ran.json["commit"]["id"]
    assert repo.promotions() == []


def test_a_branch_that_moved_since_the_clone_is_built_on_where_it_is(repo, tmp_path):
    git(repo.bare, "config", "uploadpack.allowFilter", "true")
    theirs: list[str] = []

    def somebody_is_quick(path: str) -> None:
        if path.endswith("/git-receive-pack") and not theirs:
            repo.write("theirs", "x\n")
            theirs.append(repo.commit("theirs"))

    with git_over_http(repo.bare.parent) as server:
        server.refuse = somebody_is_quick
        ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", server.url("deploy.git"), cwd=tmp_path)
    assert ran.code == 0, ran.out
    assert git(repo.bare, "rev-parse", "main^") == theirs[0]
