# ruff: noqa: E501  files read best on one line
"""An image that no rule finds is pointed at, with the entry of `fields` that would find it."""

import pytest
import yaml
from support.overlay_files import NAMES, Files, promote

from promote.config.fields import steps
from promote.errors import Refusal
from promote.model.environment import ImageField
from promote.overlays.elsewhere import Mention, mention
from promote.overlays.reader import Finder

TASK = """\
kind: Task
metadata: {name: t, annotations: {build.example/image: other}}
spec:
  steps:
  - {name: one, image: busybox}
  - {name: two, image: "acme/shop:1"}
"""


def found(content, file="task.yaml"):
    tree = Files.of({"o/kustomization.yaml": f"resources: [{file}]\n", f"o/{file}": content})
    return mention(tree, Finder(), "o", NAMES)


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (TASK, "spec.steps[1].image"),
        ("kind: Shop\nspec: {image: shop}\n", "spec.image"),
        ("kind: Shop\nspec: {busyImage: {repository: acme/shop, tag: v1}}\n", "spec.busyImage"),
        ("kind: A\n---\nkind: Shop\nmetadata: {annotations: {'x.example/[i]': 'shop:1'}}\n", r"metadata.annotations.x\.example/\[i\]"),
    ],
)  # fmt: skip
def test_the_first_value_that_names_the_image_is_pointed_at(content, path):
    there = found(content)
    assert (there.file, there.path) == ("o/task.yaml", path)
    written = yaml.safe_load(there.field("o"))
    assert written == {"file": "task.yaml", "path": path}
    assert steps(written["path"]) is not None


@pytest.mark.parametrize("content", ["kind: Shop\nspec: {image: shopper}\n", "kind: Shop\nspec: {a: 'run shop:1'}\n", "kind: Shop\nmetadata: {name: shop, labels: {shop: shop}}\n", "shop: [a", "shop"])  # fmt: skip
def test_what_names_it_in_passing_or_cannot_be_read_is_not(content):
    assert found(content) is None


def test_the_refusal_names_the_place_and_the_field_that_helps():
    tree = Files.of({"o/kustomization.yaml": "resources: [task.yaml]\n", "o/task.yaml": TASK})
    with pytest.raises(Refusal) as caught:
        promote(tree)
    assert caught.value.code == "no-overlay"
    assert caught.value.message.endswith("; o/task.yaml:6 names it where no rule looks, at spec.steps[1].image")
    assert "{file: task.yaml, path: 'spec.steps[1].image'}" in caught.value.hint
    field = ImageField("task.yaml", steps("spec.steps[1].image"))
    assert b"b2b2" in promote(tree, fields=[field])[0]["o/task.yaml"]


def test_a_field_is_relative_to_its_overlay():
    assert Mention("a/b/c.yaml", 1, "x").field("a/b") == "{file: c.yaml, path: 'x'}"
    assert Mention("c.yaml", 1, "x").field("") == "{file: c.yaml, path: 'x'}"
