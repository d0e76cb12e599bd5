"""Quotes are added exactly where a reader would not see a string."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from promote.overlays.spelling import is_string_when_plain, spelled

HEX = st.text("0123456789abcdef", min_size=7, max_size=64)
DIGITS_AND_E = st.text("0123456789e", min_size=7, max_size=12)


@pytest.mark.parametrize(
    "text",
    ["12345", "553640e6", "0x12", "1_000", "1.10", ".inf", "on", "null", "~", "2024-01-01", "0189456", "1:20", "0b101",
     "0o17", "NO", "y", "True", "", "=", "<<", ".NaN", "1e3", "1.", ".5", "2024-01-01T00:00:00Z", "1_0e3",
     "[::1]:5000/a", "a:", "-a", "_1", "+1", "0X1F"],
)  # fmt: skip
def test_what_a_reader_may_take_for_something_else_is_quoted(text):
    assert spelled(text, "") == f'"{text}"'


@pytest.mark.parametrize(
    "text",
    ["sha-12345", "v1.2.3", "1.2.3", "0a1b2c3", "12345a", "1e3e4", "localhost:5000/acme/web",
     "registry.example/a:v1@sha256:00",     "nope", "2024.01.01", "sha256:00", "e10", "0x1g", ".a"],
)  # fmt: skip
def test_what_every_reader_takes_for_a_string_is_left_plain(text):
    assert spelled(text, "") == text


def test_quotes_that_are_there_are_kept():
    assert spelled("abc", "'") == "'abc'"
    assert spelled("12345", '"') == '"12345"'
    assert spelled("abc", ">") == '"abc"'


@settings(max_examples=300)
@given(HEX | DIGITS_AND_E | HEX.map("sha-{}".format), st.sampled_from(["", "'", '"']))
def test_every_commit_is_a_string_for_readers_of_both_versions(commit, style):
    text = f"newTag: {spelled(commit, style)}\n"
    assert yaml.safe_load(text) == {"newTag": commit}
    assert YAML(typ="safe", pure=True).load(text) == {"newTag": commit}


@settings(max_examples=300)
@given(st.text("0123456789aefionxby_.:-+~=TZ", min_size=1, max_size=10))
def test_plain_text_is_the_same_string_for_readers_of_both_versions(text):
    if is_string_when_plain(text):
        assert yaml.safe_load(f"k: {text}") == {"k": text}
        assert yaml.safe_load(f"{{k: {text}, l: m}}") == {"k": text, "l": "m"}
        assert YAML(typ="safe", pure=True).load(f"k: {text}") == {"k": text}
