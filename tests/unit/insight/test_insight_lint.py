"""Which images are pinned, as an overlay renders them; and where what is not is reported."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.insight.lint import CommitTags, lint, verdict
from promote.model.lint import Rule
from promote.overlays.manifests import split_reference

HEX = "a" * 64
DIGEST = f"sha256:{HEX}"
NONE = CommitTags()
POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n    - name: c\n      image: {}\n"
PINNED = f"images:\n  - name: web\n    newTag: sha-0123456\n    digest: {DIGEST}\n"


class Files(dict):
    """A tree in memory."""

    def read(self, path):
        text = self.get(path)
        return text.encode() if text is not None else None


def found(files: dict[str, str], commit_tags: CommitTags = NONE) -> list[tuple[str, str, int]]:
    directories = {p.rpartition("/")[0] for p in files if p.endswith("kustomization.yaml")}
    return [(f.rule.code, f.file, f.line) for f in lint(Files(files), directories, commit_tags).findings]


@pytest.mark.parametrize(
    ("image", "rule"),
    [
        ("web", Rule.TAG_MISSING),
        ("localhost:5000/web", Rule.TAG_MISSING),
        ("web:latest", Rule.FLOATING_TAG),
        ("web:Main", Rule.FLOATING_TAG),
        ("web:", Rule.TAG_MISSING),
        ("web:1.27.3", Rule.DIGEST_MISSING),
        ("web:sha-0123456", Rule.DIGEST_MISSING),
        (f"web:1.27@{DIGEST}", None),
        (f"web:1.27@sha256:{HEX[1:]}", Rule.DIGEST_MALFORMED),
        (f"web:1.27@SHA256:{HEX}", Rule.DIGEST_MALFORMED),
        (f"web@{DIGEST}", Rule.DIGEST_ONLY),
        (f"web:latest@{DIGEST}", Rule.FLOATING_TAG_PINNED),
        ("${REGISTRY}/web:1", Rule.IMAGE_UNRESOLVED),
        ("web:$TAG", Rule.IMAGE_UNRESOLVED),
        ("{{ .Values.image }}", Rule.IMAGE_UNRESOLVED),
    ],
)
def test_one_reference(image, rule):
    assert verdict(split_reference(image), NONE) is rule


@pytest.mark.parametrize(
    ("image", "rule"),
    [
        (f"web:1.27@{DIGEST}", Rule.TAG_NOT_A_COMMIT),
        (f"web:sha-0123456@{DIGEST}", None),
        ("web:sha-0123456", Rule.DIGEST_MISSING),
        ("web:1.27", Rule.TAG_NOT_A_COMMIT),
        ("web:latest", Rule.FLOATING_TAG),
        (f"redis:7@{DIGEST}", None),
    ],
)
def test_apps_of_promote_yaml_need_a_commit_tag(image, rule):
    assert verdict(split_reference(image), CommitTags({"web": [re.compile("sha-[0-9a-f]{7,64}")]})) is rule


def test_a_base_is_judged_as_its_overlays_render_it():
    base = {"base/kustomization.yaml": "resources: [pod.yaml]\n", "base/pod.yaml": POD.format("web")}
    pinned = {"prod/kustomization.yaml": f"resources: [../base]\n{PINNED}"}
    assert found({**base, **pinned}) == []
    assert found(base) == [("tag-missing", "base/pod.yaml", 7)]
    both = {**base, **pinned, "dev/kustomization.yaml": "resources: [../base]\n"}
    assert found(both) == [("tag-missing", "base/pod.yaml", 7)]


def test_the_entry_that_made_the_image_is_where_it_is_reported():
    files = {
        "base/kustomization.yaml": "resources: [pod.yaml]\n",
        "base/pod.yaml": POD.format("web"),
        "prod/kustomization.yaml": "resources: [../base]\nimages:\n  - name: web\n    newName: r/w\n    newTag: dev\n",
    }
    assert found(files) == [("floating-tag", "prod/kustomization.yaml", 3)]


def test_a_component_pins_what_its_overlay_takes_in():
    files = {
        "pins/kustomization.yaml": f"kind: Component\n{PINNED}",
        "prod/kustomization.yaml": "resources: [pod.yaml]\ncomponents: [../pins]\n",
        "prod/pod.yaml": POD.format("web"),
    }
    assert found(files) == []


def test_patches_count_files_and_inline():
    patch = POD.format("web:2").replace("apiVersion: v1\n", "apiVersion: v1\n# patch\n")
    files = {
        "a/kustomization.yaml": "resources: [pod.yaml]\npatches: [{path: patch.yaml}]\n",
        "a/pod.yaml": POD.format(f"web:1@{DIGEST}"),
        "a/patch.yaml": patch,
        "b/kustomization.yaml": "resources: [pod.yaml]\npatches:\n  - patch: |-\n"
        + "".join(f"      {row}\n" for row in POD.format("web:3").splitlines()),
        "b/pod.yaml": POD.format(f"web:1@{DIGEST}"),
    }
    assert found(files) == [("digest-missing", "a/patch.yaml", 8), ("digest-missing", "b/kustomization.yaml", 10)]


def test_helm_values_flux_and_argo_are_judged_where_they_stand():
    release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r}\nspec:\n  values:\n    image:\n      repository: web\n      tag: '1'\n"  # noqa: E501
    argo = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  source:\n    kustomize:\n      images:\n        - web=web:latest\n"  # noqa: E501
    files = {
        "a/kustomization.yaml": "resources: [release.yaml, argo.yaml]\n",
        "a/release.yaml": release,
        "a/argo.yaml": argo,
    }
    assert found(files) == [("floating-tag", "a/argo.yaml", 8), ("digest-missing", "a/release.yaml", 7)]


def test_a_pin_of_a_remote_base_is_judged_and_the_base_is_noted():
    remote = "resources: ['https://example.com/base?ref=v1']\nimages:\n  - name: web\n    newTag: latest\n"
    assert found({"a/kustomization.yaml": remote}) == [
        ("overlay-unseen", "a/kustomization.yaml", 1),
        ("floating-tag", "a/kustomization.yaml", 3),
    ]


def test_what_cannot_be_read_is_an_error_once():
    files = {
        "a/kustomization.yaml": "resources: [pod.yaml, '\n",
        "b/kustomization.yaml": "resources: [pod.yaml]\n",
        "b/pod.yaml": "kind: [\n",
    }
    codes = [code for code, _, _ in found(files)]
    assert codes == ["overlay-unreadable", "overlay-unreadable"]


def test_a_circle_ends():
    files = {"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}
    assert {code for code, _, _ in found(files)} == {"overlay-unseen"}


def test_a_shared_base_is_reported_once_and_every_place_of_an_image_is():
    two = POD.format("web:1") + "    - name: d\n      image: web:1\n"
    files = {
        "base/kustomization.yaml": "resources: [pod.yaml]\n",
        "base/pod.yaml": two,
        **{f"o{n}/kustomization.yaml": "resources: [../base]\n" for n in range(3)},
    }
    assert found(files) == [("digest-missing", "base/pod.yaml", 7), ("digest-missing", "base/pod.yaml", 9)]


@given(
    st.text(st.sampled_from("resources:[]{}images- name\n'\"&*!|>#$@sha256%\t\u202e\x00"), max_size=60),
    st.text(st.sampled_from("kind: Podspec\ncontainers-image web:1@{}[]*&"), max_size=60),
)
@settings(max_examples=60)
def test_any_text_is_judged_without_an_error(kustomization, manifest):
    files = {
        "a/kustomization.yaml": "resources: [pod.yaml]\n" + kustomization,
        "a/pod.yaml": manifest,
        "b/kustomization.yaml": kustomization,
    }
    for code, file, line in found(files):
        assert code in {rule.code for rule in Rule}
        assert (file in files or file in {"a", "b"}, line >= 1) == (True, True)
