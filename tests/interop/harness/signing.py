"""Who signs, and how cosign is told: with a key of its own, or keyless as a workflow of GitHub Actions.

Both answer the same three questions: what `cosign sign` and `attest` need, what `cosign verify` needs, and what
promote.yaml says to trust the same signer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.process import run
from harness.sigstore.github_oidc import ISSUER
from harness.sigstore.stack import Sigstore

COSIGN_ENV = {"COSIGN_PASSWORD": ""}


class Signer(Protocol):
    """One who signs.  `source` is ``owner/name`` of the source repository, `commit` its commit."""

    def sign_options(self, source: str, commit: str) -> list[str]:
        """What `cosign sign` and `cosign attest` need to sign as this one."""

    def verify_options(self, source: str) -> list[str]:
        """What `cosign verify` and `cosign verify-attestation` need to accept this one and nobody else."""

    def trust_files(self) -> dict[str, bytes]:
        """The files that `trust` of promote.yaml names, by the name it gives them."""

    def trust(self, source: str) -> dict[str, object]:
        """The `trust` section of promote.yaml."""


@dataclass(frozen=True, slots=True)
class Keyless:
    """The workflow build.yml on main, known by a certificate of the throw-away Sigstore."""

    sigstore: Sigstore

    def sign_options(self, source: str, commit: str) -> list[str]:
        return [
            f"--identity-token={self.sigstore.token(source, commit)}",
            f"--signing-config={self.sigstore.signing_config}",
            f"--trusted-root={self.sigstore.trusted_root}",
        ]

    def verify_options(self, source: str) -> list[str]:
        return [
            f"--certificate-identity={_identity(source)}",
            f"--certificate-oidc-issuer={ISSUER}",
            f"--trusted-root={self.sigstore.trusted_root}",
        ]

    def trust_files(self) -> dict[str, bytes]:
        return {"trust/trusted_root.json": self.sigstore.trusted_root.read_bytes()}

    def trust(self, source: str) -> dict[str, object]:
        return {"root": "trust/trusted_root.json", "signers": [{"issuer": ISSUER, "identity": _identity(source)}]}


@dataclass(frozen=True, slots=True)
class Key:
    """A managed ECDSA key, without a log: what a company without Sigstore has."""

    directory: Path

    @classmethod
    def generate(cls, tools: Mapping[str, Path], directory: Path) -> Key:
        """A new key pair under `directory`."""
        directory.mkdir(parents=True)
        run([tools["cosign"], "generate-key-pair", "--output-key-prefix=cosign"], cwd=directory, env=COSIGN_ENV)
        # A signing configuration that names no service at all, and a root that trusts none: else cosign asks for both
        # on the network.
        (directory / "no-services.json").write_text(
            '{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}'
        )
        (directory / "no-trust.json").write_text(
            '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
        )
        return cls(directory)

    def sign_options(self, source: str, commit: str) -> list[str]:
        return [
            f"--key={self.directory}/cosign.key",
            f"--signing-config={self.directory}/no-services.json",
            f"--trusted-root={self.directory}/no-trust.json",
        ]

    def verify_options(self, source: str) -> list[str]:
        return [f"--key={self.directory}/cosign.pub", "--insecure-ignore-tlog=true"]

    def trust_files(self) -> dict[str, bytes]:
        return {"trust/cosign.pub": (self.directory / "cosign.pub").read_bytes()}

    def trust(self, source: str) -> dict[str, object]:
        return {"signers": [{"key": "trust/cosign.pub"}]}


def _identity(source: str) -> str:
    return f"https://github.com/{source}/.github/workflows/build.yml@refs/heads/main"
