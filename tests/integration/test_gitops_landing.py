"""A change lands on its branch, with real git over file paths."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.git_world import FILE, NEW, OLD, commit_file, executable, git, isolate, make_remote, make_repository, show

from promote.errors import Fault, Misuse, Refusal, Superseded
from promote.gitops.backoff import Backoff
from promote.gitops.push import Change, land
from promote.gitops.repository import Repository
from promote.model.progress import Silent

NO_WAIT = Backoff(sleep=lambda _seconds: None)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


class Steps:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    def step(self, step: str, subject: str) -> None:
        self.taken.append((step, subject))


def rewrite(path: str = FILE, old: bytes = b"sha-aaaaaaa", new: bytes = b"sha-bbbbbbb"):
    """The intent "this file has `new` where `old` was": already there, possible, or superseded."""

    def change(snapshot):
        content = snapshot.read(path)
        assert content is not None
        if new in content:
            return None
        if old not in content:
            raise Superseded("web in prod was promoted to another release")
        return Change({path: content.replace(old, new)}, f"promote {path}\n")

    return change


def opened(path: Path, branch: str | None = "main") -> Repository:
    return Repository.open(path, branch=branch, remote="origin")


def go(repository: Repository, change=None, *, push: bool = True, observer=None, backoff=NO_WAIT, tip=None):
    tip = tip or (repository.fetch() if push else repository.local_tip())
    return land(repository, change or rewrite(), tip=tip, push=push, observer=observer or Silent(), backoff=backoff)


def test_a_pushed_commit_changes_exactly_one_line_and_the_clean_checkout_follows(tmp_path):
    bare, clone = make_remote(tmp_path)
    before = git(bare, "rev-parse", "main")
    steps = Steps()
    with opened(clone) as repository:
        landed = go(repository, observer=steps)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert git(bare, "rev-parse", "main^") == before
    assert git(bare, "diff", "--numstat", before, "main") == f"1\t1\t{FILE}"
    assert show(bare, f"main:{FILE}") == NEW
    assert (landed.pushed, landed.already, landed.note, landed.tries) == (True, False, None, 1)
    assert (clone / FILE).read_bytes() == NEW
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "rev-parse", "HEAD") == landed.commit
    assert steps.taken == [("commit", f"promote {FILE}"), ("push", "origin main"), ("working-copy", "main")]


def test_nothing_of_promotes_own_stays_in_the_clone(tmp_path):
    _, clone = make_remote(tmp_path)
    with opened(clone) as repository:
        go(repository)
    assert git(clone, "for-each-ref", "refs/promote") == ""
    assert not (clone / ".git" / "FETCH_HEAD").exists()


def test_a_fetch_moves_no_reference_of_the_user(tmp_path):
    bare, clone = make_remote(tmp_path)
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(bare), str(other))
    newer = commit_file(other, "README", b"x\n", "newer")
    git(other, "push", "-q", "origin", "main")
    git(other, "push", "-q", "origin", "HEAD:refs/tags/v1")
    references = git(clone, "for-each-ref")
    with opened(clone) as repository:
        assert repository.fetch() == newer
        assert repository.snapshot(newer).read("README") == b"x\n"
    assert git(clone, "for-each-ref") == references


def test_a_second_run_makes_no_second_commit(tmp_path):
    bare, clone = make_remote(tmp_path)
    with opened(clone) as repository:
        first = go(repository)
        second = go(repository)
    assert (second.commit, second.already, second.pushed, second.tries) == (first.commit, True, True, 0)
    assert git(bare, "rev-list", "--count", "main") == "2"


def test_a_branch_that_moved_is_fetched_and_the_change_derived_again(tmp_path):
    bare, clone = make_remote(tmp_path)
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(bare), str(other))
    with opened(clone) as repository:
        tip = repository.fetch()
        theirs = commit_file(other, "theirs", b"x\n", "theirs")
        git(other, "push", "-q", "origin", "main")
        landed = go(repository, tip=tip)
    assert landed.tries == 2
    assert git(bare, "rev-parse", "main^") == theirs
    assert git(bare, "show", "main:theirs") == "x"


def test_a_conflicting_change_that_landed_first_supersedes_this_one(tmp_path):
    bare, clone = make_remote(tmp_path)
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(bare), str(other))
    with opened(clone) as repository:
        tip = repository.fetch()
        theirs = commit_file(other, FILE, OLD.replace(b"aaaaaaa", b"ccccccc"), "theirs")
        git(other, "push", "-q", "origin", "main")
        with pytest.raises(Superseded):
            go(repository, tip=tip)
    assert git(bare, "rev-parse", "main") == theirs


def test_the_same_change_that_landed_first_is_already_there(tmp_path):
    bare, clone = make_remote(tmp_path)
    with opened(clone) as repository:
        tip = repository.fetch()
        other = tmp_path / "other"
        git(tmp_path, "clone", "-q", str(bare), str(other))
        theirs = commit_file(other, FILE, NEW, "theirs")
        git(other, "push", "-q", "origin", "main")
        landed = go(repository, tip=tip)
    assert (landed.already, landed.commit, landed.tries) == (True, theirs, 1)


_ONE_OF_MANY = """
import sys
from pathlib import Path
from promote.gitops.push import Change, land
from promote.gitops.repository import Repository
from promote.model.progress import Silent

where, path = Path(sys.argv[1]), sys.argv[2]
with Repository.open(where, branch="main", remote="origin") as repository:
    def change(snapshot):
        assert snapshot.read(path) == b"old\\n"
        return Change({path: b"new\\n"}, "promote " + path + "\\n")
    landed = land(repository, change, tip=repository.fetch(), push=True, observer=Silent())
    assert landed.pushed and not landed.already
"""


def _many(clones: list[Path], count: int) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", _ONE_OF_MANY, str(clones[n % len(clones)]), f"apps/{n}/file"])
        for n in range(count)
    ]
    assert [process.wait() for process in processes] == [0] * count


def _with_many_files(tmp_path: Path, count: int) -> tuple[Path, Path]:
    seed = make_repository(tmp_path / "seed")
    for number in range(count):
        (seed / f"apps/{number}").mkdir(parents=True)
        (seed / f"apps/{number}/file").write_bytes(b"old\n")
    git(seed, "add", "apps")
    git(seed, "commit", "-q", "-m", "files")
    bare = tmp_path / "deploy.git"
    git(tmp_path, "clone", "-q", "--bare", str(seed), str(bare))
    return bare, seed


@pytest.mark.exhaustive
def test_twenty_processes_with_a_clone_each_all_land_in_one_line(tmp_path):
    bare, _ = _with_many_files(tmp_path, 20)
    clones = [tmp_path / f"clone-{n}" for n in range(20)]
    for clone in clones:
        git(tmp_path, "clone", "-q", str(bare), str(clone))
    _many(clones, 20)
    assert git(bare, "rev-list", "--count", "main") == "22"
    assert git(bare, "rev-list", "--count", "--merges", "main") == "0"
    assert {git(bare, "show", f"main:apps/{n}/file") for n in range(20)} == {"new"}


def test_eight_processes_in_one_checkout_all_land(tmp_path):
    bare, _ = _with_many_files(tmp_path, 8)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(bare), str(clone))
    _many([clone], 8)
    assert git(bare, "rev-list", "--count", "main") == "10"
    assert git(clone, "for-each-ref", "refs/promote") == ""
    assert git(clone, "fsck", "--strict", "--no-dangling") == ""


def test_a_hook_of_the_server_that_declines_is_asked_once(tmp_path):
    bare, clone = make_remote(tmp_path)
    log = tmp_path / "asked"
    executable(bare / "hooks" / "pre-receive", f"echo x >> {log}\necho 'GH006: Protected branch' >&2\nexit 1")
    before = git(bare, "rev-parse", "main")
    with opened(clone) as repository, pytest.raises(Refusal) as refusal:
        go(repository)
    assert (refusal.value.code, refusal.value.exit_code) == ("push-declined", 10)
    assert "pre-receive hook declined" in refusal.value.message
    assert "GH006" in refusal.value.message
    assert log.read_text() == "x\n"
    assert git(bare, "rev-parse", "main") == before


def test_a_reference_locked_on_the_server_is_tried_until_the_lock_goes(tmp_path):
    bare, clone = make_remote(tmp_path)
    lock = bare / "refs" / "heads" / "main.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            lock.unlink()

    with opened(clone) as repository:
        landed = go(repository, backoff=Backoff(sleep=sleep))
    assert (landed.tries, len(waits)) == (3, 2)
    assert git(bare, "rev-list", "--count", "main") == "2"


def test_a_branch_that_never_holds_still_is_given_up_with_a_fault(tmp_path):
    bare, clone = make_remote(tmp_path)
    lock = bare / "refs" / "heads" / "main.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    with opened(clone) as repository, pytest.raises(Fault) as fault:
        go(repository, backoff=Backoff(deadline=0, least=3, sleep=lambda _seconds: None))
    assert (fault.value.code, fault.value.exit_code) == ("push-contended", 3)
    assert "3 tries" in fault.value.message


def received_by(program: Path, clone: Path, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a push from `clone` be taken by `program`, at the other end of what git thinks is ssh."""
    receive = f'eval "set -- ${{last#git-receive-pack}}"; exec {program} "$1"'
    script = f'for last; do :; done\ncase "$last" in git-receive-pack*) {receive};; esac\nexec sh -c "$last"'
    monkeypatch.setenv("GIT_SSH_COMMAND", str(executable(program.parent / "ssh", script)))
    git(clone, "remote", "set-url", "origin", f"ssh://deploy.example{bare}")


@pytest.mark.parametrize("after", ["exit 1", "kill -9 $$"])
def test_a_connection_cut_after_the_server_took_the_push_is_seen_as_landed(tmp_path, monkeypatch, after):
    bare, clone = make_remote(tmp_path)
    wrapper = executable(tmp_path / "cut", f'git-receive-pack "$@" >{tmp_path}/answer.fifo; {after}')
    # The advertisement must pass, the report must not: everything after the first flush packet is dropped.
    wrapper = executable(
        tmp_path / "cut",
        f'mkfifo {tmp_path}/$$; git-receive-pack "$@" > {tmp_path}/$$ & '
        f"{sys.executable} - {tmp_path}/$$ <<'PY'\n"
        "import os, sys\n"
        "stream = open(sys.argv[1], 'rb')\n"
        "while (size := int(head := stream.read(4), 16)):\n"
        "    sys.stdout.buffer.write(head + stream.read(size - 4))\n"
        "sys.stdout.buffer.write(head)\n"
        "sys.stdout.buffer.flush()\n"
        "stream.read()\n"
        f"PY\nwait; {after}",
    )
    # The input of the script is the here document for python only; receive-pack keeps the connection's.
    body = (
        wrapper.read_text()
        .replace('git-receive-pack "$@" >', 'git-receive-pack "$@" <&3 >')
        .replace("\nmkfifo", "\nexec 3<&0\nmkfifo")
    )
    wrapper.write_text(body)
    received_by(wrapper, clone, bare, monkeypatch)
    with opened(clone) as repository:
        landed = go(repository)
    assert (landed.tries, landed.already, landed.pushed) == (1, False, True)
    assert git(bare, "rev-parse", "main") == landed.commit
    assert git(bare, "rev-list", "--count", "main") == "2"


def test_a_server_that_breaks_off_each_time_is_a_fault_after_a_few_tries(tmp_path, monkeypatch):
    bare, clone = make_remote(tmp_path)
    log = tmp_path / "asked"
    wrapper = executable(tmp_path / "broken", f"echo x >> {log}; exit 1")
    received_by(wrapper, clone, bare, monkeypatch)
    with opened(clone) as repository, pytest.raises(Fault) as fault:
        go(repository)
    assert (fault.value.code, fault.value.exit_code) == ("git-transport", 3)
    assert log.read_text().count("x") == 4
    assert git(bare, "rev-list", "--count", "main") == "1"


def _killed_before(step: str, clone: Path) -> None:
    script = _ONE_OF_MANY.replace("observer=Silent()", "observer=Killer()").replace(
        "where, path =",
        "import os\n"
        "class Killer:\n"
        "    def step(self, step, subject):\n"
        f"        if step == {step!r}: os._exit(9)\n"
        "where, path =",
    )
    script = script.replace('b"old\\n"', repr(OLD)).replace('b"new\\n"', repr(NEW))
    killed = subprocess.run([sys.executable, "-c", script, str(clone), FILE], check=False)
    assert killed.returncode == 9


@pytest.mark.parametrize(("step", "commits"), [("commit", "1"), ("push", "1"), ("working-copy", "2")])
def test_killed_before_any_step_the_next_run_ends_in_the_same_state(tmp_path, step, commits):
    bare, clone = make_remote(tmp_path)
    _killed_before(step, clone)
    assert git(bare, "rev-list", "--count", "main") == commits
    with opened(clone) as repository:
        landed = go(repository)
    assert git(bare, "rev-list", "--count", "main") == "2"
    assert git(bare, "rev-parse", "main") == landed.commit == git(clone, "rev-parse", "HEAD")
    assert (clone / FILE).read_bytes() == NEW
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "for-each-ref", "refs/promote") == ""


def test_killed_before_a_local_commit_the_next_run_makes_it_once(tmp_path):
    for step in ("commit", "working-copy"):
        directory = make_repository(tmp_path / step)
        _killed_before(step, directory)
        assert git(directory, "rev-list", "--count", "main") == "1"
        assert git(directory, "status", "--porcelain") == ""
        with opened(directory) as repository:
            go(repository)
        assert git(directory, "rev-list", "--count", "main") == "2"


@pytest.mark.parametrize("staged", [False, True])
def test_a_checkout_with_changes_is_left_alone_byte_for_byte(tmp_path, staged):
    bare, clone = make_remote(tmp_path)
    (clone / FILE).write_bytes(b"mine\n")
    if staged:
        git(clone, "add", FILE)
    index = (clone / ".git" / "index").read_bytes()
    head = git(clone, "rev-parse", "HEAD")
    with opened(clone) as repository:
        landed = go(repository)
    assert landed.note is not None
    assert FILE in landed.note
    assert (clone / FILE).read_bytes() == b"mine\n"
    assert (clone / ".git" / "index").read_bytes() == index
    assert git(clone, "rev-parse", "HEAD") == head
    assert git(bare, "rev-parse", "main") == landed.commit


def test_a_local_branch_with_its_own_commits_is_left_alone(tmp_path):
    bare, clone = make_remote(tmp_path)
    mine = commit_file(clone, "mine", b"x\n", "mine")
    with opened(clone) as repository:
        landed = go(repository)
    assert "commits that the remote does not have" in (landed.note or "")
    assert git(clone, "rev-parse", "HEAD") == mine
    assert git(bare, "rev-parse", "main") == landed.commit


def test_another_branch_that_is_checked_out_is_left_alone(tmp_path):
    bare, clone = make_remote(tmp_path)
    git(clone, "checkout", "-q", "-b", "feature")
    with opened(clone) as repository:
        landed = go(repository)
    assert "not checked out" in (landed.note or "")
    assert (clone / FILE).read_bytes() == OLD
    assert git(clone, "rev-parse", "main") != landed.commit
    assert git(bare, "rev-parse", "main") == landed.commit


def test_an_untracked_file_in_the_way_leaves_the_checkout_alone(tmp_path):
    bare, clone = make_remote(tmp_path)
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(bare), str(other))
    commit_file(other, "notes", b"theirs\n", "theirs")
    git(other, "push", "-q", "origin", "main")
    (clone / "notes").write_bytes(b"mine\n")
    with opened(clone) as repository:
        landed = go(repository)
    assert "left alone" in (landed.note or "")
    assert (clone / "notes").read_bytes() == b"mine\n"
    assert (clone / FILE).read_bytes() == OLD


def test_an_executable_file_keeps_its_mode(tmp_path):
    bare, clone = make_remote(tmp_path)
    (clone / FILE).chmod(0o755)
    git(clone, "commit", "-q", "-am", "mode")
    git(clone, "push", "-q", "origin", "main")
    with opened(clone) as repository:
        go(repository)
    assert git(bare, "ls-tree", "main", FILE).startswith("100755 ")


def test_without_a_remote_branch_index_and_files_move_together(tmp_path):
    directory = make_repository(tmp_path / "local")
    (directory / "staged").write_bytes(b"x\n")
    git(directory, "add", "staged")
    with opened(directory, None) as repository:
        assert repository.remote_url is None
        repository.check_push()
        landed = go(repository)
    assert (landed.pushed, landed.note, landed.branch) == (False, None, "main")
    assert git(directory, "rev-parse", "main") == landed.commit
    assert (directory / FILE).read_bytes() == NEW
    assert git(directory, "status", "--porcelain") == "A  staged"


@pytest.mark.parametrize("staged", [False, True])
def test_without_a_remote_a_dirty_file_is_misuse_before_anything_is_written(tmp_path, staged):
    directory = make_repository(tmp_path / "local")
    (directory / FILE).write_bytes(b"mine\n")
    if staged:
        git(directory, "add", FILE)
    objects = git(directory, "count-objects")
    steps = Steps()
    with opened(directory) as repository:
        with pytest.raises(Misuse, match=FILE):
            repository.check_local([FILE])
        with pytest.raises(Misuse, match=FILE):
            go(repository, observer=steps)
    assert steps.taken == []
    assert git(directory, "count-objects") == objects
    assert (directory / FILE).read_bytes() == b"mine\n"


def test_no_push_commits_on_the_local_branch_and_leaves_the_remote(tmp_path):
    bare, clone = make_remote(tmp_path)
    before = git(bare, "rev-parse", "main")
    with opened(clone) as repository:
        landed = go(repository, push=False)
    assert landed.pushed is False
    assert git(bare, "rev-parse", "main") == before
    assert git(clone, "rev-parse", "main") == landed.commit
    assert git(clone, "status", "--porcelain") == ""


def test_a_branch_that_is_not_checked_out_moves_alone(tmp_path):
    directory = make_repository(tmp_path / "local")
    git(directory, "checkout", "-q", "-b", "feature")
    with opened(directory) as repository:
        landed = go(repository)
    assert git(directory, "rev-parse", "main") == landed.commit
    assert (directory / FILE).read_bytes() == OLD
    assert git(directory, "status", "--porcelain") == ""


def test_a_bare_repository_takes_a_commit(tmp_path):
    bare, _ = make_remote(tmp_path)
    with opened(bare, None) as repository:
        assert (repository.is_bare, repository.prefix, repository.branch) == (True, "", "main")
        repository.check_push()
        landed = go(repository)
    assert git(bare, "rev-parse", "main") == landed.commit


def test_a_branch_checked_out_in_another_work_tree_is_misuse(tmp_path):
    directory = make_repository(tmp_path / "local")
    git(directory, "checkout", "-q", "-b", "feature")
    git(directory, "worktree", "add", "-q", str(tmp_path / "second"), "main")
    with opened(directory) as repository, pytest.raises(Misuse) as misuse:
        repository.check_push()
    assert misuse.value.code == "branch-checked-out"


def test_a_local_branch_that_moved_meanwhile_is_derived_again(tmp_path):
    for name, leave in (("here", False), ("elsewhere", True)):
        directory = make_repository(tmp_path / name)
        with opened(directory) as repository:
            tip = repository.fetch()
            theirs = commit_file(directory, "theirs", b"x\n", "theirs")
            if leave:
                git(directory, "checkout", "-q", "-b", "feature")
            landed = go(repository, tip=tip)
        assert landed.tries == 2
        assert git(directory, "rev-parse", "main^") == theirs


def test_the_user_who_is_configured_is_the_author_and_else_promote_is(tmp_path, monkeypatch):
    directory = make_repository(tmp_path / "local")
    with opened(directory) as repository:
        go(repository)
        assert git(directory, "log", "-1", "--format=%an <%ae> %cn <%ce>") == (
            "promote <promote@localhost> promote <promote@localhost>"
        )
    git(directory, "config", "user.name", "Ops")
    git(directory, "config", "user.email", "ops@acme.example")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Bot")
    with opened(directory) as repository:
        go(repository, rewrite(old=b"sha-bbbbbbb", new=b"sha-ccccccc"))
    assert git(directory, "log", "-1", "--format=%an <%ae> %cn <%ce>") == (
        "Ops <ops@acme.example> Bot <ops@acme.example>"
    )


SIGNER = """cat > /dev/null
case "$*" in *--verify*) echo '[GNUPG:] NEWSIG'; echo '[GNUPG:] GOODSIG AAAA Test'; exit 0;; esac
echo '[GNUPG:] SIG_CREATED ' >&2
echo '-----BEGIN PGP SIGNATURE-----'"""


def test_commits_are_signed_when_the_user_signs_his(tmp_path):
    """With a stand-in for gpg that speaks its protocol; `tests/interop/test_signed_commits.py` has a real signer."""
    directory = make_repository(tmp_path / "local")
    signer = tmp_path / "signer"
    executable(signer, SIGNER)
    for key, value in (("commit.gpgSign", "true"), ("gpg.program", str(signer)), ("user.signingKey", "AAAA")):
        git(directory, "config", key, value)
    with opened(directory) as repository:
        go(repository)
        assert "-----BEGIN PGP SIGNATURE-----" in git(directory, "cat-file", "commit", "main")
        git(directory, "config", "gpg.program", str(tmp_path / "lost"))
        tip = repository.local_tip()
        with pytest.raises(Fault) as fault:
            go(repository, rewrite(old=b"sha-bbbbbbb", new=b"sha-ccccccc"))
        assert repository.local_tip() == tip
    assert fault.value.code == "signing-failed"


def test_a_shallow_clone_promotes_and_stays_shallow(tmp_path):
    bare, clone = make_remote(tmp_path)
    commit_file(clone, "more", b"x\n", "more")
    git(clone, "push", "-q", "origin", "main")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{bare}", str(shallow))
    with opened(shallow) as repository:
        assert repository.is_shallow
        landed = go(repository)
        assert repository.is_shallow
    assert landed.note is None
    assert git(bare, "rev-list", "--count", "main") == "3"


def test_a_blobless_clone_promotes_without_fetching_its_neighbours(tmp_path):
    bare, clone = make_remote(tmp_path)
    neighbour = "overlays/prod/neighbour.yaml"
    commit_file(clone, neighbour, b"x\n", "more")
    git(clone, "push", "-q", "origin", "main")
    git(bare, "config", "uploadpack.allowFilter", "true")
    git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    partial = tmp_path / "partial.git"
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", f"file://{bare}", str(partial))
    with opened(partial) as repository:
        go(repository)
    assert git(bare, "rev-list", "--count", "main") == "3"
    oid = git(bare, "rev-parse", f"main:{neighbour}")
    assert f"?{oid}" in git(partial, "rev-list", "--objects", "--missing=print", "--all").splitlines()


def test_a_detached_checkout_with_a_configured_branch_pushes(tmp_path):
    bare, clone = make_remote(tmp_path)
    git(clone, "checkout", "-q", "--detach")
    git(clone, "branch", "-D", "-q", "main")
    with opened(clone) as repository:
        landed = go(repository)
    assert landed.note is None
    assert git(bare, "rev-parse", "main") == landed.commit


def test_closing_a_repository_ends_its_process(tmp_path):
    _, clone = make_remote(tmp_path)
    with opened(clone) as repository:
        repository.snapshot(repository.local_tip()).read(FILE)
        process = repository.objects._process
        assert process is not None
        assert process.poll() is None
    assert process.poll() is not None
