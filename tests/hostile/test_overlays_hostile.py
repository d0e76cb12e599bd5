"""Files made to break a reader: every one ends in a refusal with its place, or in nothing at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.errors import Refusal
from promote.model.digest import Digest
from promote.overlays.edits import plan_edits
from promote.overlays.effect import check_effect
from promote.overlays.question import Question
from promote.overlays.reader import Finder, Locator
from promote.overlays.sites import images_in, pins
from promote.overlays.target import Target

NAMES = frozenset({"shop"})
DIGEST = Digest("sha256", "b2" * 32)
FILE = "o/kustomization.yaml"
ENTRY = b"images:\n- name: shop\n  newTag: v1\n"


class Files(dict):
    def read(self, path):
        return self.get(path)


def effect(tree):
    """The effect of no edit."""
    return check_effect(tree, tree, Question("o", NAMES, Target("reg/shop", "sha-0123456", DIGEST)))


def plan(content, **files):
    return plan_edits(Files({FILE: content, **files}), "o", NAMES, "reg/shop", "sha-0123456", DIGEST)


HOSTILE = {
    "ten megabytes of flow nesting": b"[" * 10_000_000,
    "ten megabytes of block nesting": b"- " * 5_000_000,
    "four megabytes of flow nesting": b"a: " + b"{a: [" * 800_000,
    "nesting one level too deep": b"a: " + b"[" * 64 + b"]" * 64,
    "indentation as deep as it is long": b"".join(b" " * n + b"a:\n" for n in range(1_000)),
    "nul bytes": ENTRY + b"x: \x00\n",
    "a program": bytes(range(256)) * 64,
    "not utf-8": ENTRY + b"x: \xc3\x28\n",
    "utf-16": ENTRY.decode().encode("utf-16"),
    "a surrogate": ENTRY + b"x: \xed\xa0\x80\n",
    "an escape beyond unicode": ENTRY + b'x: "\\U00110000"\n',
    "a directive of no version": b"%YAML 99.99.99\n---\n" + ENTRY,
    "a directive with a huge number": b"%YAML 1." + b"9" * 10_000 + b"\n---\n" + ENTRY,
    "a tag with a broken handle": ENTRY + b"x: !a!b c\n",
    "a tag with a broken escape": ENTRY + b"x: !%zz c\n",
    "an anchor without a name": ENTRY + b"x: & c\n",
    "an unclosed quote": ENTRY + b"x: 'y\n",
    "a huge unclosed quote": ENTRY + b'x: "' + b"y " * 500_000,
    "a template": b"{{ range .Values }}\nimages:\n- name: shop\n{{ end }}\n",
    "a merge conflict": b"<<<<<<< ours\n" + ENTRY + b"=======\n" + ENTRY + b">>>>>>> theirs\n",
    "a thousand duplicate entries": b"images:\n" + b"- {name: shop, newTag: v1}\n" * 1_000,
    "a thousand duplicate keys": b"images:\n- name: shop\n" + b"  newTag: v1\n" * 1_000,
    "keys that are mappings": ENTRY + b"? {a: b}\n: c\n? [d]\n: e\n---\nx: y\n",
    "an alias to itself": b"images: &a\n- name: shop\n  newTag: *a\n- *a\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_kustomizations_are_refused_with_file_and_place(name):
    with pytest.raises(Refusal) as caught:
        plan(HOSTILE[name])
    assert caught.value.exit_code == 16
    assert caught.value.code == "overlay-ambiguous"
    assert caught.value.message.startswith(f"{FILE}:")
    assert len(caught.value.message) < 6_000
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_resources_are_refused_when_they_matter_and_passed_over_when_not(name):
    hostile = {"o/d.yaml": HOSTILE[name]}
    (edit,) = plan(b"resources: [d.yaml]\n" + ENTRY, **hostile) if b"shop" not in HOSTILE[name] else (None,)
    assert edit is None or edit.path == FILE
    tree = Files({FILE: b"resources: [d.yaml]\n" + ENTRY, **hostile})
    assert "shop" in images_in(tree, "o")


def test_an_alias_bomb_is_never_expanded():
    bomb = b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
        b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 60)
    )
    (edit,) = plan(bomb + ENTRY)
    assert edit.after.startswith(bomb)
    (edit,) = plan(b"resources: [d.yaml]\n" + ENTRY, **{"o/d.yaml": bomb + b"containers: [*a59]\n"})
    assert edit.path == FILE


def test_many_aliases_of_many_anchors_take_linear_work():
    anchors = b"".join(b"k%d: &k%d [a, b]\n" % (n, n) for n in range(2_000))
    uses = b"".join(b"u%d: *k%d\n" % (n, n % 2_000) for n in range(5_000))
    (edit,) = plan(anchors + uses + ENTRY)
    assert len(edit.edits) == 3


def test_kustomizations_in_circles_and_in_great_number_come_to_an_end():
    chain = {f"o/{n}/kustomization.yaml": f"resources: [../{n + 1}]".encode() for n in range(1_000)}
    chain["o/1000/kustomization.yaml"] = b"resources: [../0, ../../o]"
    tree = Files({FILE: b"resources: ['0']\n" + ENTRY, **chain})
    assert len(pins(tree, "o", NAMES)) == 1
    (note,) = [n for n in effect(tree).doubts if "layers" in n]
    assert "in a circle" in note


def test_a_diamond_of_bases_does_not_grow_without_bound():
    diamond = {f"b{n}/kustomization.yaml": f"resources: [../b{n + 1}, ../b{n + 1}]".encode() for n in range(40)}
    tree = Files({FILE: b"resources: [../b0]\n" + ENTRY, **diamond, "b40/kustomization.yaml": b""})
    assert any("layers" in note for note in effect(tree).doubts)


@pytest.mark.parametrize(
    "path", ["../../../etc/passwd", "/etc/passwd", "a\0b", "..", ".", "o\\d.yaml", "x" * 100_000, "file:///etc"]
)
def test_paths_that_lead_elsewhere_are_never_read(path):
    class Strict(Files):
        def read(self, path):
            assert not path.startswith(("/", "../"))
            assert "\0" not in path
            return self.get(path)

    listed = yaml_string(path)
    tree = Strict(
        {FILE: f"resources: [{listed}]\npatches: [{{path: {listed}}}]\ncomponents: [{listed}]\n".encode() + ENTRY}
    )
    (edit,) = plan_edits(tree, "o", NAMES, "reg/shop", "sha-0123456", DIGEST)
    assert edit.path == FILE
    if path.startswith(("/", "../")):
        with pytest.raises(Refusal, match="outside the repository"):
            effect(tree)
    else:
        assert effect(tree).blind


def yaml_string(text):
    return '"' + text.replace("\\", "\\\\").replace("\0", "\\0") + '"'


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text("-?:,[]{}#&*!|>'\"%@` \t\r\n\\ax1<.", max_size=80).map(str.encode))
def test_no_foreign_exception_leaves_either_reader(content):
    for reader in (Finder(), Locator()):
        try:
            reader.documents("f", content)
        except Refusal as problem:
            assert problem.message.isprintable()  # noqa: PT017  either outcome is right


@settings(max_examples=200)
@given(
    st.text("-?:,[]{}#&*!|>'\" \t\r\n\\ax1.", max_size=60).map(str.encode),
    st.sampled_from(["before", "after", "value"]),
)
def test_noise_around_an_entry_ends_in_an_edit_that_holds_or_in_a_refusal(noise, where):
    content = {"before": noise + b"\n" + ENTRY, "after": ENTRY + noise, "value": ENTRY.replace(b"v1", noise)}[where]
    try:
        edits = plan(content)
    except Refusal:
        return
    (edit,) = edits
    assert [(p.name, p.tag, p.digest) for p in pins(Files({FILE: edit.after}), "o", NAMES | {"reg/shop"})] == [
        ("reg/shop", "sha-0123456", DIGEST)
    ]
