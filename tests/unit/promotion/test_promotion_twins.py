"""How builds spell a commit tag: which other tag of the commit is looked for, and where there is none."""

from __future__ import annotations

import re

import pytest

from promote.model.policy import COMMIT_TAG
from promote.promotion.twins import other_spelling

SHA1, SHA256 = "0123456789abcdef0123456789abcdef01234567", "0123456789abcdef" * 4
WIDE = re.compile(r"main-(?P<commit>[0-9a-f]{7,40})-amd64")


@pytest.mark.parametrize(
    ("tag", "revisions", "pattern", "other"),
    [
        (f"sha-{SHA1}", [], COMMIT_TAG, "sha-0123456"),
        (f"sha-{SHA256}", [], COMMIT_TAG, "sha-0123456"),
        (f"sha-{SHA1}", ["f" * 40], COMMIT_TAG, "sha-0123456"),
        ("sha-0123456", [SHA1], COMMIT_TAG, f"sha-{SHA1}"),
        ("sha-012345678", [SHA1.upper(), None, SHA1], COMMIT_TAG, f"sha-{SHA1}"),
        ("sha-0123456", [], COMMIT_TAG, None),
        ("sha-0123456", [None, "0123456789", "f" * 40], COMMIT_TAG, None),
        ("sha-0123456", [SHA1, SHA256], COMMIT_TAG, None),
        ("sha-0123456", [f"0123456{'../x' * 8}"[:40]], COMMIT_TAG, None),
        (f"main-{SHA1}-amd64", [], WIDE, "main-0123456-amd64"),
        ("main-0123456-amd64", [SHA1], WIDE, f"main-{SHA1}-amd64"),
        ("main-0123456-amd64", [SHA256], WIDE, None),
        (f"sha-{SHA1}", [], re.compile(r"sha-(?P<commit>[0-9a-f]{40})"), None),
        ("latest", [SHA1], COMMIT_TAG, None),
        ("", [SHA1], COMMIT_TAG, None),
    ],
)
def test_the_other_spelling(tag, revisions, pattern, other):
    assert other_spelling(tag, pattern, revisions) == other
