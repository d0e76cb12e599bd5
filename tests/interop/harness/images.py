"""Images built by crane, signed and attested by cosign, and what cosign and crane say of them afterwards."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.process import run
from harness.signing import COSIGN_ENV, Signer

SOURCE = "acme/web"
"""The source repository that images are built from unless a test says otherwise."""

SPDX = {
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "web",
    "documentNamespace": "https://acme.example/sbom/web/1",
    "creationInfo": {"created": "2026-01-01T00:00:00Z", "creators": ["Tool: interop"]},
    "packages": [
        {
            "SPDXID": "SPDXRef-log4j",
            "name": "log4j-core",
            "versionInfo": "2.24.1",
            "downloadLocation": "NOASSERTION",
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": "pkg:maven/org.apache.logging.log4j/log4j-core@2.24.1",
                }
            ],
        }
    ],
}

CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "metadata": {"timestamp": "2026-01-01T00:00:00Z"},
    "components": [
        {
            "type": "library",
            "name": "log4j-core",
            "version": "2.24.1",
            "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.24.1",
        }
    ],
}
SBOMS = {"spdxjson": SPDX, "cyclonedx": CYCLONEDX}
"""A document of one package by the type that cosign calls it."""
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SignedImage:
    """An image where it was signed.  `repository` is ``host[:port]/path``, or the directory of a layout."""

    repository: str
    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class Images:
    """crane, cosign and regctl on loopback registries.  `home` is a HOME without anybody's credentials."""

    tools: Mapping[str, Path]
    home: Path

    def signed(self, registry: str, path: str, source: str, commit: str, signer: Signer) -> SignedImage:
        """Build an image of `commit` of `source` (``owner/name``), push it as its commit tag, sign and attest it."""
        tag = f"sha-{commit}"
        repository = f"{registry}/{path}"
        digest = self.build(f"{repository}:{tag}", source, commit)
        self.sign(f"{repository}@{digest}", source, commit, signer)
        self.attest(f"{repository}@{digest}", source, commit, signer)
        return SignedImage(repository, tag, digest)

    def build(self, target: str, source: str, commit: str) -> str:
        """Push a three-layer image with the labels of a build to `target` (with a tag); its digest."""
        labels = {"source": f"https://github.com/{source}", "revision": commit, "created": "2026-01-01T00:00:00Z"}
        return self._push(
            target, *(f"--label=org.opencontainers.image.{name}={value}" for name, value in labels.items())
        )

    def build_without_labels(self, target: str) -> str:
        """The same without a word of where it comes from; its digest."""
        return self._push(target)

    def sign(self, reference: str, source: str, commit: str, signer: Signer) -> None:
        """`cosign sign` with the annotations of a build."""
        options = [*signer.sign_options(source, commit), "-a", f"commit={commit}", "-a", f"repo={source}"]
        self._cosign(signer, "sign", "--yes", *options, reference)

    def attest(self, reference: str, source: str, commit: str, signer: Signer, sbom: str = "spdxjson") -> None:
        """`cosign attest` a document of one package; `sbom` is a key of `SBOMS`."""
        predicate = self.home / f"{sbom}.json"
        predicate.write_text(json.dumps(SBOMS[sbom]))
        options = [*signer.attest_options(source, commit), f"--type={sbom}", f"--predicate={predicate}"]
        self._cosign(signer, "attest", "--yes", *options, reference)

    def verify(self, reference: str, source: str, signer: Signer) -> None:
        """`cosign verify` and `cosign verify-attestation`; raises when either refuses."""
        self._cosign(signer, "verify", *signer.verify_options(source), reference)
        self._cosign(signer, "verify-attestation", "--type=spdxjson", *signer.verify_options(source), reference)

    def digest(self, reference: str) -> str:
        """`crane digest`."""
        return self._run("crane", "digest", reference)

    def manifest(self, reference: str) -> dict[str, Any]:
        """`crane manifest`."""
        manifest: dict[str, Any] = json.loads(self._run("crane", "manifest", reference))
        return manifest

    def tag(self, reference: str, tag: str) -> None:
        """`crane tag`: one more name for what `reference` names."""
        self._run("crane", "tag", reference, tag)

    def copy(self, source: str, target: str) -> None:
        """`regctl image copy` with all evidence; either side may be ``ocidir://DIRECTORY:TAG``."""
        hosts = [reference.split("/")[0] for reference in (source, target) if not reference.startswith("ocidir:")]
        plain = [f"--host=reg={host},tls=disabled" for host in hosts]
        self._run("regctl", "image", "copy", *plain, "--referrers", "--digest-tags", source, target)

    def _push(self, target: str, *labels: str) -> str:
        """Three layers that nothing else has, for one platform."""
        layers = [part for number in range(3) for part in ("-f", self._layer(target, number))]
        self._run("crane", "append", "--oci-empty-base", *layers, "-t", target)
        self._run("crane", "mutate", "--set-platform=linux/amd64", *labels, target, "-t", target)
        return self.digest(target)

    def _layer(self, text: str, number: int) -> Path:
        """A layer of one file, as a tar archive."""
        data = f"{text} {number}\n".encode() * 40
        member = tarfile.TarInfo(f"app/{number}.txt")
        member.size = len(data)
        path = self.home / f"layer-{number}.tar"
        with tarfile.open(path, "w") as archive:
            archive.addfile(member, io.BytesIO(data))
        return path

    def _cosign(self, signer: Signer, *arguments: str | Path) -> str:
        return self._run(signer.cosign, *arguments, env=signer.environment)

    def _run(self, tool: str, *arguments: str | Path, env: Mapping[str, str] = NOTHING) -> str:
        nobody = {"HOME": str(self.home), "DOCKER_CONFIG": str(self.home), "XDG_CONFIG_HOME": str(self.home)}
        return run([self.tools[tool], *arguments], env={**COSIGN_ENV, **env, **nobody})
