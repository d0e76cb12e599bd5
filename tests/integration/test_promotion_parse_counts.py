"""One promotion parses each content once, however often it looks: before, after, and again for the commit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from support.overlay_files import DEPLOYMENT, DIGEST, OLD, OLD_TAG, TAG, Files

from promote.config.load import load
from promote.errors import Refusal
from promote.model.digest import Digest
from promote.model.release import Release
from promote.overlays import parsed
from promote.overlays.oracle import Builder
from promote.overlays.parsed import Parsed
from promote.overlays.reader import Finder, Locator
from promote.overlays.render import render
from promote.overlays.sites import sites
from promote.promotion import edits

CONFIGURATION = """\
version: 1
apps: {shop: {image: acme/shop, names: [shop]}}
environments:
  staging: {registry: a.example, overlays: [staging]}
  prod: {registry: b.example, from: [staging], overlays: [prod]}
"""
OVERLAY = f"resources: [../base]\nimages:\n- name: shop\n  newTag: {OLD_TAG}\n  digest: {OLD}\n"
TREE = Files.of(
    {
        "base/kustomization.yaml": "resources: [d.yaml]\n",
        "base/d.yaml": DEPLOYMENT,
        "staging/kustomization.yaml": f"# staging\n{OVERLAY}",
        "prod/kustomization.yaml": OVERLAY,
    }
)


@pytest.fixture
def parses(monkeypatch):
    """How often each reader parsed each content."""
    counts = {Finder: Counter(), Locator: Counter()}
    for reader, count in counts.items():
        whole = reader.documents

        def counting(self, file, content, whole=whole, count=count):
            count[content] += 1
            return whole(self, file, content)

        monkeypatch.setattr(reader, "documents", counting)
    return counts


@pytest.fixture
def scene(tmp_path):
    (tmp_path / "promote.yaml").write_text(CONFIGURATION)
    configuration = load(tmp_path / "promote.yaml")
    return edits.Scene(configuration, configuration.environments["prod"], TREE, "")


def test_every_content_is_parsed_once_by_each_reader(scene, parses):
    app = scene.configuration.apps["shop"]
    after = {}
    for digest in (Digest("sha256", "0" * 64), DIGEST):  # whether it can be edited at all, then the edit
        release = Release(app, TAG, digest)
        made = edits.of_release(scene, release)
        edits.screen(scene, release, made, None)
        assert len(edits.effects(scene, release, made)) == 1
        after |= {edit.path: edit.after for edit in made}
    committed = edits.Scene(scene.configuration, scene.target, Files(TREE), "", scene.parsed)
    assert edits.of_releases(committed, [Release(app, TAG, DIGEST)]) == after
    assert parses[Locator] == {TREE["prod/kustomization.yaml"]: 1}
    assert set(parses[Finder].values()) == {1}
    assert len(parses[Finder]) == 5  # the base's two files, and the overlay before and after either edit
    assert TREE["staging/kustomization.yaml"] not in parses[Finder]


def test_an_overlay_is_parsed_once_to_find_its_pins(parses):
    assert len(list(sites(TREE, Finder(), "prod", {"shop"}))) == 1
    assert parses[Finder][TREE["prod/kustomization.yaml"]] == 1


def test_what_could_not_be_parsed_is_tried_again(parses):
    reader = Parsed().finder
    for _ in range(2):
        with pytest.raises(Refusal):
            reader.documents("f", b"a: [")
    assert parses[Finder][b"a: ["] == 2


def test_no_more_is_held_than_allowed(parses, monkeypatch):
    monkeypatch.setattr(parsed, "MAX_HELD", 10)
    reader = Parsed().finder
    for content in (b"a: 1", b"b: 1", b"a: 1", b"c: 1", b"a: 1"):
        reader.documents("f", content)
    assert parses[Finder] == {b"a: 1": 2, b"b: 1": 1, b"c: 1": 1}


def test_texts_inside_a_file_are_told_apart():
    reader = Parsed().locator
    content = b"a: |\n  x: 1\nb: |\n  x: 1\n"
    ((_, one), (_, other)) = reader.documents("f", content)[0].root.pairs
    lines = [reader.inside("f", content, text)[0].root.line for text in (one, other, one)]
    assert lines == [2, 4, 2]


def test_an_overlay_that_is_right_is_built_once_and_one_that_changes_twice(scene):
    built = []

    class Counting(Builder):
        def build(self, tree, directory):
            built.append(tree.read(f"{directory}/kustomization.yaml"))
            return replace(render(tree, directory), by="counting")

    release = Release(scene.configuration.apps["shop"], TAG, DIGEST)
    made = edits.of_release(scene, release)
    (effect,) = edits.effects(scene, release, made, Counting("counting", ()))
    assert effect.by == "counting"
    assert sorted(built) == sorted([made[0].before, made[0].after])
    built.clear()
    after = scene.with_files({edit.path: edit.after for edit in made})
    assert edits.of_release(after, release) == ()
    edits.effects(after, release, (), Counting("counting", ()))
    assert built == [made[0].after]
