"""A proposal as the text of a promote.yaml, with the comments that a reviewer needs."""

from __future__ import annotations

from collections.abc import Iterator

from promote.model.proposal import Proposal, ProposedEnvironment
from promote.output.style import printable

SCHEMA_LINE = "# yaml-language-server: $schema=PATH-OR-URL-OF/promote.schema.json"


def render(proposal: Proposal) -> str:
    """The YAML text, with a final newline; every value in quotes, everything from outside escaped."""
    lines = [
        SCHEMA_LINE,
        f"# Proposed by `promote init --from {_comment(proposal.reference)}`, at {proposal.digest}.",
        "# Review it: nobody is trusted until this file is committed, and whoever stands under signers may release.",
        *(f"# NOTE: {_comment(note)}" for note in proposal.notes),
        "version: 1",
        "",
        "apps:",
        f"  {_quoted(proposal.app)}:",
        f"    image: {_quoted(proposal.image)}",
    ]
    if proposal.names:
        lines.append(f"    names: [{', '.join(_quoted(n) for n in proposal.names)}]")
    if proposal.source:
        lines.append(f"    source: {_quoted(proposal.source)}  # review: the repository that the certificates name")
    lines += ["", "environments:  # review: guessed from the names of directories"]
    for environment in proposal.environments:
        lines += _environment(environment)
    lines += ["", "trust:", *_trust(proposal)]
    return "\n".join(lines) + "\n"


def _environment(environment: ProposedEnvironment) -> Iterator[str]:
    yield f"  {_quoted(environment.name)}:"
    if environment.promoted_from:
        yield f"    from: [{_quoted(environment.promoted_from)}]  # review"
    guess = "  # review: no overlay names another registry" if environment.guessed else ""
    yield f"    registry: {_quoted(environment.registry)}{guess}"
    if environment.pull:
        yield f"    pull: {_quoted(environment.pull)}"
    if environment.overlays:
        yield f"    overlays: [{', '.join(_quoted(o or '.') for o in environment.overlays)}]"


def _trust(proposal: Proposal) -> Iterator[str]:
    yield f"  root: {_quoted(proposal.root or 'sigstore')}"
    if not proposal.signers:
        yield "  signers: []  # review: add whoever signs your images"
        return
    yield "  signers:  # review: these signed the image, which does not mean that they should be trusted"
    for signer in proposal.signers:
        yield f"    # made: {_comment(', '.join(signer.made))}"
        yield f"    - issuer: {_quoted(signer.issuer)}"
        yield f"      identity: {_quoted(signer.identity)}"


def _comment(text: str) -> str:
    return printable(text)


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar of ASCII alone (YAML 1.2, 5.7): it cannot end early, whatever is in `text`."""
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else _escaped(c) for c in text) + '"'


def _escaped(character: str) -> str:
    return f"\\{character}" if character in '"\\' else f"\\U{ord(character):08x}"
