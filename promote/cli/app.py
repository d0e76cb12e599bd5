"""The tree of verbs."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from promote import __version__
from promote.cli.config import config
from promote.cli.demo import demo
from promote.cli.doctor import doctor
from promote.cli.explain import explain
from promote.cli.history import history
from promote.cli.init import init
from promote.cli.lint import lint
from promote.cli.main import DEFAULT_VERB, with_verb
from promote.cli.promote import promote
from promote.cli.rollback import rollback
from promote.cli.status import status
from promote.cli.verify import verify

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


def build() -> Any:
    """The command line as a callable command (`args`, `prog_name`, `standalone_mode`)."""
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
    app.command(name="promote", short_help="Verify a release, copy it, and pin it in the overlays.")(promote)
    app.command(name="rollback", short_help="Go back to the release before, and hold the one that is left.")(rollback)
    app.command(name="verify", short_help="Judge an image without promoting it.")(verify)
    app.command(name="status", short_help="What runs where, since when, and by whom.")(status)
    app.command(name="history", short_help="Every promotion, rollback and edit, newest first.")(history)
    app.command(name="init", short_help="Propose a promote.yaml for review.")(init)
    app.command(name="lint", short_help="Refuse images in overlays that are not pinned.")(lint)
    app.command(name="explain", short_help="What an error code means, and what to do.")(explain)
    app.command(name="doctor", short_help="What a promotion needs, and how to fix it.")(doctor)
    app.command(name="config", short_help="What promote.yaml says in full, and where.")(config)
    app.command(name="demo", short_help="A whole promotion on this machine, to look at.")(demo)
    return typer.main.get_command(app)


def _group(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Promote container images between environments by digest: verify, copy with all evidence, pin, push."""
    if version:
        sys.stdout.write(f"promote {__version__}\n")
        raise typer.Exit(0)
