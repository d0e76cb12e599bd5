"""Evidence: signatures and attestations beside an image, after their cryptography and their claims were checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from promote.model.digest import Digest
from promote.model.manifest import nothing


class Kind(Enum):
    """What a piece of evidence is.  An attestation is never a signature (cosign v3 `verify` says otherwise)."""

    SIGNATURE = "signature"
    ATTESTATION = "attestation"


class Log(Enum):
    """What the transparency log gives: an inclusion proof, a signed promise, or nothing."""

    PROOF = "proof"
    PROMISE = "promise"
    NONE = "none"


class Storage(Enum):
    """Where evidence was found (forms S1 to S8 of the research)."""

    BUNDLE = "sigstore bundle, referrer"
    SIGNATURE_TAG = "cosign .sig tag"
    ATTESTATION_TAG = "cosign .att tag"
    SIGNATURE_REFERRER = "cosign signature, referrer"
    ATTESTATION_REFERRER = "cosign attestation, referrer"


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who signed, as the cryptography shows: a certificate's identity and claims, or a key's fingerprint.

    Of `identity` and `key` exactly one is set.  `key` is ``sha256:<hex>`` of the DER SubjectPublicKeyInfo.  The
    `source_*` values are the certificate's Fulcio extensions 1.12 to 1.14 (older: 1.5, 1.3, 1.6), `workflow` is 1.18
    (older: 1.4, the workflow's name), `trigger` 1.20 (older: 1.2), `runner` 1.11; None where absent.
    """

    issuer: str | None = None
    identity: str | None = None
    key: str | None = None
    source_repository: str | None = None
    source_commit: str | None = None
    source_ref: str | None = None
    trigger: str | None = None
    workflow: str | None = None
    runner: str | None = None

    @property
    def who(self) -> tuple[str | None, str | None, str | None]:
        """What makes two signers different: issuer and identity, or the key."""
        return (self.issuer, self.identity, self.key)

    def __str__(self) -> str:
        return f"{self.identity} (issuer {self.issuer})" if self.identity else f"key {self.key}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One signature or attestation that verified, by a signer whom promote.yaml names.

    `manifest` is the digest of the manifest that carries it, `subject` the image digest that the *signed* payload
    names, `predicate_type` and `predicate` (a parsed JSON value) what an attestation says.  `annotations` are signed.
    `time` is the verified signing time, None where nothing proves one.  `signers` are the names that promote.yaml has
    for who signed; those without a name are not among them.
    `others` are the digests that a statement calls by the same name as this image.
    """

    kind: Kind
    manifest: Digest
    subject: Digest
    storage: Storage
    signed_by: SignedBy
    log: Log
    predicate_type: str | None = None
    predicate: Any = field(default=None, hash=False)
    annotations: Mapping[str, str] = field(default_factory=nothing, hash=False)
    time: datetime | None = None
    signers: tuple[str, ...] = ()
    others: tuple[Digest, ...] = ()


class Flaw(Enum):
    """Why something that looked like evidence does not count.  Three different words for three different things."""

    FOREIGN = "foreign"
    """Made by somebody whom promote.yaml does not name."""
    INVALID = "invalid"
    """The cryptography, the binding to the log or a claim does not hold."""
    UNLOGGED = "unlogged"
    """It holds, and has less from the transparency log than is asked for."""
    MALFORMED = "malformed"
    """It cannot be read."""
    UNSUPPORTED = "unsupported"
    """A form that promote reports and does not verify."""
    UNSIGNED = "unsigned"
    """There, and nobody signed it."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something found beside the image that does not count, with the reason in one sentence.

    `kind` and `predicate_type` are as far as they could be learnt (unverified: for messages only).  `signed_by` is set
    where the cryptography holds, whoever it is; that the payload is about this image is not said by it.
    """

    manifest: Digest
    subject: Digest
    flaw: Flaw
    summary: str
    kind: Kind | None = None
    predicate_type: str | None = None
    expected: str | None = None
    actual: str | None = None
    storage: Storage | None = None
    signed_by: SignedBy | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found beside an image, on the index and on its children."""

    accepted: tuple[Evidence, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    def signatures(self) -> tuple[Evidence, ...]:
        """The accepted signatures."""
        return tuple(e for e in self.accepted if e.kind is Kind.SIGNATURE)

    def attestations(self) -> tuple[Evidence, ...]:
        """The accepted attestations."""
        return tuple(e for e in self.accepted if e.kind is Kind.ATTESTATION)
