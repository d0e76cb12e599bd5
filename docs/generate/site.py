"""Hooks of mkdocs: directories in the nav stand for their pages, and links out of docs/ for names of files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)\)")


def on_config(config: Any) -> Any:
    """Put the pages of a directory in the place of ``directory/``."""
    config["nav"] = _pages(config["nav"])
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Show what a link out of docs/ names; a link to a file that is not there stays, so that the build fails."""
    here = (ROOT / "docs" / page.file.src_uri).parent

    def plain(link: re.Match[str]) -> str:
        target = (here / link[2]).resolve()
        outside = target.exists() and target.is_relative_to(ROOT) and not target.is_relative_to(ROOT / "docs")
        return f"{link[1]} (`{target.relative_to(ROOT)}`)" if outside else link[0]

    return LINK.sub(plain, markdown)


def _pages(nav: list[Any]) -> list[Any]:
    return [
        {title: _below(where) if isinstance(where, str) and where.endswith("/") else _nested(where)}
        for entry in nav
        for title, where in entry.items()
    ]


def _nested(where: Any) -> Any:
    return _pages(where) if isinstance(where, list) else where


def _below(directory: str) -> list[str]:
    return [f"{directory}{path.name}" for path in sorted((ROOT / "docs" / directory).glob("*.md"))]
