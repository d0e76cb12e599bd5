"""The pages of the error codes, the list of them, and the table that walks every refusal."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from support.refusal_scenes import NO_SCENE, SCENES
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

WITHOUT_CODE = {1: "a bug of promote; `--debug` shows where", 130: "interrupted; nothing is half visible"}
SINGLE = ("refusals.md", "exit-codes.md")
"""Those of the pages that are in no directory of their own."""
THEN = {
    0: "go on",
    1: "report it",
    2: "correct what is named; running it again helps nothing",
    3: "run it again: it looks first, and does nothing twice; if it fails the same way, do what the code says",
    4: "give or renew the credentials that are named",
    5: "look at what landed, and decide anew",
    6: "find out why; without `--require-change` this is exit 0",
    130: "run it again",
}
REFUSED = "stop: the answer is no, and will be until something changes"


def scene(code: str) -> str:
    """The transcript of one code, from a run; raises `RuntimeError` where the run ends otherwise."""
    with tempfile.TemporaryDirectory() as directory:
        shown = page_of(SCENES[code], Path(directory) / "you")
    if not ends_with(shown, code):
        raise RuntimeError(f"the scene of {code} ends otherwise:\n{shown}")
    return shown


def ends_with(shown: str, code: str) -> bool:
    """Whether a transcript names `code`, which `doctor` and `lint` need not do, and ends with its exit code."""
    unnamed = shown.startswith(("$ promote doctor\n", "$ promote lint\n"))
    return (unnamed or f" {code}" in shown) and shown.endswith(f"$ echo $?\n{explanations()[code].exit_code}\n")


def pages() -> Iterator[tuple[str, str]]:
    """Every page that is made of the explanations and the transcripts that are shipped: its path in docs/, its text."""
    known = explanations()
    for code, explanation in known.items():
        yield f"errors/{code}.md", MADE + "\n" + render_markdown(explanation, transcript(code)) + _after(code)
    yield "errors/index.md", _index(known)
    yield "refusals.md", _refusals(known)
    yield "exit-codes.md", _exit_codes(known)


def _after(code: str) -> str:
    unshown = f"\nNo transcript: {NO_SCENE[code]}\n" if code in NO_SCENE else ""
    return f"{unshown}\n`promote explain {code}` prints this page. [All codes](index.md)\n"


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


def _exit_codes(known: Mapping[str, Explanation]) -> str:
    rows = [
        MADE,
        "# Exit codes",
        "",
        "Of several refusals the first gate in order decides the code; all are printed. `--format json` gives the code",
        "in `error.code` and in each gate. What each code means is on [its page](errors/index.md), and how it looks",
        "among [all refusals](refusals.md).",
        "",
        "| exit | meaning | what a script does | codes |",
        "|---|---|---|---|",
    ]
    meanings = EXIT | WITHOUT_CODE
    for exit_code in sorted(meanings):
        codes = ", ".join(f"`{e.code}`" for e in known.values() if e.exit_code == exit_code)
        rows.append(f"| {exit_code} | {meanings[exit_code]} | {THEN.get(exit_code, REFUSED)} | {codes} |")
    return "\n".join(rows) + "\n"


def _refusals(known: Mapping[str, Explanation]) -> str:
    rows = [
        MADE,
        "# Every refusal, as it looks",
        "",
        "What promote prints when it does not promote, by exit code. All of it is from runs, in a GitOps repository",
        "with the environments staging and prod and one app, shop. What passed is left out, as `...`. Of the codes at",
        "the end of the page there is no transcript, and it says why.",
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
    rows += ["", "## Without a transcript", "", "| exit | code | why there is none |", "|---|---|---|"]
    rows += [
        f"| {e.exit_code} | [{e.code}](errors/{e.code}.md) | {NO_SCENE[e.code]} |" for e in order if e.code in NO_SCENE
    ]
    return "\n".join(rows) + "\n"
