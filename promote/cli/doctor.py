"""`promote doctor`: what a promotion needs, and what to do about what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from promote.cli.options import Config, Debug, Format, Jobs, NoColor, OutputFormat, Quiet, Repo
from promote.cli.session import Session
from promote.errors import Misuse, PromoteError

if TYPE_CHECKING:  # --help would pay for them
    from promote.model.checkup import CheckupResult


def doctor(  # noqa: PLR0917 - typer reads the options from the signature
    config: Config = None,
    repo: Repo = None,
    format: OutputFormat = Format.TEXT,  # noqa: A002 - the name of the option
    jobs: Jobs = 10,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Look at all that a promotion needs: configuration, trust, registries, credentials, clocks, git, tools.

    Nothing is written anywhere, and each line that would stop a promotion says what to do.  The exit code is the one
    that the first of them would end with.

    promote doctor
    """
    from promote.cli.gitread import Renderers, told, write
    from promote.model.checkup import CheckupResult
    from promote.output import doctor as output

    session = Session(config, repo, format, jobs, quiet, no_color=no_color)
    try:
        result = _examined(session)
    except PromoteError as error:
        result = CheckupResult(error.exit_code, error=told(error))
    write(session, result, Renderers(output.render_text, output.render_json, output.render_markdown))
    raise typer.Exit(result.exit_code)


def _examined(session: Session) -> CheckupResult:
    from contextlib import ExitStack

    from promote.model.checkup import CheckupResult
    from promote.promotion.checkup import checkup, failed, tools

    with ExitStack() as stack:
        try:
            configuration = stack.enter_context(session.configuration())
        except Misuse as error:  # the programs can be looked at all the same
            return CheckupResult.of((failed("config", "promote.yaml", error), *tools(Path())))
        import os

        from promote.oci.stores import Stores
        from promote.promotion.workplace import Workplace

        observer = stack.enter_context(session.watched())
        stores = Stores(configuration.registries, os.environ)
        with Workplace(configuration, stores, observer, session.jobs) as workplace:
            return CheckupResult.of(checkup(workplace))
