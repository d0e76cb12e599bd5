"""The first ten minutes: what the commands of the tutorial print, typed by nobody but run all the same."""

from __future__ import annotations

import re
import tempfile
from itertools import groupby
from pathlib import Path

from support.walk import Typed, commands, typed

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
CLONE = "git clone https://github.com/acme/promote"
INSTEAD = {CLONE: "mkdir promote", "make demo": "promote demo", 'export PATH="$PWD/.venv/bin:$PATH"': "true"}
"""What a test types in place of a command: promote is set up where it runs, and a set-up needs a package registry."""
HEAD = """\
<!-- Made by docs/generate; do not edit. -->

# The first ten minutes

What a new user sees who follows the [tutorial](tutorial.md), command by command: the first refusal, the first promotion
of the image that is shipped, then an image of their own: unsigned, signed, described, promoted, and rebuilt. It is
about {words} words to read, {count} commands to type or copy, and {refusals} refusals besides those
of the demo.

Recorded from one run on a fresh clone, in an empty home directory, with real cosign and crane. Where a command ends
with another status than 0, it stands under its output.
"""


def page(path: str, port: int) -> str:
    """The page, from a run on a clone of this repository's HEAD, with the tools on `path` and a registry on `port`."""
    text = TUTORIAL.read_text()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory).resolve()
        lines = [line.replace(":5000", f":{port}") for line in commands(text)]
        ran = typed(lines, home, {CLONE: f"git clone {ROOT} promote"}, PATH=path)
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
    plain = output.replace(str(home), "~").replace(f":{port}", ":5000")
    return re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", "", plain)


def _titles(text: str) -> list[str]:
    """Under which heading of the tutorial each command stands."""
    found = []
    for section in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        found += [title] * len(commands(body))
    return found
