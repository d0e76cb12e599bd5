"""`promote SOURCE->TARGET [APP=]TAG...`: plan, and apply."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli.options import Config, Debug, Format, Jobs, NoColor, OutputFormat, Quiet, Repo, Verbose
from promote.cli.session import Session, failure
from promote.errors import NothingChanged, PromoteError

if TYPE_CHECKING:  # --help would pay for them
    from promote.model.configuration import Configuration
    from promote.model.result import Result
    from promote.promotion.request import Request


def promote(  # noqa: PLR0917 - typer reads the options from the signature
    words: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE->TARGET [[APP=]TAG]...", show_default=False)
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="ENV", help="The source, instead of an arrow.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="ENV", help="The target, instead of an arrow.")] = None,
    every_app: Annotated[bool, typer.Option("--all", help="Every app that differs.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan, judge and print; write nothing anywhere.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Recorded in the commit.")] = None,
    no_push: Annotated[bool, typer.Option("--no-push", help="Commit here and do not push.")] = False,
    require_change: Annotated[bool, typer.Option("--require-change", help="Exit 6 when nothing changed.")] = False,
    config: Config = None,
    repo: Repo = None,
    format: OutputFormat = Format.TEXT,  # noqa: A002 - the name of the option
    jobs: Jobs = 10,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Verify a release, copy it with all its evidence, and pin it in the target's overlays.

    promote 'staging->prod' sha-4f2a91c        promote 'staging->prod'  (whatever staging runs)
    """
    session = Session(config, repo, format, jobs, quiet, verbose, no_color)
    asked = _Asked(tuple(words or ()), from_, to, reason, every_app, dry_run, not no_push, require_change)
    try:
        with session.configuration() as configuration:
            result = _carry_out(session, configuration, _request(configuration, asked), asked)
    except PromoteError as error:
        result = failure("promote", error)
    session.print(result)
    raise typer.Exit(result.exit_code)


@dataclass(frozen=True)
class _Asked:
    """What the command line asks for."""

    words: tuple[str, ...]
    source: str | None
    target: str | None
    reason: str | None
    every_app: bool
    dry_run: bool
    push: bool
    require_change: bool


def _request(configuration: Configuration, asked: _Asked) -> Request:
    from promote.cli import arrow, redirection
    from promote.promotion.request import Request, environment, wanted

    here = Path()
    redirected = redirection.stdout_environment(configuration.environments, here)
    way = arrow.parse(asked.words, asked.source, asked.target, redirected)
    if way.redirected:
        redirection.take_back(way.target, here)
    return Request(
        source=environment(configuration, way.source),
        target=environment(configuration, way.target),
        wanted=wanted(configuration, way.words, every_app=asked.every_app),
        only_differing=asked.every_app,
        reason=asked.reason,
    )


def _carry_out(session: Session, configuration: Configuration, request: Request, asked: _Asked) -> Result:
    from promote.oci.stores import Stores
    from promote.promotion import outcome
    from promote.promotion.plan import plan
    from promote.promotion.planned import Plan
    from promote.promotion.workplace import Workplace, require_signers

    require_signers(configuration)
    stores = Stores(configuration.registries, os.environ)
    with Workplace(configuration, stores, session.observer(), session.jobs, push=asked.push) as workplace:
        try:
            planned = plan(workplace, request)
        except PromoteError as error:
            return outcome.of_error("promote", error, Plan(request, ()), dry_run=asked.dry_run)
        from promote.promotion.apply import apply, check_attesting, check_working_copy

        try:
            if planned.may_apply:
                check_working_copy(workplace, planned)
                check_attesting(workplace, planned)
            if asked.dry_run or not planned.may_apply:
                result = outcome.of_plan(planned, dry_run=asked.dry_run)
            else:
                result = outcome.of_applied(planned, apply(workplace, planned))
            if asked.require_change and result.ok and not result.changed:
                raise NothingChanged("nothing changed: the target runs this release already")
        except PromoteError as error:
            result = outcome.of_error("promote", error, planned, dry_run=asked.dry_run)
    return result
