"""The source registry has the tag.  It was asked once; from then on only the digest is used."""

from __future__ import annotations

from promote.model.digest import Digest
from promote.model.verdict import Reason, Verdict, passed, refused

GATE = "source"


def judge(reference: str, digest: Digest | None) -> Verdict:
    """Pass when `reference` was resolved."""
    if digest is not None:
        return passed(GATE, f"{reference} is {digest}")
    return refused(
        GATE,
        Reason.NO_SUCH_TAG,
        f"there is no {reference}",
        expected=reference,
        actual="no such tag",
        hint="look whether the build of this commit ran and pushed; a skipped build deploys nothing",
    )
