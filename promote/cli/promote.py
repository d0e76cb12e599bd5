"""`promote SOURCE->TARGET [APP=]TAG...`: plan, and apply."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promote.cli.options import Config, Debug, Format, Jobs, NoColor, OutputFormat, Quiet, Repo, Verbose
from promote.cli.session import Session, failure
from promote.errors import NothingChanged, PromoteError
from promote.model.result import Result


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
    jobs: Jobs = 6,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Verify a release, copy it with all its evidence, and pin it in the target's overlays.

    promote 'staging->prod' sha-4f2a91c        promote 'staging->prod'  (whatever staging runs)
    """
    session = Session(config, repo, format, jobs, quiet, verbose, no_color)
    try:
        result = _run(
            session, words or [], from_, to,
            every_app=every_app, dry_run=dry_run, reason=reason, push=not no_push, require_change=require_change,
        )  # fmt: skip
    except PromoteError as error:
        result = failure("promote", error)
    session.print(result)
    raise typer.Exit(result.exit_code)


def _run(
    session: Session,
    words: list[str],
    source: str | None,
    target: str | None,
    *,
    every_app: bool,
    dry_run: bool,
    reason: str | None,
    push: bool,
    require_change: bool,
) -> Result:
    import os

    from promote.cli import arrow, redirection
    from promote.oci.stores import Stores
    from promote.promotion import outcome
    from promote.promotion.apply import apply
    from promote.promotion.plan import plan
    from promote.promotion.request import Request, environment, wanted
    from promote.promotion.workplace import Workplace, require_signers

    configuration = session.configuration()
    here = Path()
    redirected = redirection.stdout_environment(configuration.environments, here)
    way = arrow.parse(words, source, target, redirected)
    if redirected is not None and way.target == redirected and not source:
        redirection.take_back(redirected, here)
    request = Request(
        source=environment(configuration, way.source),
        target=environment(configuration, way.target),
        wanted=wanted(configuration, way.words, every_app=every_app),
        only_differing=every_app,
        reason=reason,
    )
    require_signers(configuration)
    stores = Stores(configuration.registries, os.environ)
    with Workplace(configuration, stores, session.observer(), session.jobs, push=push) as workplace:
        planned = plan(workplace, request)
        if dry_run or not planned.may_apply:
            result = outcome.of_plan(planned, dry_run=dry_run)
        else:
            try:
                result = outcome.of_applied(planned, apply(workplace, planned))
            except PromoteError as error:
                return outcome.of_error("promote", error, planned)
    if require_change and result.ok and not result.changed:
        return outcome.of_error(
            "promote", NothingChanged("nothing changed: the target runs this release already"), planned
        )
    return result
