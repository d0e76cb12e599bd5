"""A GitOps repository with one app, staging and prod: a bare repository, and a clone of it to work in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from harness.process import run

PULL_STAGING = "registry.staging.example"
PULL_PROD = "registry.prod.example"
RUNS_BEFORE = ("sha-" + "0" * 40, "sha256:" + "0" * 64)
"""What prod runs before anything was promoted: a commit tag and a digest."""

GIT_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_NAME": "interop" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "interop@acme.example" for who in ("AUTHOR", "COMMITTER")},
}

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: web
"""

OVERLAY = """\
# What {environment} runs.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../base
images:
  - name: web
    newName: {pull}/acme/web
    newTag: {tag}  # written by promote
    digest: {digest}
"""


@dataclass(frozen=True, slots=True)
class GitOps:
    """`origin` is the bare repository that everybody pushes to, `clone` a clone with nothing left to commit."""

    origin: Path
    clone: Path

    def git(self, *arguments: str) -> str:
        """git in the clone."""
        return run(["git", *arguments], cwd=self.clone, env=GIT_ENV)

    def head(self) -> str:
        """The commit of main at the origin."""
        return run(["git", "rev-parse", "main"], cwd=self.origin, env=GIT_ENV)

    def checkout(self, directory: Path) -> Path:
        """A fresh clone of what is at the origin now, as another machine would see it."""
        run(["git", "clone", "--quiet", self.origin, directory], env=GIT_ENV)
        return directory


def create(
    directory: Path,
    *,
    source: str,
    staging: str,
    prod: str,
    trust: Mapping[str, object],
    trust_files: Mapping[str, bytes],
    tag: str,
    digest: str,
) -> GitOps:
    """A repository whose staging runs `tag` at `digest`.

    `staging` and `prod` are registries as promote.yaml says them (``host[:port][/prefix]`` or ``oci:DIRECTORY``),
    `source` is ``owner/name`` of the app's source repository.
    """
    origin, clone = directory / "origin.git", directory / "clone"
    run(["git", "init", "--quiet", "--bare", "--initial-branch=main", origin], env=GIT_ENV)
    run(["git", "clone", "--quiet", origin, clone], env=GIT_ENV)
    configuration = {
        "version": 1,
        "apps": {"web": {"image": "acme/web", "names": ["web"], "source": f"https://github.com/{source}"}},
        "environments": {
            "staging": {"registry": staging, "pull": PULL_STAGING, "overlays": ["overlays/staging"]},
            "prod": {"from": ["staging"], "registry": prod, "pull": PULL_PROD, "overlays": ["overlays/prod"]},
        },
        "trust": dict(trust),
        "git": {"branch": "main"},
    }
    before_tag, before_digest = RUNS_BEFORE
    files = {
        "promote.yaml": yaml.safe_dump(configuration, sort_keys=False).encode(),
        "overlays/base/kustomization.yaml": b"resources: [deployment.yaml]\n",
        "overlays/base/deployment.yaml": DEPLOYMENT.encode(),
        "overlays/staging/kustomization.yaml": _overlay("staging", PULL_STAGING, tag, digest),
        "overlays/prod/kustomization.yaml": _overlay("prod", PULL_PROD, before_tag, before_digest),
        **trust_files,
    }
    for name, content in files.items():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_bytes(content)
    gitops = GitOps(origin, clone)
    gitops.git("add", "--all")
    gitops.git("commit", "--quiet", "--message=Deploy to staging")
    gitops.git("push", "--quiet", "origin", "HEAD:main")
    return gitops


def _overlay(environment: str, pull: str, tag: str, digest: str) -> bytes:
    return OVERLAY.format(environment=environment, pull=pull, tag=tag, digest=digest).encode()
