"""The pages of the error codes, the list of them, and the table that walks every refusal."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from support.refusal_scenes import SCENES
from support.refusal_world import page_of

from promote.explanations import Explanation, explanations, transcript
from promote.output.explanation import first_sentence, reason_why, render_markdown

MADE = "<!-- Made by docs/generate; do not edit. -->\n"
EXIT = {
    0: "done, or nothing to do",
    2: "the command line, promote.yaml or the checkout is wrong; nothing was asked of anybody",
    3: "could not find out, or could not finish; nothing is half visible, run it again",
    4: "credentials are missing or were refused",
    5: "somebody else's promotion landed first",
    6: "nothing changed, and a change was required",
    10: "refused: by the path, the tag at the source, what runs there, a hold, a freeze or a protected branch",
    11: "refused: nobody signed the image",
    12: "refused: the signature or the evidence does not hold, or is by nobody who is named",
    13: "refused: the SBOM, the scan or another attestation",
    14: "refused: the tag floats",
    15: "refused: the tag was rebuilt, or tag and commit disagree",
    16: "refused: the overlay has no such image, or the edit would not do what it says",
}


def scene(code: str) -> str:
    """The transcript of one code, from a run."""
    with tempfile.TemporaryDirectory() as directory:
        return page_of(SCENES[code], Path(directory) / "you")


def pages() -> Iterator[tuple[str, str]]:
    """Every page that is made of the explanations and the transcripts that are shipped: its path in docs/, its text."""
    known = explanations()
    for code, explanation in known.items():
        yield f"errors/{code}.md", MADE + "\n" + render_markdown(explanation, transcript(code)) + _after(code)
    yield "errors/index.md", _index(known)
    yield "refusals.md", _refusals(known)


def _after(code: str) -> str:
    return f"\n`promote explain {code}` prints this page. [All codes](index.md)\n"


def _index(known: Mapping[str, Explanation]) -> str:
    rows = [
        MADE,
        "# Error codes",
        "",
        "Every report that is not a success ends with an exit code and one of these codes;",
    ]
    rows += ["`--format json` has it in `error.code` and in each gate. `promote explain CODE` prints the page.", ""]
    for exit_code in sorted({e.exit_code for e in known.values()}):
        rows += [f"## Exit {exit_code}: {EXIT[exit_code]}", "", "| code | what it means |", "|---|---|"]
        listed = [e for e in known.values() if e.exit_code == exit_code]
        rows += [f"| [{e.code}]({e.code}.md) | {first_sentence(e.means)} |" for e in listed]
        rows.append("")
    return "\n".join(rows)


def _refusals(known: Mapping[str, Explanation]) -> str:
    rows = [
        MADE,
        "# Every refusal, as it looks",
        "",
        "What promote prints when it does not promote, by exit code. All of it is from runs, in a GitOps repository",
        "with the environments staging and prod and one app, shop. Gates that passed are left out, as `...`.",
        "",
        "| exit | code | what it means | what it prevents |",
        "|---|---|---|---|",
    ]
    order = sorted(known.values(), key=lambda e: e.exit_code)
    shown = {e.code: said for e in order if (said := transcript(e.code)) is not None}
    for e in order:
        where = f"[{e.code}](#{e.code})" if e.code in shown else f"[{e.code}](errors/{e.code}.md)"
        rows.append(f"| {e.exit_code} | {where} | {first_sentence(e.means)} | {reason_why(e)} |")
    for e in order:
        if e.code in shown:
            rows += ["", f"## {e.code}", "", f"Exit {e.exit_code}. [What to do](errors/{e.code}.md)", ""]
            rows += ["```console", shown[e.code].rstrip("\n"), "```"]
    return "\n".join(rows) + "\n"
