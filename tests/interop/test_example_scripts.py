"""The scripts of the GitLab, Tekton and Argo examples, in promote's own image and as its own user.

Each has what its system gives it: directories that belong to root, variables, the shell, credentials.  The GitOps
repository is behind HTTP that wants a token, or behind a real sshd.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import gitops
from harness.containers import Container
from harness.gitops import GitOps
from harness.images import SOURCE, Images, SignedImage
from harness.process import free_port, run
from harness.signing import Signer
from support.git_servers import HttpServer, SshServer, git_over_http, git_over_ssh

EXAMPLES = Path(__file__).parents[2] / "examples" / "workflows"
COMMIT = "56789abcdef0123456789abcdef0123456789abc"
OTHER = "6789abcdef0123456789abcdef0123456789abcd"
REASON = "a 'reason' \"$(touch pwned)\" `touch pwned`"
NOBODY = 65532


@dataclass(frozen=True)
class World:
    """A GitOps repository whose staging runs a signed image, and promote's image."""

    container: Container
    repository: GitOps
    registry: str
    image: SignedImage
    directory: Path

    def shared(self, name: str) -> Path:
        """A directory of root's that everybody may write to, as a volume or a runner's build directory is."""
        place = self.directory / name
        place.mkdir()
        place.chmod(0o777)
        return place

    def run(self, argv: list[str], variables: Mapping[str, str], mounts: Mapping[Path, str], **more: Any) -> str:
        """A script of an example in the image, with what it is given."""
        given = [f"{name}={value}" for name, value in variables.items()]
        return self.container.run("env", *given, *argv, volumes=mounts, **more)

    def prod(self) -> str:
        """The overlay of prod as main has it."""
        return run(["git", "show", "main:overlays/prod/kustomization.yaml"], cwd=self.repository.origin)


@pytest.fixture
def world(
    container: Container,
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
    run(["git", "config", "http.receivepack", "true"], cwd=repository.origin)
    return World(container, repository, registry, image, tmp_path)


@pytest.fixture
def http(world: World) -> Iterator[HttpServer]:
    """The repository at origin.git, for whoever has a token; which one, a test says."""
    with git_over_http(world.repository.origin.parent) as server:
        yield server


@pytest.fixture
def ssh(world: World, tools: Mapping[str, Path]) -> Iterator[SshServer]:
    with git_over_ssh(tools["sshd"], world.directory / "ssh", free_port()) as server:
        yield server


def only(user: str, token: str) -> str:
    """The one Authorization header that is let in."""
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


# -- GitLab CI


def gitlab(world: World, http: HttpServer, job: str, code: int, **variables: str) -> Path:
    """Run a job as GitLab's runner does: bash, in a checkout of root's, with a git configuration of the runner's own.

    That one would answer for git with the token of the job, which is not let in to push.
    """
    builds = world.shared("builds")
    world.repository.checkout(builds / "deploy").chmod(0o777)
    runner = builds / "runner.gitconfig"
    runner.write_text(
        '[credential]\n\thelper = "!f() { echo username=gitlab-ci-token; echo password=of-the-job; }; f"\n'
    )
    runner.chmod(0o644)
    pipeline = yaml.safe_load((EXAMPLES / "gitlab" / ".gitlab-ci.yml").read_text())
    script = "\n".join([*pipeline[".promote"]["before_script"], *pipeline[job]["script"]])
    given = {
        "CI_PROJECT_DIR": "/builds/deploy",
        "CI_SERVER_URL": f"http://{http.address}",
        "CI_SERVER_HOST": "127.0.0.1",
        "CI_PROJECT_PATH": "origin",
        "CI_JOB_TOKEN": "of-the-job",
        "PROMOTE_PUSH_TOKEN": "of-the-project",
        "DOCKER_AUTH_CONFIG": "{}",
        "GIT_CONFIG_GLOBAL": "/builds/runner.gitconfig",
        **{name: value for name, value in pipeline["variables"].items() if name != "GIT_STRATEGY"},
        **variables,
    }
    argv = ["bash", "-c", f"set -eo pipefail\n{script}"]
    world.run(argv, given, {builds: "/builds"}, directory="/builds/deploy", code=code)
    return builds / "deploy"


def test_gitlab_promotes_with_the_token_of_the_project(world: World, http: HttpServer) -> None:
    http.expected = only("promote", "of-the-project")
    checkout = gitlab(world, http, "promote to prod", 0, RELEASE=world.image.tag, REASON=REASON)
    result = json.loads((checkout / "promote.json").read_text())
    assert (result["ok"], result["commit"]["id"]) == (True, world.repository.head())
    assert (checkout / "promote.env").read_text() == "PROMOTE_EXIT_CODE=0\n"
    assert f"digest: {world.image.digest}" in world.prod()
    said = run(["git", "log", "-1", "--format=%an <%ae>%n%B", "main"], cwd=world.repository.origin)
    assert said.splitlines()[0] == "promote <promote@127.0.0.1>"
    assert "touch pwned" in said
    assert list(checkout.parent.rglob("pwned")) == []
    assert sorted(path.name for path in checkout.parent.iterdir()) == ["deploy", "runner.gitconfig"]


def test_gitlab_refuses_with_the_code_and_the_result(world: World, http: HttpServer) -> None:
    http.expected = only("promote", "of-the-project")
    checkout = gitlab(world, http, "promote to prod", 14, RELEASE="latest")
    assert json.loads((checkout / "promote.json").read_text())["error"]["code"] == "floating-tag"
    assert (checkout / "promote.env").read_text() == "PROMOTE_EXIT_CODE=14\n"


@pytest.mark.parametrize(("signed", "code"), [(True, 0), (False, 11)])
def test_gitlab_judges_what_a_merge_request_proposes_by_what_the_branch_trusts(
    world: World, http: HttpServer, images: Images, signed_image: Callable[..., SignedImage], signed: bool, code: int
) -> None:
    http.expected = only("gitlab-ci-token", "of-the-job")
    tag, repository = f"sha-{OTHER}", f"{world.registry}/staging/acme/web"
    if signed:
        digest = signed_image(world.registry, "staging/acme/web", OTHER).digest
    else:
        digest = images.build(f"{repository}:{tag}", SOURCE, OTHER)
    variables = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_COMMIT_SHA": proposal(world, tag, digest)}
    gitlab(world, http, "verify staging", code, **variables)


def proposal(world: World, tag: str, digest: str) -> str:
    """The commit of a branch whose staging would run `tag`, and that would trust everybody."""
    git = world.repository.git
    git("checkout", "--quiet", "-B", "proposal", "origin/main")
    overlay = world.repository.clone / "overlays/staging/kustomization.yaml"
    overlay.write_text(overlay.read_text().replace(world.image.tag, tag).replace(world.image.digest, digest))
    config = world.repository.clone / "promote.yaml"
    config.write_text(config.read_text() + "gates: {signature: off, sbom: off}\n")
    git("commit", "--quiet", "--all", "--message=propose")
    git("push", "--quiet", "--force", "origin", "proposal")
    return git("rev-parse", "HEAD")


# -- Tekton


def test_tekton_judges_and_then_promotes(world: World, http: HttpServer) -> None:
    """The credentials are where Tekton puts those of the ServiceAccount: in the home of the image's user."""
    http.expected = only("bot", "s3cret")
    task, pipeline = yaml.safe_load_all((EXAMPLES / "tekton" / "promote.yaml").read_text())
    (step,) = task["spec"]["steps"]
    assert step["script"].startswith("#!/bin/sh\n")
    home = world.container.root() / "home/promote"
    (home / ".gitconfig").write_text(f'[credential "http://{http.address}"]\n\thelper = store\n')
    (home / ".git-credentials").write_text(f"http://bot:s3cret@{http.address}\n")
    given = {"image": "", "repository": http.url("origin.git"), "promotion": "staging->prod", "reason": REASON}
    results = world.shared("results")
    head = world.repository.head()
    for part in pipeline["spec"]["tasks"]:
        asked = {param["name"]: param["value"] for param in part["params"]}
        values = {**{name: given.get(name, "") for name in asked}, "mode": asked["mode"]}
        variables = {
            "HOME": "/home/promote",
            **{item["name"]: substituted(item["value"], values) for item in step["env"]},
        }
        world.run(["sh", "-c", step["script"], "script", world.image.tag], variables, {results: "/tekton/results"})
        assert (results / "digest").read_text() == f"web={world.image.digest}"
        if part["name"] == "judge":
            assert (world.repository.head(), (results / "commit").read_text()) == (head, "")
    assert (results / "commit").read_text() == world.repository.head() != head
    assert list(world.container.root().rglob("repo/pwned")) == []
    again = {**variables, "MODE": "--require-change"}
    world.run(["sh", "-c", step["script"], "script"], again, {results: "/tekton/results"}, code=6)
    world.run(["sh", "-c", step["script"], "script"], again | {"MODE": "-q"}, {results: "/tekton/results"}, code=2)


def substituted(value: str, values: Mapping[str, str]) -> str:
    """A value of the step's environment, with what stands for parameters and results in it."""
    kind, name = value.removeprefix("$(").removesuffix(")").split(".")[:2]
    return values[name] if kind == "params" else f"/tekton/results/{name}"


# -- Argo Workflows


def test_argo_judges_waits_and_promotes_over_ssh(world: World, ssh: SshServer) -> None:
    spec = yaml.safe_load((EXAMPLES / "argo" / "promote.yaml").read_text())["spec"]
    templates = {template["name"]: template for template in spec["templates"]}
    script = templates["promote"]["script"]
    secret = world.directory / "secret"
    secret.mkdir()
    (secret / "config.json").write_text("{}")
    (secret / "id_ed25519").write_bytes((ssh.directory / "deploy").read_bytes())
    (secret / "known_hosts").write_bytes((ssh.directory / "known_hosts").read_bytes())
    for path in secret.iterdir():  # as Kubernetes does for defaultMode 0400 with an fsGroup
        path.chmod(0o440)
        run(["chgrp", str(NOBODY), path])
    assert spec["volumes"][0]["secret"]["defaultMode"] == 0o400
    assert spec["securityContext"]["fsGroup"] == NOBODY
    values = {"repository": ssh.url(world.repository.origin), "promotion": "staging->prod"}
    values |= {"release": world.image.tag, "reason": REASON}
    head = world.repository.head()
    codes = []
    for step in (step for group in templates["main"]["steps"] for step in group if step["template"] == "promote"):
        (mode,) = (p["value"] for p in step["arguments"]["parameters"] if p["name"] == "mode")
        given = {item["name"]: filled(item["value"], {**values, "mode": mode}) for item in script["env"]}
        argv = [*script["command"], "-c", script["source"]]
        printed = world.run(argv, given, {secret: "/credentials"})
        codes.append(json.loads(printed)["exit_code"])
        assert (world.repository.head() == head) is (mode == "--dry-run")
    assert codes == [0, 0]
    assert f"digest: {world.image.digest}" in world.prod()
    again = json.loads(world.run(argv, given, {secret: "/credentials"}, code=6))
    assert again["error"]["code"] == "nothing-changed"
    assert list((world.container.root() / "repo").iterdir()) == []


def filled(value: str, values: Mapping[str, str]) -> str:
    """A value of the script's environment, with what stands for parameters in it."""
    for name, text in values.items():
        for scope in ("workflow", "inputs"):
            value = value.replace(f"{{{{{scope}.parameters.{name}}}}}", text)
    return value
