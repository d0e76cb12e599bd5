"""What a shell may offer: environments, arrows, apps and tags, from promote.yaml and the overlays near by.

Asked at every press of a key: nothing heavy is imported, nothing goes over a network, and nothing is ever an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:  # it reads YAML, which only a completion needs
    from promote.config.outline import Outline

ARROW = "->"
PLAIN = re.compile(r"[A-Za-z0-9_.:=>-]+")
"""What is offered: zsh evaluates it (``eval``), and a promote.yaml that nobody has checked yet may say anything.

Names and tags that promote would take have nothing else in them.
"""


def promotion_words(ctx: typer.Context, incomplete: str) -> list[str]:
    """The words of `promote promote`: an arrow, then apps and tags."""
    outline = _outline(ctx)
    if outline is None:
        return []
    words, source = list(ctx.params.get("words") or ()), ctx.params.get("from_")
    if source is None:
        if not words:
            return _begun(incomplete, _arrows(outline, ":" if ":" in incomplete else ARROW))
        source = words.pop(0).replace(ARROW, ":").partition(":")[0].removesuffix("-")
    return _begun(incomplete, _wanted(outline, source, incomplete, {word.partition("=")[0] for word in words}))


def environments(ctx: typer.Context, incomplete: str) -> list[str]:
    """The environments of promote.yaml."""
    outline = _outline(ctx)
    return _begun(incomplete, outline.environments) if outline else []


def references(ctx: typer.Context, incomplete: str) -> list[str]:
    """The words of `promote verify`: ENV, and ENV:TAG once the colon is there."""
    from promote.cli.pinned import tags

    outline = _outline(ctx)
    if outline is None:
        return []
    name, colon, _ = incomplete.partition(":")
    if colon and name in outline.environments:
        return _begun(incomplete, [f"{name}:{tag}" for tag in tags(outline, (name,))])
    return _begun(incomplete, outline.environments)


def _begun(incomplete: str, candidates: Iterable[str]) -> list[str]:
    return [c for c in dict.fromkeys(candidates) if c.startswith(incomplete) and PLAIN.fullmatch(c)]


def _arrows(outline: Outline, arrow: str) -> list[str]:
    return [f"{source}{arrow}{target}" for target, sources in outline.environments.items() for source in sources]


def _wanted(outline: Outline, source: str, word: str, taken: set[str]) -> list[str]:
    """Apps that were not named yet, and tags: those that `source` runs first."""
    from promote.cli.pinned import tags

    order = (source, *(name for name in outline.environments if name != source))
    app, equals, _ = word.partition("=")
    if equals:
        return [f"{app}={tag}" for tag in tags(outline, order, app)]
    apps = [name for name in outline.apps if name not in taken] if len(outline.apps) > 1 else []
    return [*apps, *(tags(outline, order) if len(outline.apps) == 1 and not taken else ())]


def _outline(ctx: typer.Context) -> Outline | None:
    from promote.config.outline import nearest, outline

    config, repo = ctx.params.get("config"), ctx.params.get("repo")
    try:
        path = Path(config) if config else nearest(Path(repo or "").absolute())
    except (OSError, ValueError):
        return None
    return outline(path) if path is not None else None
