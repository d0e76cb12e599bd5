"""The tree of verbs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from promote import __version__
from promote.cli.verbs import DEFAULT_VERB, VERBS, with_verb

EPILOG = (
    "For example: promote 'staging->prod' sha-4f2a91c.  "
    "Exit codes: 0 done or already so, 2 usage, 3 could not find out, 4 credentials, 10-16 refused."
)


class Verbs(TyperGroup):
    """The verbs, completed as they are run: the default verb need not be typed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Spell out the verb when a shell asks; whoever runs the command has done that before."""
        return super().parse_args(ctx, with_verb(args) if ctx.resilient_parsing and args else args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """The verbs, and what may stand first after the default one: an arrow, an option."""
        default = self.commands[DEFAULT_VERB]
        with default.make_context(DEFAULT_VERB, [], parent=ctx, resilient_parsing=True) as below:
            words = next(parameter for parameter in default.params if parameter.name == "words")
            first = default if incomplete.startswith("-") else words
            return [*super().shell_complete(ctx, incomplete), *first.shell_complete(below, incomplete)]


def build(verbs: Iterable[str] = VERBS) -> Any:
    """The command line as a callable command (`args`, `prog_name`, `standalone_mode`), as far as `verbs` goes.

    Reading the options of a verb takes time, and one run has use for one.
    """
    app = typer.Typer(
        cls=Verbs,
        help="Promote container images between environments by digest: verify, copy with all evidence, pin, push.",
        epilog=EPILOG,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=False)(_group)
    for verb in verbs:
        app.command(name=verb, short_help=VERBS[verb])(getattr(import_module(f"promote.cli.{verb}"), verb))
    return typer.main.get_command(app)


def _group(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Promote container images between environments by digest: verify, copy with all evidence, pin, push."""
    if version:
        sys.stdout.write(f"promote {__version__}\n")
        raise typer.Exit(0)
