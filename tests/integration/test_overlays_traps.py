# ruff: noqa: E501  what is edited reads best on one line
"""The traps of editing kustomize overlays, one short test each; what each is about:

| # | trap | test |
|---|---|---|
| 1 | comments, quotes, indentation, order | the bytes outside the values stay (the corpus has every style) |
| 2 | CRLF, byte-order mark, no final newline, trailing blanks | four encodings of one file |
| 3 | a commit that looks like a number | it is quoted |
| 4 | flow style and JSON | edited, and entries added |
| 5 | an anchor in one entry, its alias in another | refused with both lines |
| 6 | a key twice, in two spellings, two lists | refused with both lines |
| 7 | a base's newName hides the entry | no effect |
| 8 | a name is a regular expression | a sibling would move: refused |
| 9 | a digest left stale beside a new tag | the old digest is nowhere |
| 10 | tag and digest in newTag, tag in newName | edited, or refused by name |
| 11 | a component or base that environments share | refused; a base is never edited |
| 12 | replacements and transformers override images | doubted, and what is seen refused |
| 13 | copies of the reference elsewhere | warned of |
| 14 | an entry in a second document | refused |
| 15 | two kustomizations in one directory | refused |
| 16 | templates in the tree | passed over, or refused with their place |
| 17 | a tab after a colon | edited, or refused with line and column |
| 18 | links, submodules, paths out of the repository | refused |
| 35 | modes and links of files | only the content of regular files is ever read |
"""

import pytest
from support.git_world import git, isolate
from support.overlay_files import (
    BASE,
    DEPLOYMENT,
    DIGEST,
    OLD,
    OLD_TAG,
    PULL,
    TAG,
    overlay,
    promote,
)

from promote.errors import Refusal
from promote.gitops.repository import Repository
from promote.overlays.effect import check_untouched
from promote.overlays.tree import Patched

HEAD = "resources:\n- ../base\n"
ENTRY = f"images:\n- name: shop # c\n  newName: {PULL}\n  newTag: '{OLD_TAG}'   # t\n  digest: {OLD}\n"
FILE = "o/kustomization.yaml"


def after(kustomization, **files):
    """The kustomization after the promotion, as text."""
    made, found = promote(overlay(kustomization, **files))
    assert found.images
    return made[FILE].decode()


def refusal(kustomization, code="overlay-ambiguous", **files):
    tree = overlay(kustomization, **files)
    with pytest.raises(Refusal) as caught:
        promote(tree)
    assert (caught.value.code, caught.value.exit_code) == (code, 16)
    return caught.value.message


def swapped(text):
    return text.replace(OLD_TAG, TAG).replace(OLD, str(DIGEST))


def test_trap_1_everything_but_the_values_stays():
    text = f"# top\n---\n{HEAD}\n\n{ENTRY}\n# end\n"
    assert after(text) == swapped(text)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("tail", ["", "\n", "  \n\n \n"])
def test_trap_2_the_encoding_of_the_file_stays(ending, mark, tail):
    text = mark + (HEAD + ENTRY.rstrip("\n") + tail).replace("\n", ending)
    assert after(text) == swapped(text)


@pytest.mark.parametrize("tag", ["1234567", "553640e6", "0189456", "0b10110", "1e10000"])
def test_trap_3_a_commit_that_looks_like_a_number_is_quoted(tag):
    made, found = promote(overlay(f"{HEAD}images:\n- name: shop\n  newTag: v1\n"), tag=tag)
    assert f'  newTag: "{tag}"\n' in made[FILE].decode()
    assert len(found.images) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'resources: [../base]\nimages: [{name: shop, newTag: "v1"}]\n',
            f'resources: [../base]\nimages: [{{name: shop, newName: "{PULL}", newTag: "{TAG}", digest: "{DIGEST}"}}]\n',
        ),
        (
            '{"resources":["../base"],"images":[{"name":"shop","newTag":"v1"}]}',
            f'{{"resources":["../base"],"images":[{{"name":"shop", "newName":"{PULL}","newTag":"{TAG}", "digest":"{DIGEST}"}}]}}',
        ),
        (
            '{"resources":["../base"]}',
            f'{{"resources":["../base"], "images": [{{"name": "shop", "newName": "{PULL}", "newTag": "{TAG}", "digest": "{DIGEST}"}}]}}',
        ),
        (
            "resources: [../base]\nimages: []  # none\n",
            f'resources: [../base]\nimages: [{{name: "shop", newName: "{PULL}", newTag: "{TAG}", digest: "{DIGEST}"}}]  # none\n',
        ),
    ],
)
def test_trap_4_flow_style_and_json(text, expected):
    made = after(text)
    assert made.replace(", ", ",").replace(": ", ":") == expected.replace(", ", ",").replace(": ", ":")


def test_trap_5_an_anchor_that_others_use():
    text = f"{HEAD}images:\n- name: shop\n  newTag: &t v1\n- name: shopper\n  newTag: *t\n"
    assert refusal(text).startswith(f"{FILE}:5,7: ")
    text = f"{HEAD}images:\n- name: shopper\n  newTag: &t v1\n- name: shop\n  newTag: *t\n"
    assert refusal(text).startswith(f"{FILE}:5,7: ")


@pytest.mark.parametrize(
    ("images", "lines"),
    [
        ("images:\n- name: shop\n  newTag: v1\n  newTag: v2\n", "5,6"),
        ("images:\n- name: shop\n  newTag: v1\n  newtag: v2\n", "5,6"),
        ("images:\n- name: shop\nimages:\n- name: shop\n", "3,5"),
        ("images:\n- name: shop\n- name: shop\n", "4,5"),
    ],
)
def test_trap_6_two_values_for_one(images, lines):
    assert refusal(HEAD + images).startswith(f"{FILE}:{lines}: ")


def test_trap_7_a_base_that_renames_the_image():
    renamed = {"base/kustomization.yaml": "resources: [d.yaml]\nimages: [{name: shop, newName: acme/shop}]\n"}
    assert "matches nothing, it is applied to acme/shop" in refusal(HEAD + ENTRY, "no-effect", **renamed)


def test_trap_8_a_name_that_catches_a_sibling():
    base = {
        "base/d.yaml": DEPLOYMENT.replace("shop:1", "reg.old/acme/shop:1").replace("shopper:1", "regsold/acme/shop:1")
    }
    message = refusal(f"{HEAD}images:\n- name: reg.old/acme/shop\n", "too-much-effect", **base)
    assert "Deployment web spec.template.spec.containers[side].image would change" in message
    doubted = promote(overlay(f"{HEAD}{ENTRY}- {{name: 'zzz|other', newTag: x}}\n"))[1]
    assert any("for a regular expression" in doubt for doubt in doubted.doubts)


def test_trap_9_no_stale_digest():
    made = after(HEAD + ENTRY)
    assert OLD not in made
    assert str(DIGEST) in made


@pytest.mark.parametrize(
    "entry",
    [
        f"newTag: v1@{OLD}",
        "newName: acme/shop:v1",
        f"newName: acme/shop@{OLD}",
        f"newName: acme/shop\n  newTag: v1\n  digest: {OLD}",
        "newTag: ~",
        "digest:",
    ],
)
def test_trap_10_every_form_of_an_entry(entry):
    made = after(f"{HEAD}images:\n- name: shop\n  {entry}\n")
    assert OLD not in made
    values = {line.strip().replace('"', "") for line in made.splitlines()[2:]}
    assert values == {"images:", "- name: shop", f"newName: {PULL}", f"newTag: {TAG}", f"digest: {DIGEST}"}


def test_trap_10_a_name_with_a_tag_fits_that_tag_alone():
    assert after(f"{HEAD}images:\n- name: shop:1\n  newTag: v1\n").startswith(
        f"{HEAD}images:\n- name: shop:1\n  newName: {PULL}\n  newTag: {TAG}\n"
    )
    assert "the images entry for shop:v1 matches nothing" in refusal(f"{HEAD}images:\n- name: shop:v1\n", "no-effect")
    own = {"o/d.yaml": DEPLOYMENT}
    made, found = promote(overlay("resources: [d.yaml]\nimages:\n- name: shop:1\n", **own))
    assert (list(made), len(found.images)) == ([FILE], 1)


def test_trap_11_a_component_that_another_environment_shares():
    shared = {"part/kustomization.yaml": f"kind: Component\n{ENTRY}"}
    text = "resources: [../base]\ncomponents: [../part]\n"
    tree = overlay(text, **shared, **{"staging/kustomization.yaml": text})
    made, _ = promote(tree)
    assert list(made) == ["part/kustomization.yaml"]
    with pytest.raises(Refusal) as caught:
        check_untouched(tree, Patched(tree, made), "staging", made)
    assert caught.value.code == "too-much-effect"
    assert "staging" in caught.value.message
    assert "part/kustomization.yaml" in caught.value.message


def test_trap_11_a_base_is_never_edited():
    files = {"base/kustomization.yaml": f"resources: [d.yaml]\n{ENTRY}"}
    made, found = promote(overlay("resources:\n  - ../base\n", **files))
    assert made == {
        FILE: f"resources:\n  - ../base\nimages:\n  - name: {PULL}\n    newTag: {TAG}\n    digest: {DIGEST}\n".encode()
    }
    assert len(found.images) == 1


def test_trap_11_a_component_pins_one_container_and_the_base_has_another():
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: z}\nspec: {containers: [{name: z, image: 'shop:1'}]}\n"
    part = {"part/kustomization.yaml": "kind: Component\nresources: [pod.yaml]\n", "part/pod.yaml": pod}
    made, found = promote(overlay(f"{HEAD}components: [../part]\n", **part))
    assert sorted(made) == [FILE, "part/pod.yaml"]
    assert found.images == (
        "Deployment web spec.template.spec.containers[web].image",
        "Pod z spec.containers[z].image",
    )


@pytest.mark.parametrize("key", ["replacements", "transformers"])
def test_trap_12_what_overrides_the_images_is_a_doubt(key):
    found = promote(overlay(f"{HEAD}{ENTRY}{key}: [r.yaml]\n", **{"o/r.yaml": "kind: Other\n"}))[1]
    assert found.doubts == (f"{FILE}:8 has {key}",)


def test_trap_13_copies_of_the_reference_are_warned_of():
    files = {"o/c.yaml": f"kind: ConfigMap\nmetadata: {{name: c}}\ndata: {{a: 'shop:{OLD_TAG}'}}\n"}
    found = promote(overlay(HEAD + "- c.yaml\n" + ENTRY, **files))[1]
    assert [w.partition(" still names ")[0] for w in found.warnings] == ["ConfigMap c data.a"]


def test_trap_14_a_second_document():
    assert refusal(f"{HEAD}---\n{ENTRY}").startswith(f"{FILE}:4: got a second document")


def test_trap_15_two_kustomizations():
    assert "2 kustomization files in o" in refusal(HEAD + ENTRY, **{"o/kustomization.yml": HEAD})


def test_trap_16_templates_are_no_crash():
    template = {"o/t.yaml": "{{- range .Values }}\nkind: {{ .kind }}\n{{- end }}\n"}
    found = promote(overlay(HEAD + "- t.yaml\n" + ENTRY, **template))[1]
    assert found.images
    assert found.doubts[0].startswith("o/t.yaml:1:")
    assert "got a template ({{)" in refusal(f"{HEAD}images:\n- name: shop\n  newTag: '{{{{ tag }}}}'\n")


def test_trap_17_a_tab_after_a_colon():
    text = HEAD + ENTRY.replace("digest: ", "digest:\t")
    try:
        assert after(text) == swapped(text)
    except Refusal as problem:
        assert problem.message.startswith(f"{FILE}:7:")  # noqa: PT017  either outcome is right


def test_trap_18_a_path_out_of_the_repository():
    assert "../../outside, which is outside the repository" in refusal(f"{HEAD}- ../../outside\n{ENTRY}")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate(monkeypatch, tmp_path)
    root = tmp_path / "repo"
    for path, text in {**BASE, FILE: HEAD + ENTRY}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    return root


def committed(root):
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a tree")
    with Repository.open(root, branch=None, remote="origin") as opened:
        yield opened.snapshot(opened.local_tip())


def link(root, path):
    (root / path).rename(root / "elsewhere")
    (root / path).symlink_to(root / "elsewhere")


@pytest.mark.parametrize("what", ["overlay", "kustomization", "base"])
def test_traps_18_and_35_links_are_never_followed(repository, what):
    link(repository, {"overlay": "o", "kustomization": FILE, "base": "base"}[what])
    (snapshot,) = committed(repository)
    with pytest.raises(Refusal) as caught:
        promote(snapshot)
    assert (caught.value.code, caught.value.actual) == ("overlay-ambiguous", "a symbolic link")


def test_trap_18_a_link_that_a_base_lists_is_said_and_not_followed(repository):
    link(repository, "base/d.yaml")
    (snapshot,) = committed(repository)
    made, found = promote(snapshot)
    assert list(made) == [FILE]
    assert "base/d.yaml is a symbolic link" in found.blind[0]


def test_a_snapshot_of_git_is_promoted_as_files_are(repository):
    (snapshot,) = committed(repository)
    made, found = promote(snapshot)
    assert made == {FILE: swapped(HEAD + ENTRY).encode()}
    assert len(found.images) == 1
