"""Completion in bash, which breaks words where promote does not, and would take the arrow for a redirection.

COMP_WORDBREAKS has ``:``, ``=`` and ``>``, so that bash hands over three words for ``app=tag`` and wants to hear what
follows the sign alone (GNU Bash manual, 8.6 and 5.2).  The words are put together again here, completed as in every
other shell, and what is offered is cut and quoted as bash wants it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass

ASKED = "complete_bash"
JOINTS = (":", "=", ">")


@dataclass(frozen=True, slots=True)
class Words:
    """Whole words as they were typed, quotes and all; the last is the one under the cursor.

    `given` is the beginning of the last word that bash keeps, and does not want to hear again.
    """

    whole: tuple[str, ...]
    given: str = ""

    def form(self, candidate: str) -> str:
        """What to tell bash for `candidate`: the part it wants, with quotes where it would read a ``>``."""
        rest = candidate[len(self.given) :]
        return f"'{rest}'" if ">" in rest and not self.whole[-1].startswith(("'", '"')) else rest


def joined(words: Sequence[str]) -> Words:
    """`words`, which end at the cursor, put together where bash broke them."""
    whole: list[str] = []
    given = ""
    for word in words:
        if whole and (word in JOINTS or (whole[-1].endswith(JOINTS) and given)):
            given = whole[-1] + (word if word in JOINTS else "")
            whole[-1] += word
        else:
            whole.append(word)
            given = ""
    return Words(tuple(whole), given)


def complete(ask: Callable[[], object], environ: MutableMapping[str, str]) -> int:
    """Answer bash: `ask` is the completion that reads whole words from `environ`, prints, and exits."""
    try:
        cursor = int(environ["COMP_CWORD"])
    except (KeyError, ValueError):
        return 1
    words = joined((environ.get("COMP_WORDS", "").split("\n") + [""] * (cursor + 1))[: cursor + 1])
    environ["COMP_WORDS"], environ["COMP_CWORD"] = "\n".join(words.whole), str(len(words.whole) - 1)
    printed = io.StringIO()
    with redirect_stdout(printed), suppress(SystemExit):
        ask()
    for line in printed.getvalue().splitlines():
        sys.stdout.write(f"{words.form(line)}\n")
    return 0


def asked() -> bool:
    """Whether bash asks, instead of a person."""
    return os.environ.get("_PROMOTE_COMPLETE") == ASKED
