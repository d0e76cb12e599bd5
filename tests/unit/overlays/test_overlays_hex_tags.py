# ruff: noqa: E501  lists of tags
"""A commit as a tag reads as that tag, whatever number it looks like: for readers of YAML 1.1 and of 1.2."""

import io

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from support.overlay_files import FILE_OF_OVERLAY, NAMES, overlay

from promote.model.digest import Digest
from promote.overlays.edits import plan_edits
from promote.overlays.spelling import spelled

DIGEST = Digest("sha256", "c3" * 32)
STYLES = ("newTag: v1", "newTag: 'v1'", 'newTag: "v1"', "newTag: 12", "newTag: >-\n    v1")
LOOKALIKES = [
    "1234567", "0000000", "0123456", "0777777", "1e10000", "12e3456", "123456e", "e123456", "0e00000", "0b10101", "0b1010e",
    "1" * 40, "0" * 40, "9" * 40, "1" * 39 + "e", "1e" + "1" * 38, "0b" + "1" * 38, "abcdef0", "deadbeef", "20240101", "1000000",
]  # fmt: skip

digits = st.text("0123456789", min_size=7, max_size=40)
exponents = st.builds(lambda a, b: f"{a}e{b}"[:40], st.text("0123456789", min_size=1, max_size=20),
                      st.text("0123456789", min_size=6, max_size=20))  # fmt: skip
commits = st.text("0123456789abcdef", min_size=7, max_size=40) | digits | exponents | st.sampled_from(LOOKALIKES)


def readings(text):
    """`text` as a reader of YAML 1.1, and three of 1.2 and 1.1, take it."""
    yield yaml.safe_load(text)
    yield yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for version in ("1.1", "1.2"):
        reader = YAML(typ="safe", pure=True)
        reader.version = version
        yield reader.load(io.StringIO(text))


@settings(max_examples=300)
@given(commits, st.sampled_from(["", "'", '"', ">", "|"]))
def test_every_hex_string_reads_as_itself(commit, style):
    for read in readings(f"tag: {spelled(commit, style)}\n"):
        assert read == {"tag": commit}


@settings(max_examples=60)
@given(commits, st.sampled_from(STYLES))
def test_every_hex_string_as_a_tag_is_that_tag_in_the_file(commit, style):
    tree = overlay(f"resources: [../base]\nimages:\n- name: shop\n  {style}\n")
    (edit,) = plan_edits(tree, "o", NAMES, None, commit, DIGEST)
    assert edit.path == FILE_OF_OVERLAY
    for read in readings(edit.after.decode()):
        assert read["images"] == [{"name": "shop", "newTag": commit, "digest": str(DIGEST)}]


@pytest.mark.exhaustive
def test_every_string_of_seven_digits_and_an_exponent_reads_as_itself():
    for number in range(0, 10**7, 97):
        digits = f"{number:07}"
        for commit in (digits, digits[:3] + "e" + digits[4:]):
            assert yaml.safe_load(spelled(commit, "")) == commit
