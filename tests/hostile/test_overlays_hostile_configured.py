"""Hostile configurations, transformers, replacements, selectors and parameters: an answer, a doubt or a refusal."""

from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.overlay_files import BASE, Files, promote

from promote.errors import Refusal
from promote.overlays.kustomize import read_kustomization
from promote.overlays.objects import Budget, TooLarge, resources
from promote.overlays.parsed import Parsed
from promote.overlays.reader import Finder
from promote.overlays.render import render
from promote.overlays.rendering import Means, Rendering
from promote.overlays.rewriting import rewrite

LISTED = (
    "resources: [../base, a.yaml]\nconfigurations: [c.yaml]\ntransformers: [t.yaml]\nreplacements: [{path: r.yaml}]\n"
    "patches: [{target: {labelSelector: 'a=b'}, path: p.yaml}]\nimages: [{name: shop, newTag: v1}]\n"
)
GOOD = {
    "o/kustomization.yaml": LISTED,
    "o/a.yaml": "kind: Application\nspec: {source: {helm: {parameters: [{name: image.repository, value: shop}]}}}\n",
    "o/c.yaml": "images: [{path: spec/image, kind: Shop}]\n",
    "o/t.yaml": "kind: ImageTagTransformer\nimageTag: {name: shop, newTag: v1}\nfieldSpecs: []\n",
    "o/r.yaml": "source: {kind: X, fieldPath: data.a}\ntargets: [{select: {kind: X}, fieldPaths: [spec.a]}]\n",
    "o/p.yaml": "- {op: add, path: /spec/a, value: b}\n",
}
WORDS = [
    "images",
    "path",
    "kind",
    "imageTag",
    "name",
    "shop",
    "value",
    "source",
    "targets",
    "fieldPaths",
    "op",
    "spec/image",
    "a.b",
    "-1",
]
shapes = st.recursive(
    st.none() | st.sampled_from(WORDS),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(WORDS), below, max_size=3),
    max_leaves=12,
)


def flow(shape):
    """`shape` as YAML in flow style."""
    if isinstance(shape, dict):
        return "{" + ", ".join(f"'{key}': {flow(value)}" for key, value in shape.items()) + "}"
    if isinstance(shape, list):
        return "[" + ", ".join(map(flow, shape)) + "]"
    return "~" if shape is None else f"'{shape}'"


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(GOOD)),
    shapes,
    st.sampled_from(["", "kind: ImageTagTransformer\nimageTag: ", "images: ", "kind: Application\nspec: "]),
)
def test_any_shape_in_any_file_is_an_edit_or_a_refusal(file, shape, before):
    try:
        made, found = promote(Files.of({**BASE, **GOOD, file: before + flow(shape) + "\n"}))
    except Refusal as problem:
        assert problem.exit_code == 16  # noqa: PT017  either outcome is right
        return
    assert made or found.images or found.doubts or found.blind


@pytest.mark.parametrize(("pairs", "is_enough"), [(11, False), (12, True)])
def test_entries_are_held_against_images_only_so_often(pairs, is_enough):
    pods = "".join(f"---\nkind: Pod\nspec: {{containers: [{{image: x{number}}}]}}\n" for number in range(4))
    entries = "".join(f"- name: n{number}\n" for number in range(3))
    tree = Files.of({"o/kustomization.yaml": f"resources: [p.yaml]\nimages:\n{entries}", "o/p.yaml": pods})
    layer = read_kustomization(tree, Finder(), "o")
    means = Means(tree, Rendering(), Parsed(), Budget(pairs=pairs))
    found = list(resources(Finder().documents("o/p.yaml", tree["o/p.yaml"]), means.budget))
    with nullcontext() if is_enough else pytest.raises(TooLarge):
        rewrite(means, layer.entries, found, ())
    assert len(means.rendering.met) == (3 if is_enough else 2)


def test_fields_that_many_layers_share_are_counted_once():
    fields = "images:\n" + "".join(f"- path: a/b{number}\n" for number in range(50))
    layers = {
        f"b{n}/kustomization.yaml": f"resources: [../b{n + 1}, ../b{n + 1}]\nconfigurations: [../c.yaml]\n"
        for n in range(8)
    }
    rendering = render(Files.of({**layers, "b5/kustomization.yaml": "", "c.yaml": fields}), "b0")
    assert (len(rendering.specs), rendering.doubts) == (50, [])


@pytest.mark.parametrize("selector", ["a" * 2_000_000, "a" + " " * 2_000_000 + "(", "a in (" + "b," * 1_000_000])
def test_a_long_selector_is_a_doubt(selector):
    rendering = render(
        Files.of({**BASE, **GOOD, "o/a.yaml": "", "o/kustomization.yaml": LISTED.replace("a=b", selector)}), "o"
    )
    assert any("chooses its objects by" in doubt for doubt in rendering.doubts)
