# ruff: noqa: E501  what is edited reads best on one line
"""What real kustomize, of two versions, makes of an edited overlay: the release, and nothing else changed."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.overlay_configured import CONFIGURED
from support.overlay_corpus import corpus
from support.overlay_files import BASE, DIGEST, NAMES, PULL, RELEASE, TAG, Files, overlay, promote

from promote.errors import Refusal
from promote.overlays.edits import plan_edits
from promote.overlays.effect import check_effect
from promote.overlays.oracle import Builder
from promote.overlays.question import Question
from promote.overlays.render import render
from promote.overlays.target import Target
from promote.overlays.tree import Patched

CORPUS = corpus()
VERSIONS = ("kustomize", "kustomize5.5")
ODD_TAGS = [
    "1234567", "0000000", "0189456", "0777777", "1e10000", "553640e6", "0e00000", "0b10101", "0x12345", "1_000_000", "1.10",
    "on", "yes", "null", "2024-01-01", "y", "1" * 40, "1" * 39 + "e",
]  # fmt: skip


@pytest.fixture(scope="session", params=VERSIONS)
def builder(request: pytest.FixtureRequest, tools: Mapping[str, Path]) -> Builder:
    """Both versions of kustomize, the newest first."""
    return Builder(request.param, (str(tools[request.param]), "build"))


@pytest.fixture(scope="session")
def newest(tools: Mapping[str, Path]) -> Builder:
    return Builder("kustomize", (str(tools["kustomize"]), "build"))


def build(command: tuple[str, ...], directory: Path) -> str:
    done = subprocess.run([*command, str(directory)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def images(rendered: str) -> list[str]:
    return re.findall(r"image: ['\"]?([^'\"\s]+)", rendered)


def written(root: Path, files: Mapping[str, bytes]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root / "o"


@pytest.mark.parametrize("name", CORPUS)
def test_every_style_renders_the_release_and_leaves_the_rest(name, builder, tmp_path):
    tree = Files.of({**BASE, **CORPUS[name]})
    before = build(builder.command, written(tmp_path / "before", tree))
    made, found = promote(tree, builder=builder)
    after = build(builder.command, written(tmp_path / "after", {**tree, **made}))
    assert (found.by, found.blind, found.doubts) == (builder.name, (), ())
    assert images(after).count(RELEASE) == len(found.images) == 1
    (old,) = [image for image in images(before) if "shop" in image and "shopper" not in image]
    assert [image for image in images(after) if image != RELEASE] == [image for image in images(before) if image != old]
    assert [line for line in after.splitlines() if RELEASE not in line] == [
        line for line in before.splitlines() if not re.search(rf"image: ['\"]?{re.escape(old)}['\"]?$", line)
    ]


@pytest.mark.parametrize("tag", ODD_TAGS)
def test_tags_that_look_like_something_else_render_as_they_are(tag, builder, tmp_path):
    tree = overlay("resources: [../base]\nimages:\n- name: shop\n  newTag: v1\n")
    made, found = promote(tree, tag=tag, builder=builder)
    rendered = build(builder.command, written(tmp_path, {**tree, **made}))
    assert images(rendered).count(f"{PULL}:{tag}@{DIGEST}") == len(found.images) == 1


STYLES = ("newTag: v1", "newTag: 'v1'", 'newTag: "v1"', "newTag: 12", "newTag: >-\n    v1", "newTag:")


def commits():
    """Tags of every length of an abbreviated commit, 7 to 40: what reads as a number in some YAML, and what does not."""
    chance = random.Random(6)
    for length in range(7, 41):
        digits = "".join(chance.choices("0123456789", k=length))
        some = [0, 1, 2, length // 2, length - 2, length - 1]
        forms = {
            digits, "0" * length, "0" + digits[1:], "0" + "7" * (length - 1), "1" + "0" * (length - 1), "e" * length,
            *(f"{digits[:at]}e{digits[at + 1 :]}" for at in some), *(f"0{digits[1:at]}e{digits[at + 1 :]}" for at in some[2:]),
            "1e" + "1" + "0" * (length - 3), "0b" + "01" * length, "0b" + digits[2:], "".join(chance.choices("0123456789e", k=length)),
            "".join(chance.choices("0123456789abcdef", k=length)),
        }  # fmt: skip
        for form in sorted(forms):
            yield from (form[:length], f"sha-{form[:length]}")
    yield from (
        "0o17",
        "0o0777777",
        "0x1234567",
        "0xabcdef0",
        "1_000_000",
        "20240101",
        "2024-01-01",
        "1.10",
        "nan",
        "inf",
        "1e5",
        "1.e5",
    )


@pytest.fixture(scope="module")
def tagged() -> tuple[Files, dict[str, str]]:
    """A tree with an overlay for every tag, each edited to it, and a kustomization `all` of them; the tags by overlay."""
    files = Files.of(BASE)
    tags = {f"o{number}": tag for number, tag in enumerate(dict.fromkeys(commits()))}
    for number, (directory, tag) in enumerate(tags.items()):
        text = (
            f"resources: [../base]\nnamePrefix: {directory}-\nimages:\n- name: shop\n  {STYLES[number % len(STYLES)]}\n"
        )
        files[f"{directory}/kustomization.yaml"] = text.encode()
        (edit,) = plan_edits(files, directory, NAMES, PULL, tag, DIGEST)
        files[edit.path] = edit.after
    listed = "".join(f"- ../{directory}\n" for directory in tags)
    files["o/kustomization.yaml"] = f"resources:\n{listed}".encode()
    return files, tags


def test_tags_of_every_length_and_look_render_as_they_are(tagged, builder):
    files, tags = tagged
    assert len(tags) > 1000
    real = builder.build(files, "o")
    assert (real.blind, len(real.objects)) == ([], len(tags))
    for directory, tag in tags.items():
        assert f"'{PULL}:{tag}@{DIGEST}'" in str(real.objects[f"Deployment {directory}-web"])


LAYERS = {
    "prefix, namespace and a patch of a list": {
        "o/kustomization.yaml": "resources: [../base]\nnamespace: ns\nnamePrefix: p-\npatches: [{path: p.yaml}]\n"
        "images: [{name: shop, newName: acme/shop}, {name: acme/shop, newTag: v2}]\n",
        "o/p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: "
        "[{name: new, image: 'acme/shop:1'}, {name: side, $patch: delete}], initContainers: [{name: wait, image: 'busybox:2'}]}}}\n",
    },
    "a json patch by a pattern of names": {
        "o/kustomization.yaml": "resources: [../base]\npatches:\n- target: {kind: Deployment, name: 'w.*'}\n  patch: |-\n"
        "    - {op: add, path: /spec/template/spec/containers/-, value: {name: x, image: 'shop:1'}}\n"
        "    - {op: remove, path: /spec/template/spec/initContainers}\nimages: [{name: shop, digest: 'sha256:00'}]\n",
    },
    "a base that renames, a component that patches": {
        "o/kustomization.yaml": "resources: [../mid]\ncomponents: [../part]\nimages: [{name: acme/shop, newTag: v3}]\n",
        "mid/kustomization.yaml": "resources: [../base]\nimages: [{name: shop, newName: acme/shop, newTag: v1}]\n",
        "part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- patch: |-\n"
        "    {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: {containers: [{name: side, image: 'acme/shop:9'}]}}}}\n",
    },
    "a rollout, whose list of containers is replaced": {
        "o/kustomization.yaml": "resources: [r.yaml]\npatches: [{path: p.yaml}]\nimages: [{name: shop, newTag: v1}]\n",
        "o/r.yaml": BASE["base/d.yaml"].replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout"),
        "o/p.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\n"
        "spec: {template: {spec: {containers: [{name: only, image: 'shop:2'}]}}}\n",
    },
    "a definition that is skipped, and a list": {
        "o/kustomization.yaml": "resources: [c.yaml, l.yaml]\nimages: [{name: shop, newTag: v1}]\n",
        "o/c.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: c.x}\n"
        "spec: {containers: [{image: shop}]}\n",
        "o/l.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: p}, "
        "spec: {containers: [{name: a, image: shop}], ephemeralContainers: [{name: e, image: shop}]}}\n",
    },
    "a name with a dot, and one with a port": {
        "o/kustomization.yaml": "resources: [../base]\nimages: [{name: r.x/shop, newTag: v1}, {name: 'h:5000/shop', newTag: v2}]\n",
        "base/d.yaml": BASE["base/d.yaml"]
        .replace("shop:1", "r.x/shop:1")
        .replace("busybox:1", "rXx/shop@sha256:ab")
        .replace("shopper:1", "h:5000/shop"),
    },
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_resolver_renders_the_images_that_kustomize_renders(name, builder, tmp_path):
    tree = Files.of({**BASE, **LAYERS[name]})
    real, ours = builder.build(tree, "o"), render(tree, "o")
    assert (real.blind, ours.blind, ours.doubts) == ([], [], [])
    question = Question("o", NAMES, Target(None, TAG, DIGEST))
    assert sorted(images(str(real.objects))) == sorted(images(str(ours.objects)))
    assert sorted(real.objects) == sorted(ours.objects)
    assert question.known == NAMES


@pytest.mark.parametrize("name", CONFIGURED)
def test_what_a_kustomization_says_beside_its_images_is_understood(name, builder, tmp_path):
    files, runs = CONFIGURED[name]
    tree = Files.of({**BASE, **files})
    made, ours = promote(tree)
    real = promote(tree, builder=builder)[1]
    assert (real.by, real.doubts, real.images) == (builder.name, (), runs)
    assert ours.images == runs
    after = written(tmp_path, {**tree, **made})
    assert build(builder.command, after).count(RELEASE) == str(render(Files({**tree, **made}), "o").objects).count(
        RELEASE
    )


def test_what_overrides_the_images_is_decided_by_a_real_build(builder):
    replacement = (
        "resources: [../base]\nimages: [{name: shop, newTag: v1}]\nreplacements:\n"
        "- source: {kind: Deployment, name: web, fieldPath: spec.template.spec.containers.1.image}\n"
        "  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [spec.template.spec.containers.0.image]\n"
    )
    tree = overlay(replacement)
    with pytest.raises(Refusal) as caught:
        promote(tree, builder=builder)
    assert caught.value.code == "no-effect"
    harmless = replacement.replace("containers.0.image", "initContainers.0.image")
    found = promote(overlay(harmless), builder=builder)[1]
    assert (found.by, found.doubts, len(found.images)) == (builder.name, (), 1)


def test_a_build_that_needs_the_network_is_never_begun(newest, tmp_path):
    mark = tmp_path / "began"
    script = tmp_path / "kustomize"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    tree = overlay("resources: [../base, 'https://example.invalid/b']\nimages: [{name: shop, newTag: v1}]\n")
    found = promote(tree, builder=Builder("kustomize", (str(script),)))[1]
    assert "https://example.invalid/b" in found.blind[0]
    assert not mark.exists()
    assert promote(overlay("resources: [../base]\nimages: [{name: shop}]\n"), builder=newest)[1].by == "kustomize"


def test_an_entry_that_promote_calls_without_effect_has_none(builder, tmp_path):
    renamed = {"base/kustomization.yaml": "resources: [d.yaml]\nimages: [{name: shop, newName: reg.old/acme/shop}]\n"}
    tree = overlay("resources: [../base]\nimages: [{name: shop, newTag: v1}]\n", **renamed)
    assert "reg.old/acme/shop:1" in images(build(builder.command, written(tmp_path, tree)))
    for one in (None, builder):
        with pytest.raises(Refusal) as caught:
            promote(tree, builder=one)
        assert caught.value.code in {"no-effect", "left-over"}


def test_a_name_that_is_a_pattern_moves_a_sibling_in_kustomize_as_well(builder):
    base = {
        "base/d.yaml": BASE["base/d.yaml"]
        .replace("shop:1", "reg.old/acme/shop:1")
        .replace("shopper:1", "regXold/acme/shop:1")
    }
    tree = overlay("resources: [../base]\nimages: [{name: reg.old/acme/shop}]\n", **base)
    for one in (None, builder):
        with pytest.raises(Refusal, match=r"containers\[side\].image would change"):
            promote(tree, builder=one)


@pytest.mark.parametrize("environment", ["base", "staging", "prod"])
def test_the_examples_build(environment, builder):
    rendered = build(builder.command, Path(__file__).parents[2] / "examples" / "overlays" / environment)
    assert {"base": 1, "staging": 1, "prod": 2}[environment] == len(images(rendered))
    assert environment == "base" or all(f"registry.{environment}.example/acme/shop:sha-" in i for i in images(rendered))


def test_a_release_that_runs_already_builds_to_itself(builder):
    tree = overlay("resources: [../base]\nimages: [{name: shop, newTag: v1}]\n")
    done = Patched(tree, promote(tree)[0])
    question = Question("o", NAMES, Target(PULL, TAG, DIGEST))
    assert len(check_effect(done, done, question, builder.build).images) == 1
