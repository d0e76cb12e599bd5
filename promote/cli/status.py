"""`promote status [ENV]`: what runs where, since when and by whom, as git declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli import complete
from promote.cli.options import Config, Debug, Format, Jobs, NoColor, OutputFormat, Quiet, Repo, Verbose
from promote.cli.session import Session
from promote.errors import PromoteError

if TYPE_CHECKING:  # --help would pay for them
    from promote.model.standing import StatusResult


def status(  # noqa: PLR0917 - typer reads the options from the signature
    environment: Annotated[
        str | None, typer.Argument(metavar="[ENV]", show_default=False, autocompletion=complete.environments)
    ] = None,
    app: Annotated[
        list[str] | None, typer.Option("--app", metavar="APP", help="Only this app; may be repeated.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Ask the registries whether they have what git declares.")
    ] = False,
    config: Config = None,
    repo: Repo = None,
    format: OutputFormat = Format.TEXT,  # noqa: A002 - the name of the option
    jobs: Jobs = 10,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Show what git declares to run where: since when, by whom, how far behind.

    Nothing but git is asked, and no network, unless --check is given.

    promote status prod
    """
    from promote.cli.gitread import Renderers, told, write
    from promote.model.standing import StatusResult
    from promote.output import status as output

    session = Session(config, repo, format, jobs, quiet, verbose, no_color)
    try:
        result = _found(session, environment, app or [], check=check)
    except PromoteError as error:
        result = StatusResult(error.exit_code, error=told(error))
    write(session, result, Renderers(output.render_text, output.render_json, output.render_markdown))
    raise typer.Exit(result.exit_code)


def _found(session: Session, environment: str | None, apps: list[str], *, check: bool) -> StatusResult:
    from datetime import UTC, datetime

    from promote.cli.gitread import reading, told
    from promote.insight.concerns import concern
    from promote.insight.status import status as standings
    from promote.model.standing import StatusResult

    now = datetime.now(UTC)
    with reading(session, environment, apps) as at:
        rows = standings(
            at.repository,
            at.tip.commit,
            at.configuration,
            environments=at.environments,
            apps=at.apps,
            now=now,
        )
        if check:
            import os

            from promote.insight.drift import compare
            from promote.oci.stores import Stores

            with Stores(at.configuration.registries, os.environ) as stores:
                rows = compare(rows, at.configuration, stores, session.jobs)
        error = concern(rows)
        return StatusResult(error.exit_code if error else 0, at.tip, rows, told(error) if error else None, now)
