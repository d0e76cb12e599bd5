"""Paths between the files of a repository."""

import pytest

from promote.overlays.tree import Patched, is_within, join, normalised


class Files(dict):
    def read(self, path):
        return self.get(path)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("overlays/prod", "overlays/prod"),
        ("overlays/prod/", "overlays/prod"),
        ("./a//b/../c", "a/c"),
        (".", ""),
        ("", ""),
    ],
)
def test_a_path_inside_the_repository_has_one_spelling(written, plain):
    assert normalised(written) == plain


@pytest.mark.parametrize("written", ["/etc", "..", "../a", "a/../../b", "a\0b", "a\\b"])
def test_a_path_that_leaves_the_repository_is_none(written):
    assert normalised(written) is None


@pytest.mark.parametrize(
    ("directory", "relative", "path"),
    [
        ("overlays/prod", "../../base", "base"),
        ("overlays/prod", "patch.yaml", "overlays/prod/patch.yaml"),
        ("", "base", "base"),
        ("overlays/prod", "../../../base", None),
        ("overlays/prod", "/etc/passwd", None),
        ("overlays/prod", "https://example.com/base", None),
        ("overlays/prod", "git::ssh://example.com/base", None),
        ("overlays/prod", "", None),
    ],
)
def test_a_listed_path_is_relative_to_its_file(directory, relative, path):
    assert join(directory, relative) == path


def test_only_what_is_below_a_directory_is_within_it():
    assert is_within("overlays/prod/a.yaml", "overlays/prod")
    assert is_within("anything", "")
    assert not is_within("overlays/prod-eu/a.yaml", "overlays/prod")


def test_a_patched_tree_reads_the_replacement_first():
    tree = Patched(Files({"a": b"1", "b": b"2"}), {"a": b"3"})
    assert [tree.read(p) for p in "abc"] == [b"3", b"2", None]
