"""Overlays as files in memory, promoted as a promotion does it: edits, then their effect."""

from __future__ import annotations

from collections.abc import Mapping

from promote.model.digest import Digest
from promote.overlays.edits import plan_edits
from promote.overlays.effect import verified_effect
from promote.overlays.oracle import Builder
from promote.overlays.question import Effect, Question
from promote.overlays.sites import Fields, pins
from promote.overlays.target import Target
from promote.overlays.tree import Patched, Tree

NAMES = frozenset({"shop", "acme/shop", "reg.old/acme/shop", "reg.new/acme/shop"})
PULL = "reg.new/acme/shop"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"
OLD_TAG = "sha-89abcdef0123456789abcdef0123456789abcdef"
DIGEST = Digest("sha256", "b2" * 32)
OLD = f"sha256:{'a1' * 32}"
RELEASE = f"{PULL}:{TAG}@{DIGEST}"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers: [{name: wait, image: "busybox:1"}]
      containers:
      - {name: web, image: "shop:1"}
      - {name: side, image: "shopper:1"}
"""
FILE_OF_OVERLAY = "o/kustomization.yaml"
BASE = {"base/kustomization.yaml": "resources: [d.yaml]\n", "base/d.yaml": DEPLOYMENT}


class Files(dict[str, bytes]):
    """A tree of files by path."""

    @classmethod
    def of(cls, files: Mapping[str, str | bytes]) -> Files:
        """The tree of `files`, texts in UTF-8."""
        return cls({path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()})

    def read(self, path: str) -> bytes | None:
        """The file at `path`."""
        return self.get(path)


def overlay(kustomization: str | bytes, **files: str | bytes) -> Files:
    """A base with a Deployment, and the overlay `o` on it."""
    return Files.of({**BASE, FILE_OF_OVERLAY: kustomization, **files})


def promote(
    tree: Tree,
    directory: str = "o",
    pull: str | None = PULL,
    fields: Fields = (),
    builder: Builder | None = None,
    tag: str = TAG,
) -> tuple[dict[str, bytes], Effect]:
    """The files after the edits, and what they do; raises as a promotion would refuse."""
    made = plan_edits(tree, directory, NAMES, pull, tag, DIGEST, fields)
    files = {edit.path: edit.after for edit in made}
    question = Question(directory, NAMES, Target(pull, tag, DIGEST), fields, pins(tree, directory, NAMES, fields))
    return files, verified_effect(tree, Patched(tree, files), question, builder)
