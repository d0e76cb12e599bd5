"""Every signed fixture, mutated field by field and byte by byte: what is accepted says what was signed, or nothing is.

`make fuzz` runs this, with PROMOTE_FUZZ_EXAMPLES damaged copies of each document and the seed PROMOTE_FUZZ_SEED.
"""

from __future__ import annotations

import json
import os
from random import Random

import pytest
from support.cosign_fixtures import CASES
from support.evidence_mutations import damaged, leaves, mutations, parts, places, put, signed_meaning, written

EXAMPLES = int(os.environ.get("PROMOTE_FUZZ_EXAMPLES", "20"))
SEED = os.environ.get("PROMOTE_FUZZ_SEED", "0")


@pytest.fixture(scope="module")
def elsewhere():
    return leaves(CASES)


@pytest.mark.parametrize("case", CASES)
def test_no_changed_field_changes_what_is_accepted(case: str, elsewhere: dict) -> None:
    random = Random(f"{SEED} {case}")
    for part in parts(case):
        whole, own = set(signed_meaning(part.of.findings())), part.accepted(part.content)
        refused = 0
        for what, content in mutations(part, elsewhere, random):
            got = part.accepted(content)
            assert got <= whole, f"seed {SEED}: {what}"
            refused += not own <= got
        assert refused > 0 or not own


@pytest.mark.parametrize("case", CASES)
def test_no_changed_byte_changes_what_is_accepted(case: str) -> None:
    random = Random(f"{SEED} {case}")
    for part in parts(case):
        whole = set(signed_meaning(part.of.findings()))
        for example in range(EXAMPLES):
            content = damaged(part.content, random)
            assert part.accepted(content) <= whole, f"seed {SEED}: {part.name}, example {example}: {content!r}"


@pytest.mark.parametrize("case", CASES)
def test_a_document_that_is_only_written_again_is_the_same(case: str) -> None:
    """Otherwise every change of a field would be refused for its spaces, and prove nothing."""
    for part in parts(case):
        document = json.loads(part.content)
        for path, value in places(document):
            assert written(put(document, path, value), part.content) == part.content, path
