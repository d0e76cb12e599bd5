"""The options that verbs share, each said once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How the result is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="promote.yaml; default: the nearest one upwards.")
]
Repo = Annotated[
    str | None, typer.Option("--repo", metavar="PATH|URL", help="GitOps repository; default: here. A URL is cloned.")
]
OutputFormat = Annotated[Format, typer.Option("--format", metavar="FORMAT", help="text, json or markdown, on stdout.")]
Jobs = Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=64, help="How many things to do at once.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Every blob and manifest on stderr.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colour, as with NO_COLOR.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
