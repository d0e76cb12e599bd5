"""Who signs, and how cosign is told: with a key of its own, or keyless as a workflow of GitHub Actions.

All answer the same questions: which cosign, what its `sign` and `attest` need, what its `verify` needs, and what
promote.yaml says to trust the same signer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from harness.process import run
from harness.sigstore.github_oidc import ISSUER
from harness.sigstore.stack import Sigstore

COSIGN_ENV = {"COSIGN_PASSWORD": ""}


class Signer(Protocol):
    """One who signs.  `source` is ``owner/name`` of the source repository, `commit` its commit."""

    @property
    def cosign(self) -> str:
        """The tool that signs and verifies: "cosign" or "cosign2"."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What that tool needs in its environment."""

    def sign_options(self, source: str, commit: str) -> list[str]:
        """What `cosign sign` needs to sign as this one."""

    def attest_options(self, source: str, commit: str) -> list[str]:
        """What `cosign attest` needs to sign as this one."""

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
    cosign: ClassVar[str] = "cosign"
    environment: ClassVar[Mapping[str, str]] = {}

    def sign_options(self, source: str, commit: str) -> list[str]:
        return [
            f"--identity-token={self.sigstore.token(source, commit)}",
            f"--signing-config={self.sigstore.signing_config}",
            f"--trusted-root={self.sigstore.trusted_root}",
        ]

    def attest_options(self, source: str, commit: str) -> list[str]:
        return self.sign_options(source, commit)

    def verify_options(self, source: str) -> list[str]:
        return [
            f"--certificate-identity={identity(source)}",
            f"--certificate-oidc-issuer={ISSUER}",
            f"--trusted-root={self.sigstore.trusted_root}",
        ]

    def trust_files(self) -> dict[str, bytes]:
        return {"trust/trusted_root.json": self.sigstore.trusted_root.read_bytes()}

    def trust(self, source: str) -> dict[str, object]:
        return {"root": "trust/trusted_root.json", "signers": [{"issuer": ISSUER, "identity": identity(source)}]}


@dataclass(frozen=True, slots=True)
class Key:
    """A managed ECDSA key, without a log: what a company without Sigstore has."""

    directory: Path
    cosign: ClassVar[str] = "cosign"
    environment: ClassVar[Mapping[str, str]] = {}

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

    def attest_options(self, source: str, commit: str) -> list[str]:
        return self.sign_options(source, commit)

    def verify_options(self, source: str) -> list[str]:
        return [f"--key={self.directory}/cosign.pub", "--insecure-ignore-tlog=true"]

    def trust_files(self) -> dict[str, bytes]:
        return {"trust/cosign.pub": (self.directory / "cosign.pub").read_bytes()}

    def trust(self, source: str) -> dict[str, object]:
        return {"signers": [{"key": "trust/cosign.pub"}]}


def identity(source: str) -> str:
    """The name in the certificate of the workflow build.yml on main of `source` (``owner/name``)."""
    return f"https://github.com/{source}/.github/workflows/build.yml@refs/heads/main"
