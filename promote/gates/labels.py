"""The image's own labels agree with the tag: unsigned, so they can refuse and never vouch."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from promote.model.malformed import shown
from promote.model.policy import Witness
from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "labels"
REVISION = "org.opencontainers.image.revision"
SOURCE = "org.opencontainers.image.source"
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class PlatformLabels:
    """What the config of one platform's image says; None where it has no such label."""

    platform: str
    revision: str | None
    source: str | None


def judge(
    commit: str,
    source: str | None,
    platforms: Sequence[PlatformLabels],
    required: Collection[Witness] = frozenset(),
) -> Verdict:
    """Pass when every label that is there names the tag's commit and, if promote.yaml names one, the app's source.

    With the label among what is `required`, every platform must have one.
    """
    for labels in platforms:
        if labels.revision is not None and not same_commit(commit, labels.revision):
            return refused(
                GATE,
                Reason.COMMIT_DISAGREES,
                f"the label {REVISION} of {labels.platform} names another commit than the tag",
                expected=commit,
                actual=shown(labels.revision),
                hint="the tag was put on another build's image: find out by whom before anything else",
            )
        if source is not None and labels.source is not None and not same_source(source, labels.source):
            return refused(
                GATE,
                Reason.SOURCE_DISAGREES,
                f"the label {SOURCE} of {labels.platform} names another repository than promote.yaml",
                expected=source,
                actual=shown(labels.source),
                hint="correct `source` of the app in promote.yaml, or find out whose image this is",
            )
    named = [p for p in platforms if p.revision is not None]
    if Witness.LABEL in required and (not platforms or len(named) < len(platforms)):
        lacking = next((p.platform for p in platforms if p.revision is None), "the image")
        return refused(
            GATE,
            Reason.COMMIT_UNNAMED,
            f"{lacking} has no label {REVISION}, and gates.commit asks for it",
            expected=f"{REVISION}={commit}",
            actual=f"no label {REVISION}",
            hint=f"build with `--label {REVISION}=COMMIT`, or with a build action that sets it",
        )
    if not named:
        return skipped(GATE, f"the image has no label {REVISION}")
    return passed(GATE, f"the label {REVISION} names the commit of the tag")


def same_commit(short: str, other: str) -> bool:
    """Whether one is the other or, with seven hex digits at least, its abbreviation.

    ``<commit>-dirty``, which some tools write, is no commit: the image was not built from it.
    """
    short, other = short.lower(), other.lower()
    if not (_COMMIT.fullmatch(short) and _COMMIT.fullmatch(other)):
        return short == other
    return other.startswith(short) or short.startswith(other)


def same_source(one: str, other: str) -> bool:
    """Whether two repository URLs are the same but for a final slash or ``.git``."""
    return _canonical(one) == _canonical(other)


def _canonical(url: str) -> str:
    return url.rstrip("/").removesuffix(".git")
