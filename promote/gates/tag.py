"""The tag names a commit.  A tag that floats is refused, always."""

from __future__ import annotations

import re

from promote.model.malformed import Malformed, shown
from promote.model.reference import check_tag
from promote.model.verdict import Reason, Verdict, passed, refused

GATE = "tag"

HINT = "promote the tag that the build of the commit pushed, such as sha-4f2a91c"

FLOATING = re.compile(
    r"latest|stable|edge|nightly|canary|current|release|rolling|main|master|trunk|develop(ment)?|dev|test|staging|prod(uction)?"
    r"|v?[0-9]+(\.[0-9]+)*([-+._].*)?",
    re.IGNORECASE,
)
"""Names that are moved by custom: channels, branches, environments and versions."""


def judge(tag: str, pattern: re.Pattern[str]) -> Verdict:
    """Pass for a tag that `pattern` matches whole; it has a group ``commit``."""
    try:
        check_tag(tag)
    except Malformed as problem:
        return refused(
            GATE,
            Reason.TAG_NOT_A_COMMIT,
            "this is no tag at all",
            expected=problem.expected,
            actual=problem.got or "nothing",
            hint=HINT,
        )
    if pattern.fullmatch(tag):
        return passed(GATE, f"{tag} names a commit")
    if FLOATING.fullmatch(tag):
        return refused(
            GATE,
            Reason.FLOATING_TAG,
            f"{shown(tag)} is a floating tag: what it names today it need not name tomorrow",
            expected=f"a tag of the form {pattern.pattern}",
            actual=shown(tag),
            hint=HINT,
        )
    return refused(
        GATE,
        Reason.TAG_NOT_A_COMMIT,
        f"{shown(tag)} does not name a commit",
        expected=f"a tag of the form {pattern.pattern}",
        actual=shown(tag),
        hint=HINT,
    )


def commit_of(tag: str, pattern: re.Pattern[str]) -> str | None:
    """The commit (or its abbreviation) that `tag` names; None when it is no commit tag."""
    match = pattern.fullmatch(tag)
    return match.group("commit") if match else None


def may_abbreviate(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether more hex digits could make a commit tag of `text`."""
    return any(pattern.fullmatch(text + "0" * more) for more in range(1, 65))
