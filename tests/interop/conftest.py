"""Fixtures of the interop tests: the real tools, a throw-away Sigstore, three real registries, signed images.

A missing tool fails the tests that need it; nothing here skips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from harness import tools as toolbox
from harness.containers import COMMIT, Base, Buildah, Container
from harness.images import SOURCE, Images, SignedImage
from harness.registries import REGISTRIES
from harness.signing import Key, Keyless, Signer
from harness.sigstore import stack
from harness.sigstore.rekor1 import rekor1
from harness.sigstore.stack import Sigstore
from harness.ways import Services


@pytest.fixture(scope="session")
def tools() -> Mapping[str, Path]:
    """The path of every tool by its name."""
    try:
        return toolbox.find()
    except FileNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def sigstore(tools: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sigstore]:
    """A running Sigstore of this test run alone."""
    with stack.sigstore(tools, tmp_path_factory.mktemp("sigstore")) as instance:
        yield instance


@pytest.fixture(scope="session")
def registries(tools: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """``host:port`` of distribution2, distribution3 and ggcr, all running."""
    with ExitStack() as running:
        yield {
            name: running.enter_context(start(tools, tmp_path_factory.mktemp(name)))
            for name, start in REGISTRIES.items()
        }


@pytest.fixture(scope="session")
def images(tools: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Images:
    """crane, cosign and regctl with an empty HOME."""
    return Images(tools, tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def signers(
    tools: Mapping[str, Path], sigstore: Sigstore, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Signer]:
    """Who signs, by how: "key" and "keyless"."""
    return {"key": Key.generate(tools, tmp_path_factory.mktemp("key") / "pair"), "keyless": Keyless(sigstore)}


@pytest.fixture(scope="session")
def services(tools: Mapping[str, Path], sigstore: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Services:
    """Where any `Way` without a Rekor v1 signs."""
    return Services.make(tools, sigstore, tmp_path_factory.mktemp("services"))


@pytest.fixture(scope="session")
def services_with_rekor1(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The same with a Rekor v1, which runs for as long; for tests marked `full`."""
    try:
        tools = toolbox.find_full()
    except FileNotFoundError as missing:
        pytest.fail(str(missing), pytrace=False)
    with rekor1(tools, services.sigstore, tmp_path_factory.mktemp("rekor1") / "log") as url:
        yield replace(services, rekor1=url)


@pytest.fixture(scope="session")
def signed_image(images: Images, signers: Mapping[str, Signer]) -> Callable[..., SignedImage]:
    """A function of registry, repository, commit and how ("keyless" or "key"): a new, signed, attested acme/web."""

    def make(registry: str, repository: str, commit: str, how: str = "keyless") -> SignedImage:
        return images.signed(registry, repository, SOURCE, commit, signers[how])

    return make


@pytest.fixture(scope="session")
def buildah(tools: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """buildah with a storage of its own."""
    with Buildah(tools["buildah"], tmp_path_factory.mktemp("buildah")).emptied() as empty:
        yield empty


@pytest.fixture(scope="session")
def base(tools: Mapping[str, Path], registries: Mapping[str, str]) -> Base:
    """The Debian that promote's image is built upon here."""
    return Base.push(tools, registries["ggcr"])


@pytest.fixture(scope="session")
def image(buildah: Buildah, base: Base) -> str:
    """promote's image, built from this tree as of `harness.containers.COMMIT`: its name in `buildah`."""
    arguments = {"BASE_NAME": base.name, "BASE_DIGEST": base.digest, "REVISION": COMMIT}
    buildah.build(Path(__file__).parents[2], "promote", arguments)
    return "promote"


@pytest.fixture
def container(buildah: Buildah, image: str) -> Iterator[Container]:
    """A container of that image."""
    with buildah.container(image) as started:
        yield started
