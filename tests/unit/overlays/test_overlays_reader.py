"""Two readers see one tree, and the second one knows where each scalar's body is."""

import pytest

from promote.errors import Refusal
from promote.overlays.nodes import Alias, Mapping, Scalar, Sequence, contains, resolved
from promote.overlays.reader import Finder, Locator

TEXT = """\
a: &x !!str 12   # anchored and tagged
b: *x
c: >-
   foo
   bar

# a comment
d:
e: {g: , h: ,}
k: "h\\xe9"
? l
: 'm ''n'''
n: |
  x
  y
o: two
   lines
"""


def scalars(documents):
    found = []

    def walk(node):
        if isinstance(node, Scalar):
            found.append(node)
        elif isinstance(node, Mapping):
            for pair in node.pairs:
                for part in pair:
                    walk(part)
        elif isinstance(node, Sequence):
            for item in node.items:
                walk(item)

    for document in documents:
        walk(document.root)
    return found


def located(text):
    return scalars(Locator().documents("f", text.encode()))


def test_both_readers_see_the_same_scalars():
    one, other = scalars(Finder().documents("f", TEXT.encode())), located(TEXT)
    assert [(s.value, s.style, s.tag, s.path) for s in one] == [(s.value, s.style, s.tag, s.path) for s in other]
    assert len(one) == 20


def test_a_span_is_the_body_without_anchor_and_tag():
    bodies = {s.value: TEXT[slice(*s.span)] for s in located(TEXT)}
    assert bodies["12"] == "12"
    assert bodies["hé"] == '"h\\xe9"'
    assert bodies["m 'n'"] == "'m ''n'''"
    assert bodies["foo bar"].startswith(">-\n   foo\n   bar\n")
    assert bodies["x\ny\n"] == "|\n  x\n  y\n"
    assert bodies["two lines"] == "two\n   lines"


def test_empty_values_have_spans_of_no_width():
    assert [s.span[1] - s.span[0] for s in located(TEXT) if s.value == ""] == [0, 0, 0]


@pytest.mark.parametrize("prefix", ["", "\ufeff", "# é 日本 🎉\r\n", "%YAML 1.1\n---\n", "\n\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_spans_hold_after_any_beginning_and_with_any_newline(prefix, newline):
    text = prefix + f"a: b{newline}c: [d, 'é', \"f\"]{newline}g: h"
    bodies = [text[slice(*s.span)] for s in located(text)]
    assert bodies == ["a", "b", "c", "d", "'é'", '"f"', "g", "h"]


def test_an_alias_is_kept_as_an_alias():
    root = Locator().documents("f", TEXT.encode())[0].root
    alias = root.pairs[1][1]
    assert isinstance(alias, Alias)
    assert (alias.name, alias.line, resolved(alias).value) == ("x", 2, "12")
    assert contains(root, alias)
    assert not contains(alias, resolved(alias))


def test_paths_count_documents_keys_and_items():
    documents = Finder().documents("f", b"a: 1\n---\na: {b: [x, y]}\na: z\n")
    assert [s.path for s in scalars(documents) if s.path] == [
        ("0", "a/1"), ("1", "a/1", "b/1", "[0]"), ("1", "a/1", "b/1", "[1]"), ("1", "a/2"),
    ]  # fmt: skip


def test_the_inside_of_a_block_literal_is_read_where_it_stands():
    text = "é: 1\r\npatch: |-   # why\r\n    a:\r\n      - image: 'x'\r\n    b: y\r\nc: d\r\n"
    outer = next(s for s in located(text) if s.style == "|")
    inner = scalars(Locator().inside("f", text.encode(), outer))
    assert [(text[slice(*s.span)], s.line) for s in inner] == [("a", 3), ("image", 4), ("'x'", 4), ("b", 5), ("y", 5)]
    found = scalars(Finder().inside("f", text.encode(), outer))
    assert [(s.value, s.line, s.path) for s in found] == [(s.value, s.line, s.path) for s in inner]


@pytest.mark.parametrize("reader", [Finder(), Locator()])
@pytest.mark.parametrize(
    ("content", "where", "said"),
    [
        (b"a: [b\n", "f:2:", "expected"),
        (b"a: b\n\xff: c\n", "f:2:1:", "0xff"),
        (b"a: \x00\n", "f:1:", "expected"),
        (b"[" * 65, "f:1:1:", "nesting deeper than 64 levels"),
        (b"a: *nowhere\nb: \x07", "f:", "expected"),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_place(reader, content, where, said):
    with pytest.raises(Refusal) as caught:
        reader.documents("f", content)
    assert caught.value.code == "overlay-ambiguous"
    assert caught.value.exit_code == 16
    assert caught.value.message.startswith(where)
    assert said in caught.value.message


def test_a_tab_that_only_the_locator_cannot_read_is_named_with_line_and_column():
    content = b"images:\n- name: a\n  newTag:\tv1\n"
    assert len(scalars(Finder().documents("f", content))) == 5
    with pytest.raises(Refusal, match=r"f:3:10: got found character '\\t' that cannot start any token"):
        Locator().documents("f", content)
