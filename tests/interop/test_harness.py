"""That the harness can say no: without this, `cosign verify` in the other tests would prove nothing."""

from __future__ import annotations

import pytest
from harness.process import CommandFailed

COMMIT = "5" * 40
OTHERS = {"key": "keyless", "keyless": "key"}


@pytest.mark.parametrize("how", ["key", "keyless"])
@pytest.mark.parametrize("place", ["distribution2", "distribution3", "ggcr"])
def test_cosign_accepts_its_signer_and_nobody_else(registries, images, signers, signed_image, how, place):
    image = signed_image(registries[place], f"harness/{how}", COMMIT, how)
    reference = f"{image.repository}@{image.digest}"
    images.verify(reference, "acme/web", signers[how])
    with pytest.raises(CommandFailed, match=r"cosign verify "):
        images.verify(reference, "acme/web", signers[OTHERS[how]])


def test_cosign_refuses_an_identity_of_another_repository(registries, images, signers, signed_image):
    image = signed_image(registries["ggcr"], "harness/identity", COMMIT)
    with pytest.raises(CommandFailed, match="no matching CertificateIdentity found"):
        images.verify(f"{image.repository}@{image.digest}", "acme/shop", signers["keyless"])


def test_cosign_refuses_an_image_without_evidence(registries, images, signers):
    repository = f"{registries['ggcr']}/harness/unsigned"
    digest = images.build(f"{repository}:latest", "acme/web", COMMIT)
    with pytest.raises(CommandFailed, match="no signatures found"):
        images.verify(f"{repository}@{digest}", "acme/web", signers["keyless"])
