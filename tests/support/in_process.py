"""The real command run in this process, and the schemas that its JSON follows."""

from __future__ import annotations

import contextlib
import io
import json
import signal
from functools import cache
from pathlib import Path

import jsonschema

import promote.output.json
from promote.cli.main import run


def run_in(directory: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit code of promote in `directory`, what it wrote to stdout and to stderr, which are no files then."""
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.chdir(directory), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(arguments)
    finally:
        signal.signal(signal.SIGTERM, before)
    return code, out.getvalue(), err.getvalue()


@cache
def schema(name: str) -> jsonschema.Draft202012Validator:
    """A shipped schema, such as ``status``."""
    path = Path(promote.output.json.__file__).parent / "schemas" / f"promote.{name}.v1.json"
    value = json.loads(path.read_bytes())
    jsonschema.Draft202012Validator.check_schema(value)
    return jsonschema.Draft202012Validator(value)
