"""The one adapter that runs git: argument lists, a cleaned environment, bytes in and out, and no process left behind.

GitPython's convenience layer turns keyword arguments into flags, and its raw ``repo.git.push(...)`` path has let
options through that run commands; here only ``Git.execute`` is used, with argument lists.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

# Without this GitPython raises ImportError where git is not installed; a missing git is reported by `Git` instead.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import git as gitpython

from promote.errors import Fault, Misuse
from promote.gitops.faults import local_error
from promote.gitops.url_password import NOTHING, Hidden

LOCAL = 120.0
"""Seconds that a command may take which talks to nobody."""
NETWORK = 300.0
"""Seconds that a fetch or a push may take."""
_GRACE = 5.0

# `git rev-parse --local-env-vars`, and what else would make git look elsewhere or write something else: a promote that
# is started by a git hook inherits them.  Credentials (GIT_ASKPASS, GIT_SSH*, and what such scripts read), identities
# and the place of the user's own configuration (GIT_CONFIG_GLOBAL, _SYSTEM, _NOSYSTEM) stay.
_DROPPED = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_ATTR_SOURCE",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DEFAULT_HASH",
        "GIT_DIFF_OPTS",
        "GIT_DIR",
        "GIT_EXTERNAL_DIFF",
        "GIT_FLUSH",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INDEX_VERSION",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_MERGE_AUTOEDIT",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REFLOG_ACTION",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
_DROPPED_PREFIXES = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_TRACE", "GIT_REDIRECT_")

# Of the settings in GIT_CONFIG_COUNT, _KEY_<n> and _VALUE_<n> (git-config(1), "ENVIRONMENT"), those by which a CI gives
# a credential, says who commits, or vouches for a directory: no secret gets into a file or an argument that way.
_PASSED_ON = ("http.", "credential.", "url.", "user.", "author.", "committer.", "gpg.")
_PASSED_ON_WHOLE = frozenset({"commit.gpgsign", "core.askpass", "core.sshcommand", "safe.directory"})

_SET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",  # CVE-2022-24439: ext:: runs a command
    "GIT_OPTIONAL_LOCKS": "0",  # looking at a work tree must not write its index
    "GIT_NO_REPLACE_OBJECTS": "1",  # what is read is what is pushed
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.alternateRefsCommand=true",  # true(1), which names no reference
    "diff.orderFile=/dev/null",  # a file that is not there would end every diff
    "core.splitIndex=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "log.showRoot=true",
    "color.ui=false",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """How one git command ended.  `status` is its exit status, 124 when it was stopped at the end of its time."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """What it printed, as text without the last newline."""
        return self.out.decode("utf-8", "surrogateescape").removesuffix("\n")


def dropped(names: Sequence[str]) -> list[str]:
    """Which of the environment variables `names` git must not see."""
    return sorted(n for n in names if n in _DROPPED or n.startswith(_DROPPED_PREFIXES))


def settings_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """`settings` (full key to value) as the environment variables of git-config(1), which take any key whole."""
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


def inherited_settings(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """The settings, full key and value, that `environ` gives git and that promote passes on, in their order.

    Each key may come again, as http.extraHeader does.  What git would not understand ends the list.
    """
    count = environ.get("GIT_CONFIG_COUNT", "")
    settings = []
    for number in range(min(int(count), len(environ)) if count.isascii() and count.isdecimal() else 0):
        key, value = (environ.get(f"GIT_CONFIG_{part}_{number}") for part in ("KEY", "VALUE"))
        if key is None or value is None:
            break
        if key.lower().startswith(_PASSED_ON) or key.lower() in _PASSED_ON_WHOLE:
            settings.append((key, value))
    return settings


def _with_settings(environment: Mapping[str, str], settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """`environment` with the settings in it, if there are any, and after them `settings`."""
    whole = dict(environment)
    for number, (key, value) in enumerate(settings, start=int(environment.get("GIT_CONFIG_COUNT", "0"))):
        whole |= {
            f"GIT_CONFIG_KEY_{number}": key,
            f"GIT_CONFIG_VALUE_{number}": value,
            "GIT_CONFIG_COUNT": str(number + 1),
        }
    return whole


class Git:
    """Git in one directory, with what `given` has for every command.  Safe to use from several threads."""

    def __init__(self, directory: Path, given: Hidden = NOTHING) -> None:
        self.directory = directory
        self._given = given
        self._git = gitpython.Git(directory)

    def answer(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        seconds: float = LOCAL,
    ) -> Answer:
        """Run ``git ARGUMENTS`` and say how it ended, whatever its status.

        `environment` is set over the cleaned one.  Raises `Misuse` where git is not installed.
        """
        with self.process(arguments, environment) as process:
            try:
                out, err = process.communicate(stdin, timeout=seconds)
            except subprocess.TimeoutExpired:
                return Answer(124, b"", f"git {arguments[0]} did not end within {seconds:g} seconds")
        return Answer(process.returncode, out, err.decode("utf-8", "replace"))

    def run(
        self,
        what: str,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run a command that talks to nobody and must succeed.  Raises `Fault`; `what` completes "could not ..."."""
        answer = self.answer(arguments, stdin=stdin, environment=environment)
        if answer.status != 0:
            raise local_error(what, answer.err)
        return answer

    @contextmanager
    def process(
        self, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A running ``git ARGUMENTS`` with pipes for its input and outputs; it has ended when the block is left."""
        process = self.start(arguments, environment)
        try:
            yield process
        finally:
            end(process)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start ``git ARGUMENTS`` with pipes; the caller must `end` it.  Raises `Misuse` where git is not installed."""
        command = [gitpython.Git.GIT_PYTHON_GIT_EXECUTABLE or "git", "--no-pager", "-C", str(self.directory)]
        for setting in _SETTINGS:
            command += ["-c", setting]
        # GitPython only adds to the inherited environment; env(1) takes out, and no value gets into an argument list.
        inline = _with_settings(
            {**_SET, **dict(self._given.environment), **(environment or {})},
            [*inherited_settings(os.environ), *self._given.settings],
        )
        removal = [part for name in dropped(list(os.environ)) if name not in inline for part in ("-u", name)]
        try:
            handle = self._git.execute(
                [*(["env", *removal] if removal else []), *command, *arguments],
                istream=subprocess.PIPE,
                as_process=True,
                env=inline,
            )
        except gitpython.GitCommandNotFound as error:
            raise Misuse(
                "git-missing", "git is not installed, or not on PATH", hint="install git 2.31 or newer"
            ) from error
        except OSError as error:
            raise Fault("git-failed", f"could not start git: {error.strerror}", actual=error.strerror) from error
        process = cast("subprocess.Popen[bytes]", handle.proc)
        handle.proc = None  # ours to end: the wrapper would close the pipes as soon as it is collected
        return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Close the pipes of `process` and see it end: by itself, on SIGTERM (git removes its locks then), or killed."""
    running = process.poll() is None
    for stream in (process.stdin, process.stdout, process.stderr):
        with suppress(OSError):  # closing the input flushes it, and the other end may be gone
            cast("IO[bytes]", stream).close()
    if not running:
        return
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
