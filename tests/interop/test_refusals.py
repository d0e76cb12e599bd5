"""What a promotion on a real registry refuses, and that it then leaves registry and git as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from harness import gitops
from harness.gitops import GitOps
from harness.images import SOURCE, Images, SignedImage
from harness.process import CommandFailed
from harness.promote import promote
from harness.signing import Signer

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
TAG = f"sha-{COMMIT}"


@pytest.fixture(params=["distribution3", "ggcr"])
def registry(request: pytest.FixtureRequest, registries: Mapping[str, str], tmp_path: Path) -> str:
    """A registry with a prefix that nobody else uses."""
    return f"{registries[request.param]}/{tmp_path.name.lower()}"


@pytest.fixture
def staging(
    registry: str, tmp_path: Path, signers: Mapping[str, Signer], signed_image: Callable[..., SignedImage]
) -> tuple[SignedImage, GitOps]:
    """An image signed keyless that staging runs, and a GitOps repository that trusts its signer."""
    image = signed_image(registry, "staging/acme/web", COMMIT)
    return image, _gitops(tmp_path, registry, signers["keyless"], image.digest)


def test_rebuilt_tag(staging, registry, images, signed_image, tmp_path):
    image, repository = staging
    rebuilt = signed_image(registry, "elsewhere/acme/web", COMMIT)
    images.copy(f"{rebuilt.repository}:{TAG}", f"{image.repository}:{TAG}")
    _assert_refused(repository, registry, images, tmp_path, code=15, gate="deployed")


def test_target_tag_with_other_content(staging, registry, images, signed_image, tmp_path):
    _, repository = staging
    other = signed_image(registry, "prod/acme/web", COMMIT)
    head = repository.head()
    promote(repository.clone, "staging->prod", TAG, home=tmp_path, code=15)
    assert images.digest(f"{other.repository}:{TAG}") == other.digest
    assert repository.head() == head


def test_image_without_any_evidence(registry, images, signers, tmp_path):
    digest = images.build(f"{registry}/staging/acme/web:{TAG}", SOURCE, COMMIT)
    repository = _gitops(tmp_path, registry, signers["keyless"], digest)
    _assert_refused(repository, registry, images, tmp_path, code=11, gate="signature")


def test_image_with_a_signature_and_no_sbom(registry, images, signers, tmp_path):
    digest = images.build(f"{registry}/staging/acme/web:{TAG}", SOURCE, COMMIT)
    images.sign(f"{registry}/staging/acme/web@{digest}", SOURCE, COMMIT, signers["keyless"])
    repository = _gitops(tmp_path, registry, signers["keyless"], digest)
    _assert_refused(repository, registry, images, tmp_path, code=13, gate="sbom")


def test_signer_that_promote_yaml_does_not_name(registry, images, signers, signed_image, tmp_path):
    image = signed_image(registry, "staging/acme/web", COMMIT, "key")
    repository = _gitops(tmp_path, registry, signers["keyless"], image.digest)
    _assert_refused(repository, registry, images, tmp_path, code=12, gate="signature")


def test_certificate_of_another_commit(registry, images, signers, tmp_path):
    reference = f"{registry}/staging/acme/web"
    digest = images.build(f"{reference}:{TAG}", SOURCE, COMMIT)
    images.sign(f"{reference}@{digest}", SOURCE, "f" * 40, signers["keyless"])
    images.attest(f"{reference}@{digest}", SOURCE, "f" * 40, signers["keyless"])
    repository = _gitops(tmp_path, registry, signers["keyless"], digest)
    _assert_refused(repository, registry, images, tmp_path, code=15, gate="commit")


def _gitops(directory: Path, registry: str, signer: Signer, digest: str) -> GitOps:
    """Staging and prod on one registry, staging running `TAG` at `digest`."""
    return gitops.create(
        directory,
        source=SOURCE,
        staging=f"{registry}/staging",
        prod=f"{registry}/prod",
        trust=signer.trust(SOURCE),
        trust_files=signer.trust_files(),
        tag=TAG,
        digest=digest,
    )


def _assert_refused(repository: GitOps, registry: str, images: Images, home: Path, *, code: int, gate: str) -> None:
    """Promote, see the refusal by this gate, and that nothing was written."""
    head = repository.head()
    result = promote(repository.clone, "staging->prod", TAG, home=home, code=code)
    (release,) = result["releases"]
    refused = [verdict["gate"] for verdict in release["gates"] if verdict["verdict"] == "refuse"]
    assert (result["ok"], result["exit_code"], refused[0]) == (False, code, gate)
    assert repository.head() == head
    with pytest.raises(CommandFailed, match=r"NAME_UNKNOWN|MANIFEST_UNKNOWN"):
        images.digest(f"{registry}/prod/acme/web:{TAG}")
