"""What the verbs that change an environment share: plan, check, apply, and the result of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from promote.errors import Misuse, NothingChanged, PromoteError

if TYPE_CHECKING:  # --help would pay for them
    from promote.cli.session import Session
    from promote.model.configuration import Configuration
    from promote.model.result import Result
    from promote.promotion.planned import Plan
    from promote.promotion.request import Request
    from promote.promotion.workplace import Workplace

    Planner = Callable[[Workplace, Request], Plan]


@dataclass(frozen=True)
class How:
    """How far to go, and how the commit is brought to its branch."""

    dry_run: bool
    push: bool
    require_change: bool
    pull_request: bool


def delivered_as_asked(configuration: Configuration, how: How) -> Configuration:
    """`configuration` with the delivery that the command line asks for; raises `Misuse` when it asks for two."""
    if not how.pull_request:
        return configuration
    if not how.push:
        raise Misuse(
            "usage", "got --pull-request with --no-push, expected one of the two", hint="leave one of them away"
        )
    return replace(configuration, git=replace(configuration.git, delivery="pull-request"))


def carry_out(
    session: Session, configuration: Configuration, request: Request, planner: Callable[[], Planner], how: How
) -> Result:
    """The result of `request` as planned by what `planner` gives, and applied unless this is a dry run."""
    from promote.oci.stores import Stores
    from promote.promotion import outcome
    from promote.promotion.planned import Plan
    from promote.promotion.workplace import Workplace, require_signers

    require_signers(configuration)
    command = request.kind.value
    stores = Stores(configuration.registries, os.environ)
    with (
        session.watched() as observer,
        Workplace(configuration, stores, observer, session.jobs, push=how.push) as workplace,
    ):
        try:
            planned = planner()(workplace, request)
        except PromoteError as error:
            return outcome.of_error(command, error, Plan(request, ()), dry_run=how.dry_run)
        try:
            result = _applied(workplace, planned, dry_run=how.dry_run)
            if how.require_change and result.ok and not result.changed:
                nothing = NothingChanged("nothing changed: the target runs this release already")
                stopped = outcome.of_error(command, nothing, planned, dry_run=how.dry_run)
                result = replace(stopped, releases=result.releases)
        except PromoteError as error:
            result = outcome.of_error(command, error, planned, dry_run=how.dry_run)
    return result


def _applied(workplace: Workplace, planned: Plan, *, dry_run: bool) -> Result:
    from promote.output import request_body
    from promote.promotion import outcome, since
    from promote.promotion.apply import apply, check_attesting, check_working_copy
    from promote.promotion.delivering import check_delivery, propose

    if planned.may_apply:
        check_working_copy(workplace, planned)
        check_attesting(workplace, planned)
        check_delivery(workplace, planned)
    if not planned.may_apply:
        return outcome.of_plan(planned, dry_run=dry_run)
    if dry_run:
        return since.told(workplace, planned, outcome.of_plan(planned, dry_run=True))
    applied = apply(workplace, planned)
    result = since.told(workplace, planned, outcome.of_applied(planned, applied))
    if applied.delivered and applied.delivered.offered:
        return propose(workplace, planned, applied.delivered.offered, result, request_body.render)
    return result
