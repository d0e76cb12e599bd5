"""promote.yaml is input too: whatever is in it, the answer is a configuration or one `Misuse`."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.config.document import MAX_BYTES, parse
from promote.config.load import load
from promote.config.schema import known_keys
from promote.errors import Misuse
from promote.model.configuration import Configuration
from promote.model.malformed import Malformed

GOOD = {
    "version": 1,
    "apps": {"web": {"image": "acme/web"}},
    "environments": {"staging": {"registry": "a.example"}, "prod": {"registry": "b.example", "from": ["staging"]}},
}
tmp = settings(max_examples=40)


def read(directory, content: bytes) -> Configuration | None:
    path = directory / "promote.yaml"
    path.write_bytes(content)
    try:
        return load(path)
    except Misuse as refused:
        problem = refused
    assert problem.message.isprintable()
    assert problem.exit_code == 2
    return None


@given(content=st.binary(max_size=200))
@tmp
def test_any_bytes(tmp_path, content):
    assert read(tmp_path, content) is None


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["off", "../x", "oci:", "-x"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(known_keys()) | st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    sections=st.dictionaries(
        st.sampled_from(["apps", "environments", "trust", "gates", "git", "registries", "version"]), values, max_size=4
    )
)
@tmp
def test_any_value_in_any_section(tmp_path, sections):
    found = read(tmp_path, json.dumps(GOOD | sections).encode())
    assert found is None or isinstance(found, Configuration)


@given(seed=st.integers(0, 10_000))
@tmp
def test_a_good_file_with_bytes_changed(tmp_path, seed):
    content, dice = bytearray(json.dumps(GOOD, indent=1).encode()), random.Random(seed)
    for _ in range(dice.randint(1, 3)):
        content[dice.randrange(len(content))] = dice.randrange(256)
    read(tmp_path, bytes(content))


@pytest.mark.parametrize(
    "content",
    [
        b"a: &a [x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b", ".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 107)),
        b"a: &a\n  b: *a\n",
        b"a: &a [*a]\n",
        b"<<: {a: 1}\nb: 2\n",
        b"x: !!python/object/apply:os.system [echo]\n",
        b"x: !!binary aGVsbG8=\n",
        b"x: 2026-01-02\n",
        b"x: !!set {a, b}\n",
        b"? [a, b]\n: c\n",
        b"a: 1\na: 2\n",
        b"[" * 3000 + b"]" * 3000,
        b"a:\n" + b"".join(b" " * n + b"a:\n" for n in range(1, 1500)),
        b"#" * (MAX_BYTES + 1),
        b"%YAML 9.9\n---\na: b\n",
        b"a: 'x\n",
        b"\x00",
        b"\xef\xbb\xbf{",
        b"a: " + b"9" * 5000,
        b"a: 1e99999\n",
    ],
    ids=range(19),
)
def test_yaml_that_is_made_to_hurt(tmp_path, content):
    assert read(tmp_path, content) is None


def test_a_document_is_plain_python():
    found = parse(b"a: 0x10\nb: 1_000\nc: 1.5\nd: yes\ne: |\n  x\nf: 'y'\ng: ~\nh: [1]\n").value
    assert {key: type(value) for key, value in found.items()} == {
        "a": int, "b": found["b"].__class__, "c": float, "d": str, "e": str, "f": str, "g": type(None), "h": list,
    }  # fmt: skip
    assert found["a"] == 16


def test_lines_of_what_is_and_is_not_there():
    document = parse(b"a:\n  b: [1,\n    2]\nc: 3\n")
    assert [document.line(p) for p in (["a"], ["a", "b"], ["a", "b", 1], ["c"], ["a", "x"], ["x"], [])] == [
        1,
        2,
        3,
        4,
        1,
        1,
        1,
    ]


def test_a_file_that_is_too_large_is_not_read_into_memory(tmp_path):
    path = tmp_path / "promote.yaml"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)
    with pytest.raises(Misuse) as caught:
        load(path)
    assert caught.value.code == "file-too-large"


def test_what_is_no_file(tmp_path):
    (tmp_path / "promote.yaml").mkdir()
    with pytest.raises(Misuse):
        load(tmp_path / "promote.yaml")
    with pytest.raises(Malformed):
        parse(b"")


@pytest.mark.parametrize("pattern", ["(?P<commit>(a+)+)$", "(?P<commit>.*)", "(?P<commit>)", "(?P<commit>x)?"])
def test_a_pattern_of_a_careless_author_never_lets_a_floating_tag_through_as_a_commit(tmp_path, pattern):
    from promote.gates.tag import commit_of

    found = read(tmp_path, json.dumps(GOOD | {"gates": {"tag": pattern}}).encode())
    assert found is not None
    assert commit_of("latest", found.gates["prod"].tag) in {None, "latest"}
