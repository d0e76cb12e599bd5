# ruff: noqa: E501, ISC004  what is edited reads best on one line
"""What real kustomize makes of an edited overlay: the image by tag and digest, and nothing else changed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from promote.errors import Refusal
from promote.model.digest import Digest
from promote.overlays.edits import plan_edits
from promote.overlays.effect import check_effect

NAMES = frozenset({"shop", "acme/shop", "reg.old/acme/shop", "localhost:5000/acme/shop"})
PULL = "localhost:5000/acme/shop"
DIGEST = Digest("sha256", "b2" * 32)
OLD = f"sha256:{'a1' * 32}"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"
BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers: [{name: wait, image: "busybox:1"}]
      containers:
      - {name: web, image: shop}
      - {name: side, image: "shopper:1"}
"""
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {initContainers: [{name: migrate, image: "reg.old/acme/shop:v1"}]}}}
"""


class Directory:
    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes | None:
        file = self.root / path
        return file.read_bytes() if file.is_file() else None


@pytest.fixture(scope="session")
def kustomize(tools: Mapping[str, Path]) -> str:
    return str(tools["kustomize"])


def build(kustomize: str, directory: Path) -> str:
    done = subprocess.run([kustomize, "build", str(directory)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def images(rendered: str) -> list[str]:
    return re.findall(r"image: ['\"]?([^'\"\s]+)", rendered)


def write(root: Path, kustomization: str | bytes, **files: str) -> Directory:
    every = {"base/kustomization.yaml": "resources: [d.yaml]\n", "base/d.yaml": BASE, "o/p.yaml": PATCH, **files}
    for path, content in {**every, "o/kustomization.yaml": kustomization}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    return Directory(root)


def promoted(kustomize: str, tree: Directory, tag: str = TAG) -> tuple[str, str]:
    """What the overlay renders before and after the edit; the effect is checked in between."""
    before = build(kustomize, tree.root / "o")
    for edit in plan_edits(tree, "o", NAMES, PULL, tag, DIGEST):
        (tree.root / edit.path).write_bytes(edit.after)
    check_effect(tree, "o", NAMES)
    return before, build(kustomize, tree.root / "o")


BLOCK = (
    f"resources:\n- ../base\nimages:\n- name: shop # c\n  newName: reg.old/acme/shop\n  newTag: v1\n  digest: {OLD}\n"
)
VARIANTS = {
    "all keys": BLOCK,
    "crlf": BLOCK.replace("\n", "\r\n"),
    "byte-order mark, no final newline": "\ufeff" + BLOCK.rstrip("\n"),
    "single quotes": re.sub(r": (\S+)(?= #|\n)", r": '\1'", BLOCK),
    "name only": "resources: [../base]\nimages:\n    - name: shop   # c\n",
    "name only, no final newline": "resources: [../base]\nimages:\n-   name: shop",
    "tag only": "resources: [../base]\nimages:\n- newTag: v1\n  name: shop\n",
    "digest only": f"resources: [../base]\nimages:\n- name: shop\n  digest: {OLD}\n",
    "flow": "resources: [../base]\nimages: [{name: shop, newTag: v1}, {name: busybox, newTag: '2'}]\n",
    "flow, empty values": "resources: [../base]\nimages: [{name: shop, newTag: , digest: , }]\n",
    "json": '{"resources":["../base"],"images":[{"name":"shop","newTag":"v1"}]}',
    "json over several lines": '{\n  "resources": ["../base"],\n  "images": [\n    {\n      "name": "shop"\n    }\n  ]\n}\n',
    "keys in other cases": "Resources: [../base]\nImages:\n- Name: shop\n  newtag: v1\n",
    "imageTags": "resources: [../base]\nimageTags:\n- name: shop\n  newTag: v1\n",
    "null, empty and folded": "resources: [../base]\nimages:\n- name: shop\n  newName: ~\n  newTag:\n  digest: >-\n    sha256:00\n",
    "tag and digest in newTag": f"resources: [../base]\nimages:\n- name: shop\n  newTag: v1@{OLD}\n",
    "yaml tags and an unused anchor": "resources: [../base]\nimages:\n- name: shop\n  newTag: &unused !!str 12\n",
    "tag suffix": "resources: [../base]\nimages:\n- name: shop\n  newTag: v1\n  tagSuffix: -x\n",
    "chained entries": "resources: [../base]\nimages:\n- {name: shop, newName: acme/shop}\n- {name: acme/shop, newTag: v1}\n",
    "another entry and comments": f"# é\n{BLOCK}# between\n- name: busybox\n  newTag: '2'\n\n# end\n",
    "placeholder in a file of its own": "resources: [d.yaml]\nimages: [{name: shop, newTag: v1}]\n",
}


@pytest.mark.parametrize("name", VARIANTS)
def test_an_edited_entry_renders_the_release_and_leaves_the_rest(name, kustomize, tmp_path):
    tree = write(tmp_path, VARIANTS[name], **{"o/d.yaml": BASE})
    before, after = promoted(kustomize, tree)
    (old,) = [image for image in images(before) if "shop" in image and "shopper" not in image]
    assert images(after).count(f"{PULL}:{TAG}@{DIGEST}") == 1
    assert after.replace(f"image: {PULL}:{TAG}@{DIGEST}", f"image: {old}") == before


def test_entries_and_patches_render_the_release_everywhere(kustomize, tmp_path):
    tree = write(tmp_path, BLOCK + "patches: [{path: p.yaml}]\n")
    _, after = promoted(kustomize, tree)
    assert sorted(images(after)) == sorted(["busybox:1", "shopper:1", *[f"{PULL}:{TAG}@{DIGEST}"] * 2])


@pytest.mark.parametrize(
    "patch",
    [
        "  - op: replace\n      path: /spec/template/spec/containers/0/image\n      value: reg.old/acme/shop:v1  # k\n",
        "  apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n"
        "    spec: {template: {spec: {containers: [{name: web, image: 'acme/shop'}]}}}\n",
    ],
)
def test_patches_written_in_place_render_the_release(patch, kustomize, tmp_path):
    tree = write(tmp_path, f"resources: [../base]\npatches:\n- target: {{kind: Deployment}}\n  patch: |-\n  {patch}")
    _, after = promoted(kustomize, tree)
    assert images(after).count(f"{PULL}:{TAG}@{DIGEST}") == 1
    assert "shop" not in images(after)


@pytest.mark.parametrize(
    "tag", ["12345678", "553640e6", "0189456", "0x12", "1_000", "1.10", "on", "null", "2024-01-01", "y", "0b1"]
)
def test_tags_that_look_like_something_else_render_as_they_are(tag, kustomize, tmp_path):
    _, after = promoted(kustomize, write(tmp_path, BLOCK), tag)
    assert images(after).count(f"{PULL}:{tag}@{DIGEST}") == 1


def test_an_entry_that_promote_calls_without_effect_has_none(kustomize, tmp_path):
    renamed = {"base/kustomization.yaml": "resources: [d.yaml]\nimages: [{name: shop, newName: reg.old/acme/shop}]\n"}
    tree = write(tmp_path, "resources: [../base]\nimages: [{name: shop, newTag: v1}]\n", **renamed)
    assert "reg.old/acme/shop" in images(build(kustomize, tmp_path / "o"))
    with pytest.raises(Refusal) as caught:
        check_effect(tree, "o", NAMES)
    assert caught.value.code == "no-effect"


@pytest.mark.parametrize("environment", ["base", "staging", "prod"])
def test_the_examples_build(environment, kustomize):
    rendered = build(kustomize, Path(__file__).parents[2] / "examples" / "overlays" / environment)
    assert {"base": 1, "staging": 1, "prod": 2}[environment] == len(images(rendered))
    assert environment == "base" or all(f"registry.{environment}.example/acme/shop:sha-" in i for i in images(rendered))
