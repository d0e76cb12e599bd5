"""What the verbs that only read git share: which tip, which apps and environments, and how the answer is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from promote.cli.options import Format
from promote.cli.session import Session
from promote.errors import Misuse, PromoteError
from promote.model.malformed import shown

if TYPE_CHECKING:  # every verb's --help would pay for them
    from promote.gitops.repository import Repository
    from promote.model.configuration import Configuration
    from promote.model.result import ErrorResult
    from promote.model.standing import Tip
    from promote.output.style import Style

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read: a repository at a commit, for some environments and apps of a configuration."""

    configuration: Configuration
    repository: Repository
    tip: Tip
    environments: tuple[str, ...]
    apps: tuple[str, ...]


@contextmanager
def reading(session: Session, environment: str | None, apps: Sequence[str]) -> Iterator[Reading]:
    """Open what the options name; nothing is fetched for a checkout.  All environments and apps where none is named.

    Raises `Misuse` for names that promote.yaml does not have, and where there is no such branch.
    """
    from promote.gitops.repository import Repository

    with session.configuration() as configuration:
        environments = _named("environment", [environment] if environment else [], configuration.environments)
        wanted = _named("app", apps, configuration.apps)
        git = configuration.git
        remote = git.remote or "origin"
        with Repository.open(configuration.root, branch=git.branch, remote=remote) as repository:
            yield Reading(configuration, repository, _tip(repository, remote), environments, wanted)


def _named(what: str, names: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    every = tuple(known)
    for name in names:
        if name not in every:
            raise Misuse(
                f"{what}-unknown",
                f"got the {what} {shown(name)}, expected one of {', '.join(every)}",
                hint=f"name one of them, or add it to {what}s in promote.yaml",
            )
    return tuple(name for name in every if name in names) if names else every


def _tip(repository: Repository, remote: str) -> Tip:
    """The local branch; in a fresh clone that has another one checked out, the remote's.  Nobody is asked.

    A repository that was named by its URL is asked for all of its history.
    """
    from promote.model.standing import Tip

    branch = repository.branch
    if repository.is_temporary:
        return Tip(branch, repository.fetch_all())
    here = repository.objects.commit(f"refs/heads/{branch}")
    there = repository.objects.commit(f"refs/remotes/{remote}/{branch}")
    commit = here or there or repository.local_tip()
    note = None
    if here and there and here != there:
        note = (
            f"{remote}/{branch}, as last fetched, is at {there[:12]}: what is not pushed, or not pulled, is not in both"
        )
    return Tip(branch, commit, note)


@dataclass(frozen=True, slots=True)
class Renderers:
    """How one kind of answer is written, by format."""

    text: Callable[..., str]
    json: Callable[..., str]
    markdown: Callable[..., str]


def write(session: Session, answer: object, renderers: Renderers) -> None:
    """Write `answer` to stdout in the format of the session."""
    if session.format is Format.JSON:
        text = renderers.json(answer)
    elif session.format is Format.MARKDOWN:
        text = renderers.markdown(answer)
    else:
        text = renderers.text(answer, _style(session))
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader is gone; the exit code still tells how it went, and Python must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _style(session: Session) -> Style:
    from promote.output.style import style_for

    return style_for(sys.stdout, os.environ, wanted=not session.no_color)


def told(error: PromoteError) -> ErrorResult:
    """An error as part of an answer."""
    from promote.model.result import ErrorResult

    return ErrorResult(error.code, error.message, error.expected, error.actual, error.hint)
