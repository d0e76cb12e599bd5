"""Who signs promote's own verdicts, as promote.yaml says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeyAttestor:
    """A private key: `name` is what promote.yaml says, `path` the file, read when it is needed and not before."""

    name: str
    path: Path

    def __str__(self) -> str:
        return f"key {self.name}"


@dataclass(frozen=True, slots=True)
class AmbientAttestor:
    """The identity that the machine has (a CI job's OIDC token), certified by a Sigstore.

    `signing_config` is a signing configuration's bytes, None for the public-good Sigstore.  `trusted_root` is what its
    answers are checked against, None for the public-good root.
    """

    signing_config: bytes | None = field(default=None, repr=False)
    trusted_root: bytes | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return "the ambient OIDC identity"


Attestor = KeyAttestor | AmbientAttestor
