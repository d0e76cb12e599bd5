"""The GitOps repository: which branch, which remote, what its tip holds."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from promote.errors import Fault, Misuse
from promote.gitops.backoff import BRIEF
from promote.gitops.command import LOCAL, NETWORK, Answer, Git, settings_environment
from promote.gitops.faults import host_of, is_here, is_lock_failure, redacted, transport_error
from promote.gitops.location import KEPT, Location, locate
from promote.gitops.names import checked_branch, checked_oid, checked_remote
from promote.gitops.objects import Objects
from promote.gitops.porcelain import Outcome, Report, push_error, read_push, says_up_to_date
from promote.gitops.scratch import RECENT, Scratch
from promote.gitops.settings import Settings, read_settings
from promote.gitops.snapshot import Snapshot
from promote.gitops.url_password import hidden
from promote.gitops.working_copy import WorkingCopy
from promote.model.malformed import shown


class Repository:
    """One repository and one branch of it.  Safe to use from several threads and several processes at once.

    `root` is the top of the work tree, or the directory of a bare repository.  `prefix` is the way from `root` to the
    directory that was opened, in posix spelling and without a slash at the end, ``""`` when they are the same.
    `branch` is where promotions are committed.  `remote` is the name of the remote and `remote_url` its URL for the
    eye, userinfo taken out; `remote_url` is None when there is no such remote, and commits stay local then.
    `is_shallow` says that history ends somewhere before the first commit.  `settings` were read when it was opened.
    `is_temporary` says that it is a clone of a URL for this run, see `promote.gitops.clone`: a bare repository in a
    ``.git``, so that `root` is the directory around it.
    Everything else that has a path takes it relative to `root`.
    """

    def __init__(
        self, git: Git, found: Location, settings: Settings, *, prefix: str, branch: str, remote: str, url: str | None
    ) -> None:
        self.git = git
        self.root = found.root
        self.prefix = prefix
        self.branch = branch
        self.remote = remote
        self.remote_url = None if url is None else redacted(url)
        self.remote_host = None if url is None else host_of(url)
        self._is_here = url is not None and is_here(url)
        self.settings = settings
        self.objects = Objects(git)
        self.is_bare = found.is_bare
        self.is_shallow = found.is_shallow
        self.is_temporary = found.is_bare and found.root != found.git_directory
        borrowed = not self.is_temporary or remote not in settings.promisors
        self._scratch = None if borrowed else Scratch(git, found.git_directory, remote)
        self.working_copy = WorkingCopy(git, branch, found.git_directory, settings.filters, bare=found.is_bare)
        # Fetched tips are kept from a concurrent gc under a name of our own, until `close`.
        self._kept = f"{KEPT}{os.getpid()}-{secrets.token_hex(8)}"
        self._left_behind = found.kept
        self._fetching = threading.Lock()
        self._fetched: str | None = None
        self._built: dict[str, str] = {}

    @classmethod
    def open(cls, path: Path, *, branch: str | None, remote: str) -> Self:
        """The repository that `path`, any directory of its work tree or a bare repository, belongs to.

        `branch` None is the branch that is checked out.  Raises `Misuse` when `path` is in no repository, when HEAD is
        detached and no branch was given, and for names that git must not be given.
        """
        if not path.is_dir():
            raise Misuse("not-a-repository", f"{shown(str(path))} is not a directory", expected="a git repository")
        directory = path.resolve()
        git = Git(directory)
        found = locate(git, directory)
        git = Git(found.root)
        name = checked_branch(_checked_out(git) if branch is None else branch)
        settings = read_settings(git, checked_remote(remote))
        url = settings.url or _url(git, remote)
        git = Git(found.root, hidden(settings.urls))
        inside = found.root not in (directory, found.git_directory)
        prefix = directory.relative_to(found.root).as_posix() if inside else ""
        return cls(git, found, settings, prefix=prefix, branch=name, remote=remote, url=url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the processes and forget the fetched tip.  The repository may be used again."""
        self.objects.close()
        with self._fetching:
            if self._fetched is None or self._scratch is not None:
                return
            self._fetched = None
            # A name that stays behind does no harm, so that no failure here hides the result of the run.
            for name in (self._kept, *(name for name in self._left_behind if not _is_running(name))):
                _patiently(self.git, ["update-ref", "-d", name])
            self._left_behind = ()

    def fetch(self) -> str:
        """The commit at the tip of the branch: on the remote, its objects made present; without a remote, here.

        No reference of the user moves and FETCH_HEAD is not written.  A temporary clone has the `RECENT` commits below
        it too, and the first time nobody is asked, for it came just now.  Raises `Misuse` when there is no such branch,
        `CredentialsFault` or `Fault` when the remote could not be asked.
        """
        if self.remote_url is None:
            return self.local_tip()
        if (tip := self._as_cloned()) is not None:
            return tip
        recent = self._scratch is not None and self._fetched is None and self._scratch.is_shallow
        return self._fetch(*([f"--depth={RECENT}"] if recent else []))

    def fetch_all(self) -> str:
        """As `fetch`; in a temporary clone the history below the tip is whole then, unless the remote's is not."""
        if self._scratch is not None and self._scratch.is_shallow:
            return self._fetch("--unshallow")
        return self._as_cloned() or self._fetch()

    def _as_cloned(self) -> str | None:
        """The tip that this temporary clone came with; None for another branch, and once it was asked for."""
        with self._fetching:
            if self._scratch is None or self._fetched is not None:
                return None
            self._fetched = self.objects.commit(f"refs/heads/{self.branch}")
            return self._fetched

    def _fetch(self, *options: str) -> str:
        with self._fetching:
            answer = _patiently(
                self.git,
                ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-prune",
                 "--no-recurse-submodules", "--refmap=", "--force", *options, *self._here("upload-pack"), "--",
                 self.remote,
                 f"refs/heads/{self.branch}:{self._kept}"],
                seconds=NETWORK,
            )  # fmt: skip
            if answer.status != 0:
                if "couldn't find remote ref" in answer.err:
                    raise _no_branch(self.branch, f"remote {self.remote} ({self.remote_host})")
                host = self.remote_host or self.remote
                raise transport_error(f"fetch {self.branch}", host, answer.err, self.settings.authorizations)
            tip = self.objects.commit(self._kept)
            if tip is None:
                raise _no_branch(self.branch, f"remote {self.remote} ({self.remote_host})")
            self._fetched = tip
            if self._scratch is not None:
                self.is_shallow = self._scratch.is_shallow
            return tip

    def local_tip(self) -> str:
        """The commit at the tip of the local branch; raises `Misuse` when there is none."""
        name = f"refs/heads/{self.branch}^{{commit}}"
        answer = self.git.answer(["rev-parse", "--verify", "--quiet", "--end-of-options", name])
        if answer.status != 0:
            raise _no_branch(self.branch, "this repository")
        return checked_oid(answer.text)

    def check_push(self) -> None:
        """Prove that the branch may be written, and write nothing.

        With a remote this is a push of the tip that it has already, as a dry run: the server asks for the same
        credentials as for a real one.  Without, `check_local` for no file.  Raises `CredentialsFault`, `Fault`,
        `Refusal` (``push-declined``) and `Misuse`.
        """
        if self.remote_url is None:
            self.check_local(())
            return
        report = self.push(self._fetched or self.fetch(), "--dry-run")
        # MOVED is decided on our side, after the server let us in.
        if report.outcome not in (Outcome.LANDED, Outcome.MOVED):
            host = self.remote_host or self.remote
            raise push_error(report, self.branch, host, self.settings.authorizations)

    def push(self, commit: str, *options: str) -> Report:
        """One push of `commit` to the branch on the remote; no hook, no tag and no other reference goes along."""
        return read_push(self._push(commit, *options), self._refspec(commit))

    def remote_is_at(self, commit: str) -> bool:
        """Whether the remote says that the branch is at `commit`; False too when it could not be asked.

        Asked as a push that there is nothing left to do for: that costs one round trip less than a fetch, whose
        protocol 2 asks for the server's abilities first (gitprotocol-v2(5)), and nothing is sent.  Where a push may go
        to another place than a fetch comes from, that place is asked which others fetch from.
        """
        if not self.settings.pushes_elsewhere:
            return says_up_to_date(self._push(commit, "--dry-run"))
        try:
            return self.fetch() == commit
        except (Fault, Misuse):
            return False

    def _push(self, commit: str, *options: str) -> Answer:
        return self.git.answer(
            ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
             *options, *self._here("receive-pack"), "--", self.remote,
             self._refspec(commit)],
            environment=settings_environment({f"remote.{self.remote}.mirror": "false"}),  # takes no reference by name
            seconds=NETWORK,
        )  # fmt: skip

    def _refspec(self, commit: str) -> str:
        return f"{checked_oid(commit)}:refs/heads/{self.branch}"

    def _here(self, service: str) -> tuple[str, ...]:
        """The option for a remote that is a directory of this machine, whose `service` is git's and runs here.

        remote.<name>.uploadpack and .receivepack are shell commands, meant for a host whose git is in an odd place.
        """
        return (f"--{service}=git-{service}",) if self._is_here else ()

    def check_local(self, paths: Sequence[str]) -> None:
        """Raise `Misuse` when the local branch could not take a commit that changes `paths`, with the file's name."""
        self.local_tip()
        objects = Path(self.git.run("find the objects", ["rev-parse", "--git-path", "objects"]).text)
        if not os.access(self.root / objects, os.W_OK):
            raise Fault("git-failed", f"{shown(str(objects))} cannot be written", hint="check who owns the repository")
        with self.working_copy.alone():
            self.working_copy.require_clean(paths)

    def snapshot(self, commit: str) -> Snapshot:
        """What `commit` (a full object name) holds."""
        return Snapshot(self.objects, checked_oid(commit), None if self._scratch is None else self._scratch.bring)

    def bring(self, oids: Iterable[str]) -> None:
        """Have a temporary clone fetch the blobs `oids`, all at once; anywhere else nothing is to be done."""
        if self._scratch is not None:
            self._scratch.bring(oids)

    def contains(self, tip: str, commit: str) -> bool:
        """Whether `commit` is `tip` or an ancestor of it."""
        if commit in (tip, self._built.get(tip)):
            return True
        if tip == self._built.get(commit):
            return False
        return self.git.answer(["merge-base", "--is-ancestor", commit, tip]).status == 0

    def remember(self, commit: str, parent: str) -> None:
        """Note that `commit` was built here on `parent`, so that git need not be asked which of them is older."""
        self._built[commit] = parent


def _patiently(git: Git, arguments: Sequence[str], seconds: float = LOCAL) -> Answer:
    """Run a command again while other git processes in the same checkout hold a lock that it needs."""
    started = BRIEF.clock()
    for tries in count(1):
        answer = git.answer(arguments, seconds=seconds)
        if answer.status == 0 or not is_lock_failure(answer.err) or BRIEF.is_over(tries, started):
            break
        BRIEF.wait(tries)
    return answer


def _is_running(kept: str) -> bool:
    """Whether the process that keeps the reference `kept` still runs; one that was killed left it behind."""
    number = kept.removeprefix(KEPT).partition("-")[0]
    try:
        os.kill(int(number), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        pass  # somebody else's, and alive
    return True


def _url(git: Git, remote: str) -> str | None:
    """The URL of `remote` as git makes it out of several, or out of a shorter one; None when there is none."""
    answer = git.answer(["remote", "get-url", "--", remote])
    return answer.text if answer.status == 0 else None


def _checked_out(git: Git) -> str:
    """The branch that HEAD names; raises `Misuse` when HEAD is detached."""
    head = git.answer(["symbolic-ref", "--quiet", "HEAD"])
    if head.status != 0 or not head.text.startswith("refs/heads/"):
        raise Misuse(
            "detached-head",
            "no branch is checked out (HEAD is detached), and git.branch is not set",
            hint="set git.branch in promote.yaml, for example `git: {branch: main}`",
        )
    return head.text.removeprefix("refs/heads/")


def _no_branch(branch: str, where: str) -> Misuse:
    return Misuse(
        "branch-missing",
        f"{where} has no branch {branch} with a commit",
        hint="set git.branch in promote.yaml to a branch that exists, or push the first commit",
    )
