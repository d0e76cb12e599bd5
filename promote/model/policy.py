"""Policy: whom to trust and what to demand, as promote.yaml says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from promote.model.manifest import nothing


@dataclass(frozen=True, slots=True)
class KeylessSigner:
    """A certificate identity, issuer and subject alternative name both exact."""

    issuer: str
    identity: str

    def __str__(self) -> str:
        return f"{self.identity} (issuer {self.issuer})"


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A public key.  `pem` is its PEM, `name` the path that promote.yaml gives."""

    name: str
    pem: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"key {self.name}"


Signer = KeylessSigner | KeySigner


@dataclass(frozen=True, slots=True)
class Trust:
    """Who may sign.  `root` is a trusted_root.json's bytes, None for the embedded public-good root of Sigstore."""

    signers: tuple[Signer, ...] = ()
    root: bytes | None = field(default=None, repr=False)


class LogDemand(Enum):
    """What a keyless signature must bring from the transparency log, weakest last."""

    PROOF = "proof"
    PROMISE = "promise"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """What a signature must have.  `annotations` must be signed with these values.

    `provenance` widens it: a build provenance by a trusted signer counts as a signature too (for those who have only
    GitHub's attestations).  `signature` False: nothing else does.
    """

    annotations: Mapping[str, str] = field(default_factory=nothing, hash=False)
    log: LogDemand = LogDemand.PROMISE
    provenance: bool = False
    signature: bool = True


@dataclass(frozen=True, slots=True)
class SbomPolicy:
    """What an SBOM must have: at least this many packages."""

    min_packages: int = 1


class DeployedDemand(Enum):
    """What the source environment must have done with the digest."""

    CURRENT = "current"
    EVER = "ever"
    OFF = "off"


COMMIT_TAG = re.compile(r"sha-(?P<commit>[0-9a-f]{7,64})")
"""The default form of a commit tag."""


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of an environment.  `signature` or `sbom` None: turned off, and every report says so.

    `attestations` are predicate types that must be attested besides.
    """

    tag: re.Pattern[str] = COMMIT_TAG
    signature: SignaturePolicy | None = SignaturePolicy()
    sbom: SbomPolicy | None = SbomPolicy()
    attestations: tuple[str, ...] = ()
    deployed: DeployedDemand = DeployedDemand.EVER
