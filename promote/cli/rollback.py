"""`promote rollback ENV [APP[=TAG]]... [--to TAG]`: back to a release that ran there before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli import complete
from promote.cli.carrying import How, carry_out, delivered_as_asked
from promote.cli.options import Config, Debug, Format, Jobs, NoColor, OutputFormat, Quiet, Repo, Verbose
from promote.cli.session import Session, failure
from promote.errors import Fault, Misuse, PromoteError

if TYPE_CHECKING:  # --help would pay for them
    from promote.cli.carrying import Planner
    from promote.model.configuration import Configuration
    from promote.model.result import Result
    from promote.promotion.request import Request


def rollback(  # noqa: PLR0917 - typer reads the options from the signature
    environment: Annotated[str, typer.Argument(metavar="ENV", autocompletion=complete.environments)],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[APP[=TAG]]...", help="What, and to which release; no tag: the one before.", show_default=False
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TAG", help="The release to go back to; may be abbreviated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan, judge and print; write nothing anywhere.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Recorded in the commit.")] = None,
    no_push: Annotated[bool, typer.Option("--no-push", help="Commit here and do not push.")] = False,
    pull_request: Annotated[
        bool, typer.Option("--pull-request", help="Open or update a pull request; push nothing to the branch.")
    ] = False,
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
    """Go back to a release that ran in ENV before, through the same gates.

    The release that is left is held: it cannot be promoted into ENV again without --lift; a newer one can.

    \b
    promote rollback prod --to sha-4f2a91c   to that one
    """  # noqa: D301 - the sign that keeps click from joining lines
    session = Session(config, repo, format, jobs, quiet, verbose, no_color)
    how = How(dry_run, not no_push, require_change, pull_request)
    try:
        with session.configuration() as configured:
            configuration = delivered_as_asked(configured, how)
            request = _request(configuration, environment, words or [], to, reason)
            result = _named(carry_out(session, configuration, request, _planner, how))
    except PromoteError as error:
        result = failure("rollback", error)
    session.print(result)
    raise typer.Exit(result.exit_code)


def _request(configuration: Configuration, name: str, words: list[str], to: str | None, reason: str | None) -> Request:
    from promote.model.record import Kind
    from promote.promotion.request import Request, wanted
    from promote.promotion.request import environment as environment_named

    target = environment_named(configuration, name)
    items = wanted(configuration, words, every_app=False)
    if to is not None:
        if any(item.tag is not None for item in items):
            raise Misuse("usage", "got a tag and --to, expected one of the two", hint="leave --to away")
        items = tuple(replace(item, tag=to) for item in items)
    return Request(source=target, target=target, wanted=items, reason=reason, kind=Kind.ROLLBACK)


def _planner() -> Planner:
    from promote.promotion.rollback import plan_rollback

    return plan_rollback


def _named(result: Result) -> Result:
    """`result`; where it could not be finished, with a hint that is safe to follow.

    The release before is another one once the rollback has landed, whoever did not hear of it.
    """
    chosen = [(release.app, release.tag) for release in result.releases if release.digest]
    if result.error is None or result.exit_code != Fault.exit_code or not chosen or result.target is None:
        return result
    from promote.promotion.rollback import safe_hint

    return replace(result, error=replace(result.error, hint=safe_hint(result.target, chosen)))
