"""The corpus: an edit changes bytes inside of values and adds lines, and what comes out renders the release."""

import difflib
import random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.overlay_corpus import corpus, mutated
from support.overlay_files import BASE, DIGEST, NAMES, PULL, TAG, Files, promote

from promote.overlays.edits import plan_edits

CORPUS = corpus()
WORDS = {TAG, str(DIGEST), PULL, "images", "name", "newName", "newTag", "digest"}


def check(files):
    """Promote `files`: the bytes that move are those of values and of new keys, and everything runs the release."""
    tree = Files.of({**BASE, **files})
    made, found = promote(tree)
    assert found.images
    assert not found.blind
    for path, after in made.items():
        changed = "".join(_changed(tree[path].decode(), after.decode()))
        for word in sorted(WORDS | NAMES, key=len, reverse=True):
            changed = changed.replace(word, "")
        assert not set(changed) - set(" \t\r\n:,-[]{}'\"@|>"), changed
    again = Files({**tree, **made})
    assert plan_edits(again, "o", NAMES, PULL, TAG, DIGEST) == ()
    return made


def _changed(before, after):
    """What was added, by lines: an edit may not take one line from the file but to put it back with other values."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "delete":
            pytest.fail(f"lines {old[i:j]} are gone")
        if kind == "insert":
            yield "".join(new[k:m])
        if kind == "replace":
            yield from _values("".join(old[i:j]), "".join(new[k:m]))


def _values(old, new):
    """The words that lines gained, where what is around the values is there in both."""
    for word in (*WORDS, *NAMES):
        new = new.replace(word, " ")
    for kind, _, _, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind in {"insert", "replace"}:
            yield new[k:m]


def test_the_corpus_is_large_enough():
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("name", CORPUS)
def test_only_values_change(name):
    assert check(CORPUS[name])


@settings(max_examples=120)
@given(st.sampled_from(sorted(CORPUS)), st.integers(0, 2**32))
def test_only_values_change_however_it_is_written(name, seed):
    files = dict(CORPUS[name])
    chance = random.Random(seed)
    changed = {path: mutated(text, chance) for path, text in files.items()}
    try:
        same = [list(yaml.safe_load_all(t.removeprefix("\ufeff"))) for t in files.values()]
        if same != [list(yaml.safe_load_all(t.removeprefix("\ufeff"))) for t in changed.values()]:
            return  # a mutation that means something else
    except yaml.YAMLError:
        return
    assert check(changed)
