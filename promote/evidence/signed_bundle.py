"""What signing a statement leaves: a Sigstore bundle, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from promote.model.policy import Signer

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@dataclass(frozen=True, slots=True)
class SignedBundle:
    """A Sigstore bundle (JSON) around a signed statement, and who signed it."""

    content: bytes
    signer: Signer
