"""What a status has to say besides its rows: that something could not be read, or is not in the registry."""

from __future__ import annotations

from collections.abc import Sequence

from promote.errors import Fault, PromoteError, Refusal
from promote.model.standing import Drift, Standing


def concern(rows: Sequence[Standing]) -> PromoteError | None:
    """The worst thing that `rows` say, None when nothing is wrong.

    In this order: a tag was moved at a registry (``registry-moved``, 15); a release is missing there
    (``registry-missing``, 10); an overlay cannot be read (``overlay-unreadable``, 3); a registry could not be asked
    (``registry-unknown``, 3).  Unknown is never fine.
    """
    for drift, code, exit_code, what in (
        (Drift.MOVED, "registry-moved", 15, "another digest under the tag than git declares"),
        (Drift.MISSING, "registry-missing", 10, "not what git declares"),
    ):
        if found := [row for row in rows if row.registry and row.registry.drift is drift]:
            first = found[0].registry
            return Refusal(
                code,
                f"the registry has {what} for {_named(found)}",
                exit_code=exit_code,
                expected=" ".join(str(part) for part in (found[0].tag, found[0].digest) if part),
                actual=first.reason if first else None,
                hint="promote a new build; what was verified is not what the tag names now"
                if drift is Drift.MOVED
                else f"promote it again into {found[0].environment}, which copies it, or roll back",
            )
    if unreadable := [row for row in rows if row.problem is not None]:
        return Fault(
            "overlay-unreadable",
            f"what {_named(unreadable)} runs cannot be told: {unreadable[0].problem}",
            hint=f"look at {unreadable[0].overlay or '.'}",
        )
    if unknown := [row for row in rows if row.registry and row.registry.drift is Drift.UNKNOWN]:
        first = unknown[0].registry
        return Fault(
            "registry-unknown",
            f"the registry could not be asked about {_named(unknown)}",
            actual=first.reason if first else None,
            hint="run it again, or without --check for what git declares",
        )
    return None


def _named(rows: Sequence[Standing]) -> str:
    first = f"{rows[0].app} in {rows[0].environment}"
    return first if len(rows) == 1 else f"{first} and {len(rows) - 1} more"
