"""The edit has its effect and no other: the overlays render exactly this release where they rendered another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "effect"
CODES = (Reason.NO_EFFECT, Reason.TOO_MUCH_EFFECT, Reason.LEFT_OVER)
"""What a rendering can show."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What is said besides: `doubts` why the effect is not verified, `warnings` what a person should look at."""

    doubts: Sequence[str] = ()
    warnings: Sequence[str] = ()


def judge(overlays: Sequence[str], images: int, builders: Sequence[str], notes: Notes, *, required: bool) -> Verdict:
    """Pass when every overlay was rendered before and after, and nothing but this release moved.

    `images` are the containers that run it afterwards, `builders` the programs that built the overlays (none: promote's
    own resolver).  What could not be verified passes as ``effect-unverified``, and is refused when it is `required`.
    """
    if not overlays:
        return skipped(GATE, "the target environment has no overlays")
    tail = "".join(f"; {warning}" for warning in notes.warnings)
    if notes.doubts and required:
        summary = f"the effect of the edit could not be verified: {notes.doubts[0]}"
        hint = "put `kustomize` on PATH, or leave `effect: required` away for this environment"
        actual = notes.doubts[0]
        return refused(GATE, Reason.EFFECT_UNVERIFIED, summary, expected="a verified effect", actual=actual, hint=hint)
    if notes.doubts:
        summary = f"effect unverified: {'; '.join(notes.doubts)}{tail}"
        return passed(GATE, summary, reason=Reason.EFFECT_UNVERIFIED)
    how = " and ".join(dict.fromkeys(builders)) or "promote's own resolver"
    noun = "container" if images == 1 else "containers"
    return passed(GATE, f"{images} {noun} will run this release and nothing else changes, says {how}{tail}")


def refuse(code: str, summary: str, expected: str | None, actual: str | None, hint: str | None) -> Verdict:
    """The refusal for what a rendering showed (a code of `CODES`, exit 16)."""
    reason = next((r for r in CODES if r.code == code), Reason.NO_EFFECT)
    return refused(GATE, reason, summary, expected=expected, actual=actual, hint=hint)
