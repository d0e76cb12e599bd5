"""`promote history [ENV]`: every promotion, rollback and edit, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli import complete
from promote.cli.options import Config, Debug, Format, NoColor, OutputFormat, Quiet, Repo, Verbose
from promote.cli.session import Session
from promote.errors import PromoteError

if TYPE_CHECKING:  # --help would pay for them
    from promote.model.standing import HistoryResult


def history(  # noqa: PLR0917 - typer reads the options from the signature
    environment: Annotated[
        str | None, typer.Argument(metavar="[ENV]", show_default=False, autocompletion=complete.environments)
    ] = None,
    app: Annotated[
        list[str] | None, typer.Option("--app", metavar="APP", help="Only this app; may be repeated.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="At most so many; default: all.", show_default=False),
    ] = None,
    config: Config = None,
    repo: Repo = None,
    format: OutputFormat = Format.TEXT,  # noqa: A002 - the name of the option
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Show every promotion, rollback and edit that git has, newest first.

    The diffs are what counts; what a commit message says is shown where they agree with it.

    promote history prod --limit 10
    """
    from promote.cli.gitread import Renderers, told, write
    from promote.model.standing import HistoryResult
    from promote.output import history as output

    session = Session(config, repo, format, quiet=quiet, verbose=verbose, no_color=no_color)
    try:
        result = _found(session, environment, app or [], limit)
    except PromoteError as error:
        result = HistoryResult(error.exit_code, error=told(error))
    write(session, result, Renderers(output.render_text, output.render_json, output.render_markdown))
    raise typer.Exit(result.exit_code)


def _found(session: Session, environment: str | None, apps: list[str], limit: int | None) -> HistoryResult:
    from datetime import UTC, datetime
    from itertools import islice

    from promote.cli.gitread import reading
    from promote.insight.records import records
    from promote.model.standing import HistoryResult

    with reading(session, environment, apps) as at:
        told = records(
            at.repository,
            at.tip.commit,
            at.configuration,
            environments=at.environments,
            apps=at.apps,
            now=datetime.now(UTC),
        )
        found = tuple(islice(told, limit))
        is_cut = at.repository.is_shallow and (limit is None or len(found) < limit)
        note = "This clone is shallow: what is older is unknown; run `git fetch --unshallow`." if is_cut else None
        return HistoryResult(0, at.tip, found, note)
