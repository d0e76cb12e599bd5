"""The entry point: finds the verb, and turns whatever happens into one report and one exit code."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from itertools import pairwise
from types import FrameType
from typing import Any, NoReturn, TextIO

from promote import __version__
from promote.cli.verbs import VERBS, with_verb

INTERRUPTED = 130


def entry() -> NoReturn:
    """Run the command line of this process and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character is no reason to fail
    gc.set_threshold(100_000, 50, 50)  # the defaults walk through all that is imported a dozen times, and free nothing
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # nobody reads along, and no package is searched
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        _let_go(stream)
    gc.freeze()  # and at its end Python would walk through it once more, when the process gives it all back anyway
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run `arguments` (without the program's name); returns the exit code."""
    if list(arguments) == ["--version"]:  # answered before anything is imported: scripts ask it often
        sys.stdout.write(f"promote {__version__}\n")
        return 0
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _dispatch(with_verb(arguments))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing is half visible, run the same command again to finish\n")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence: whatever escapes is a bug in promote
        return _bug(arguments, error)


def _dispatch(arguments: list[str]) -> int:
    import typer

    from promote.cli import bash
    from promote.cli.app import build

    # typer carries its own copy of click or imports it, by version; this is the public way to its base error.
    usage_error: Any = typer.BadParameter.__mro__[1]
    if bash.asked():
        return bash.complete(lambda: build()(args=[], prog_name="promote", standalone_mode=False), os.environ)
    only = arguments[:1] if arguments[0] in VERBS else VERBS
    try:
        outcome = build(only)(args=arguments, prog_name="promote", standalone_mode=False)
    except usage_error as error:
        return _usage(arguments, str(error.format_message()))
    except typer.Exit as done:
        return int(done.exit_code)
    except typer.Abort:
        raise KeyboardInterrupt from None
    if outcome == INTERRUPTED:  # newer typers turn Ctrl-C into this status, without a word
        raise KeyboardInterrupt
    return outcome if isinstance(outcome, int) else 0


def _let_go(stream: TextIO) -> None:
    """Give out what `stream` still holds; where its reader is gone, Python would end in 120 whatever was done."""
    try:
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _usage(arguments: list[str], message: str) -> int:
    from promote.cli.options import Format
    from promote.cli.session import Session, failure
    from promote.errors import Misuse

    verb = arguments[0]
    error = Misuse("usage", message.rstrip("."), hint=f"promote {verb} --help" if verb in VERBS else "promote --help")
    wanted = next((form for form in Format if _asks_for(arguments, form)), Format.TEXT)
    Session(format=wanted).print(failure(verb, error))
    return error.exit_code


def _asks_for(arguments: list[str], form: str) -> bool:
    return f"--format={form}" in arguments or ("--format", form) in pairwise(arguments)


def _bug(arguments: Sequence[str], error: Exception) -> int:
    if "--debug" in arguments:
        raise error
    from promote.output.style import printable

    sys.stderr.write(
        f"promote {__version__} has a bug: {type(error).__name__}: {printable(str(error)[:300])}\n"
        "  do        run it again with --debug and report what it prints\n"
    )
    return 1


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
