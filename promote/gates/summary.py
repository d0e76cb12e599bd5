"""Attestations that say how something ended: test results and SLSA verification summaries."""

from __future__ import annotations

import re
from typing import Any

from promote.model.digest import Digest
from promote.model.policy import AttestationDemand

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VERIFICATION_SUMMARY = "https://slsa.dev/verification_summary/v1"
_RESULTS = {TEST_RESULT: "result", VERIFICATION_SUMMARY: "verificationResult"}
"""Where each keeps its result (in-toto/attestation, predicates/test-result.md; slsa.dev/spec, verification_summary)."""
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})")


def has_result(predicate_type: str) -> bool:
    """Whether attestations of this type say how something ended, so that the newest decides."""
    return predicate_type in _RESULTS


def first_wrong(predicate: Any, digest: Digest, demand: AttestationDemand) -> tuple[str, str, str] | None:
    """What in `predicate` is not as `demand` asks: in words, expected, and actual; None when nothing is.

    A result that nobody asks for must still be PASSED: to find that something failed is no ground for a promotion.
    """
    content = predicate if isinstance(predicate, dict) else {}
    if has_result(demand.type):
        wanted, got = demand.result or "PASSED", content.get(_RESULTS[demand.type])
        if got != wanted:
            return "has another result", wanted, _said(got, "no result")
    verifier = content.get("verifier")
    name = verifier.get("id") if isinstance(verifier, dict) else None
    if demand.verifier is not None and name != demand.verifier:
        return "is by another verifier", demand.verifier, _said(name, "no verifier")
    resource = content.get("resourceUri")
    if demand.resource is not None and resource != demand.resource:
        return "is about another resource", demand.resource, _said(resource, "no resource")
    named = _DIGEST.search(resource) if isinstance(resource, str) else None
    if demand.type == VERIFICATION_SUMMARY and named and named.group(1) != str(digest):
        return "is about another digest", str(digest), named.group(1)
    return None


def _said(value: object, nothing: str) -> str:
    return value if isinstance(value, str) and value else nothing
