"""`promote config show|schema`: what counts, where it was written, and what may be written."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli import complete
from promote.cli.options import Config, Debug, Format, NoColor, Repo
from promote.cli.session import Session
from promote.errors import Misuse, PromoteError
from promote.model.malformed import shown

if TYPE_CHECKING:  # --help would pay for them
    from promote.model.setting import SettingsResult


class What(StrEnum):
    """What to print."""

    SHOW = "show"
    SCHEMA = "schema"


class ConfigFormat(StrEnum):
    """How the effective configuration is written."""

    TEXT = "text"
    JSON = "json"


def config(  # noqa: PLR0917 - typer reads the options from the signature
    what: Annotated[What, typer.Argument(metavar="show|schema", show_default=False, help="What to print.")],
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENV]", show_default=False, help="Only this one.", autocompletion=complete.environments
        ),
    ] = None,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value was written.")] = False,
    config: Config = None,
    repo: Repo = None,
    format: Annotated[  # noqa: A002 - the name of the option
        ConfigFormat, typer.Option("--format", metavar="FORMAT", help="text (which is YAML) or json, on stdout.")
    ] = ConfigFormat.TEXT,
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Print the effective configuration, the gates of each environment merged, or the JSON Schema of promote.yaml.

    promote config show prod --origin
    """
    from promote.cli.gitread import told
    from promote.model.setting import SettingsResult

    if what is What.SCHEMA and environment is None:
        sys.stdout.write(_schema())
        return
    form = Format.JSON if format is ConfigFormat.JSON else Format.TEXT
    session = Session(config, repo, form, no_color=no_color)
    try:
        if what is What.SCHEMA:
            raise Misuse("usage", f"got {shown(environment)} behind schema, expected nothing more")
        result = _settings(session, environment)
    except PromoteError as error:
        result = SettingsResult(error.exit_code, error=told(error))
    _write(session, result, with_origin=origin)
    raise typer.Exit(result.exit_code)


def _schema() -> str:
    """As it is shipped: written without importing what it was made from."""
    from importlib.resources import files

    return (files("promote.config") / "promote.schema.json").read_text(encoding="utf-8")


def _settings(session: Session, environment: str | None) -> SettingsResult:
    from promote.config.effective import effective
    from promote.model.setting import SettingsResult

    with session.configuration() as configuration:
        known = list(configuration.environments)
        if environment is not None and environment not in known:
            raise Misuse(
                "environment-unknown",
                f"got the environment {shown(environment)}, expected one of {', '.join(known)}",
                hint="name one of them, or add it to environments in promote.yaml",
            )
        settings = effective(configuration.path, environment)
        return SettingsResult(0, configuration.path.name, environment, settings)


def _write(session: Session, result: SettingsResult, *, with_origin: bool) -> None:
    from promote.output import settings as output
    from promote.output.style import style_for

    style = style_for(sys.stdout, os.environ, wanted=not session.no_color)
    if session.format is Format.JSON:
        text = output.render_json(result)
    elif with_origin:
        text = output.render_origins(result, style)
    else:
        text = output.render_yaml(result, style)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader is gone; the exit code still tells how it went, and Python must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
