"""The GitHub action, run by nektos/act on this machine and without a container: one refusal, one promotion."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness import gitops
from harness.gitops import GitOps
from harness.images import SOURCE, Images, SignedImage
from harness.process import run
from harness.promote import nobody
from harness.signing import Signer

TREE = Path(__file__).parents[2]
WORKFLOW = Path(__file__).parent / "workflows" / "promote.yml"
COMMIT = "456789abcdef0123456789abcdef0123456789ab"


@dataclass(frozen=True, slots=True)
class Ran:
    """What is left of a run of the workflow.  `refusal` and `promotion` are the `steps` contexts of the two steps."""

    image: SignedImage
    registry: str
    repository: GitOps
    head_before: str
    refusal: dict[str, Any]
    promotion: dict[str, Any]


@pytest.fixture(scope="module")
def ran(
    tools: Mapping[str, Path],
    registries: Mapping[str, str],
    signers: Mapping[str, Signer],
    signed_image: Callable[..., SignedImage],
    tmp_path_factory: pytest.TempPathFactory,
) -> Ran:
    """The workflow, run once for all tests here."""
    directory, registry = tmp_path_factory.mktemp("action"), f"{registries['ggcr']}/action"
    image = signed_image(registry, "staging/acme/web", COMMIT)
    repository = gitops.create(
        directory,
        source=SOURCE,
        staging=f"{registry}/staging",
        prod=f"{registry}/prod",
        trust=signers["keyless"].trust(SOURCE),
        trust_files=signers["keyless"].trust_files(),
        tag=image.tag,
        digest=image.digest,
    )
    head = repository.head()
    _act(tools["act"], directory, {"GITOPS": str(repository.origin), "TAG": image.tag})
    refusal, promotion = (json.loads((directory / f"{name}.json").read_text()) for name in ("refusal", "promotion"))
    return Ran(image, registry, repository, head, refusal, promotion)


def _act(act: Path, directory: Path, variables: Mapping[str, str]) -> None:
    """Run the workflow on this machine itself, with HOME and OUTPUTS in `directory`; raises when it fails."""
    project = directory / "project"
    project.mkdir()
    shutil.copy(WORKFLOW, project)
    run(["git", "init", "--quiet", project])
    env = {"TREE": str(TREE), "OUTPUTS": str(directory), **variables}
    options = [part for name, value in env.items() for part in ("--env", f"{name}={value}")]
    offline = ["--platform=ubuntu-latest=-self-hosted", "--pull=false", "--action-offline-mode", "--no-cache-server"]
    caches = {"XDG_CACHE_HOME": str(directory / "cache"), "XDG_CONFIG_HOME": str(directory / "config")}
    run(
        [act, "push", f"--workflows={WORKFLOW.name}", *offline, *options],
        cwd=project,
        env={**nobody(directory), **caches},
    )


def test_floating_tag_fails_the_step(ran: Ran) -> None:
    assert (ran.refusal["outcome"], ran.refusal["outputs"]["exit-code"]) == ("failure", "14")
    assert (ran.refusal["outputs"]["changed"], ran.refusal["outputs"]["commit"]) == ("false", "")


def test_promotion_says_what_it_did(ran: Ran) -> None:
    outputs = ran.promotion["outputs"]
    assert (ran.promotion["outcome"], outputs["exit-code"], outputs["changed"]) == ("success", "0", "true")
    assert outputs["digest"] == ran.image.digest
    assert outputs["commit"] == ran.repository.head() != ran.head_before
    assert json.loads(outputs["result"])["schema"] == "promote.result/v1"


def test_promotion_is_one_commit_with_its_reason(ran: Ran, tmp_path: Path) -> None:
    fresh = ran.repository.checkout(tmp_path / "fresh")
    said = run(["git", "log", "--format=%B", f"{ran.head_before}..HEAD"], cwd=fresh)
    assert "the release train" in said
    assert run(["git", "rev-list", "--count", f"{ran.head_before}..HEAD"], cwd=fresh) == "1"


def test_image_is_verified_where_it_arrived(ran: Ran, images: Images, signers: Mapping[str, Signer]) -> None:
    target = f"{ran.registry}/prod/acme/web"
    assert images.digest(f"{target}:{ran.image.tag}") == ran.image.digest
    images.verify(f"{target}@{ran.image.digest}", SOURCE, signers["keyless"])
