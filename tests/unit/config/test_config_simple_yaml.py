"""What libyaml reads of promote.yaml is what ruamel.yaml reads, to the line; everything else is left to that."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.config import any_yaml, simple_yaml
from promote.config.document import MAX_NODES, parse
from promote.model.malformed import Malformed

FILE = b"""\
# promote.yaml
version: 1
apps:
  web: {image: acme/web, names: [web, acme-web]}   # the app
  "api":
    image: acme/api
    source: https://github.com/acme/api
environments:
  staging:
    registry: 127.0.0.1:5000/staging
    overlays:
      - overlays/{app}/staging
      - 'second'
  prod:
    from: [staging]
    places:
      - registry: b.example
        pull: "c.example"
      -
        registry: d.example
gates:
  sbom: {min_versions: 0.5, max_age: 24h}
  freeze: null
  signature: true
"""

RARE = [
    b"a: 0x10", b"a: 010", b"a: 1_000", b"a: .5", b"a: 1e3", b"a: yes", b"a: On", b"a: ~", b"a:", b"a: True",
    b"a: .inf", b"a: 2027-01-31", b"a: 12:30:45", b"a: &x b", b"a: *x", b"a: !!str b", b"<<: {a: b}",
    b"a: |\n  text", b"a: >\n  text", b"a: b\n  c", b"a: 'b\n  c'", b"1: a", b"[a]: b", b"a: b\na: c", b"- a", b"a",
    b"", b"a: b\n---\nc: d",
    b"%YAML 1.1\n---\na: b", b"a: [b", b"\ta: b", b"a: \xc2\x85b", b"a: b\n...\nc", b"\xef\xbb\xbfa: b", b"a: {b:c}",
    b"a: -1", b"a: =", b"a: \xff",
]  # fmt: skip


def every_path(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for step in value if isinstance(value, dict) else range(len(value)):
            yield from every_path(value[step], (*path, step))


def same_where_simple(content: bytes) -> bool:
    """Whether `content` is read by libyaml; then ruamel.yaml must read the same, with the same lines."""
    quick = simple_yaml.read(content, MAX_NODES)
    if quick is None:
        return False
    value, place = any_yaml.read(content, MAX_NODES)
    assert place is not None
    assert json.dumps(quick[0]) == json.dumps(value)  # so that 1, 1.0 and True are told apart
    for path in every_path(value):
        assert quick[1].line(path) == place.line(path), path
        assert quick[1].line((*path, "absent")) == place.line((*path, "absent"))
    return True


def test_a_usual_file_is_read_by_libyaml_with_every_line():
    assert same_where_simple(FILE)
    document = parse(FILE)
    assert document.line(("environments", "prod", "places", 1, "registry")) == 20
    assert document.line(("environments", "prod", "places", 1, "absent")) == 20
    assert document.line(("environments", "staging", "overlays", 1)) == 13
    assert document.line(("absent",)) == 1


def test_json_is_read_by_libyaml():
    value = {"version": 1, "apps": {f"a{n}": {"image": f"acme/a{n}", "names": ["é"]} for n in range(50)}}
    assert same_where_simple(json.dumps(value, indent=1).encode())
    assert same_where_simple(json.dumps(value).encode())


@pytest.mark.parametrize("content", RARE)
def test_what_is_rare_doubtful_or_wrong_is_left_to_ruamel(content):
    assert simple_yaml.read(content, MAX_NODES) is None


def test_too_many_values_and_too_many_levels_are_left_to_ruamel():
    assert simple_yaml.read(b"a: [b, c]", 3) is not None
    assert simple_yaml.read(b"a: [b, c]", 2) is None
    assert simple_yaml.read(b'{"a": ' * 100 + b"b" + b"}" * 100, MAX_NODES) is None


TOKENS = st.sampled_from([
    "a", "b", "c: ", "d:", "- ", "\n", "\n  ", "\n    ", " ", "{", "}", "[", "]", ", ", "'", '"', "#", " # x", "1",
    "0.5", ".5", "07", "true", "no", "null", "é", ":", "x/y", "e=f", "\\", "\\n", "?", "|", ">", "&", "*", "!", "<<",
    "---",
    "24h", "1.2.3.4:5", "\u2028", "\x85", "\t", "-", "_", "@", "+", "1:30", "/",
])  # fmt: skip


@settings(max_examples=300)
@given(st.lists(TOKENS, max_size=14).map("".join))
def test_the_two_readers_agree_on_whatever_libyaml_takes(text):
    try:
        same_where_simple(("k: " + text).encode())
    except Malformed:
        pytest.fail("libyaml read what ruamel.yaml does not")


SCALARS = st.one_of(
    st.integers(-3, 10**6), st.booleans(), st.none(), st.text(alphabet="ab01./:-_ é#,'\"{}=@yno", max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from("pqrst"), v, max_size=3), max_leaves=8
)


def block(value, indent: int) -> str:
    """`value` in block style, strings as they are."""
    pad = "\n" + " " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{key}: {block(item, indent + 2)}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}- {block(item, indent + 2)}" for item in value)
    return value if isinstance(value, str) else json.dumps(value)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from("abcde"), VALUES, min_size=1, max_size=4))
def test_the_two_readers_agree_on_block_style(value):
    try:
        same_where_simple(block(value, 0).encode())
    except Malformed:
        pytest.fail("libyaml read what ruamel.yaml does not")
