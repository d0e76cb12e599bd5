"""The words of the command line: from where, to where, what."""

from __future__ import annotations

import pytest

from promote.cli.arrow import Way, parse
from promote.cli.verbs import with_verb
from promote.errors import Misuse


@pytest.mark.parametrize(
    ("words", "way"),
    [
        (["a->b"], Way("a", "b", ())),
        (["a->b", "x", "y"], Way("a", "b", ("x", "y"))),
        (["a -> b", "x"], Way("a", "b", ("x",))),
        (["a→b"], Way("a", "b", ())),
        (["a=>b"], Way("a", "b", ())),
        (["a", "→", "b", "x"], Way("a", "b", ("x",))),
        (["a", "=>", "b"], Way("a", "b", ())),
        (["a:b", "x"], Way("a", "b", ("x",))),
        (["a-b->c-d"], Way("a-b", "c-d", ())),
        (["a.b->c_d"], Way("a.b", "c_d", ())),
    ],
)
def test_a_way(words, way):
    assert parse(words, None, None) == way


@pytest.mark.parametrize(
    ("words", "way"),
    [(["a-", "x"], Way("a", "b", ("x",), redirected=True)), (["a", "-", "x"], Way("a", "b", ("x",), redirected=True))],
)
def test_a_way_whose_head_the_shell_took(words, way):
    assert parse(words, None, None, "b") == way


def test_a_way_that_is_written_out_is_not_taken_for_a_redirected_one():
    assert parse(["a->c", "x"], None, None, "b") == Way("a", "c", ("x",))


def test_options_instead_of_an_arrow():
    assert parse(["x"], "a", "b") == Way("a", "b", ("x",))


@pytest.mark.parametrize(
    ("words", "source", "target"),
    [
        ([], None, None),
        (["a"], None, None),
        (["a->"], None, None),
        (["->b"], None, None),
        ([":b"], None, None),
        (["a:"], None, None),
        ([""], None, None),
        (["a-"], None, None),
        (["x"], "a", None),
        (["x"], None, "b"),
        (["a", "->"], None, None),
    ],
)
def test_no_way(words, source, target):
    with pytest.raises(Misuse) as caught:
        parse(words, source, target)
    assert caught.value.hint


def test_the_hint_repeats_what_was_typed_with_quotes():
    with pytest.raises(Misuse) as caught:
        parse(["staging-", "web=sha-0123456"], None, None)
    assert (caught.value.code, caught.value.hint) == ("arrow-redirected", "promote 'staging->TARGET' web=sha-0123456")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ([], ["--help"]),
        (["--help"], ["--help"]),
        (["--version"], ["--version"]),
        (["verify", "x"], ["verify", "x"]),
        (["demo"], ["demo"]),
        (["promote", "a->b"], ["promote", "a->b"]),
        (["a->b", "x"], ["promote", "a->b", "x"]),
        (["--from", "a", "--to", "b"], ["promote", "--from", "a", "--to", "b"]),
        (["a", "->", "b", "x"], ["promote", "a->b", "x"]),
        (["a", "->"], ["promote", "a->"]),
        (["--dry-run", "a->b"], ["promote", "--dry-run", "a->b"]),
    ],
)
def test_the_verb_that_is_left_out(typed, meant):
    assert with_verb(typed) == meant
