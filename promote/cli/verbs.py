"""The verbs by name, known without importing what they do."""

from __future__ import annotations

from collections.abc import Sequence

DEFAULT_VERB = "promote"
VERBS = {
    DEFAULT_VERB: "Verify a release, copy it, and pin it in the overlays.",
    "rollback": "Go back to the release before, and hold the one that is left.",
    "verify": "Judge an image without promoting it.",
    "status": "What runs where, since when, and by whom.",
    "history": "Every promotion, rollback and edit, newest first.",
    "init": "Propose a promote.yaml for review.",
    "lint": "Refuse images in overlays that are not pinned.",
    "explain": "What an error code means, and what to do.",
    "doctor": "What a promotion needs, and how to fix it.",
    "config": "What promote.yaml says in full, and where.",
    "demo": "A whole promotion on this machine, to look at.",
}
"""Every verb, with its line in the help; each is the function of its name in the module of its name."""

_GROUP_OPTIONS = ("--help", "-h", "--version", "--install-completion", "--show-completion")


def with_verb(arguments: Sequence[str]) -> list[str]:
    """The arguments with the default verb spelt out where none is."""
    if not arguments:
        return ["--help"]
    if arguments[0] in VERBS or arguments[0].split("=")[0] in _GROUP_OPTIONS:
        return list(arguments)
    if "->" in arguments[1:2]:  # typed as `staging '->' prod`: to an option parser that is an option
        return [DEFAULT_VERB, "".join(arguments[:3]), *arguments[3:]]
    return [DEFAULT_VERB, *arguments]
