"""`promote demo`: a whole promotion on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from promote.cli.options import Debug, NoColor
from promote.cli.session import Session, failure
from promote.errors import PromoteError


def demo(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Made anew; must not exist.")] = Path(
        "promote-demo"
    ),
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Promote an image that real cosign signed, with no server and no network.

    promote demo
    """
    from promote.demo.walkthrough import demonstrate

    try:
        demonstrate(directory, sys.stdout, colour=not no_color)
    except PromoteError as error:
        result = failure("demo", error)
        Session(no_color=no_color).print(result)
        raise typer.Exit(result.exit_code) from None
