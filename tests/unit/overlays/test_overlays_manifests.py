"""The container images that manifests and patches name."""

import pytest

from promote.overlays.manifests import Reference, container_images, is_encrypted, split_reference
from promote.overlays.reader import Finder


def images(text):
    return [
        (i.scalar.value, i.is_reached, bool(i.indirect))
        for d in Finder().documents("f", text.encode())
        for i in container_images(d)
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("web", ("web", None, None)),
        ("web:v1", ("web", "v1", None)),
        ("localhost:5000/web", ("localhost:5000/web", None, None)),
        ("localhost:5000/acme/web:v1@sha256:aa", ("localhost:5000/acme/web", "v1", "sha256:aa")),
        ("web@sha256:aa", ("web", None, "sha256:aa")),
        ("[::1]:5000/web:v1", ("[::1]:5000/web", "v1", None)),
        ("web:${TAG}", ("web", "${TAG}", None)),
    ],
)
def test_a_reference_is_cut_where_the_grammar_says(text, parts):
    assert split_reference(text) == Reference(*parts)


def test_images_are_found_in_lists_of_containers_at_any_depth_of_any_kind():
    text = """
kind: CronJob
spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: a}], initContainers: [{image: 'b:1'}]}}}}}
---
kind: Rollout
spec: {template: {spec: {containers: [{name: x}, {image: c}], ephemeralContainers: [{image: d}]}}}
---
kind: List
items: [{spec: {containers: [{image: e}]}}]
"""
    assert images(text) == [("a", True, False), ("b:1", True, False), ("c", True, False), ("d", False, False),
                            ("e", True, False)]  # fmt: skip


def test_what_is_no_list_of_containers_is_left_alone():
    text = """
kind: Thing
spec: {image: a, sidecars: [{image: b}], containers: {image: c}}
data: {x: "containers: [{image: d}]"}
---
kind: CustomResourceDefinition
spec: {containers: [{image: e}]}
"""
    assert images(text) == []


def test_a_json_patch_names_images_by_path():
    text = """
- {op: replace, path: /spec/template/spec/containers/0/image, value: a}
- {op: add, path: /spec/template/spec/initContainers/-, value: {image: b}}
- {op: add, path: /spec/template/spec/containers, value: [{image: c}]}
- {op: add, path: /spec/template, value: {spec: {containers: [{image: d}]}}}
- {op: replace, path: /spec/template/spec/ephemeralContainers/0/image, value: e}
- {op: replace, path: /spec/image, value: f}
- {op: remove, path: /spec/template/spec/containers/0/image}
"""
    assert sorted(images(text)) == [("a", True, False), ("b", True, False), ("c", True, False), ("d", True, False),
                                    ("e", False, False)]  # fmt: skip


def test_images_through_aliases_merges_and_second_keys_are_marked():
    text = """
x: &i a
y: &c {image: b}
containers:
- image: *i
- <<: *c
- image: c
  image: d
- *c
"""
    assert images(text) == [
        ("a", True, True),
        ("b", True, True),
        ("c", True, True),
        ("d", True, True),
        ("b", True, True),
    ]


def test_a_document_of_sops_is_known_by_its_mapping():
    secret, plain = Finder().documents("f", b"a: 'ENC[x]'\nsops: {mac: 'ENC[y]'}\n---\nsops: a word\n")
    assert is_encrypted(secret)
    assert not is_encrypted(plain)
