"""A proposal as the text of a promote.yaml, with the comments that a reviewer needs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from promote.model.environment import OverlayEntry
from promote.model.proposal import Proposal, ProposedApp, ProposedEnvironment
from promote.output.style import printable
from promote.output.yaml_text import quoted

SCHEMA_LINE = "# yaml-language-server: $schema=promote.schema.json"
"""Editors look for the file beside promote.yaml; `promote config schema` prints it."""

_WIDTH = 120
"""Where a line of comments or of overlays is broken."""


def render(proposal: Proposal) -> str:
    """The YAML text, with a final newline; every value in quotes, everything from outside escaped."""
    lines = [
        SCHEMA_LINE,
        "# For an editor that knows this line: `promote config schema > promote.schema.json`.",
        _origin(proposal),
        "# Review it: nobody is trusted until this file is committed, and whoever stands under signers may release.",
        *(line for note in proposal.notes for line in _note(note)),
        "version: 1",
        "",
        "apps:",
    ]
    for app in proposal.apps:
        lines += _app(app)
    lines += ["", "environments:  # review: guessed from the names of directories"]
    for environment in proposal.environments:
        lines += _environment(environment)
    lines += ["", "trust:", *_trust(proposal)]
    if proposal.tag:
        lines += [
            "",
            "gates:",
            f"  tag: {quoted(proposal.tag)}  # review: the form of the commit tags that overlays have",
        ]
    return "\n".join(lines) + "\n"


def _note(note: str) -> Iterator[str]:
    yield from textwrap.wrap(
        f"# NOTE: {printable(note)}",
        _WIDTH,
        subsequent_indent="#       ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _origin(proposal: Proposal) -> str:
    if proposal.reference is None:
        return "# Proposed by `promote init`, from the overlays alone."
    return f"# Proposed by `promote init --from {printable(proposal.reference)}`, at {proposal.digest}."


def _app(app: ProposedApp) -> Iterator[str]:
    yield f"  {quoted(app.name)}:"
    yield f"    image: {quoted(app.image)}"
    if app.names:
        yield from _list("names", app.names, " " * 4)
    if app.source:
        yield f"    source: {quoted(app.source)}  # review: the repository that the certificates name"


def _environment(environment: ProposedEnvironment) -> Iterator[str]:
    yield f"  {quoted(environment.name)}:"
    if environment.promoted_from:
        yield f"    from: {_listed(environment.promoted_from)}  # review"
    guess = "  # review: no overlay names another registry" if environment.guessed else ""
    if environment.more:
        yield "    places:"
        for registry, overlays in ((environment.registry, environment.overlays), *environment.more):
            yield f"      - registry: {quoted(registry)}{guess if registry == environment.registry else ''}"
            yield from _overlays(overlays, " " * 8)
        return
    yield f"    registry: {quoted(environment.registry)}{guess}"
    if environment.pull:
        yield f"    pull: {quoted(environment.pull)}"
    if environment.overlays:
        yield from _overlays(environment.overlays, " " * 4)


def _list(key: str, values: tuple[str, ...], indent: str) -> Iterator[str]:
    """`values` on one line, or one a line where that would be too wide."""
    line = f"{indent}{key}: {_listed(values)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{indent}{key}:"
    yield from (f"{indent}  - {quoted(value)}" for value in values)


def _overlays(entries: tuple[OverlayEntry, ...], indent: str) -> Iterator[str]:
    """The entries, in one list where each is for every app."""
    if all(entry.apps is None for entry in entries):
        yield from _list("overlays", tuple(entry.path or "." for entry in entries), indent)
        return
    yield f"{indent}overlays:"
    for entry in entries:
        path = quoted(entry.path or ".")
        if entry.apps is None:
            yield f"{indent}  - {path}"
            continue
        line = f"{indent}  - {{path: {path}, apps: {_listed(entry.apps)}}}"
        if len(line) <= _WIDTH:
            yield line
        else:
            yield f"{indent}  - path: {path}"
            yield from _list("apps", entry.apps, f"{indent}    ")


def _listed(values: tuple[str, ...]) -> str:
    return f"[{', '.join(quoted(value) for value in values)}]"


def _trust(proposal: Proposal) -> Iterator[str]:
    yield f"  root: {quoted(proposal.root or 'sigstore')}"
    if not proposal.signers:
        yield "  signers: []  # review: add whoever signs your images"
        return
    yield "  signers:  # review: these signed the image, which does not mean that they should be trusted"
    for signer in proposal.signers:
        yield f"    # made: {printable(', '.join(signer.made))}"
        yield f"    - issuer: {quoted(signer.issuer)}"
        yield f"      identity: {quoted(signer.identity)}"
