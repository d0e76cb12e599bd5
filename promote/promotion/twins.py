"""Other digests that are called by the release's commit: recorded by git, or tagged at the source registry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from promote.gates.rebuilt import Twin
from promote.model.digest import Digest
from promote.model.policy import Gates, Trust
from promote.model.record import Sighting
from promote.oci.store import Store
from promote.promotion.inspection import find_evidence, look
from promote.promotion.records import LEAST

MAX_RECORDED = 8
"""Recorded digests with another tag of one commit that are looked at; more than one is already strange."""
WHOLE = (40, 64)
"""Hex digits of a whole commit: SHA-1 and SHA-256."""


@dataclass(frozen=True, slots=True)
class Namesake:
    """Another digest under another tag of the commit; `where` says who knows it, for a message."""

    digest: Digest
    where: str


def recorded(sightings: Sequence[Sighting]) -> tuple[Namesake, ...]:
    """The digests that git recorded: the first `MAX_RECORDED` of `sightings`, which are newest first."""
    return tuple(
        Namesake(s.pin.digest, f"git recorded {s.pin.tag} in {s.commit[:12]}")
        for s in sightings[:MAX_RECORDED]
        if s.pin.digest
    )


def tagged(
    store: Store, digest: Digest, tag: str, pattern: re.Pattern[str], revisions: Iterable[str | None]
) -> tuple[Namesake, ...]:
    """The digest that `store` has under the other spelling of `tag`, when it is not `digest`: one request at most.

    `revisions` are commits that the image says it is of.  They are not signed, and decide only what is looked at.
    Raises `Fault` when the store does not answer.
    """
    other = other_spelling(tag, pattern, revisions)
    manifest = store.resolve(other) if other is not None else None
    if manifest is None or manifest.digest == digest:
        return ()
    return (Namesake(manifest.digest, f"{store.repository} has it as {other}"),)


def other_spelling(tag: str, pattern: re.Pattern[str], revisions: Iterable[str | None]) -> str | None:
    """How builds also spell a commit tag: whole commits abbreviated to seven digits, abbreviations whole.

    None where no whole commit is known, or `pattern` does not take the other one.  (`docker/metadata-action` has these
    two forms of ``type=sha``; looking for all lengths would be a request for each.)
    """
    match = pattern.fullmatch(tag)
    if match is None:
        return None
    commit, (start, end) = match.group("commit"), match.span("commit")
    if len(commit) in WHOLE:
        other = commit[:LEAST]
    else:
        whole = {r.lower() for r in revisions if r and len(r) in WHOLE and r.lower().startswith(commit)}
        if len(whole) != 1:
            return None
        other = whole.pop()
    spelled = f"{tag[:start]}{other}{tag[end:]}"
    again = pattern.fullmatch(spelled)
    return spelled if again is not None and again.group("commit") == other else None


def examine(
    store: Store, namesakes: Sequence[Namesake], trust: Trust, gates: Gates, jobs: int, *, now: datetime
) -> tuple[Twin, ...]:
    """What is signed about those of `namesakes` that are still at `store`; raises `Fault` when it does not answer."""
    found: dict[Digest, Twin] = {}
    for namesake in namesakes:
        manifest = store.manifest(namesake.digest) if namesake.digest not in found else None
        if manifest is not None:
            findings = find_evidence(store, look(store, manifest, jobs), trust, gates, jobs, now=now)
            found[namesake.digest] = Twin(namesake.digest, namesake.where, findings)
    return tuple(found.values())
