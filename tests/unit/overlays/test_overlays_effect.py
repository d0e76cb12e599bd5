"""An entry counts only if something that the overlay builds on has the name it rewrites."""

import pytest

from promote.errors import Refusal
from promote.overlays.effect import check_effect

NAMES = frozenset({"shop", "reg/shop"})
DEPLOYMENT = "kind: Deployment\nspec: {template: {spec: {containers: [{image: 'shop:1'}]}}}\n"


class Files(dict):
    def read(self, path):
        return self.get(path)


def effect(kustomization, **files):
    every = {"o/kustomization.yaml": kustomization, "base/kustomization.yaml": "resources: [d.yaml]",
             "base/d.yaml": DEPLOYMENT, **files}  # fmt: skip
    return check_effect(Files({path: text.encode() for path, text in every.items()}), "o", NAMES)


def refused(kustomization, **files):
    with pytest.raises(Refusal) as caught:
        effect(kustomization, **files)
    assert (caught.value.code, caught.value.exit_code) == ("no-effect", 16)
    return caught.value


def test_an_entry_that_meets_its_image_has_an_effect():
    assert effect("resources: [../base]\nimages: [{name: shop, newTag: v1}]") == ()


def test_a_base_that_renames_the_image_hides_it():
    renamed = {"base/kustomization.yaml": "resources: [d.yaml]\nimages: [{name: shop, newName: reg/shop}]"}
    problem = refused("resources: [../base]\nimages:\n- {name: shop, newTag: v1}", **renamed)
    assert (problem.expected, problem.actual) == ("shop", "reg/shop")
    assert problem.message.startswith("o/kustomization.yaml:3: ")
    assert effect("resources: [../base]\nimages: [{name: reg/shop, newTag: v1}]", **renamed) == ()


def test_names_are_compared_whole():
    other = {"base/d.yaml": DEPLOYMENT.replace("shop:1", "docker.io/library/shop:1")}
    assert refused("resources: [../base]\nimages: [{name: shop}]", **other).actual == "docker.io/library/shop"


def test_entries_are_applied_in_order():
    chain = "resources: [../base]\nimages: [{name: shop, newName: reg/shop}, {name: reg/shop, newTag: v1}]"
    assert effect(chain) == ()


def test_an_entry_beside_one_with_an_effect_is_noted():
    notes = effect("resources: [../base]\nimages:\n- {name: shop, newTag: v1}\n- {name: reg/shop, newTag: v1}")
    assert notes == ("o/kustomization.yaml:4 matches no image: reg/shop",)


def test_patches_and_components_bring_images_in():
    assert effect("resources: [../base]\npatches: [{path: p.yaml}]\nimages: [{name: reg/shop, newTag: v1}]",
                  **{"o/p.yaml": "spec: {initContainers: [{image: reg/shop}]}"}) == ()  # fmt: skip
    assert effect("resources: [../base]\npatches:\n- patch: |-\n    containers: [{image: reg/shop}]\n"
                  "images: [{name: reg/shop, newTag: v1}]") == ()  # fmt: skip
    part = {"part/kustomization.yaml": "kind: Component\nimages: [{name: shop, newName: reg/shop}]"}
    assert effect("resources: [../base]\ncomponents: [../part]\nimages: [{name: reg/shop, newTag: v1}]", **part) == ()
    assert refused("resources: [../base]\ncomponents: [../part]\nimages: [{name: shop}]", **part).actual == "reg/shop"


def test_an_entry_of_a_component_is_applied_to_what_its_parent_has():
    part = {"o/part/kustomization.yaml": "kind: Component\nimages: [{name: shop, newTag: v1}]"}
    assert effect("resources: [../base]\ncomponents: [part]", **part) == ()


def test_containers_that_images_does_not_reach_do_not_count():
    ephemeral = {"base/d.yaml": "spec: {containers: [{image: other}], ephemeralContainers: [{image: shop}]}"}
    assert refused("resources: [../base]\nimages: [{name: shop, newTag: v1}]", **ephemeral).actual == "other"


@pytest.mark.parametrize(
    ("kustomization", "why"),
    [
        ("resources: [../base, 'https://example.com/b']", "which is no file of this repository"),
        ("resources: [../base, missing.yaml]", "missing.yaml"),
        ("resources: [../base]\nhelmCharts: [{name: x}]", "has helmCharts"),
        ("resources: [../base]\ngenerators: [g.yaml]", "has generators"),
        ("resources: [../base]\nconfigurations: [c.yaml]", "has configurations"),
        ("resources: [../base, broken.yaml]", "broken.yaml:2:"),
        ("resources: [../base, ../o]", "in a circle"),
        ("resources: []", "nothing it builds on has a container image"),
    ],
)
def test_what_cannot_be_seen_is_said_and_not_refused(kustomization, why):
    notes = effect(f"{kustomization}\nimages: [{{name: reg/shop, newTag: v1}}]", **{"o/broken.yaml": "a: [b"})
    assert len(notes) == 1
    assert notes[0].startswith("effect unverified: ")
    assert why in notes[0]


def test_what_may_override_the_images_is_said():
    notes = effect("resources: [../base]\nimages: [{name: shop, newTag: v1}]\nreplacements: [{path: r.yaml}]")
    assert notes == ("effect unverified: o/kustomization.yaml:3 has replacements",)


def test_an_overlay_without_an_entry_needs_no_effect():
    assert effect("resources: [d.yaml]", **{"o/d.yaml": DEPLOYMENT}) == ()
