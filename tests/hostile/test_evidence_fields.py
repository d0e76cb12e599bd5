"""Each field of evidence in three shapes, changed in each way: what is accepted says what was signed, or nothing is.

`make fuzz` does it with every fixture.
"""

from __future__ import annotations

from random import Random

import pytest
from support.cosign_fixtures import CASES
from support.evidence_mutations import leaves, mutations, parts, signed_meaning


@pytest.mark.parametrize(
    "case", ["v3-key-rekor2", "v2-keyless-intoto", pytest.param("v3-keyless-fallback", marks=pytest.mark.exhaustive)]
)
def test_no_changed_field_changes_what_is_accepted(case: str) -> None:
    random, elsewhere = Random(case), leaves(CASES)
    for part in parts(case):
        whole = set(signed_meaning(part.of.findings()))
        assert part.accepted(part.content) <= whole != set()
        for what, content in mutations(part, elsewhere, random):
            assert part.accepted(content) <= whole, what
