"""What goes wrong between many who push to one branch, one test or more for each trap.

| trap | test |
|---|---|
| 19 many promotions on one branch, distinct files | test_19_* |
| 20 the same app and environment, several digests | test_20_* |
| 21 the lease is stale though it would be a fast-forward | test_21_* |
| 22 a hook or a protected branch declines | test_22_* |
| 23 a lock is held on the server | test_23_* |
| 24 the connection is cut after receive-pack | test_24_* |
| 25 run again after success | test_25_* |
| 26 a token in argv, configuration, log, traceback | test_26_*, over each transport in test_gitops_transports.py |
| 27 names that begin with "-", a newline that forges a trailer | test_27_* |
| 28 a hostile repository | test_28_*, and tests/hostile/test_gitops_hostile.py |
| 35 a commit by the API changes a mode | test_35_* |

A try is a push that was begun; how many there may be is bounded by how often somebody else landed meanwhile.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.acting import on_time, with_step
from support.git_servers import git_over_http
from support.git_world import commit_file, executable, git, isolate
from support.gitops_repo import DIGEST, KUSTOMIZATION, TAG, GitopsRepo, make
from support.image_builder import CONFIG, manifest_of, put
from support.promote_process import Ended, Nursery

from promote.model.reference import Repository
from promote.oci.stores import Stores

UNSIGNED = {"signature": "off", "sbom": "off", "deployed": "off"}
"""Gates for images that the test makes by the dozen."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as started:
        yield started


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


class Writer:
    """Somebody who commits to the branch again and again, after `pause` seconds each, from a clone of his own."""

    def __init__(self, repo: GitopsRepo, pause: float) -> None:
        self.clone = repo.clone("writer").root
        self._pause = pause
        self.landed: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        number = 0
        while not self._stop.wait(self._pause):
            commit_file(self.clone, f"busy/{number}", b"x\n", f"busy {number}")
            number += 1
            if self._git("push", "-q", "origin", "HEAD:main"):
                self.landed.append(git(self.clone, "rev-parse", "HEAD"))
            else:
                self._git("fetch", "-q", "origin", "main")
                self._git("reset", "-q", "--hard", "FETCH_HEAD")

    def _git(self, *arguments: str) -> bool:
        return subprocess.run(["git", *arguments], cwd=self.clone, capture_output=True, check=False).returncode == 0


def promote_all(nursery: Nursery, repo: GitopsRepo) -> list[Ended]:
    clones = [repo.clone(f"clone-{app}") for app in repo.apps]
    words = [["staging->prod", app, "--format", "json", "-q"] for app in repo.apps]
    started = [nursery.start(clone.root, each) for clone, each in zip(clones, words, strict=True)]
    return [each.wait() for each in started]


@pytest.mark.parametrize(
    ("count", "pause"), [(4, 1.0), pytest.param(20, 0.1, marks=[pytest.mark.exhaustive, pytest.mark.alone])]
)
def test_19_promotions_of_many_apps_beside_a_busy_writer_all_land_in_one_line(tmp_path, nursery, count, pause):
    apps = tuple(f"app{number}" for number in range(count))
    repo = make(tmp_path, apps=apps)
    before = int(git(repo.bare, "rev-list", "--count", "main"))
    with Writer(repo, pause) as writer:
        ended = promote_all(nursery, repo)
    assert [e.code for e in ended] == [0] * count, [e.out + e.err for e in ended if e.code]
    line = git(repo.bare, "rev-list", "--first-parent", "main").split()
    ours = [e.json["commit"]["id"] for e in ended]
    assert git(repo.bare, "rev-list", "--merges", "main") == ""
    assert len(line) == before + count + len(writer.landed)
    assert set(ours) | set(writer.landed) <= set(line)
    assert len(set(ours)) == count
    assert all(repo.overlay(app=app).count(DIGEST.encode()) == 1 for app in apps)
    # Whoever lost a push lost it to somebody who landed; and nobody began again without a reason.
    assert all(1 <= e.steps.count("push") <= count + len(writer.landed) for e in ended)
    assert sum(e.steps.count("push") for e in ended) <= count * (count + len(writer.landed))


def rival_images(repo: GitopsRepo, count: int) -> list[str]:
    """As many images at the source, each with its own digest and its own commit tag; the tags."""
    tags = [f"sha-{number:040x}" for number in range(1, count + 1)]
    with Stores({}, {}) as stores:
        store = stores.open(Repository(f"oci:{repo.home}/registries/staging", "acme/shop"))
        for number, tag in enumerate(tags):
            config = put(store, b'{"architecture":"amd64","os":"linux","n":%d}' % number, CONFIG)
            image = manifest_of([put(store, b"layer %d" % number)], config=config)
            store.put_manifest(image)
            store.put_tag(tag, image)
    return tags


@pytest.mark.parametrize("count", [4, pytest.param(20, marks=[pytest.mark.exhaustive, pytest.mark.alone])])
def test_20_of_many_digests_for_one_app_exactly_one_wins_and_the_others_are_exit_5(tmp_path, nursery, count):
    repo = make(tmp_path, gates=UNSIGNED)
    tags, gate = rival_images(repo, count), tmp_path / "go"
    clones = [repo.clone(f"clone-{number}") for number in range(count)]
    words = [["staging->prod", tag, "--format", "json", "-q"] for tag in tags]
    started = [nursery.start(c.root, w, hold=("push", gate)) for c, w in zip(clones, words, strict=True)]
    while not all(each.reached("push") for each in started):
        time.sleep(0.01)
    gate.touch()
    ended = [each.wait() for each in started]
    codes = sorted(e.code for e in ended)
    assert codes == [0] + [5] * (count - 1), [e.out + e.err for e in ended if e.code not in (0, 5)]
    winner = tags[[e.code for e in ended].index(0)]
    assert f"newTag: {winner}".encode() in repo.overlay()
    assert len(repo.promotions()) == 1
    assert {e.json["error"]["code"] for e in ended if e.code} == {"superseded"}
    assert {e.json["error"]["actual"].partition("@")[0] for e in ended if e.code} == {winner}
    assert sum(e.steps.count("push") for e in ended) == count  # the losers look, and do not push again


def test_21_a_branch_that_a_background_fetch_has_seen_move_is_not_built_over(tmp_path):
    repo = make(tmp_path)
    other = repo.clone("other")

    def somebody_pushes_and_a_background_job_fetches() -> None:
        other.write("README", "x\n")
        other.commit("theirs")
        git(repo.root, "fetch", "-q", "origin", "+refs/heads/main:refs/remotes/origin/main")

    pushes: list[None] = []

    def at_push() -> None:
        pushes.append(None)
        if len(pushes) == 1:
            somebody_pushes_and_a_background_job_fetches()

    ran = with_step(repo, "push", at_push, TAG)
    assert (ran.code, len(pushes)) == (0, 2)
    assert git(repo.bare, "rev-parse", "main^") == git(other.root, "rev-parse", "HEAD")
    assert git(repo.bare, "show", "main:README") == "x"


@pytest.mark.parametrize(
    "said",
    [
        "GH006: Protected branch update failed for refs/heads/main.",
        "GH013: Repository rule violations found for refs/heads/main.",
        "GitLab: You are not allowed to push code to protected branches on this project.",
        "policy: tickets only",
    ],
)
def test_22_a_hook_that_declines_is_asked_once_and_its_words_are_passed_on(tmp_path, said):
    repo = make(tmp_path)
    log = tmp_path / "asked"
    executable(repo.bare / "hooks" / "pre-receive", f"echo x >>{log}\necho '{said}' >&2\nexit 1")
    ran = repo.promote(TAG)
    error = ran.json["error"]
    assert (ran.code, error["code"]) == (10, "push-declined")
    assert said in error["message"]
    assert "git.branch" in error["hint"]
    assert log.read_text() == "x\n"
    assert repo.promotions() == []


@pytest.mark.parametrize("hook", ["update", "reference-transaction"])
def test_22_a_hook_that_declines_later_is_terminal_too(tmp_path, hook):
    repo = make(tmp_path)
    log = tmp_path / "asked"
    only_prepared = 'test "$1" = prepared || test "$#" = 3 || exit 0\n'
    executable(repo.bare / "hooks" / hook, f"{only_prepared}echo x >>{log}\nexit 1")
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (10, "push-declined"), ran.out
    assert log.read_text() == "x\n"


def test_23_a_lock_on_the_server_is_waited_for(tmp_path):
    repo = make(tmp_path)
    lock = repo.bare / "refs" / "heads" / "main.lock"
    lock.touch()
    ran = with_step(repo, "push", on_time(3, lock.unlink), TAG)
    assert ran.code == 0, ran.out
    assert len(repo.promotions()) == 1


def test_24_a_connection_cut_after_the_server_took_the_push_is_success(tmp_path):
    repo = make(tmp_path)
    with git_over_http(repo.bare.parent) as server:
        git(repo.root, "remote", "set-url", "origin", server.url("deploy.git"))
        server.cut = lambda request: request == "POST /deploy.git/git-receive-pack"
        ran = repo.promote(TAG)
        posts = server.seen.count("POST /deploy.git/git-receive-pack")
    assert ran.code == 0, ran.out
    assert 1 <= posts <= 2  # curl itself asks again where a connection that was kept open breaks
    assert ran.json["commit"]["id"] == git(repo.bare, "rev-parse", "main")
    assert len(repo.promotions()) == 1


def test_25_the_same_command_after_success_makes_no_commit(tmp_path):
    repo = make(tmp_path)
    assert repo.promote(TAG).code == 0
    before = git(repo.bare, "rev-parse", "main")
    ran = repo.run("staging->prod", TAG)
    assert ran.code == 0
    assert "Already promoted" in ran.out
    assert git(repo.bare, "rev-parse", "main") == before
    assert repo.promote(TAG, "--require-change").code == 6


TOKEN = "ghs_0123456789planted"


@contextmanager
def command_lines() -> Iterator[set[bytes]]:
    """Every command line of every process that is seen while the block runs."""
    seen: set[bytes] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("ends", ["well", "badly"])
@pytest.mark.parametrize("given", ["askpass", "extra header", "credential helper"])
def test_26_a_token_is_in_no_argument_no_configuration_and_no_output(tmp_path, monkeypatch, nursery, given, ends):
    repo = make(tmp_path)
    own = tmp_path / "own"
    own.mkdir()
    with git_over_http(repo.bare.parent, TOKEN) as server, command_lines() as seen:
        git(repo.root, "remote", "set-url", "origin", server.url("deploy.git"))
        config = (repo.root / ".git" / "config").read_bytes()
        give(given, monkeypatch, own)
        if ends == "badly":
            server.refuse = lambda path: 403 if "git-receive-pack" in path else None
        ran = nursery.start(repo.root, ["staging->prod", TAG, "--debug", "-v"]).wait()
    assert ran.code == (0 if ends == "well" else 4), ran.out + ran.err
    everything = ran.out + ran.err + "".join(map(str, seen))
    assert TOKEN not in everything
    assert encoded() not in everything
    assert (repo.root / ".git" / "config").read_bytes() == config
    for path in repo.root.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()


def encoded() -> str:
    import base64

    return base64.b64encode(f"bot:{TOKEN}".encode()).decode()


def give(way: str, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """The token, as a bot has it: in a script, a file or a store of its own, never in an argument."""
    (directory / "token").write_text(TOKEN)
    answers = f'case "$1" in Username*) echo bot;; *) cat {directory}/token;; esac'
    config = directory / "gitconfig"
    if way == "askpass":
        monkeypatch.setenv("GIT_ASKPASS", str(executable(directory / "askpass", answers)))
        return
    if way == "extra header":
        config.write_text(f'[http]\n\textraHeader = "Authorization: Basic {encoded()}"\n')
    else:
        helper = executable(
            directory / "helper", f'test "$1" = get && echo username=bot && echo password=$(cat {directory}/token)'
        )
        config.write_text(f"[credential]\n\thelper = {helper}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))


@pytest.mark.parametrize("branch", ["-x", "--upload-pack=touch", "a..b", "x\ny"])
def test_27_a_branch_that_git_could_take_for_an_option_is_misuse(tmp_path, branch):
    repo = make(tmp_path)
    repo.configure(git={"branch": branch})
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (2, "bad-branch"), ran.out


@pytest.mark.parametrize("remote", ["-x", "--receive-pack=touch", "ext::sh"])
def test_27_a_remote_that_git_could_take_for_an_option_is_misuse(tmp_path, remote):
    repo = make(tmp_path)
    repo.configure(git={"remote": remote})
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (2, "bad-remote"), ran.out


@pytest.mark.parametrize("tag", ["-x", "--force", "sha-0123456\nPromote-Kind: rollback"])
def test_27_a_tag_that_is_none_is_refused_before_git_sees_it(tmp_path, tag):
    repo = make(tmp_path)
    ran = repo.promote("--", f"shop={tag}")
    assert ran.code in (2, 14)
    assert repo.promotions() == []


def test_27_a_reason_with_line_breaks_forges_no_trailer(tmp_path):
    repo = make(tmp_path)
    ran = repo.promote(TAG, "--reason", "x\nPromote-Kind: rollback\r\n\nPromote-Env: dev\u2028Promote-App: other")
    assert ran.code == 0, ran.out
    message = git(repo.bare, "show", "-s", "--format=%B", "main")
    read = git(repo.bare, "interpret-trailers", "--parse", stdin=message.encode()).splitlines()
    names = [line.partition(":")[0] for line in read]
    assert len(names) == len(set(names))
    assert "Promote-Kind: promote" in read
    assert "Promote-Env: prod" in read


def test_28_a_repository_that_is_cloned_runs_nothing_of_its_own(tmp_path, monkeypatch):
    repo, mark = hostile(tmp_path), tmp_path / "executed"
    trap = executable(tmp_path / "trap", f'echo "$0 $*" >>{mark}\ncat')
    for name in ("post-checkout", "pre-push", "reference-transaction", "post-merge", "pre-commit", "commit-msg"):
        executable(tmp_path / "hooks" / name, f"echo {name} >>{mark}")
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[core]\n\tfsmonitor = {trap}\n\thooksPath = {tmp_path}/hooks\n"
        f'[filter "evil"]\n\tclean = {trap}\n\tsmudge = {trap}\n\tprocess = {trap}\n\trequired = true\n'
        f'[diff "evil"]\n\ttextconv = {trap}\n\tcommand = {trap}\n[submodule]\n\trecurse = true\n'
        '[protocol]\n\tallow = always\n[protocol "ext"]\n\tallow = always\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    git(repo.bare, "config", "uploadpack.allowFilter", "true")
    with git_over_http(repo.bare.parent) as server:  # whose git has a configuration of its own
        ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", server.url("deploy.git"))
    assert ran.code == 0, ran.out
    assert not mark.exists()
    assert len(repo.promotions()) == 1


def hostile(tmp_path: Path) -> GitopsRepo:
    """A repository that brings along whatever a repository can bring along."""
    repo = make(tmp_path)
    for name, environment in repo.config["environments"].items():
        environment["registry"] = f"oci:{tmp_path}/registries/{name}"
    repo.write_config()
    repo.write(".gitattributes", "* filter=evil diff=evil merge=evil text eol=crlf\n")
    repo.write(".gitmodules", '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% /dev/null\n')
    repo.write("overlays/shop/odd\nname: x", "x\n")
    (repo.root / "overlays" / "shop" / "link").symlink_to("/etc")
    (repo.root / "trust" / "loop").symlink_to("loop")
    git(repo.root, "update-index", "--add", "--cacheinfo", f"160000,{git(repo.root, 'rev-parse', 'HEAD')},x")
    repo.commit("everything")
    return repo


def test_28_an_overlay_behind_a_link_is_refused_and_nothing_outside_is_read(tmp_path):
    repo = make(tmp_path)
    overlay = repo.root / KUSTOMIZATION.format(app="shop", env="prod")
    overlay.rename(tmp_path / "outside.yaml")
    overlay.symlink_to(tmp_path / "outside.yaml")
    repo.commit("link")
    ran = repo.promote(TAG)
    assert (ran.code, ran.refused_by) == (16, "overlay")
    assert repo.promotions() == []


def test_28_a_repository_that_borrows_its_objects_from_elsewhere_is_read_as_git_reads_it(tmp_path):
    repo = make(tmp_path)
    for name, environment in repo.config["environments"].items():
        environment["registry"] = f"oci:{tmp_path}/registries/{name}"
    repo.configure()
    borrowing = tmp_path / "server" / "borrowing.git"
    git(tmp_path, "clone", "-q", "--bare", "--shared", str(repo.bare), str(borrowing))
    (borrowing / "objects" / "info" / "alternates").write_text(f"{repo.bare}/objects\n-x\n/nowhere\n")
    ran = repo.run("staging->prod", TAG, "--format", "json", "--repo", str(borrowing))
    assert ran.code == 0, ran.out
    assert DIGEST.encode() in git(borrowing, "show", f"main:{KUSTOMIZATION.format(app='shop', env='prod')}").encode()
    assert repo.promotions() == []
