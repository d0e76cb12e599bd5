"""The first ten minutes: what the commands of the tutorial print, typed by nobody but run all the same."""

from __future__ import annotations

import re
import tempfile
from itertools import groupby
from pathlib import Path

from support.walk import Typed, commands, typed

TUTORIAL = Path(__file__).parents[1] / "tutorial.md"
INSTEAD = {"make demo": "promote demo", 'export PATH="$PWD/.venv/bin:$PATH"': "true"}
"""What the recorder types in place of a command: the set-up is done where it runs, and needs a package registry."""
HEAD = """\
<!-- Made by docs/generate; do not edit. -->

# The first ten minutes

What a new user sees who follows the [tutorial](tutorial.md), command by command: the first refusal, the first promotion
of the image that is shipped, then an image of their own: unsigned, signed, described, promoted, and rebuilt. It is
about {words} words to read, {count} commands to type or copy, and {refusals} refusals besides those
of the demo.

Recorded from a run with real cosign and crane; that `make demo` sets up `.venv` first, where there is none, is not
shown. Where a command ends with another status than 0, it stands under its output.
"""


def page(path: str, port: int) -> str:
    """The page, from a run with the tools on `path` and the tutorial's registry on `port`."""
    text = TUTORIAL.read_text()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory).resolve()
        lines = [line.replace(":5000", f":{port}") for line in commands(text)]
        ran = typed(lines, home, INSTEAD, PATH=path)
        shown = [Typed(r.command, _neutral(r.output, home, port), r.code) for r in ran]
    titles = _titles(text)
    refusals = sum(r.code in range(10, 17) for r in shown)
    parts = [HEAD.format(words=round(len(text.split()), -2), count=len(shown), refusals=refusals)]
    numbered = zip(titles, shown, strict=True)
    for title, group in groupby(numbered, key=lambda pair: pair[0]):
        parts += [f"## {title}\n", "```console", *(_block(item, port) for _, item in group), "```\n"]
    return "\n".join(parts)


def _block(item: Typed, port: int) -> str:
    rows = [f"$ {item.command.replace(f':{port}', ':5000')}"]
    rows += [item.output.rstrip("\n")] if item.output.strip() else []
    rows += [f"(exit {item.code})"] if item.code else []
    return "\n".join(rows)


def _neutral(output: str, home: Path, port: int) -> str:
    return re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", "", output.replace(str(home), "~").replace(f":{port}", ":5000"))


def _titles(text: str) -> list[str]:
    """Under which heading of the tutorial each command stands."""
    found = []
    for section in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        found += [title] * len(commands(body))
    return found
