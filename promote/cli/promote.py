"""`promote SOURCE->TARGET [APP=]TAG...`: plan, and apply."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli import complete
from promote.cli.carrying import How, carry_out, delivered_as_asked
from promote.cli.options import Config, Debug, Format, Jobs, NoColor, OutputFormat, Quiet, Repo, Verbose
from promote.cli.session import Session, failure
from promote.errors import Misuse, PromoteError

if TYPE_CHECKING:  # --help would pay for them
    from promote.cli.carrying import Planner
    from promote.model.configuration import Configuration
    from promote.promotion.request import Request


Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE->TARGET [[APP=]TAG]...",
        help="From where to where, and what; no tag: what SOURCE runs.",
        show_default=False,
        autocompletion=complete.promotion_words,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="ENV", help="The source, instead of an arrow.", autocompletion=complete.environments
    ),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="ENV", help="The target, instead of an arrow.", autocompletion=complete.environments),
]


def promote(  # noqa: PLR0917 - typer reads the options from the signature
    words: Words = None,
    from_: From = None,
    to: To = None,
    every_app: Annotated[bool, typer.Option("--all", help="Every app that differs.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan, judge and print; write nothing anywhere.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Recorded in the commit.")] = None,
    lift: Annotated[
        str | None, typer.Option("--lift", metavar="REASON", help="Let a release pass that was rolled back from.")
    ] = None,
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
    """Verify a release, copy it, and pin it in the overlays.

    The image is copied by digest with all its evidence, read back and verified again before git is touched.
    This verb may be left out.

    \b
    promote 'staging->prod' sha-4f2a91c   a tag may be abbreviated
    promote 'staging->prod' --dry-run     what staging runs; writes nothing
    """  # noqa: D301 - the sign that keeps click from joining lines
    session = Session(config, repo, format, jobs, quiet, verbose, no_color)
    asked = _Asked(tuple(words or ()), from_, to, reason, every_app, lift)
    how = How(dry_run, not no_push, require_change, pull_request)
    try:
        with session.configuration() as configured:
            configuration = delivered_as_asked(configured, how)
            result = carry_out(session, configuration, _request(configuration, asked), _planner, how)
    except PromoteError as error:
        result = failure("promote", error)
    session.print(result)
    raise typer.Exit(result.exit_code)


@dataclass(frozen=True)
class _Asked:
    """What the command line asks for."""

    words: tuple[str, ...]
    source: str | None
    target: str | None
    reason: str | None
    every_app: bool
    lift: str | None


def _request(configuration: Configuration, asked: _Asked) -> Request:
    from promote.cli import arrow, redirection
    from promote.promotion.request import Request, environment, running, wanted

    here = Path()
    redirected = redirection.stdout_environment(configuration.environments, here)
    way = arrow.parse(asked.words, asked.source, asked.target, redirected)
    if way.redirected:
        redirection.take_back(way.target, here)
    source, target = environment(configuration, way.source), environment(configuration, way.target)
    items = wanted(configuration, way.words, every_app=asked.every_app)
    return Request(
        source=source,
        target=target,
        wanted=running(items, source, target) if asked.every_app else items,
        only_differing=asked.every_app,
        reason=asked.reason,
        lift=_reason_to_lift(asked.lift),
    )


def _reason_to_lift(text: str | None) -> str | None:
    if text is not None and not text.strip():
        raise Misuse(
            "usage",
            "got --lift without a reason, expected one",
            hint="say why: --lift 'the cause was elsewhere'",
        )
    return text


def _planner() -> Planner:
    from promote.promotion.plan import plan

    return plan
