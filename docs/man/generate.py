"""Writes promote.1, the manual page, from the command line itself: `python docs/man/generate.py`, or `make man`.

The conversion is ours because typer has its own copy of click, so that click's tools for manual pages do not know it.
Markup: man(7).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from promote.cli.app import EPILOG, build

PAGE = Path(__file__).with_name("promote.1")
FILES = (
    ("promote.yaml", "The configuration, at the root of the GitOps repository; the nearest one upwards is read."),
    ("~/.docker/config.json", "Credentials for registries, also those of podman and of credential helpers."),
)
ENVIRONMENT = (
    ("NO_COLOR, FORCE_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM", "Whether output is coloured."),
    ("DOCKER_CONFIG, REGISTRY_AUTH_FILE", "Where credentials for registries are."),
)


def page() -> str:
    """The manual page as roff."""
    group = build()
    lines = [
        '.\\" Written by docs/man/generate.py; change the command line instead.',
        ".TH PROMOTE 1",
        ".SH NAME",
        "promote \\- promote container images between environments by digest",
        ".SH SYNOPSIS",
        ".B promote",
        _text("SOURCE->TARGET [[APP=]TAG]... [OPTIONS]"),
        ".br",
        ".B promote",
        _text("VERB [OPTIONS] [ARGUMENTS]"),
        ".SH DESCRIPTION",
        *_paragraphs(group.help or ""),
        ".SH VERBS",
    ]
    for name, command in group.commands.items():
        lines += _verb(name, command)
    lines += [".SH EXIT STATUS", _text(EPILOG.partition("Exit codes: ")[2])]
    for title, pairs in (("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT)):
        lines.append(f".SH {title}")
        for term, said in pairs:
            lines += [".TP", f".B {_text(term)}", _text(said)]
    return "\n".join(lines) + "\n"


def _verb(name: str, command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    yield f".SS {_text(' '.join(['promote', name, *(str(p.metavar or p.name) for p in arguments)]))}"
    yield from _paragraphs(inspect.cleandoc(command.help or ""))
    for parameter in arguments:
        if parameter.help:
            yield from (".TP", f".I {_text(str(parameter.metavar))}", _text(parameter.help))
    for parameter in command.params:
        if parameter.param_type_name == "option" and not parameter.hidden:
            metavar = f" {parameter.metavar}" if parameter.metavar and not parameter.is_flag else ""
            yield from (".TP", f".B {_text(', '.join(sorted(parameter.opts, key=len)) + metavar)}")
            yield _text(parameter.help or "")


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs of a help text; one that begins with a backspace is shown as it is, as click does."""
    for number, paragraph in enumerate(re.split(r"\n\n+", text.strip())):
        if number:
            yield ".PP"
        if paragraph.startswith(("\b", "promote ")):
            yield from (".nf", *(_text(row) for row in paragraph.strip("\b\n").split("\n")), ".fi")
        else:
            yield _text(" ".join(paragraph.split()))


def _text(text: str) -> str:
    """`text` so that nothing of it is markup: backslashes, hyphens, and a control character at its beginning."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{safe}" if safe.startswith(".") else safe


if __name__ == "__main__":
    PAGE.write_text(page())
