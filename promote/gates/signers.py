"""Whose evidence counts where a gate names signers of promote.yaml."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from promote.model.evidence import Evidence
from promote.model.malformed import shown


def by_any(found: Sequence[Evidence], names: Collection[str]) -> list[Evidence]:
    """Those of `found` that one of `names` signed, in their order; with no names, all of them."""
    return [e for e in found if not names or not set(names).isdisjoint(e.signers)]


def whom(found: Sequence[Evidence]) -> str:
    """Who signed `found`, each once, for a message."""
    return shown("; ".join(dict.fromkeys(str(e.signed_by) for e in found)), 400)
