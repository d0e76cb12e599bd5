"""What every verb does around its work: load the configuration, open the workplace, print the result."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from promote.cli.options import Format
from promote.errors import Misuse, PromoteError
from promote.model.configuration import Configuration
from promote.model.progress import Observer, Silent
from promote.model.result import Result


@dataclass(frozen=True)
class Session:
    """The options that say how to run and how to report, whatever the verb."""

    config: Path | None = None
    repo: Path | None = None
    format: Format = Format.TEXT
    jobs: int = 6
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False

    def configuration(self) -> Configuration:
        """The promote.yaml that the options name, or the nearest one upwards; raises `Misuse`."""
        from promote.config.load import find, load

        start = self.repo or Path()
        if not start.is_dir():
            raise Misuse(
                "usage", f"got --repo {start}, expected a directory", hint="name the GitOps repository's directory"
            )
        return load(self.config if self.config is not None else find(start.absolute()))

    def observer(self) -> Observer:
        """Who is told of progress."""
        from promote.cli.progress import Lines

        return Silent() if self.quiet else Lines(sys.stderr, self.verbose)

    def print(self, result: Result) -> None:
        """Write the result to stdout; in text, what failed goes to stderr too when stdout is not read by a person."""
        if self.format is Format.JSON:
            from promote.output import json as as_json

            sys.stdout.write(as_json.render(result))
        else:
            from promote.output import text
            from promote.output.style import style_for

            sys.stdout.write(text.render(result, style_for(sys.stdout, os.environ, wanted=not self.no_color)))
        sys.stdout.flush()


def failure(command: str, error: PromoteError) -> Result:
    """The result of a verb that an error ended before it had anything to show."""
    from promote.model.result import ErrorResult

    shown = ErrorResult(error.code, error.message, error.expected, error.actual, error.hint)
    return Result(command=command, exit_code=error.exit_code, error=shown)
