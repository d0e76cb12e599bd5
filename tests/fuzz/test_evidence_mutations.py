"""Every signed fixture, mutated field by field and byte by byte: what is accepted says what was signed, or nothing is.

`make fuzz` runs this, with PROMOTE_FUZZ_EXAMPLES damaged copies of each document and the seed PROMOTE_FUZZ_SEED.
"""

from __future__ import annotations

import json
import os
from random import Random

import pytest
from support.cosign_fixtures import CASES
from support.evidence_mutations import changes, damaged, leaves, parts, places, put, signed_meaning, written

EXAMPLES = int(os.environ.get("PROMOTE_FUZZ_EXAMPLES", "20"))
SEED = os.environ.get("PROMOTE_FUZZ_SEED", "0")


@pytest.fixture(scope="module")
def elsewhere():
    return leaves(CASES)


@pytest.mark.parametrize("case", CASES)
def test_no_changed_field_changes_what_is_accepted(case: str, elsewhere: dict) -> None:
    random = Random(f"{SEED} {case}")
    for part in parts(case):
        good = part.accepted(part.content)
        document = json.loads(part.content)
        refused = 0
        for path, value in places(document):
            for name, new in changes(value, elsewhere.get((part.name, path), ()), random):
                got = part.accepted(written(put(document, path, new)))
                assert got <= good, f"seed {SEED}: {part.name} {path} {name}"
                refused += got < good
        assert refused > 0 or not good


@pytest.mark.parametrize("case", CASES)
def test_no_changed_byte_changes_what_is_accepted(case: str) -> None:
    random = Random(f"{SEED} {case}")
    for part in parts(case):
        good = part.accepted(part.content)
        for example in range(EXAMPLES):
            content = damaged(part.content, random)
            assert part.accepted(content) <= good, f"seed {SEED}: {part.name}, example {example}: {content!r}"


@pytest.mark.parametrize("case", CASES)
def test_a_document_that_is_only_written_again_loses_nothing(case: str) -> None:
    """Otherwise every field's change would be refused for its spaces, and prove nothing."""
    together = set()
    for part in parts(case):
        document = json.loads(part.content)
        for path, value in places(document):
            assert part.accepted(written(put(document, path, value))) == part.accepted(part.content), path
        together |= part.accepted(part.content)
    assert together == set(signed_meaning(parts(case)[0].of.findings()))
