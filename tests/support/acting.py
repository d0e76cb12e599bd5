"""Something that happens in the middle of a promotion, just before one of its steps."""

from __future__ import annotations

from collections.abc import Callable

from support.gitops_repo import GitopsRepo, Ran

from promote.cli.session import Session


def with_step(repo: GitopsRepo, step: str, act: Callable[[], object], *words: str) -> Ran:
    """Promote, and `act` just before each `step`."""

    class Acting:
        def step(self, name: str, subject: str) -> None:
            if name == step:
                act()

    own = Session.observer
    Session.observer = lambda _self: Acting()  # type: ignore[method-assign]
    try:
        return repo.run("staging->prod", *words, "--format", "json")
    finally:
        Session.observer = own  # type: ignore[method-assign]


def once(act: Callable[[], object]) -> Callable[[], None]:
    """`act`, the first time only: what it does may come here again."""
    return on_time(1, act)


def on_time(number: int, act: Callable[[], object]) -> Callable[[], None]:
    """`act`, only the time with this number; they count from 1."""
    times: list[None] = []

    def acting() -> None:
        times.append(None)
        if len(times) == number:
            act()

    return acting
