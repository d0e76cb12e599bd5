"""From every kind of registry to every other: what cosign, crane and kustomize say of a promotion afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from harness import gitops
from harness.images import SOURCE, Images, SignedImage
from harness.process import run
from harness.promote import promote
from harness.signing import Signer

PLACES = ("distribution2", "distribution3", "ggcr", "layout")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
IMAGE = "acme/web"


@dataclass(frozen=True, slots=True)
class Source:
    """A registry as promote.yaml says it, and the image in it."""

    registry: str
    image: SignedImage


@pytest.fixture(scope="session")
def sources(
    registries: Mapping[str, str],
    images: Images,
    signed_image: Callable[..., SignedImage],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, str], Source]:
    """A function of place and how: the signed image there.  Made once for all tests, which only read it."""
    made: dict[tuple[str, str], Source] = {}

    def make(place: str, how: str) -> Source:
        host = registries.get(place, registries["ggcr"])
        image = signed_image(host, f"source/{place}/{how}/{IMAGE}", COMMIT, how)
        if place != "layout":
            return Source(f"{host}/source/{place}/{how}", image)
        directory = tmp_path_factory.mktemp("source")
        images.copy(f"{image.repository}:{image.tag}", f"ocidir://{directory}/{IMAGE}:{image.tag}")
        return Source(f"oci:{directory}", image)

    def get(place: str, how: str) -> Source:
        if (place, how) not in made:
            made[place, how] = make(place, how)
        return made[place, how]

    return get


@pytest.fixture
def targets(registries: Mapping[str, str], tmp_path: Path, images: Images) -> Callable[[str], tuple[str, str]]:
    """A function of place: an empty registry there as promote.yaml says it, and a place to look at it with cosign."""
    number = next(_NUMBERS)

    def make(place: str) -> tuple[str, str]:
        if place == "layout":
            return f"oci:{tmp_path}/target", f"{registries['ggcr']}/check/{number}"
        return f"{registries[place]}/target/{number}", f"{registries[place]}/target/{number}"

    return make


_NUMBERS = count()


@pytest.mark.parametrize("how", ["key", "keyless"])
@pytest.mark.parametrize("target_place", PLACES)
@pytest.mark.parametrize("source_place", PLACES)
def test_promoted_image_arrives_with_its_evidence(
    source_place: str,
    target_place: str,
    how: str,
    sources: Callable[[str, str], Source],
    targets: Callable[[str], tuple[str, str]],
    signers: Mapping[str, Signer],
    images: Images,
    tools: Mapping[str, Path],
    tmp_path: Path,
) -> None:
    source = sources(source_place, how)
    registry, seen = targets(target_place)
    image, signer = source.image, signers[how]
    repository = gitops.create(
        tmp_path,
        source=SOURCE,
        staging=source.registry,
        prod=registry,
        trust=signer.trust(SOURCE),
        trust_files=signer.trust_files(),
        tag=image.tag,
        digest=image.digest,
    )
    before = repository.head()

    result = promote(repository.clone, "staging->prod", image.tag, home=tmp_path)

    (release,) = result["releases"]
    assert (result["ok"], release["digest"], release["changed"]) == (True, image.digest, True)
    assert {gate["gate"]: gate["verdict"] for gate in release["gates"] if gate["verdict"] not in ("pass", "skip")} == {}
    if target_place == "layout":
        images.copy(f"ocidir://{tmp_path}/target/{IMAGE}:{image.tag}", f"{seen}/{IMAGE}:{image.tag}")
    assert images.digest(f"{seen}/{IMAGE}:{image.tag}") == image.digest
    images.verify(f"{seen}/{IMAGE}@{image.digest}", SOURCE, signer)
    assert repository.head() == result["commit"]["id"] != before
    rendered = run([tools["kustomize"], "build", repository.checkout(tmp_path / "fresh") / "overlays/prod"])
    assert f"image: {gitops.PULL_PROD}/{IMAGE}:{image.tag}@{image.digest}" in rendered

    again = promote(repository.clone, "staging->prod", image.tag, home=tmp_path)

    assert [(r["changed"], [c["blobs_copied"] for c in r["copies"]]) for r in again["releases"]] in (
        [(False, [])],
        [(False, [0])],
    )
    assert repository.head() == result["commit"]["id"]
