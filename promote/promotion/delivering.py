"""How the commit reaches its branch: pushed, made by GitHub, or offered in a pull request that waits to be merged."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from promote.errors import Misuse
from promote.gitops import merged, request_branch
from promote.gitops.push import Change, Landed, land
from promote.gitops.request_branch import Offered
from promote.gitops.snapshot import Snapshot
from promote.model.release import Release
from promote.model.result import CommitResult, Result
from promote.promotion.declared import Declared
from promote.promotion.planned import Plan
from promote.promotion.workplace import Workplace

if TYPE_CHECKING:  # HTTP, where a host is asked
    from promote.gitops.forge.forge import Forge

Body = Callable[[Result, str, int], str]
"""The body of a request from the result, the commit's message and the most characters that it may have."""


@dataclass(frozen=True)
class Delivered:
    """One of the two: `landed` on the branch, or `offered` on a branch of its own."""

    landed: Landed | None = None
    offered: Offered | None = None


def check_delivery(workplace: Workplace, plan: Plan) -> None:
    """Prove, as far as it costs nothing, that the host would take what is to be delivered.

    Asked before any copy, and in a dry run too; nothing is asked where nothing is to be committed or all is left to a
    push.  Raises `CredentialsFault` where the token is missing or refused, `Misuse` and `Fault`.
    """
    git, options = plan.declared.git if plan.declared else None, workplace.configuration.git
    if git is None or not workplace.push or not any(planned.edits for planned in plan.releases):
        return
    if options.delivery != "push" and git.remote_url is None:
        raise Misuse(
            "remote-missing",
            f"got git.delivery {options.delivery} and no remote {git.remote}, expected one",
            hint="add the remote with `git remote add`, or use --no-push",
        )
    if options.delivery == "github-api":
        from promote.gitops import github_commit  # noqa: PLC0415 - HTTP, where a host is asked

        github_commit.check(git, options.forge, os.environ)
    elif options.delivery == "pull-request":
        from promote.gitops.forge import proposing  # noqa: PLC0415 - HTTP, where a host is asked

        with _forge(workplace, git.remote_url or "") as forge:
            proposing.check(forge, auto_merge=options.auto_merge)


def deliver(
    workplace: Workplace,
    declared: Declared,
    environment: str,
    releases: list[Release],
    change: Callable[[Snapshot], Change | None],
) -> Delivered:
    """Bring `change` to the branch in the way that promote.yaml says, or locally where nothing is to be pushed."""
    options, git = workplace.configuration.git, declared.git
    if options.delivery == "pull-request" and workplace.push:
        there = Landed(declared.tip, git.branch, pushed=True, already=True, note=None, tries=0)
        if not releases:  # of all the apps none differs: there is nothing that a branch could be named for
            return Delivered(landed=there)
        branch = request_branch.branch_name(environment, {r.app.name: r.digest.hex for r in releases})
        offered = request_branch.offer(git, branch, change, tip=declared.tip, observer=workplace.observer)
        return Delivered(offered=offered) if offered else Delivered(landed=there)
    if options.delivery == "github-api" and workplace.push:
        from promote.gitops import github_commit  # noqa: PLC0415 - HTTP, where a host is asked

        return Delivered(
            landed=github_commit.land(
                git, change, tip=declared.tip, kind=options.forge, environ=os.environ, observer=workplace.observer
            )
        )
    return Delivered(land(git, change, tip=declared.tip, push=workplace.push, observer=workplace.observer))


def propose(workplace: Workplace, plan: Plan, offered: Offered, result: Result, body: Body) -> Result:
    """`result` with the one open pull request for `offered`, made or brought up to date; those it supersedes closed.

    Where the host merged it at once, the base is read back, and the result names the commit by which it has the change.
    Raises `Rejected`, `CredentialsFault` and `Fault`; the branch is there then, and the same command finishes.
    """
    from promote.gitops.forge import proposing  # noqa: PLC0415 - HTTP, where a host is asked
    from promote.gitops.forge.forge import Offer  # noqa: PLC0415

    if plan.declared is None:
        raise AssertionError("a request was made of a plan without git")
    git, tip, options = plan.declared.git, plan.declared.tip, workplace.configuration.git
    commit = CommitResult(offered.commit, offered.branch, pushed=True, base=git.branch)
    result = replace(result, commit=commit)
    with _forge(workplace, git.remote_url or "") as forge:
        workplace.observer.step("pull-request", offered.branch)
        proposed = proposing.propose(
            forge,
            Offer(
                branch=offered.branch,
                base=git.branch,
                title=offered.message.partition("\n")[0],
                body=body(result, offered.message, forge.longest_body),
                labels=options.labels,
            ),
            offered.commit,
            lambda other: request_branch.takes_the_place(offered.branch, other),
            fresh=offered.fresh,
            auto_merge=options.auto_merge,
            delete=lambda old: request_branch.delete(git, old.branch, old.head, tip=tip),
        )
    closed = ", ".join(f"#{number}" for number in proposed.superseded)
    notes = (f"closed {closed}, which this one supersedes" if closed else None, proposed.note)
    note = "; ".join(note for note in notes if note) or None
    commit = replace(commit, pull_request=proposed.request.url, note=note)
    if proposed.merged:
        workplace.observer.step("merge", f"{git.remote} {git.branch}")
        commit = replace(commit, id=merged.carrier(git, offered.commit), branch=git.branch, base=None)
    return replace(result, commit=commit)


def _forge(workplace: Workplace, remote_url: str) -> AbstractContextManager[Forge]:
    from promote.gitops.forge.connect import connected  # noqa: PLC0415 - HTTP, where a host is asked

    return connected(remote_url, workplace.configuration.git.forge, os.environ)
