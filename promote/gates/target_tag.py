"""The target registry does not have this tag yet, or has it with the same digest."""

from __future__ import annotations

from collections.abc import Mapping

from promote.model.digest import Digest
from promote.model.verdict import Reason, Verdict, passed, refused

GATE = "target"


def judge(digest: Digest, at_targets: Mapping[str, Digest | None]) -> Verdict:
    """Pass when at each target reference the tag is absent (None) or names `digest`."""
    for reference, there in at_targets.items():
        if there is not None and there != digest:
            return refused(
                GATE,
                Reason.REBUILT_AT_TARGET,
                f"the tag was rebuilt: {reference} already names other content",
                expected=str(digest),
                actual=str(there),
                hint="build a new commit and promote that; a tag that was promoted is never moved",
            )
    present = [reference for reference, there in at_targets.items() if there is not None]
    if len(present) == len(at_targets):
        return passed(GATE, f"{', '.join(present)} is there already with this digest")
    absent = [reference for reference, there in at_targets.items() if there is None]
    return passed(GATE, f"{', '.join(absent)} is free")
