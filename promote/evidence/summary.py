"""The verification summary: promote's own verdict about an image, as an in-toto statement.

Source: slsa.dev/spec/v1.1/verification_summary; in-toto/attestation, spec/v1/statement.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from promote.model.digest import Digest

PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
VERIFIER = "pkg:pypi/promote-by-digest"
"""Who verified, as the SLSA predicate wants it: a URI.  A consumer pairs it with the signer that it accepts."""
PASSED = "PASSED"


@dataclass(frozen=True, slots=True)
class Summary:
    """A verdict that an image passed.  `resource` names where it was put, as a package URL.

    `policy_uri` and `policy_digest` (of promote.yaml's bytes) say what it was judged by; `inputs` are the manifests of
    the evidence that the verdict rests on; `version` is promote's.
    """

    image: Digest
    repository: str
    policy_uri: str
    policy_digest: Digest
    inputs: tuple[Digest, ...]
    version: str

    @property
    def resource(self) -> str:
        """The image as a package URL (purl-spec, type ``oci``), which names registry, repository and digest."""
        name = self.repository.rpartition("/")[2]
        return f"pkg:oci/{name}@{quote(str(self.image), safe='')}?repository_url={quote(self.repository, safe='/:.-_')}"

    def statement(self, time: datetime) -> bytes:
        """The statement that says so, verified at `time`."""
        predicate: dict[str, Any] = {
            "verifier": {"id": VERIFIER, "version": {"promote": self.version}},
            "timeVerified": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resourceUri": self.resource,
            "policy": {"uri": self.policy_uri, "digest": _digest_set(self.policy_digest)},
            "inputAttestations": [{"digest": _digest_set(digest)} for digest in self.inputs],
            "verificationResult": PASSED,
            "verifiedLevels": [],
        }
        document = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": self.repository, "digest": _digest_set(self.image)}],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
        return json.dumps(document, separators=(",", ":")).encode()

    def is_said_by(self, predicate_type: str | None, predicate: Any) -> bool:
        """Whether an attestation about the same image says the same: verifier, resource, policy and result.

        When it was verified, by which version and on which evidence makes no other verdict.
        """
        if predicate_type != PREDICATE_TYPE or not isinstance(predicate, dict):
            return False
        verifier, policy = predicate.get("verifier"), predicate.get("policy")
        if not isinstance(verifier, dict) or not isinstance(policy, dict):
            return False
        return (
            verifier.get("id"),
            predicate.get("resourceUri"),
            policy.get("uri"),
            policy.get("digest"),
            predicate.get("verificationResult"),
        ) == (VERIFIER, self.resource, self.policy_uri, _digest_set(self.policy_digest), PASSED)


def _digest_set(digest: Digest) -> dict[str, str]:
    return {digest.algorithm: digest.hex}
