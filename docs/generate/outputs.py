"""The page that shows what each verb prints, from runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from support.output_scenes import SCENES
from support.refusal_world import Scene, told

from generate.errors import MADE

HEAD = """
# Every output, as it looks

What each verb prints when there is nothing to refuse; [every refusal](refusals.md) has a page of its own. All of it is
from runs, in a GitOps repository with the environments staging and prod. What the keys of JSON mean is in
[JSON outputs](reference/outputs.md).

| exit | shown |
|---|---|
| 0 | here |
| 1 | nowhere: it would be a bug of promote, and none is known |
| 2 to 16 | [every refusal](refusals.md) |
| 130 | here: [Interrupted](#interrupted) |
"""


def page() -> str:
    """The page, from runs."""
    return MADE + HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    for verb, scenes in SCENES.items():
        yield f"\n## promote {verb}\n" if verb != "promote" else "\n## promote\n"
        for title, scene in scenes.items():
            text = shown(scene)
            fence = "````" if "```" in text else "```"
            yield f"\n### {title}\n\n{fence}console\n{text}{fence}\n"


def shown(scene: Scene) -> str:
    """One run as it looks on a terminal: what was typed, the result, and its exit code where it is not 0."""
    with tempfile.TemporaryDirectory() as directory:
        typed, ran = told(scene, Path(directory) / "you")
    if ran.code not in {0, 14, 130}:
        raise RuntimeError(f"{typed} ends with {ran.code}:\n{ran.out}{ran.err}")
    last = ran.err.splitlines(keepends=True)[-1:] if not ran.out else []
    code = f"(exit {ran.code})\n" if ran.code else ""
    return f"$ {typed}\n{ran.out}{''.join(last)}{code}"
