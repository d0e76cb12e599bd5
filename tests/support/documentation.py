"""The pages that people read, and what they say of promote: commands, promote.yaml, codes, keys, paths, headings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FENCED = re.compile(r"^( *)(`{3,})(\w*)\n(.*?)^\1\2$", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?:(?<=\n\n)|^)((?: {4}.*\n)+)", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    """Every page that is shipped, those that are made included."""
    return [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]


def written_pages() -> list[Path]:
    """The pages that somebody writes: what is made of runs and of the code is true by the way it is made."""
    return [page for page in pages() if "Made by docs/generate; do not edit" not in page.read_text()[:60]]


def blocks(page: Path, language: str) -> list[str]:
    """What the fenced blocks in `language` hold, without their indentation."""
    found = FENCED.findall(page.read_text())
    rows = [(indent, body.splitlines(keepends=True)) for indent, _, kind, body in found if kind == language]
    return ["".join(row.removeprefix(indent) for row in body) for indent, body in rows]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return FENCED.sub("", page.read_text())


def words(page: Path) -> list[str]:
    """What stands between backticks."""
    return CODE.findall(prose(page))


def typed_commands(page: Path) -> Iterator[list[str]]:
    """The words after ``promote`` of each command line of its own, in `sh` blocks and indented ones."""
    text = [row for block in blocks(page, "sh") for row in block.replace("\\\n", "").splitlines()]
    text += [row[4:] for block in INDENTED.findall(prose(page)) for row in block.splitlines()]
    for row in text:
        if row.startswith("promote ") and (found := arguments(row)):
            yield found


def named_commands(page: Path) -> Iterator[list[str]]:
    """The words after ``promote`` of each command in the running text, which may leave words out."""
    yield from (found for word in words(page) if word.startswith("promote ") and (found := arguments(word)))


def arguments(row: str) -> list[str]:
    """The words after the first one; not what is after two blanks or more, nor a redirection."""
    typed = re.split(r"\s{2,}| > ", row)[0]
    return shlex.split(typed, comments=True)[1:]


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page may name, spelt as GitHub and mkdocs both do."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads}
