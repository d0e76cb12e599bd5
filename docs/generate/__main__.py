"""Writes everything under docs/ and promote/explanations/transcripts/ that is made; a page that is no longer made goes.

python -m generate            everything but the first ten minutes
python -m generate pages      without running the scenes again
python -m generate walk       the first ten minutes, with cosign and crane
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from support.refusal_scenes import SCENES

import promote.explanations
from generate import errors, outputs, reference, walk

DOCS = Path(__file__).parents[1]
PORT = 5077
"""Where the registry of the walk listens, shown as 5000."""
TRANSCRIPTS = Path(promote.explanations.__file__).parent / "transcripts"


def main(arguments: list[str]) -> int:
    """Write; returns the exit code."""
    if arguments == ["walk"]:
        (DOCS / "first-ten-minutes.md").write_text(walk.page(_with_tools(), PORT))
        return 0
    if arguments != ["pages"]:
        _replace(TRANSCRIPTS, {f"{code}.txt": errors.scene(code) for code in SCENES})
        (DOCS / "every-output.md").write_text(outputs.page())
    made = dict([*errors.pages(), *reference.pages()])
    for directory in ("errors", "reference"):
        below = {Path(path).name: text for path, text in made.items() if Path(path).parent.name == directory}
        _replace(DOCS / directory, below)
    for page in errors.SINGLE:
        (DOCS / page).write_text(made[page])
    sys.stdout.write(f"{len(made)} pages, {len(SCENES)} transcripts\n")
    return 0


def _with_tools() -> str:
    """PATH with the real tools that `make interop` has built, under the names that people know; not this promote."""
    from harness import tools

    own = str(Path(sys.executable).parent)
    directories = [str(tools.find()[name].parent) for name in ("cosign", "crane")]
    return os.pathsep.join([*directories, *(d for d in os.environ["PATH"].split(os.pathsep) if d != own)])


def _replace(directory: Path, files: dict[str, str]) -> None:
    directory.mkdir(exist_ok=True)
    for path in directory.iterdir():
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (directory / name).write_text(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
