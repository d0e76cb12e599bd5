"""The target's overlays use this image, and it can be edited there."""

from __future__ import annotations

from collections.abc import Sequence

from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "overlay"


def judge(overlays: Sequence[str], places_found: int) -> Verdict:
    """Pass when something was found to edit, or to be right already, in the overlays named."""
    if not overlays:
        return skipped(GATE, "the target environment has no overlays: the image is copied and nothing is committed")
    where = ", ".join(overlays)
    if not places_found:
        return passed(GATE, f"{where}: no reference to this image yet, one will be added")
    noun = "reference" if places_found == 1 else "references"
    return passed(GATE, f"{where}: {places_found} {noun} to this image")


def lacking(app: str, environment: str) -> Verdict:
    """The refusal of an app that runs in no overlay of `environment`, which has overlays for other apps."""
    return refused(
        GATE,
        Reason.NO_OVERLAY,
        f"no overlay of {environment} is for {app}: those that promote.yaml names are for other apps",
        expected=f"an overlay of {environment} for {app}",
        actual="none",
        hint=f"add {{path: DIRECTORY, apps: [{app}]}} to environments.{environment}.overlays, or to those of a place",
    )


def refuse(code: str, summary: str, expected: str | None, actual: str | None, hint: str | None) -> Verdict:
    """The refusal for what the overlays room found (a code of `Reason`, exit 16)."""
    reason = next((r for r in Reason if r.code == code), Reason.NO_OVERLAY)
    return refused(GATE, reason, summary, expected=expected, actual=actual, hint=hint)
