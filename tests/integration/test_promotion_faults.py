"""What cannot be found out is exit 3 and never a refusal; nothing secret is ever shown; nothing ends in a traceback."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys

import pytest
from support.git_world import executable, git, isolate
from support.gitops_repo import FIXTURES, TAG, GitopsRepo, Ran, make, process_environment, serve
from support.registry_server import Answer, Drop, RegistryServer, Tamper, load_layout, when

PASSWORD = "hunter2-planted"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    # Waiting before another try is tested where it is decided; here only what comes of it counts.
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def check_fault(ran: Ran, repo: GitopsRepo, code: int = 3) -> None:
    """Exit 3 or 4, one sentence and a hint, no refusal, nothing committed."""
    assert ran.code == code, ran.out
    result = ran.json
    assert ran.refused_by is None
    assert result["error"]["message"]
    assert "signature" not in result["error"]["code"]
    assert "Traceback" not in ran.out + ran.err
    assert repo.promotions() == []
    for release in result["releases"]:
        assert not [g for g in release["gates"] if g["gate"] == "signature" and g["verdict"] == "refuse"]


BROKEN = {
    "drops": Drop(),
    "500": Answer(500, {}, b"<html>oh no</html>"),
    "503": Answer(503, {"Retry-After": "0"}, b""),
    "html": Tamper(body=lambda _body: b"<html>a proxy's login page</html>"),
    "cut": Tamper(cut=5),
}
READING = {
    "tag": ("GET", f"/manifests/{TAG}"),
    "manifest": ("GET", "/manifests/sha256:"),
    "referrers": ("GET", "/referrers/"),
    "blob": ("GET", "/blobs/sha256:"),
}


@pytest.mark.parametrize(
    "how", [*list(BROKEN)[:2], *(pytest.param(how, marks=pytest.mark.exhaustive) for how in list(BROKEN)[2:])]
)
@pytest.mark.parametrize("what", READING)
def test_a_source_that_breaks_is_a_fault(tmp_path, what, how):
    with RegistryServer() as source, RegistryServer() as target:
        repo = make(tmp_path, staging=serve(source), prod=target.address)
        source.faults.append(when(*READING[what], BROKEN[how]))
        ran = repo.promote(TAG)
        assert source.count(*READING[what])
        check_fault(ran, repo)
        assert TAG not in target.repository("acme/shop").tags
        unknown = {g["gate"] for g in ran.json["releases"][0]["gates"] if g["verdict"] == "unknown"}
        assert unknown <= {"source", "labels", "signature"}, "the gate that asked is the one that could not judge"


WRITING = {
    "upload": ("POST", "/blobs/uploads/"),
    "blob": ("PUT", "/blobs/uploads/"),
    "manifest": ("PUT", "/manifests/sha256:"),
    "tag": ("PUT", f"/manifests/{TAG}"),
    "check": ("GET", f"/manifests/{TAG}"),
}


@pytest.mark.parametrize("how", ["drops", pytest.param("500", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("what", WRITING)
def test_a_target_that_breaks_is_a_fault_and_the_same_command_finishes(tmp_path, what, how):
    with RegistryServer() as target:
        repo = make(tmp_path, prod=target.address)
        target.faults.append(when(*WRITING[what], BROKEN[how]))
        ran = repo.promote(TAG)
        check_fault(ran, repo)
        assert target.address in ran.json["error"]["message"]
        assert TAG not in target.repository("acme/shop").tags
        target.faults.clear()
        assert repo.promote(TAG).code == 0
        assert len(repo.promotions()) == 1


def test_evidence_that_cannot_be_read_where_it_arrived_is_a_fault_and_nothing_is_committed(tmp_path):
    with RegistryServer() as target:
        repo = make(tmp_path, prod=target.address)
        tagged: list[bool] = []

        def after_the_tag(request):
            tagged.extend([True] if request.method == "PUT" and request.target.endswith(TAG) else [])
            return Drop() if tagged and request.method == "GET" and "/blobs/" in request.target else None

        target.faults.append(after_the_tag)
        check_fault(repo.promote(TAG), repo)
        target.faults.clear()
        assert repo.promote(TAG).code == 0


@pytest.mark.parametrize("which", ["staging", "prod"])
def test_a_registry_that_is_down_is_a_fault_that_names_it(tmp_path, which):
    with RegistryServer() as server:
        address = server.address
    repo = make(tmp_path, **{which: address})
    ran = repo.promote(TAG)
    check_fault(ran, repo)
    assert address in ran.json["error"]["message"]


def test_a_layout_that_is_damaged_is_a_fault(tmp_path):
    repo = make(tmp_path)
    for blob in (repo.layout("staging") / "blobs/sha256").iterdir():
        if b"dsseEnvelope" in blob.read_bytes() or b"messageSignature" in blob.read_bytes():
            blob.write_bytes(blob.read_bytes()[:-1] + b" ")
    check_fault(repo.promote(TAG), repo)


def test_verify_of_a_registry_that_is_down(tmp_path):
    with RegistryServer() as server:
        address = server.address
    repo = make(tmp_path, staging=address)
    check_fault(repo.verify("staging"), repo)
    check_fault(repo.verify(f"{address}/acme/shop:{TAG}"), repo)


# -- credentials


def log_in(tmp_path, monkeypatch, address: str, password: str) -> None:
    """What `docker login` leaves."""
    directory = tmp_path / "docker"
    directory.mkdir(exist_ok=True)
    auth = base64.b64encode(f"promoter:{password}".encode()).decode()
    (directory / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(directory))


@pytest.mark.parametrize("auth", ["basic", "token"])
@pytest.mark.parametrize("which", ["source", "target"])
def test_a_wrong_password_is_exit_4_names_the_registry_and_is_shown_nowhere(tmp_path, monkeypatch, which, auth):
    with RegistryServer(auth=auth) as server:
        log_in(tmp_path, monkeypatch, server.address, PASSWORD)
        where = {"staging" if which == "source" else "prod": serve(server)}
        repo = make(tmp_path, **where)
        before = repo.everything()
        for ran in (repo.promote(TAG), repo.run("staging->prod", TAG, "-v"), repo.promote(TAG, "--dry-run")):
            assert ran.code == 4, ran.out
            secret_free(ran.out + ran.err)
            assert server.address in ran.out
        check_fault(repo.promote(TAG), repo, 4)
        assert repo.everything() == before
        assert len(server.requests) < 40


@pytest.mark.parametrize("which", ["source", "target"])
def test_no_password_at_all_is_exit_4(tmp_path, which):
    with RegistryServer(auth="token") as server:
        repo = make(tmp_path, **{"staging" if which == "source" else "prod": serve(server)})
        check_fault(repo.promote(TAG), repo, 4)


def test_a_right_password_is_used_and_shown_nowhere(tmp_path, monkeypatch):
    with RegistryServer(auth="token", password=PASSWORD) as server:
        log_in(tmp_path, monkeypatch, server.address, PASSWORD)
        load_layout(FIXTURES / "v3-keyless/layout", server, "source/acme/shop")
        repo = make(tmp_path, staging=f"{server.address}/source", prod=f"{server.address}/target")
        ran = repo.run("staging->prod", TAG, "-v")
        assert ran.code == 0, ran.out
        tokens = list(server.tokens)
    shown = ran.out + ran.err + git(repo.bare, "log", "-p", "main")
    secret_free(shown)
    assert not [t for t in tokens if t in shown]


def secret_free(text: str) -> None:
    assert PASSWORD not in text
    assert base64.b64encode(f"promoter:{PASSWORD}".encode()).decode() not in text
    assert "Authorization" not in text


# -- git


def test_a_git_remote_that_is_not_there(tmp_path):
    repo = make(tmp_path)
    git(repo.root, "remote", "set-url", "origin", f"file://{tmp_path}/nowhere.git")
    ran = repo.promote(TAG)
    check_fault(ran, repo)
    assert not repo.layout("prod").exists()


def test_a_password_in_the_url_of_the_remote_is_shown_nowhere(tmp_path):
    with RegistryServer() as closed:
        port = closed.port
    repo = make(tmp_path)
    git(repo.root, "remote", "set-url", "origin", f"http://somebody:{PASSWORD}@127.0.0.1:{port}/deploy.git")
    for ran in (repo.promote(TAG), repo.run("staging->prod", TAG, "-v"), repo.verify("staging")):
        assert ran.code == 3, ran.out
        secret_free(ran.out + ran.err)
        assert "somebody" not in ran.out + ran.err


def test_a_git_server_that_wants_credentials_is_exit_4(tmp_path):
    with RegistryServer(auth="basic") as server:
        repo = make(tmp_path)
        git(repo.root, "remote", "set-url", "origin", f"http://somebody:{PASSWORD}@{server.address}/deploy.git")
        server.faults.append(lambda _request: Answer(401, {"WWW-Authenticate": 'Basic realm="git"'}))
        ran = repo.promote(TAG)
    check_fault(ran, repo, 4)
    secret_free(ran.out + ran.err)


def test_a_push_that_the_server_declines_is_a_refusal_before_anything_is_copied_or_after_and_never_success(tmp_path):
    repo = make(tmp_path)
    executable(repo.bare / "hooks/pre-receive", "echo 'main is protected' >&2; exit 1")
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (10, "push-declined")
    assert "main is protected" in ran.out
    assert repo.promotions() == []
    (repo.bare / "hooks/pre-receive").unlink()
    assert repo.promote(TAG).code == 0
    assert len(repo.promotions()) == 1


def test_no_repository_at_all(tmp_path):
    repo = make(tmp_path, remote=False)
    (repo.root / ".git").rename(tmp_path / "gone")
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (2, "not-a-repository")


def test_git_that_is_not_installed(tmp_path, monkeypatch):
    repo = make(tmp_path, remote=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (2, "git-missing")


def test_a_history_that_cannot_be_read_is_a_fault(tmp_path):
    repo = make(tmp_path, remote=False)
    for file in (repo.root / ".git/objects").rglob("*"):
        if file.is_file() and len(file.name) == 38:
            file.chmod(0o600)
            file.write_bytes(b"")
    ran = repo.promote(TAG)
    assert ran.code in {2, 3}, ran.out
    assert "Traceback" not in ran.out + ran.err


# -- the command itself


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["staging->prod", "--nonsense"],
        ["staging->prod", "--jobs", "0"],
        ["staging->prod", "--jobs", "x"],
        ["staging->prod", "--format", "xml"],
        ["verify"],
        ["verify", "a", "b"],
        ["staging->prod", TAG, "--config", "nowhere.yaml"],
        ["staging->prod", TAG, "--repo", "nowhere"],
        ["verify", "nowhere"],
        ["verify", "host/repo"],
        ["verify", "host/REPO:tag"],
        ["verify", "host/repo@sha256:123"],
        ["verify", "oci:"],
        ["\udcff->prod"],
        ["staging->prod", "\udcff"],
    ],
    ids=lambda value: " ".join(value).encode("utf-8", "backslashreplace").decode(),
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_wrong_command_line_is_one_sentence_and_exit_2(tmp_path, arguments, form):
    repo = make(tmp_path, remote=False)
    ran = repo.run(*arguments, *(["--format=json"] if form == "json" and "--format" not in arguments else []))
    assert ran.code in ({2, 14} if "\udcff" in arguments else {2}), ran.out + ran.err
    assert "Traceback" not in ran.out + ran.err
    if form == "json" and "--format" not in arguments:
        error = ran.json["error"]
        assert "\n" not in error["message"]


def test_a_bug_is_exit_1_without_a_traceback_and_with_one_where_it_is_wanted(tmp_path, monkeypatch):
    repo = make(tmp_path, remote=False)

    def broken(*_: object) -> None:
        raise RuntimeError("boom \x1b[31m")

    monkeypatch.setattr("promote.promotion.plan.plan", broken)
    ran = repo.run("staging->prod", TAG)
    assert ran.code == 1
    assert "--debug" in ran.err
    assert "Traceback" not in ran.err
    assert "\x1b" not in ran.err
    with pytest.raises(RuntimeError, match="boom"):
        repo.run("staging->prod", TAG, "--debug")


def test_ctrl_c_at_the_terminal_is_130(tmp_path):
    with RegistryServer() as source:
        repo = make(tmp_path, staging=serve(source))
        victim: list[int] = []

        def interrupt(request):
            if victim and "/manifests/" in request.target:
                os.kill(victim.pop(), signal.SIGINT)
            return

        command = ["promote", "staging->prod", TAG]
        source.faults.append(interrupt)
        from support.gitops_repo import process_environment

        started = subprocess.Popen(
            ["bash", "-c", 'echo $$; read; exec "$@"', "bash", *command],
            cwd=repo.root,
            env=process_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert started.stdout
        victim.append(int(started.stdout.readline()))
        _, err = started.communicate("go\n", timeout=60)
    assert started.returncode == 130
    assert "Traceback" not in err
    assert "run the same command again" in err
    assert repo.promotions() == []


def test_a_reader_that_goes_away_is_no_traceback(tmp_path):
    repo = make(tmp_path)
    ran = repo.command(f"promote 'staging->prod' {TAG} -q | true; echo ${{PIPESTATUS[0]}}")
    assert (ran.err, ran.out) == ("", "0\n")
    assert len(repo.promotions()) == 1


def test_a_reader_of_the_progress_that_goes_away_does_not_stop_the_promotion(tmp_path):
    repo = make(tmp_path)
    ran = repo.command(f"promote 'staging->prod' {TAG} -v 2> >(true) > result; echo $?")
    assert (ran.out, len(repo.promotions())) == ("0\n", 1)


def test_a_reader_of_stderr_that_was_never_there_does_not_change_the_exit_code(tmp_path):
    repo = make(tmp_path)
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "promote", "staging->prod", TAG, "-v"]
    environment = process_environment(PYTHONUNBUFFERED="")
    done = subprocess.run(
        command, cwd=repo.root, env=environment, stdout=subprocess.PIPE, stderr=writes, timeout=60, check=False
    )
    os.close(writes)
    assert (done.returncode, len(repo.promotions())) == (0, 1)


def test_a_terminal_that_lacks_characters_is_no_bug(tmp_path):
    repo = make(tmp_path)
    ran = repo.command("promote 'staging->pröd' -q", PYTHONIOENCODING="ascii")
    assert (ran.code, "pr\\xf6d" in ran.out) == (2, True), ran.out + ran.err
