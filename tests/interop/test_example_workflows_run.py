"""The example workflows for GitHub as they stand in examples/, run by nektos/act against real registries and cosign.

bot.yml opens pull requests: at `support.forge_server`, which serves the repository and stands in for GitHub's API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import gitops
from harness.actrun import TREE, Act, Workflow
from harness.gitops import GitOps
from harness.images import SOURCE, SPDX, Images, SignedImage
from harness.process import run
from harness.signing import Signer
from support.forge_server import TOKEN, ForgeServer, forge_server

EXAMPLES = TREE / "examples" / "workflows"
COMMIT = "56789abcdef0123456789abcdef0123456789abc"
OTHER = "6789abcdef0123456789abcdef0123456789abcd"


@dataclass(frozen=True)
class World:
    """A GitOps repository whose staging runs a signed image, and act."""

    act: Act
    repository: GitOps
    registry: str
    image: SignedImage

    @property
    def variables(self) -> dict[str, str]:
        return {"GITOPS": str(self.repository.origin), "CHECKED_OUT": "main"}

    def prod(self, branch: str = "main") -> str:
        """The overlay of prod as a branch has it."""
        return run(["git", "show", f"{branch}:overlays/prod/kustomization.yaml"], cwd=self.repository.origin)


@pytest.fixture
def world(
    tools: Mapping[str, Path],
    registries: Mapping[str, str],
    signers: Mapping[str, Signer],
    signed_image: Callable[..., SignedImage],
    tmp_path: Path,
) -> World:
    registry = f"{registries['ggcr']}/{tmp_path.name.replace('_', '-')}".lower()
    image = signed_image(registry, "staging/acme/web", COMMIT)
    repository = gitops.create(
        tmp_path,
        source=SOURCE,
        staging=f"{registry}/staging",
        prod=f"{registry}/prod",
        trust=signers["keyless"].trust(SOURCE),
        trust_files=signers["keyless"].trust_files(),
        tag=image.tag,
        digest=image.digest,
    )
    return World(Act(tools["act"], tmp_path), repository, registry, image)


def test_linter_finds_nothing(tools: Mapping[str, Path]) -> None:
    workflows = sorted((EXAMPLES / "github").glob("*.yml"))
    assert run([tools["actionlint"], *workflows], env={"HOME": "/nonexistent"}) == ""


def test_promotion_by_hand(world: World) -> None:
    workflow = EXAMPLES / "github" / "promote-by-hand.yml"
    inputs = {"promotion": "staging->prod", "release": world.image.tag[:12], "reason": "it is time", "dry-run": "false"}
    head = world.repository.head()
    dry = world.act.run(workflow, "workflow_dispatch", {"inputs": inputs | {"dry-run": "true"}}, world.variables)
    assert "**Dry run: this would be promoted**" in dry.summary
    assert world.repository.head() == head
    done = world.act.run(workflow, "workflow_dispatch", {"inputs": inputs}, world.variables)
    assert "**Promoted**" in done.summary
    assert f"- commit `{world.repository.head()}`" in done.summary
    assert f"digest: {world.image.digest}" in world.prod()
    refused = {"inputs": inputs | {"release": "latest"}}
    assert (
        "**Refused (exit 14" in world.act.run(workflow, "workflow_dispatch", refused, world.variables, code=1).summary
    )


def test_pull_request_is_judged_by_the_overlays_that_it_proposes(
    world: World, signed_image: Callable[..., SignedImage], images: Images
) -> None:
    workflow = EXAMPLES / "github" / "pull-request.yml"
    variables = {**world.variables, "CHECKED_OUT": "proposal"}
    payload = {"pull_request": {"base": {"ref": "main"}, "head": {"ref": "proposal"}}}
    good = signed_image(world.registry, "staging/acme/web", OTHER)
    _propose(world, good.tag, good.digest)
    assert good.digest in world.act.run(workflow, "pull_request", payload, variables).summary
    unsigned = images.build(f"{world.registry}/staging/acme/web:sha-{'7' * 40}", SOURCE, "7" * 40)
    _propose(world, f"sha-{'7' * 40}", unsigned)
    refused = world.act.run(workflow, "pull_request", payload, variables, code=1)
    assert "**Refused (exit 11" in refused.summary


def test_pull_request_cannot_say_whom_to_trust(world: World, images: Images) -> None:
    unsigned = images.build(f"{world.registry}/staging/acme/web:sha-{'8' * 40}", SOURCE, "8" * 40)
    without = "gates: {signature: off, sbom: off}\n"
    _propose(world, f"sha-{'8' * 40}", unsigned, without)
    payload = {"pull_request": {"base": {"ref": "main"}, "head": {"ref": "proposal"}}}
    variables = {**world.variables, "CHECKED_OUT": "proposal"}
    workflow = EXAMPLES / "github" / "pull-request.yml"
    assert "**Refused (exit 11" in world.act.run(workflow, "pull_request", payload, variables, code=1).summary


def _propose(world: World, tag: str, digest: str, more: str = "") -> None:
    """A branch whose staging would run `tag`, with `more` in its promote.yaml."""
    git = world.repository.git
    git("checkout", "--quiet", "-B", "proposal", "origin/main")
    overlay = world.repository.clone / "overlays/staging/kustomization.yaml"
    overlay.write_text(overlay.read_text().replace(world.image.tag, tag).replace(world.image.digest, digest))
    config = world.repository.clone / "promote.yaml"
    config.write_text(config.read_text() + more)
    git("commit", "--quiet", "--all", "--message=propose")
    git("push", "--quiet", "--force", "origin", "proposal")


def test_bot_opens_one_pull_request_and_leaves_it_at_that(world: World) -> None:
    with _github(world) as host:
        head = world.repository.head()
        first = _bot(world, host, "schedule", {"schedule": "17 * * * 1-5"})
        (request,) = host.requests
        url = f"{host.url.removesuffix('.git')}/pull/1"
        assert f"waiting for review at {url}" in first.log
        assert "**Proposed: waiting for merge**" in first.summary
        assert url in first.summary
        assert "```diff" in first.summary
        assert (request.base, request.state, world.repository.head()) == ("main", "open", head)
        assert "web" in request.title
        assert world.image.digest in request.body
        assert f"digest: {world.image.digest}" in world.prod(request.branch)

        again = _bot(world, host, "repository_dispatch", {"action": "built"})
        assert f"waiting for review at {url}" in again.log
        assert [(r.number, r.state, r.written) for r in host.requests] == [(1, "open", 1)]

        host.merge(request)
        done = _bot(world, host, "schedule", {})
        assert "waiting for review" not in done.log
        assert "**Nothing was changed.**" in done.summary
        assert (len(host.requests), host.complaints) == (1, [])
        assert set(host.authorizations) == {f"Bearer {TOKEN}"}
        assert TOKEN not in first.log + again.log + done.log


def test_bot_that_may_not_open_one_is_told_what_to_add(world: World) -> None:
    with _github(world) as host:
        host.accepted = set()
        refused = _bot(world, host, "schedule", {}, code=1)
        assert "pull-requests: write" in refused.summary
        assert "(exit 4" in refused.summary
        assert host.requests == []


@contextmanager
def _github(world: World) -> Iterator[ForgeServer]:
    """What serves the repository, and answers for GitHub's API."""
    served = world.repository.origin.parent / "deploy.git"
    served.symlink_to(world.repository.origin)
    with forge_server(served, "github") as host:
        yield host


def _bot(world: World, host: ForgeServer, event: str, payload: Mapping[str, Any], code: int = 0) -> Workflow:
    """A run of bot.yml at that GitHub."""
    github = {"GITHUB_SERVER_URL": host.origin, "GITHUB_API_URL": f"{host.origin}/api/v3"}
    github |= {"GITHUB_GRAPHQL_URL": f"{host.origin}/api/graphql", "GITOPS": host.url, "CHECKED_OUT": "main"}
    return world.act.run(EXAMPLES / "github" / "bot.yml", event, payload, github, token=TOKEN, code=code)


def test_build_signs_attests_and_promotes_to_prod(
    world: World, tools: Mapping[str, Path], signers: Mapping[str, Signer]
) -> None:
    """The whole of build-and-promote.yml with real cosign; `docker` is crane, and the registry that of the test."""
    project = world.repository.checkout(world.act.directory / "source")
    commit = run(["git", "rev-parse", "HEAD"], cwd=project)
    _three_environments(world)
    sbom = world.act.directory / "sbom.json"
    sbom.write_text(json.dumps(SPDX))
    path = _commands(world, tools, signers["keyless"], commit)
    workflow = EXAMPLES / "github" / "build-and-promote.yml"
    done = world.act.run(
        workflow, "push", {"ref": "refs/heads/main"}, {**world.variables, "SBOM": str(sbom)}, project=project, path=path
    )
    assert done.summary.count("**Promoted**") == 2
    said = run(["git", "log", "--format=%s", "-2", "main"], cwd=world.repository.origin)
    assert said.splitlines() == [line for line in said.splitlines() if f"web sha-{commit[:12]}" in line]
    assert f"newTag: sha-{commit}" in world.prod()
    Images(tools, world.act.directory).verify(
        f"{world.registry}/prod/acme/web:sha-{commit}", SOURCE, signers["keyless"]
    )


def _three_environments(world: World) -> None:
    config = world.repository.clone / "promote.yaml"
    value = yaml.safe_load(config.read_text())
    value["environments"]["build"] = {"registry": f"{world.registry}/ci"}
    value["environments"]["staging"]["from"] = ["build"]
    config.write_text(yaml.safe_dump(value, sort_keys=False))
    world.repository.git("commit", "--quiet", "--all", "--message=build first")
    world.repository.git("push", "--quiet", "origin", "HEAD:main")


def _commands(world: World, tools: Mapping[str, Path], signer: Signer, commit: str) -> str:
    """A directory with what the example calls `docker` and `cosign`: crane and cosign, with the test's registry."""
    directory = world.act.directory / "commands"
    directory.mkdir()
    image = f"{world.registry}/ci/acme/web"
    signing = " ".join(f"'{option}'" for option in signer.sign_options(SOURCE, commit))
    docker = f"""#!/bin/bash
set -euo pipefail
[ "$1" = buildx ] || exit 0
labels=()
while [ $# -gt 0 ]; do
  case $1 in --label) labels+=(--label="$2"); shift ;; --metadata-file) metadata=$2; shift ;; esac
  shift
done
labels=("${{labels[@]/*image.source=*/--label=org.opencontainers.image.source=https://github.com/{SOURCE}}}")
head -c 1000 /dev/zero > layer; tar -cf layer.tar layer
{tools["crane"]} append --oci-empty-base -f layer.tar -t {image}:sha-{commit} >&2
{tools["crane"]} mutate --set-platform=linux/amd64 "${{labels[@]}}" {image}:sha-{commit} -t {image}:sha-{commit} >&2
printf '{{"containerimage.digest": "%s"}}' "$({tools["crane"]} digest {image}:sha-{commit})" > "$metadata"
"""
    cosign = f"""#!/bin/bash
set -euo pipefail
verb=$1; shift
[ "$verb" != version ] || exec {tools["cosign"]} version
arguments=("${{@/ghcr.io\\/acme\\/ci\\/web/{image.replace("/", chr(92) + "/")}}}")
arguments=("${{arguments[@]/repo=*/repo={SOURCE.replace("/", chr(92) + "/")}}}")
arguments=("${{arguments[@]/commit=*/commit={commit}}}")
exec {tools["cosign"]} "$verb" {signing} "${{arguments[@]}}"
"""
    for name, script in (("docker", docker), ("cosign", cosign)):
        (directory / name).write_text(script)
        (directory / name).chmod(0o755)
    return str(directory)
