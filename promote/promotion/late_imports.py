"""What a promotion needs sooner or later, imported while the first answers are on their way: a third of a second."""

from __future__ import annotations

from importlib import import_module

LATER = (
    "promote.overlays.edits",
    "promote.overlays.effect",
    "promote.overlays.sites",
    "promote.gitops.history",
    "promote.evidence.verify",
    "promote.promotion.apply",
)
"""In the order of their use; ruamel.yaml and cryptography are among them."""


def import_ahead() -> None:
    """Import `LATER`; who uses them imports them again, so that nothing depends on this."""
    for name in LATER:
        import_module(name)
