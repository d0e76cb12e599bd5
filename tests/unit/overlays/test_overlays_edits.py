# ruff: noqa: E501, ISC004  golden text is as long as it is
"""Golden bytes: what an edit does to a file, and that it does nothing else."""

import pytest

from promote.errors import Refusal
from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.overlays.edits import plan_edits
from promote.overlays.sites import pins

NAMES = frozenset({"shop", "acme/shop", "reg.old/acme/shop", "reg.new/acme/shop"})
DIGEST = Digest("sha256", "b2" * 32)
OLD = f"sha256:{'a1' * 32}"
NEW = str(DIGEST)
TAG = "sha-0123456789abcdef"
PULL = "reg.new/acme/shop"
FILE = "o/kustomization.yaml"


class Files(dict):
    def read(self, path):
        return self.get(path)


def plan(files, pull=PULL, tag=TAG):
    return plan_edits(
        Files({p: t if isinstance(t, bytes) else t.encode() for p, t in files.items()}), "o", NAMES, pull, tag, DIGEST
    )


def edited(before, **options):
    (edit,) = plan({FILE: before}, **options)
    assert edit.path == FILE
    assert edit.before == (before if isinstance(before, bytes) else before.encode())
    assert plan({FILE: edit.after}, **options) == ()
    return edit.after if isinstance(before, bytes) else edit.after.decode()


GOLDEN = {
    "as it should be": (
        f'images:\n- name: shop # a\n  newName: {PULL}\n  newTag: "v1" # b\n  digest: {OLD}  # c\n',
        f'images:\n- name: shop # a\n  newName: {PULL}\n  newTag: "{TAG}" # b\n  digest: {NEW}  # c\n',
    ),
    "single quotes, odd indentation and spacing": (
        f"images  :\n     -    name:    'shop'\n          newName: 'reg.old/acme/shop'\n          newTag:   'v1'   \n"
        f"          digest:     '{OLD}'\t\n",
        f"images  :\n     -    name:    'shop'\n          newName: '{PULL}'\n          newTag:   '{TAG}'   \n"
        f"          digest:     '{NEW}'\t\n",
    ),
    "crlf without a final newline": (
        f"images:\r\n- name: shop\r\n  newName: {PULL}\r\n  digest: {OLD}\r\n  newTag: v1",
        f"images:\r\n- name: shop\r\n  newName: {PULL}\r\n  digest: {NEW}\r\n  newTag: {TAG}",
    ),
    "byte-order mark, separators, comments and other languages": (
        f"\ufeff# é 日本 🎉\n---\n\n\nimages:\n  # über\n  - name: shop\n    newName: {PULL}\n\n    newTag: v1 # ß\n    digest: {OLD}\n\n\n...\n",
        f"\ufeff# é 日本 🎉\n---\n\n\nimages:\n  # über\n  - name: shop\n    newName: {PULL}\n\n    newTag: {TAG} # ß\n    digest: {NEW}\n\n\n...\n",
    ),
    "keys in any order and case, another entry untouched": (
        f"Images:\n- NewTag: v1\n  Digest: {OLD}\n  Name: shop\n  newname: {PULL}\n- name: db\n  newTag: v1\n  digest: {OLD}\n",
        f"Images:\n- NewTag: {TAG}\n  Digest: {NEW}\n  Name: shop\n  newname: {PULL}\n- name: db\n  newTag: v1\n  digest: {OLD}\n",
    ),
    "all keys missing": (
        "images:\n  - name: shop   # why\n\nresources: []\n",
        f"images:\n  - name: shop   # why\n    newName: {PULL}\n    newTag: {TAG}\n    digest: {NEW}\n\nresources: []\n",
    ),
    "all keys missing, crlf, quoted, no final newline": (
        "x: 1\r\nimages:\r\n  - name: 'shop'",
        f"x: 1\r\nimages:\r\n  - name: 'shop'\r\n    newName: '{PULL}'\r\n    newTag: '{TAG}'\r\n    digest: '{NEW}'",
    ),
    "one line without a newline anywhere": (
        "images: [{name: shop, newTag: v1}]",
        f'images: [{{name: shop, newName: "{PULL}", newTag: {TAG}, digest: "{NEW}"}}]',
    ),
    "flow style with blanks and a trailing comma": (
        "images: [ {name: db}, { name: shop, newTag: 'v1' , } ] # end\n",
        f'images: [ {{name: db}}, {{ name: shop, newName: "{PULL}", newTag: \'{TAG}\', digest: "{NEW}" , }} ] # end\n',
    ),
    "json in one line": (
        '{"images":[{"name":"shop","newTag":"v1"}]}',
        f'{{"images":[{{"name":"shop","newName":"{PULL}","newTag":"{TAG}","digest":"{NEW}"}}]}}',
    ),
    "json over several lines": (
        '{\n\t"images": [\n\t\t{\n\t\t\t"name": "shop",\n\t\t\t"newTag": "v1"\n\t\t}\n\t]\n}\n'.replace("\t", "    "),
        (
            f'{{\n\t"images": [\n\t\t{{\n\t\t\t"name": "shop",\n\t\t\t"newName": "{PULL}",\n\t\t\t"newTag": "{TAG}",\n'
            f'\t\t\t"digest": "{NEW}"\n\t\t}}\n\t]\n}}\n'
        ).replace("\t", "    "),
    ),
    "null, empty and folded values": (
        "images:\n- name: shop\n  newName: ~ # n\n  newTag:   # t\n  digest: >-\n    sha256:\n    abc\n\n# end\n",
        f'images:\n- name: shop\n  newName: {PULL} # n\n  newTag: "{TAG}"   # t\n  digest: "{NEW}"\n\n# end\n',
    ),
    "empty values in flow style": (
        "images: [{name: shop, newTag: , digest: }]\n",
        f'images: [{{name: shop, newName: "{PULL}", newTag: "{TAG}" , digest: "{NEW}" }}]\n',
    ),
    "a tag of yaml and an anchor nobody uses": (
        "images:\n- name: &unused shop\n  newTag: !!str 12\n  digest: &d !!str 34\n",
        f"images:\n- name: &unused shop\n  newName: {PULL}\n  newTag: !!str {TAG}\n  digest: &d !!str {NEW}\n",
    ),
    "tag and digest in newTag, name and tag in newName": (
        f"images:\n- name: shop\n  newName: reg.old/acme/shop:v0\n  newTag: v1@{OLD}\n",
        f"images:\n- name: shop\n  newName: {PULL}\n  newTag: {TAG}\n  digest: {NEW}\n",
    ),
    "a value on a line of its own": (
        f"images:\n-\n  name:\n    shop\n  newTag:\n    v1\n  newName: {PULL}\n",
        f"images:\n-\n  name:\n    shop\n  newTag:\n    {TAG}\n  digest: {NEW}\n  newName: {PULL}\n",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_an_edit_gives_exactly_these_bytes(name):
    before, after = GOLDEN[name]
    assert edited(before) == after


@pytest.mark.parametrize("tag", ["12345678", "5536406e1", "0123456", "1_000", "on", "2024-01-01"])
def test_a_plain_tag_that_would_not_be_a_string_gets_quotes(tag):
    before = f"images:\n- name: shop\n  newName: {PULL}\n  newTag: v1\n  digest: {OLD}\n"
    assert edited(before, tag=tag) == before.replace("v1", f'"{tag}"').replace(OLD, NEW)


def test_the_right_text_that_no_reader_takes_for_a_string_is_not_right_yet():
    before = f"images:\n- name: shop\n  newName: {PULL}\n  newTag: 12345678\n  digest: {NEW}\n"
    assert edited(before, tag="12345678") == before.replace("12345678", '"12345678"', 1)


def test_without_a_pull_name_the_name_stays():
    before = "images:\n- name: shop\n  newTag: v1\n- name: x\n  newName: reg.old/acme/shop\n  newTag: v1\n"
    after = edited(before, pull=None)
    assert after == before.replace("newTag: v1\n", f"newTag: {TAG}\n  digest: {NEW}\n")


def test_without_a_pull_name_a_tag_in_the_new_name_goes():
    before = "images:\n- name: shop\n  newName: reg.old/acme/shop:v0\n  newTag: v1\n"
    assert "newName: reg.old/acme/shop\n" in edited(before, pull=None)


def test_a_new_name_is_written_only_where_it_makes_a_difference():
    before = f"images:\n- name: {PULL}\n  newTag: v1\n"
    assert edited(before) == f"images:\n- name: {PULL}\n  newTag: {TAG}\n  digest: {NEW}\n"


def test_raw_images_are_replaced_whole_and_keep_their_quotes():
    manifest = (
        "spec:\r\n  initContainers:\r\n    - {image: 'acme/shop:v1', name: a}   # x\r\n  containers:\r\n"
        f'    - name: b\r\n      image:   "reg.old/acme/shop:v1@{OLD}"\r\n    - image: shop\r\n    - image: shopper\r\n'
    )
    (edit,) = plan({FILE: "resources: [d.yaml]", "o/d.yaml": manifest})
    full = f"{PULL}:{TAG}@{NEW}"
    expected = manifest.replace("acme/shop:v1'", f"{full}'", 1).replace(f"reg.old/acme/shop:v1@{OLD}", full)
    assert edit.after.decode() == expected.replace("image: shop\r", f"image: {full}\r")
    assert [(e.file, e.line) for e in edit.edits] == [("o/d.yaml", 3), ("o/d.yaml", 6), ("o/d.yaml", 7)]
    assert edit.edits[2].before == "    - image: shop"
    assert edit.edits[2].after == f"    - image: {full}"


def test_entries_and_raw_images_change_together_and_shared_files_never():
    files = {
        FILE: f"resources: [../base]\npatches: [{{path: p.yaml}}]\nimages: [{{name: shop, newName: {PULL}, newTag: v1}}]\n",
        "o/p.yaml": f"spec:\n  initContainers:\n  - image: {PULL}:v1\n",
        "base/kustomization.yaml": "resources: [d.yaml]\nimages: [{name: other, newTag: v1}]",
        "base/d.yaml": "spec:\n  containers:\n  - image: shop\n  - image: reg.old/acme/shop:v1\n",
    }
    assert [e.path for e in plan(files)] == [FILE, "o/p.yaml"]


def test_patches_in_block_literals_are_edited_in_place():
    before = (
        "# é\npatches:\n  - target: {kind: Deployment}\n    patch: |-   # why\n      - op: replace\n"
        "        path: /spec/template/spec/containers/0/image\n        value: shop:v1   # k\n  - patch: |\n"
        "      spec:\n        containers:\n        - image: 'acme/shop'\n        # end\n"
    )
    after = edited(before)
    full = f"{PULL}:{TAG}@{NEW}"
    assert after == before.replace("shop:v1 ", f"{full} ").replace("'acme/shop'", f"'{full}'")


def test_lines_that_are_added_are_reported_as_such():
    (edit,) = plan({FILE: "images:\n- name: shop\n  newTag: v1\n"})
    assert [(e.line, e.before, e.after) for e in edit.edits] == [
        (3, "", f"  newName: {PULL}"),
        (3, "  newTag: v1", f"  newTag: {TAG}"),
        (4, "", f"  digest: {NEW}"),
    ]


def test_values_on_one_line_are_one_reported_change():
    (edit,) = plan({FILE: f"images:\n- {{name: shop, newName: {PULL}, newTag: v1, digest: '{OLD}'}}\n"})
    assert [(e.line, e.after) for e in edit.edits] == [
        (2, f"- {{name: shop, newName: {PULL}, newTag: {TAG}, digest: '{NEW}'}}")
    ]


def test_what_is_right_already_is_left_alone():
    files = {
        FILE: f"resources: [d.yaml]\nimages: [{{name: shop, newName: '{PULL}', newTag: {TAG}, digest: '{NEW}'}}]",
        "o/d.yaml": f"containers: [{{image: '{PULL}:{TAG}@{NEW}'}}]",
    }
    assert plan(files) == ()


def test_pins_say_the_release_after_the_edit():
    (edit,) = plan({FILE: "images: [{name: shop}, {name: acme/shop, newTag: v1}]"})
    after = pins(Files({FILE: edit.after}), "o", NAMES)
    assert [(p.name, p.tag, p.digest) for p in after] == [(PULL, TAG, DIGEST)] * 2


REFUSALS = {
    "no-overlay": [
        (
            "images: [{name: db, newTag: v1}]",
            f"{FILE[:1]} uses acme/shop, reg.new/acme/shop, reg.old/acme/shop, shop; it has db",
        ),
        ("resources: []", "it has no image"),
    ],
    "overlay-ambiguous": [
        ("images:\n- name: shop\n  newTag: &t v1\n- name: db\n  newTag: *t\n", f"{FILE}:3,5: "),
        ("images:\n- name: db\n  newTag: &t v1\n- name: shop\n  newTag: *t\n", f"{FILE}:3,5: "),
        ("images:\n- &e {name: shop}\n- {<<: *e, name: db}\n", f"{FILE}:2,3: "),
        ("images:\n- &e {name: db, newTag: v1}\n- {<<: *e, name: shop}\n", f"{FILE}:3: "),
        ("images:\n- name: shop\n  newTag: *nowhere\n", f"{FILE}:3: "),
        ("images:\n- name: shop\n  newTag: [v1]\n", f"{FILE}:3: "),
        ("images: &i\n- name: shop\nx: *i\n", f"{FILE}:2,3: "),
        ("images:\n- name: shop\n  newTag: v1\n  newTag: v2\n", f"{FILE}:3,4: "),
        ("images:\n- name: shop\n  newTag: v1\n  newtag: v2\n", f"{FILE}:3,4: "),
        ("images:\n- {name: shop, newTag: v1}\n- {name: shop, newTag: v2}\n", f"{FILE}:2,3: "),
        ("images:\n- name: shop\n  newTag: '{{ .Values.tag }}'\n", f"{FILE}:3: "),
        ("images:\n- name: shop\n  newTag: ${TAG}\n", f"{FILE}:3: "),
        ("images:\n- name: shop\n  newTag: v1 # {% if x %}\n", f"{FILE}:3: "),
        ("images: [{name: shop}]\nsops: {mac: x}\n", f"{FILE}:1: "),
        ("images: [{name: shop}]\n---\nimages: []\n", f"{FILE}:3: "),
        ("images:\n- name: shop\n  newTag: !!int 12\n", f"{FILE}:3: "),
        ("images:\n- name: shop\n  newTag: !custom v1\n", f"{FILE}:3: "),
        ("images:\n- name: shop\n  newTag: !!str\n", f"{FILE}:3: "),
        ("images:\n- name: shop\n  newTag: &a\n", f"{FILE}:3: "),
        ("images:\n- ? name\n  : shop\n", f"{FILE}:2: "),
        ("images:\n- name: shop\n  newTag: | # why\n    v1\n", f"{FILE}:3: "),
        ("images:\n- name: shop\n  newTag:\tv1\n", f"{FILE}:3:10: "),
        ("images: [{name: shop, newTag}]\n", f"{FILE}:1: "),
        ('patches:\n- patch: \'{"containers": [{"image": "shop"}]}\'\n', f"{FILE}:2: "),
        ("patches:\n- patch: |-\n    containers: [{image: shop}]\n    ---\n    a: b\n", f"{FILE}:"),
        ("patches:\n- patch: |-\n    x: &i shop\n    containers: [{image: *i}]\n", f"{FILE}:3,4: "),
    ],
}


@pytest.mark.parametrize(
    ("code", "text", "said"), [(code, *case) for code, cases in REFUSALS.items() for case in cases]
)
def test_what_could_change_something_else_is_refused(code, text, said):
    with pytest.raises(Refusal) as caught:
        plan({FILE: text})
    assert (caught.value.code, caught.value.exit_code) == (code, 16)
    assert said in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("manifest", "line"),
    [
        ("containers:\n- image: shop:${TAG}\n", "2"),
        ("x: &i shop\ncontainers:\n- image: *i\n", "1,3"),
        ("containers:\n- image: &i shop\nx: *i\n", "2,3"),
        ("containers:\n- image: shop\n  image: acme/shop\n", "2,3"),
        ("containers:\n- image: 'shop'\nsops: {mac: x}\n", "2"),
        ("x: &c {image: shop}\ncontainers: [{<<: *c}]\n", "2"),
    ],
)
def test_a_raw_image_that_cannot_be_edited_alone_is_refused(manifest, line):
    with pytest.raises(Refusal) as caught:
        plan({FILE: "resources: [d.yaml]", "o/d.yaml": manifest})
    assert caught.value.code == "overlay-ambiguous"
    assert caught.value.message.startswith(f"o/d.yaml:{line}: ")


@pytest.mark.parametrize(
    ("pull", "tag"), [("reg/app:v1\n", TAG), ("", TAG), ("a b", TAG), (PULL, "v 1"), (PULL, 'v"1'), (PULL, "")]
)
def test_values_that_are_no_names_or_tags_never_reach_a_file(pull, tag):
    with pytest.raises(Malformed):
        plan({FILE: "images: [{name: shop}]"}, pull=pull, tag=tag)


def test_an_image_that_two_readers_read_differently_is_refused():
    with pytest.raises(Refusal) as caught:
        plan({FILE: "resources: [../base]\nimages:\n- name: shop\n  newTag: &1:1 v0\n"})
    assert (caught.value.code, caught.value.exit_code) == ("overlay-ambiguous", 16)
    assert "o/kustomization.yaml:3: got an image that two YAML readers read differently" in caught.value.message
