"""The tree of verbs."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from promote import __version__
from promote.cli.demo import demo
from promote.cli.init import init
from promote.cli.promote import promote
from promote.cli.verify import verify

EPILOG = (
    "For example: promote 'staging->prod' sha-4f2a91c.  "
    "Exit codes: 0 done or already so, 2 usage, 3 could not find out, 4 credentials, 10-16 refused."
)


def build() -> Any:
    """The command line as a callable command (`args`, `prog_name`, `standalone_mode`)."""
    app = typer.Typer(
        help="Promote container images between environments by digest: verify, copy with all evidence, pin, push.",
        epilog=EPILOG,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=False)(_group)
    app.command(name="promote")(promote)
    app.command(name="verify")(verify)
    app.command(name="init")(init)
    app.command(name="demo")(demo)
    return typer.main.get_command(app)


def _group(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Promote container images between environments by digest: verify, copy with all evidence, pin, push."""
    if version:
        sys.stdout.write(f"promote {__version__}\n")
        raise typer.Exit(0)
