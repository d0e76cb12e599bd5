"""`promote explain [CODE]`: what an error code means."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli.options import Debug, Format, NoColor, OutputFormat
from promote.errors import Misuse

if TYPE_CHECKING:  # tables that only this verb reads
    from collections.abc import Mapping

    from promote.explanations import Explanation


def codes(incomplete: str) -> list[str]:
    """The codes that begin so, for a shell."""
    from promote.explanations import explanations

    return [code for code in explanations() if code.startswith(incomplete)]


def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE", help="As a report gives it; default: list all.", show_default=False, autocompletion=codes
        ),
    ] = None,
    format: OutputFormat = Format.TEXT,  # noqa: A002 - the name of the option
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Say what an error code means, and what to do about it.

    \b
    promote explain                every code
    promote explain floating-tag   one, with an example
    """  # noqa: D301 - the sign that keeps click from joining lines
    from promote.cli.session import Session, failure
    from promote.explanations import explanations

    known = explanations()
    if code is not None and code not in known:
        result = failure("explain", _unknown(code, known))
        Session(format=format, no_color=no_color).print(result)
        raise typer.Exit(result.exit_code)
    asked = known if code is None else {code: known[code]}
    sys.stdout.write(_rendered(asked, format, listed=code is None, colour=not no_color))


def _rendered(asked: Mapping[str, Explanation], format: Format, *, listed: bool, colour: bool) -> str:  # noqa: A002
    from promote.explanations import transcript
    from promote.output import explanation as output
    from promote.output.style import style_for

    if format is Format.JSON:
        examples = {code: shown for code in asked if (shown := transcript(code)) is not None}
        return output.render_json(asked, examples)
    if format is Format.MARKDOWN:
        return "\n".join(output.render_markdown(item, transcript(code)) for code, item in asked.items())
    style = style_for(sys.stdout, os.environ, wanted=colour)
    if listed:
        return output.render_list(asked, style)
    return "".join(output.render_text(item, transcript(code), style) for code, item in asked.items())


def _unknown(asked: str, known: Mapping[str, Explanation]) -> Misuse:
    from difflib import get_close_matches

    from promote.model.malformed import shown

    near = get_close_matches(asked, known, n=1)
    return Misuse(
        "code-unknown",
        f"got {shown(asked)}, expected one of the codes that `promote explain` lists",
        hint=f"promote explain {near[0]}" if near else "promote explain",
    )
