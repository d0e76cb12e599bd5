"""The proof of an edit fails for anything but the edit."""

import pytest

from promote.errors import Fault
from promote.overlays.recheck import Wanted, check_bytes, check_values

BEFORE = b"images:\n- name: a\n  newTag: v1 # c\n- &x b\n- *x\n"
TAG = ("0", "images/1", "[0]", "newTag/1")


def fails(after, *wanted):
    with pytest.raises(Fault) as caught:
        check_values("f", BEFORE, after, wanted)
    assert caught.value.code == "edit-check-failed"
    assert caught.value.exit_code == 3
    return caught.value


def test_the_edit_that_was_meant_passes():
    after = BEFORE.replace(b"v1", b"'v2'").replace(b" # c\n", b" # c\n  digest: sha256:00\n")
    added = Wanted((*TAG[:-1], "digest/1"), "sha256:00", TAG)
    check_values("f", BEFORE, after, [Wanted(TAG, "v2", None), added])


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        BEFORE.replace(b"v1", b"12"),
        BEFORE.replace(b"v1", b"v2").replace(b"name: a", b"name: b"),
        BEFORE.replace(b"v1", b"v2") + b"- c\n",
        BEFORE.replace(b"v1", b"v2").replace(b"&x ", b"&y ").replace(b"*x", b"*y"),
        BEFORE.replace(b"v1", b"v2").replace(b"- *x\n", b"- b\n"),
        BEFORE.replace(b"v1", b"&z v2"),
        BEFORE.replace(b"v1", b"v2\n  new: 1"),
        BEFORE.replace(b"v1", b"[v2"),
        b"",
    ],
)
def test_any_other_difference_fails(after):
    fails(after, Wanted(TAG, "v2", None))


def test_a_leaf_that_is_not_there_fails():
    fails(BEFORE, Wanted((*TAG[:-1], "newTag/2"), "v2", None))


def test_a_number_is_not_the_string_of_its_digits():
    problem = fails(BEFORE.replace(b"v1", b"12345"), Wanted(TAG, "12345", None))
    assert "newTag/1" in problem.expected


def test_the_inside_of_a_block_is_compared_value_by_value():
    before = b"patch: |-\n  a: x:1 # k\n  b: 2\n"
    wanted = [Wanted(("0", "patch/1", "|", "0", "a/1"), "x:2", None)]
    check_values("f", before, before.replace(b"x:1", b"x:2"), wanted)
    for wrong in (before.replace(b"x:1", b"x:3"), before.replace(b"x:1", b"x:2").replace(b"b: 2", b"b: 3")):
        with pytest.raises(Fault):
            check_values("f", before, wrong, wanted)


def test_bytes_outside_the_spans_may_not_move():
    check_bytes("f", b"abcdef", b"abXXef", [(2, 4, 2)])
    check_bytes("f", b"abcdef", b"abcdefZ", [(6, 6, 1)])
    for after in (b"abXXeg", b"aXXef", b"abXXefg", b"abXXe"):
        with pytest.raises(Fault):
            check_bytes("f", b"abcdef", after, [(2, 4, 2)])
