"""Attestations that say how something ended: test results and SLSA verification summaries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from promote.model.digest import Digest
from promote.model.policy import AttestationDemand

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VERIFICATION_SUMMARY = "https://slsa.dev/verification_summary/v1"
_RESULTS = {TEST_RESULT: "result", VERIFICATION_SUMMARY: "verificationResult"}
"""Where each keeps its result (in-toto/attestation, predicates/test-result.md; slsa.dev/spec, verification_summary)."""
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Resource:
    """What a ``resourceUri`` names: a repository, and a digest where it has one.

    Written as ``HOST/PATH@DIGEST`` or, as promote does, as a package URL whose version is the digest and whose
    ``repository_url`` is the repository (purl-spec, type ``oci``).
    """

    repository: str
    digest: str | None = None

    @classmethod
    def of(cls, uri: str) -> Resource:
        """What `uri` names; of any other form the repository is the whole of it."""
        plain = unquote(uri)
        named = _DIGEST.search(plain)
        digest, repository = (named.group(1), plain[: named.start()]) if named else (None, uri)
        if uri.startswith("pkg:oci/"):
            qualifiers = parse_qs(uri.partition("#")[0].partition("?")[2])
            repository = (qualifiers.get("repository_url") or [uri])[0]
        return cls(repository, digest)


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
    return _wrong_resource(_said(content.get("resourceUri"), ""), digest, demand)


def _wrong_resource(uri: str, digest: Digest, demand: AttestationDemand) -> tuple[str, str, str] | None:
    resource = Resource.of(uri)
    if demand.resource is not None and demand.resource not in (uri, resource.repository):
        return "is about another resource", demand.resource, uri or "no resource"
    if demand.type == VERIFICATION_SUMMARY and resource.digest not in (None, str(digest)):
        return "is about another digest", str(digest), resource.digest or ""
    return None


def _said(value: object, nothing: str) -> str:
    return value if isinstance(value, str) and value else nothing
