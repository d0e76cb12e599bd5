"""Every place where an overlay names the image, and no other."""

import pytest

from promote.errors import Refusal
from promote.model.digest import Digest
from promote.overlays.sites import images_in, pins

NAMES = frozenset({"shop", "acme/shop", "reg.example/acme/shop"})
D = f"sha256:{'a1' * 32}"


class Files(dict):
    def read(self, path):
        return self.get(path)


def tree(**files):
    return Files({path: text.encode() for path, text in files.items()})


def found(kustomization, **files):
    overlay = tree(**{"o/kustomization.yaml": kustomization, **files})
    return [
        (p.file.removeprefix("o/"), p.line, p.name, p.tag, p.digest and str(p.digest))
        for p in pins(overlay, "o", NAMES)
    ]


def test_an_entry_is_found_by_its_name_or_its_new_name():
    other = f"- {{name: x, newName: reg.example/acme/shop, digest: '{D}'}}\n- name: shopper\n"
    text = "images:\n- {name: shop, newTag: v1}\n" + other
    assert found(text) == [
        ("kustomization.yaml", 2, "shop", "v1", None), ("kustomization.yaml", 3, "reg.example/acme/shop", None, D),
    ]  # fmt: skip


def test_tag_and_digest_in_one_value_are_taken_apart():
    text = f"images:\n- {{name: shop, newTag: 'v1@{D}'}}\n- {{name: x, newName: 'acme/shop:v2'}}\n"
    assert found(text) == [
        ("kustomization.yaml", 2, "shop", "v1", D),
        ("kustomization.yaml", 3, "acme/shop", "v2", None),
    ]


def test_a_digest_that_is_none_counts_as_absent():
    assert found("images: [{name: shop, newTag: v1, digest: abc}]") == [("kustomization.yaml", 1, "shop", "v1", None)]


def test_a_name_that_includes_a_tag_is_a_pin_of_the_name():
    assert found("images: [{name: 'shop:v1', newTag: v2}, {name: 'shop:v3'}]") == [
        ("kustomization.yaml", 1, "shop", "v2", None),
        ("kustomization.yaml", 1, "shop", "v3", None),
    ]


def test_raw_images_are_found_in_listed_files_of_the_overlay_only():
    files = {
        "o/d.yaml": f"spec:\n  containers:\n  - image: reg.example/acme/shop:v1@{D}\n  - image: docker.io/shop\n",
        "o/unlisted.yaml": "containers: [{image: shop}]",
        "base/kustomization.yaml": "resources: [b.yaml]\nimages: [{name: shop, newTag: v0}]",
        "base/b.yaml": "containers: [{image: shop}]",
        "o/sub/kustomization.yaml": "resources: [s.yaml]",
        "o/sub/s.yaml": "containers: [{image: 'shop:v2'}]",
    }
    assert found("resources: [d.yaml, ../base, sub, ../o/d.yaml, ../base/b.yaml]", **files) == [
        ("d.yaml", 3, "reg.example/acme/shop", "v1", D), ("sub/s.yaml", 1, "shop", "v2", None),
    ]  # fmt: skip


def test_an_image_that_an_entry_rewrites_is_no_pin_of_its_own():
    files = {
        "o/d.yaml": "containers:\n- image: shop:old\n- image: acme/shop:old\nephemeralContainers:\n- image: shop:old\n",
        "o/sub/kustomization.yaml": "resources: [s.yaml]",
        "o/sub/s.yaml": "containers: [{image: shop}]",
    }
    assert found("resources: [d.yaml, sub]\nimages: [{name: shop, newTag: v1}]", **files) == [
        ("kustomization.yaml", 2, "shop", "v1", None),
        ("d.yaml", 3, "acme/shop", "old", None),
        ("d.yaml", 5, "shop", "old", None),
    ]


def test_patches_written_in_place_are_read():
    text = """
patches:
- patch: |-
    - op: replace
      path: /spec/template/spec/containers/0/image
      value: shop:v1
- patch: '{"spec": {"containers": [{"image": "shop:v2"}]}}'
- patch: |
    containers:
    - image: other
patchesStrategicMerge:
- |-
  containers:
  - image: shop:v3
"""
    assert found(text) == [
        ("kustomization.yaml", 14, "shop", "v3", None),
        ("kustomization.yaml", 6, "shop", "v1", None),
        ("kustomization.yaml", 8, "shop", "v2", None),
    ]


def test_components_below_the_overlay_are_read_and_circles_end():
    files = {
        "o/part/kustomization.yaml": "images: [{name: shop, newTag: v1}]\ncomponents: [../../o]",
        "shared/kustomization.yaml": "images: [{name: shop, newTag: v2}]",
    }
    assert found("components: [part, ../shared]", **files) == [("part/kustomization.yaml", 1, "shop", "v1", None)]


@pytest.mark.parametrize("overlay", ["nowhere", "../o", "/o", "o/d.yaml"])
def test_no_overlay_there_is_refused(overlay):
    with pytest.raises(Refusal) as caught:
        pins(tree(**{"o/kustomization.yaml": ""}), overlay, NAMES)
    assert (caught.value.code, caught.value.exit_code) == ("no-overlay", 16)


def test_a_file_that_does_not_mention_the_image_is_not_parsed():
    assert found("resources: [t.yaml]", **{"o/t.yaml": "{{ if .Values }}\n a: [\n"}) == []
    with pytest.raises(Refusal, match=r"o/t.yaml:"):
        found("resources: [t.yaml]", **{"o/t.yaml": "{{ if .Values }}\n image: shop\n a: [\n"})


def test_every_image_of_the_overlay_is_listed_for_messages():
    overlay = tree(**{
        "o/kustomization.yaml": "resources: [d.yaml, t.yaml]\nimages: [{name: a, newName: reg/a}]",
        "o/d.yaml": "containers: [{image: 'b:1'}, {image: c@sha256:00}]",
        "o/t.yaml": "a: [",
    })  # fmt: skip
    assert images_in(overlay, "o") == ("a", "b", "c", "reg/a")


def test_a_pin_holds_parsed_parts():
    (pin,) = pins(tree(**{"o/kustomization.yaml": f"images: [{{name: shop, digest: '{D}'}}]"}), "./o/", NAMES)
    assert pin.digest == Digest.parse(D)
