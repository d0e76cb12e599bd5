"""What an error code means, as text, as JSON and as the Markdown of its page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from promote.explanations import Explanation
from promote.output.lines import hanging
from promote.output.style import Style
from promote.output.why import why

SCHEMA = "promote.explain/v1"
_GENERAL = {
    0: "it is no refusal, and no pass either",
    2: "promote does what it was told or nothing; it does not guess",
    3: "what cannot be found out is never taken for a yes, and never for a no",
    4: "without credentials nothing can be found out, and nothing is taken for granted",
}


def reason_why(explanation: Explanation) -> str:
    """Why the code matters: its own words, those that every refusal prints, or those of its exit code."""
    own = explanation.why or why(explanation.code, explanation.exit_code)
    return own or _GENERAL.get(explanation.exit_code, _GENERAL[3])


def render_text(explanation: Explanation, transcript: str | None, style: Style) -> str:
    """One code, in lines of the style's width."""
    rows = [style.paint(f"{explanation.code} (exit {explanation.exit_code})", "strong")]
    for head, said in _fields(explanation):
        rows += hanging(f"  {style.paint(f'{head:9}', 'dim')} ", said, style, taken=12)
    if transcript is not None:
        rows += ["", *(f"    {row}".rstrip() for row in transcript.splitlines())]
    return "\n".join(rows) + "\n"


def render_list(explanations: Mapping[str, Explanation], style: Style) -> str:
    """Every code with the first sentence of what it means, those of one exit code together."""
    rows = []
    for exit_code in sorted({e.exit_code for e in explanations.values()}):
        rows.append(style.paint(f"exit {exit_code}", "strong"))
        for explanation in explanations.values():
            if explanation.exit_code == exit_code:
                rows += hanging(f"  {explanation.code:28}", first_sentence(explanation.means), style, taken=30)
    rows += ["", "promote explain CODE shows one with an example."]
    return "\n".join(rows) + "\n"


def render_json(explanations: Mapping[str, Explanation], transcripts: Mapping[str, str]) -> str:
    """The explanations as one object that follows promote.explain.v1.json."""
    rows = [
        {
            "code": explanation.code,
            "exit_code": explanation.exit_code,
            **dict(_fields(explanation)),
            "example": transcripts.get(explanation.code),
        }
        for explanation in explanations.values()
    ]
    return json.dumps({"schema": SCHEMA, "explanations": rows}, indent=2) + "\n"


def render_markdown(explanation: Explanation, transcript: str | None) -> str:
    """The page of one code."""
    fields = dict(_fields(explanation))
    parts = [
        f"# {explanation.code}",
        f"Exit code **{explanation.exit_code}**. {fields['means']}",
        f"| | |\n|---|---|\n| got | {_cell(fields['got'])} |\n| expected | {_cell(fields['expected'])} |",
        f"**Why it matters:** {fields['why']}.",
        f"**What to do:** {fields['do']}",
    ]
    if transcript is not None:
        parts += ["## As it looks", f"```console\n{transcript}```"]
    return "\n\n".join(parts) + "\n"


def first_sentence(text: str) -> str:
    """The first sentence of `text`, up to a colon or full stop."""
    return text.split(". ", maxsplit=1)[0].split(": ", maxsplit=1)[0].rstrip(".")


def _fields(explanation: Explanation) -> Iterator[tuple[str, str]]:
    yield "means", explanation.means
    yield "got", explanation.got
    yield "expected", explanation.expected
    yield "why", reason_why(explanation)
    yield "do", explanation.do


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
