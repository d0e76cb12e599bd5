"""`promote verify REF`: the gates that need no target."""

from __future__ import annotations

from typing import Annotated

import typer

from promote.cli import complete
from promote.cli.options import Config, Debug, Format, Jobs, NoColor, OutputFormat, Quiet, Repo, Verbose
from promote.cli.session import Session, failure
from promote.errors import PromoteError


def verify(  # noqa: PLR0917 - typer reads the options from the signature
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF",
            help="ENV, ENV:TAG, HOST/REPO:TAG, HOST/REPO@DIGEST or oci:DIR/REPO:TAG.",
            show_default=False,
            autocompletion=complete.references,
        ),
    ],
    explain: Annotated[
        bool, typer.Option("--explain", help="Show everything that was found, and why the rest does not count.")
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
    """Judge an image without promoting it.

    \b
    promote verify staging             what staging runs
    promote verify staging --explain   and all that was found beside it
    """  # noqa: D301 - the sign that keeps click from joining lines
    import os

    from promote.oci.stores import Stores
    from promote.promotion.explain import explain as explained
    from promote.promotion.verify import verify as verified
    from promote.promotion.workplace import Workplace, require_signers

    session = Session(config, repo, format, jobs, quiet, verbose, no_color)
    try:
        with session.configuration() as configuration:
            require_signers(configuration)
            stores = Stores(configuration.registries, os.environ)
            with session.watched() as observer, Workplace(configuration, stores, observer, jobs) as workplace:
                result = (explained if explain else verified)(workplace, reference)
    except PromoteError as error:
        result = failure("verify", error)
    session.print(result)
    raise typer.Exit(result.exit_code)
