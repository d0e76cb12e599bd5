"""What every verb does around its work: load the configuration, open the workplace, print the result."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from promote.cli.options import Format
from promote.errors import Misuse, PromoteError
from promote.model.malformed import shown

if TYPE_CHECKING:  # every verb's --help would pay for them
    from promote.model.configuration import Configuration
    from promote.model.progress import Observer
    from promote.model.result import Result


@dataclass(frozen=True)
class Session:
    """The options that say how to run and how to report, whatever the verb."""

    config: Path | None = None
    repo: str | None = None
    format: Format = Format.TEXT
    jobs: int = 10
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False

    @contextmanager
    def configuration(self) -> Iterator[Configuration]:
        """The promote.yaml that the options name, or the nearest one upwards; raises `Misuse`.

        A repository that is named by its URL is cloned, and the clone is gone when the block is left.
        """
        from promote.cli.elsewhere import configuration_of, is_elsewhere
        from promote.config.load import find, load

        if self.repo is not None and is_elsewhere(self.repo):
            with configuration_of(self.repo, self.config, self._note) as configuration:
                yield configuration
            return
        start = Path(self.repo or "")
        if not start.is_dir():
            raise Misuse(
                "usage",
                f"got --repo {shown(str(start))}, expected a directory or a URL",
                hint="name the GitOps repository's directory, or its URL",
            )
        yield load(self.config if self.config is not None else find(start.absolute()))

    def _note(self, text: str) -> None:
        if not self.quiet:
            sys.stderr.write(f"note: {shown(text, 300)}\n")

    def observer(self) -> Observer:
        """Who is told of progress; one that draws on a terminal is a context manager."""
        from promote.output.style import is_terminal

        if self.quiet:
            from promote.model.progress import Silent

            return Silent()
        if not is_terminal(sys.stderr, os.environ):
            from promote.cli.progress import Lines

            return Lines(sys.stderr, self.verbose)
        from promote.cli.live import Live
        from promote.output.style import style_for

        style = style_for(sys.stderr, os.environ, wanted=not self.no_color)
        return Live(sys.stderr, style, height=shutil.get_terminal_size().lines, keep=self.verbose)

    @contextmanager
    def watched(self) -> Iterator[Observer]:
        """`observer`, and the terminal as it was when the block is left."""
        observer = self.observer()
        with observer if isinstance(observer, AbstractContextManager) else nullcontext():
            yield observer

    def print(self, result: Result) -> None:
        """Write the result to stdout; what failed goes to stderr too when stdout is a file, which nobody watches.

        Where both are the same file, as in a log, once is enough.
        """
        if result.error is not None and _is_file(sys.stdout) and not _are_one(sys.stdout, sys.stderr):
            from promote.output import text
            from promote.output.style import style_for

            style = style_for(sys.stderr, os.environ, wanted=not self.no_color)
            sys.stderr.write(text.render_error(result.error, result.exit_code, style))
        try:
            sys.stdout.write(self._rendered(result))
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader is gone; the exit code still tells how it went, and Python must not complain at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _rendered(self, result: Result) -> str:
        if self.format is Format.JSON:
            from promote.output import json as as_json

            return as_json.render(result)
        if self.format is Format.MARKDOWN:
            from promote.output import markdown

            return markdown.render(result)
        from promote.output import text
        from promote.output.style import style_for

        return text.render(result, style_for(sys.stdout, os.environ, wanted=not self.no_color))


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _are_one(first: TextIO, second: TextIO) -> bool:
    try:
        return os.path.sameopenfile(first.fileno(), second.fileno())
    except (OSError, ValueError):
        return False


def failure(command: str, error: PromoteError) -> Result:
    """The result of a verb that an error ended before it had anything to show."""
    from promote.model.result import ErrorResult, Result

    shown = ErrorResult(error.code, error.message, error.expected, error.actual, error.hint)
    return Result(command=command, exit_code=error.exit_code, error=shown)
