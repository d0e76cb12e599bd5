"""What a kustomization file says, read as kustomize reads it."""

import pytest

from promote.errors import Refusal
from promote.overlays.kustomize import read_kustomization
from promote.overlays.reader import Finder


class Files(dict):
    def read(self, path):
        return self.get(path)


def kustomization(text, **files):
    tree = Files({"o/kustomization.yaml": text.encode()} | {k: v.encode() for k, v in files.items()})
    return read_kustomization(tree, Finder(), "o")


def entries(text):
    keys = ("name", "newName", "newTag", "digest")
    return [(e.line, *(e.text(k) for k in keys), bool(e.indirect)) for e in kustomization(text).entries]


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_each_of_the_three_names_is_found(name):
    found = read_kustomization(Files({f"o/{name}": b"images: []"}), Finder(), "o")
    assert found.file == f"o/{name}"


def test_the_root_of_the_repository_may_be_an_overlay():
    found = read_kustomization(Files({"kustomization.yaml": b"resources: [a]", "a": b""}), Finder(), "")
    assert (found.file, found.files) == ("kustomization.yaml", ("a",))


def test_no_kustomization_is_none_and_two_are_refused():
    assert read_kustomization(Files(), Finder(), "o") is None
    both = Files({"o/kustomization.yaml": b"", "o/Kustomization": b""})
    with pytest.raises(Refusal, match="2 kustomization files in o") as caught:
        read_kustomization(both, Finder(), "o")
    assert caught.value.code == "overlay-ambiguous"


def test_keys_are_read_in_any_case_and_by_their_old_name():
    assert entries("Images:\n- Name: a\n  NEWTAG: v1\n") == [(2, "a", None, "v1", None, False)]
    assert entries("imageTags:\n- name: a\n  newTag: v1\n") == [(2, "a", None, "v1", None, False)]


def test_null_and_empty_values_are_unset():
    text = "images:\n- {name: a, newName: null, newTag: ~, digest: }\n- {name: b, newName: '', newTag: 'null'}\n"
    assert entries(text) == [(2, "a", None, None, None, False), (3, "b", None, "null", None, False)]


def test_entries_through_aliases_and_merges_are_read_and_marked():
    text = "images:\n- &a {name: &n a, newTag: v1}\n- *a\n- {<<: *a, newTag: v2}\n- {name: *n}\n- {<<: [*a]}\n"
    assert entries(text) == [
        (2, "a", None, "v1", None, False), (2, "a", None, "v1", None, True), (2, "a", None, "v2", None, True),
        (2, "a", None, None, None, True), (2, "a", None, "v1", None, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("images:\n- name: a\n  newTag: 1\n  newtag: 2\n", "3,4"),
        ("images: []\nImages: []\n", "1,2"),
        ("images: []\nimageTags: []\n", "1,2"),
        ("resources: []\nresources: []\n", "1,2"),
        ("images: []\n---\nimages: []\n", "3"),
        ("- images\n", "1"),
        ("just text\n", "1"),
    ],
)
def test_two_meanings_are_refused_with_their_lines(text, lines):
    with pytest.raises(Refusal) as caught:
        kustomization(text)
    assert caught.value.code == "overlay-ambiguous"
    assert caught.value.message.startswith(f"o/kustomization.yaml:{lines}: ")


@pytest.mark.parametrize(
    "text", ["", "---\n", "# nothing\n", "null\n", "images:\n", "images: []\n---\n# end\n", "images: a"]
)
def test_nothing_there_is_nothing_listed(text):
    found = kustomization(text)
    assert (found.entries, found.files, found.directories) == ((), (), ())


def test_what_is_listed_is_followed_into_the_tree():
    text = """
resources: [a.yaml, ./sub, ../base, https://example.com/x, ../../outside, missing.yaml]
bases: [old]
components: [part]
patchesStrategicMerge: [p.yaml, "a: 1\\nb: 2", gone.yaml]
patches:
- {path: q.yaml}
- patch: |-
    a: b
  target: {kind: Deployment}
patchesJson6902:
- {path: r.yaml, target: {kind: Deployment}}
"""
    names = [
        "o/a.yaml",
        "o/sub/kustomization.yml",
        "base/Kustomization",
        "o/old/kustomization.yaml",
        "o/p.yaml",
        "o/q.yaml",
    ]
    found = kustomization(text, **dict.fromkeys([*names, "o/part/kustomization.yaml", "o/r.yaml"], ""))
    assert found.files == ("o/a.yaml", "o/p.yaml", "o/q.yaml", "o/r.yaml")
    assert found.directories == ("o/sub", "base", "o/old")
    assert found.components == ("o/part",)
    assert [s.value for s in found.inline] == ["a: 1\nb: 2", "a: b"]


def test_files_and_mappings_of_chart_values_are_listed():
    text = """
helmCharts:
- {name: x, valuesFile: v.yaml, additionalValuesFiles: [w.yaml, gone.yaml], valuesInline: {image: {tag: v1}}}
configMapGenerator:
- {name: y, files: [values.yaml=g.yaml, notes.txt]}
"""
    found = kustomization(text, **dict.fromkeys(["o/v.yaml", "o/w.yaml", "o/g.yaml", "o/notes.txt"], ""))
    assert found.value_files == ("o/v.yaml", "o/w.yaml", "o/g.yaml")
    assert len(found.values) == 1
