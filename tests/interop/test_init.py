"""`promote init` on images that real cosign signed: what it proposes verifies them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from harness import gitops
from harness.gitops import GitOps
from harness.images import SOURCE, SignedImage
from harness.process import run
from harness.promote import nobody, promote
from harness.signing import Signer

COMMIT = "cdef0123456789abcdef0123456789abcdef0123"
TAG = f"sha-{COMMIT}"


@pytest.fixture(params=["distribution3", "ggcr"])
def registry(request: pytest.FixtureRequest, registries: Mapping[str, str]) -> str:
    """One with the referrers API and one without."""
    return registries[request.param]


def test_signer_of_a_keyless_image(registry, signers, signed_image, tmp_path):
    image = signed_image(registry, f"init/{tmp_path.name.lower()}/acme/web", COMMIT)
    repository = _without_configuration(tmp_path, image, signers["keyless"])
    said = _init(repository, image, tmp_path, "--trusted-root=trust/trusted_root.json")
    assert "Review" in said
    path = repository.clone / "promote.yaml"
    proposed = yaml.safe_load(path.read_bytes())
    assert proposed["trust"] == signers["keyless"].trust(SOURCE)
    (app,) = proposed["apps"].values()
    assert app["source"] == f"https://github.com/{SOURCE}"
    assert list(proposed["environments"]) == ["staging", "prod"]
    promote(repository.clone, "verify", f"{image.repository}:{TAG}", home=tmp_path)


def test_key_of_an_image_is_not_proposed(registry, signers, signed_image, tmp_path):
    image = signed_image(registry, f"init/{tmp_path.name.lower()}/acme/web", COMMIT, "key")
    repository = _without_configuration(tmp_path, image, signers["key"])
    printed = _init(repository, image, tmp_path, "--dry-run")
    assert yaml.safe_load(printed)["trust"]["signers"] == []
    assert "A key cannot be proposed" in printed


def test_accepted_and_foreign_evidence_is_explained(registry, signers, signed_image, images, tmp_path):
    image = signed_image(registry, f"init/{tmp_path.name.lower()}/acme/web", COMMIT)
    images.sign(f"{image.repository}@{image.digest}", SOURCE, COMMIT, signers["key"])
    repository = _without_configuration(tmp_path, image, signers["keyless"])
    _init(repository, image, tmp_path, "--trusted-root=trust/trusted_root.json")
    result = promote(repository.clone, "verify", f"{image.repository}:{TAG}", "--explain", home=tmp_path)
    (release,) = result["releases"]
    found = [(f["verdict"], f["kind"]) for f in release["findings"]]
    assert sorted(found) == [("accepted", "attestation"), ("accepted", "signature"), ("foreign", "signature")]


def _without_configuration(directory: Path, image: SignedImage, signer: Signer) -> GitOps:
    """A clone with overlays and the signer's files, and no promote.yaml yet."""
    repository = gitops.create(
        directory,
        source=SOURCE,
        staging="registry.staging.example",
        prod="registry.prod.example",
        trust=signer.trust(SOURCE),
        trust_files=signer.trust_files(),
        tag=image.tag,
        digest=image.digest,
    )
    (repository.clone / "promote.yaml").unlink()
    return repository


def _init(repository: GitOps, image: SignedImage, home: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "promote", "init", f"--from={image.repository}:{TAG}", *arguments]
    return run(command, cwd=repository.clone, env=nobody(home))
