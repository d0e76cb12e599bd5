# ruff: noqa: E501  what is rendered reads best on one line
"""An edit counts by what the overlay renders: exactly the images of the release, and nothing else."""

import pytest
from support.overlay_files import BASE, DEPLOYMENT, NAMES, OLD, OLD_TAG, PULL, RELEASE, TAG, Files, overlay, promote

from promote.errors import Refusal
from promote.overlays.effect import check_untouched
from promote.overlays.tree import Patched

ENTRY = "images:\n- {name: shop, newTag: v1}\n"
WEB = "Deployment web spec.template.spec.containers[web].image"


def effect(kustomization, **files):
    return promote(overlay(kustomization, **files))[1]


def refused(kustomization, code="no-effect", **files):
    with pytest.raises(Refusal) as caught:
        effect(kustomization, **files)
    assert (caught.value.code, caught.value.exit_code) == (code, 16)
    return caught.value


def test_an_entry_that_meets_its_image_has_an_effect():
    found = effect(f"resources: [../base]\n{ENTRY}")
    assert (found.images, found.warnings, found.blind, found.doubts, found.by) == ((WEB,), (), (), (), "")


def test_a_base_that_renames_the_image_hides_it():
    renamed = {"base/kustomization.yaml": "resources: [d.yaml]\nimages: [{name: shop, newName: reg.old/acme/shop}]"}
    problem = refused(f"resources: [../base]\n{ENTRY}", **renamed)
    assert (problem.expected, problem.actual) == ("shop", "busybox, reg.old/acme/shop, shopper")
    assert problem.message.startswith("o/kustomization.yaml:3: ")
    right = effect("resources: [../base]\nimages: [{name: reg.old/acme/shop, newTag: v1}]", **renamed)
    assert right.images == (WEB,)


def test_names_are_compared_whole():
    other = {"base/d.yaml": DEPLOYMENT.replace("shop:1", "docker.io/library/shop:1")}
    assert "docker.io/library/shop" in refused(f"resources: [../base]\n{ENTRY}", **other).actual


def test_entries_are_applied_in_order():
    chain = "resources: [../base]\nimages: [{name: shop, newName: acme/shop}, {name: acme/shop, newTag: v1}]"
    files, found = promote(overlay(chain), pull=None)
    assert b"newName: acme/shop" in files["o/kustomization.yaml"]
    assert found.images == (WEB,)


def test_an_entry_beside_one_with_an_effect_is_noted():
    found = effect("resources: [../base]\nimages:\n- {name: shop, newTag: v1}\n- {name: acme/shop, newTag: v1}")
    assert found.warnings == ("o/kustomization.yaml:4 matches no image: acme/shop",)


def test_patches_and_components_bring_images_in():
    patch = (
        "kind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: x, image: acme/shop}]}}}"
    )
    found = effect(f"resources: [../base]\npatches: [{{path: p.yaml}}]\n{ENTRY}", **{"o/p.yaml": patch})
    assert len(found.images) == 2
    inline = "\n".join("    " + line for line in patch.splitlines())
    found = effect(f"resources: [../base]\npatches:\n- patch: |-\n{inline}\n{ENTRY}")
    assert len(found.images) == 2
    part = {"part/kustomization.yaml": "kind: Component\nimages: [{name: shop, newName: acme/shop}]"}
    entry = "images: [{name: acme/shop, newTag: v1}]"
    assert effect(f"resources: [../base]\ncomponents: [../part]\n{entry}", **part).images == (WEB,)
    problem = refused("resources: [../base]\ncomponents: [../part]\nimages: [{name: shop}]", **part)
    assert "acme/shop" in problem.actual


def test_an_entry_of_a_component_is_applied_to_what_its_parent_has():
    part = {"o/part/kustomization.yaml": f"kind: Component\n{ENTRY}"}
    assert effect("resources: [../base]\ncomponents: [part]", **part).images == (WEB,)


def test_containers_that_images_does_not_reach_are_left_over():
    ephemeral = {"base/d.yaml": f"{DEPLOYMENT}      ephemeralContainers: [{{name: e, image: 'shop:1'}}]\n"}
    problem = refused(f"resources: [../base]\n{ENTRY}", "left-over", **ephemeral)
    assert (problem.expected, problem.actual) == (RELEASE, "shop:1")
    assert "ephemeralContainers[e].image" in problem.message


@pytest.mark.parametrize(
    ("kustomization", "why", "is_blind"),
    [
        ("resources: [../base, 'https://example.com/b']", "which is no file of this repository", True),
        ("resources: [../base, missing.yaml]", "missing.yaml", True),
        ("resources: [../base]\nhelmCharts: [{name: x}]", "has helmCharts", True),
        ("resources: [../base]\ngenerators: [g.yaml]", "has generators", False),
        ("resources: [../base]\nconfigurations: [c.yaml]", "has the configuration c.yaml", False),
        ("resources: [../base, var.yaml]\nvars: [{name: V}]", "has vars", False),
        ("resources: [../base]\nreplacements: [{path: r.yaml}]", "has replacements", False),
        ("resources: [../base, broken.yaml]", "broken.yaml:2:", False),
        ("resources: [../base, ../o]", "in a circle", False),
        ("resources: []", "nothing that it builds on has a container image", False),
        ("resources: [../base]\npatches: [{path: gone.yaml}]", "gone.yaml", True),
        ("resources: [../base]\npatches: [{target: {name: '(a+)+'}, patch: '[]'}]", "by the pattern (a+)+", False),
    ],
)
def test_what_cannot_be_seen_is_said_and_not_refused(kustomization, why, is_blind):
    entry = "images: [{name: acme/shop, newTag: v1}]"
    base = {"base/d.yaml": "kind: Deployment\nspec: {containers: [{image: other}]}\n"}
    variable = "kind: Pod\nspec: {containers: [{image: 'other:$(V)'}]}\n"
    found = effect(f"{kustomization}\n{entry}", **base, **{"o/broken.yaml": "a: [b", "o/var.yaml": variable})
    assert [why in note for note in (found.blind if is_blind else found.doubts)] == [True]


def test_a_name_that_is_a_pattern_to_kustomize_may_not_move_a_sibling():
    base = {
        "base/d.yaml": DEPLOYMENT.replace("shop:1", "reg.old/acme/shop:1").replace("shopper:1", "regXold/acme/shop:1")
    }
    problem = refused(
        "resources: [../base]\nimages: [{name: reg.old/acme/shop, newTag: v1}]", "too-much-effect", **base
    )
    assert "containers[side].image would change from regXold/acme/shop:v1 to" in problem.message


def test_copies_of_the_old_release_outside_of_containers_are_warned_of():
    env = DEPLOYMENT.replace("{name: side,", f"{{name: side, env: [{{name: V, value: 'x/{OLD_TAG}'}}],")
    files = {
        "base/d.yaml": env,
        "o/cm.yaml": f"kind: ConfigMap\nmetadata: {{name: c}}\ndata: {{ref: 'shop@{OLD}'}}\n",
        "o/cr.yaml": f"kind: Shop\nmetadata: {{name: s, annotations: {{a: '{OLD_TAG}'}}}}\nspec: {{image: 'shop:{OLD_TAG}'}}\n",
        "o/values.txt": f"tag={OLD_TAG}\n",
    }
    kustomization = (
        "resources: [../base, cm.yaml, cr.yaml]\nconfigMapGenerator: [{name: g, files: [values.txt]}]\n"
        f"images: [{{name: shop, newTag: {OLD_TAG}, digest: '{OLD}'}}]\n"
    )
    found = effect(kustomization, **files)
    assert found.images == (WEB,)
    assert sorted(w.split(" still ")[0] for w in found.warnings) == [
        "ConfigMap c data.ref",
        "ConfigMap g data.values.txt",
        "Deployment web spec.template.spec.containers[side].env[V].value",
        "Shop s metadata.annotations.a",
        "Shop s spec.image",
    ]


def test_references_that_no_entry_reaches_are_warned_of_whatever_release_they_name():
    task = "kind: Task\nmetadata: {name: t, labels: {app: shop}}\nspec: {steps: [{name: s, image: 'acme/shop:9'}], image: shop, note: shop}\n"
    found = effect("resources: [../base, t.yaml]\n", **{"o/t.yaml": task})
    assert found.images == (WEB,)
    assert sorted(found.warnings) == [
        "Task t spec.image still names shop",
        "Task t spec.steps[s].image still names acme/shop:9",
    ]


def test_nothing_that_another_environment_renders_may_change():
    files = {
        "part/kustomization.yaml": f"kind: Component\n{ENTRY}",
        "staging/kustomization.yaml": "resources: [../base]\ncomponents: [../part]\n",
    }
    tree = overlay("resources: [../base]\ncomponents: [../part]\n", **files)
    after, found = promote(tree)
    assert list(after) == ["part/kustomization.yaml"]
    assert found.images == (WEB,)
    with pytest.raises(Refusal) as caught:
        check_untouched(tree, Patched(tree, after), "staging", after)
    assert caught.value.code == "too-much-effect"
    assert caught.value.message.startswith(
        f"staging is of another environment and would change too, through part/kustomization.yaml: {WEB} from shop:v1 to"
    )
    check_untouched(tree, tree, "staging", after)


def test_a_value_that_an_operator_reads_is_no_verified_effect():
    files = {
        "o/hr.yaml": "kind: HelmRelease\nmetadata: {name: h}\nspec: {values: {image: {repository: shop, tag: v1}}}\n"
    }
    made, found = promote(overlay("resources: [hr.yaml]\n", **files))
    assert f"repository: {PULL}, tag: {TAG}@".encode() in made["o/hr.yaml"].replace(b'"', b"")
    assert found.doubts == ("what is made of o/hr.yaml:3 is not rendered here",)


def test_a_release_that_runs_already_is_looked_at_as_well():
    tree = overlay(f"resources: [../base]\n{ENTRY}")
    after = Files({**tree, **promote(tree)[0]})
    files, found = promote(after)
    assert (files, found.images) == ({}, (WEB,))
    hidden = Files({**after, "base/d.yaml": BASE["base/d.yaml"].replace("shop:1", "other:1").encode()})
    with pytest.raises(Refusal) as caught:
        promote(hidden)
    assert caught.value.code == "no-effect"


def test_every_name_of_the_image_counts():
    assert PULL in NAMES
