"""The example repository, read and edited as files: pins, edits, effect, and that nothing else is there to change."""

from pathlib import Path

import pytest

from promote.model.digest import Digest
from promote.overlays.edits import plan_edits
from promote.overlays.effect import check_effect
from promote.overlays.question import Question
from promote.overlays.sites import images_in, pins
from promote.overlays.target import Target
from promote.overlays.tree import Patched

ROOT = Path(__file__).parents[2] / "examples" / "overlays"
NAMES = frozenset({"shop", "acme/shop", "registry.staging.example/acme/shop", "registry.prod.example/acme/shop"})
STAGING_TAG = "sha-0123456789abcdef0123456789abcdef01234567"
STAGING_DIGEST = Digest.parse("sha256:9173569091b2ea94019f5e7cfb47448a29c0647348af2c5f318e9c2d866ea30e")
PROD = "registry.prod.example/acme/shop"


class Directory:
    """A tree of real files."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        file = self._root / path
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None


@pytest.fixture
def tree():
    return Directory(ROOT)


def test_staging_runs_the_image_that_was_signed(tree):
    (pin,) = pins(tree, "staging", NAMES)
    assert (pin.file, pin.tag) == ("staging/kustomization.yaml", STAGING_TAG)
    assert pin.name == "registry.staging.example/acme/shop"
    assert pin.digest == STAGING_DIGEST
    layout = Path(__file__).parents[1] / "fixtures" / "cosign" / "v3-keyless" / "layout"
    assert (layout / "blobs" / "sha256" / STAGING_DIGEST.hex).is_file()


def test_prod_runs_an_older_release_in_two_places(tree):
    found = pins(tree, "prod", NAMES)
    assert [p.file for p in found] == ["prod/kustomization.yaml", "prod/migration.yaml"]
    assert {(p.name, p.tag) for p in found} == {(PROD, "sha-89abcdef0123456789abcdef0123456789abcdef")}
    assert len({p.digest for p in found}) == 1
    assert found[0].digest not in {None, STAGING_DIGEST}


def test_a_promotion_changes_three_values_in_two_files(tree):
    edits = plan_edits(tree, "prod", NAMES, PROD, STAGING_TAG, STAGING_DIGEST)
    assert {e.path: len(e.edits) for e in edits} == {"prod/kustomization.yaml": 2, "prod/migration.yaml": 1}
    old = pins(tree, "prod", NAMES)[0]
    for edit in edits:
        swapped = edit.before.replace(str(old.tag).encode(), STAGING_TAG.encode())
        assert edit.after == swapped.replace(str(old.digest).encode(), str(STAGING_DIGEST).encode())
    after = Patched(tree, {e.path: e.after for e in edits})
    assert {(p.name, p.tag, p.digest) for p in pins(after, "prod", NAMES)} == {(PROD, STAGING_TAG, STAGING_DIGEST)}
    assert plan_edits(after, "prod", NAMES, PROD, STAGING_TAG, STAGING_DIGEST) == ()
    found = check_effect(tree, after, Question("prod", NAMES, Target(PROD, STAGING_TAG, STAGING_DIGEST)))
    assert (len(found.images), found.warnings, found.blind, found.doubts) == (2, (), (), ())


def test_staging_already_says_what_it_says(tree):
    name = "registry.staging.example/acme/shop"
    assert plan_edits(tree, "staging", NAMES, name, STAGING_TAG, STAGING_DIGEST) == ()
    found = check_effect(tree, tree, Question("staging", NAMES, Target(name, STAGING_TAG, STAGING_DIGEST)))
    assert (len(found.images), found.blind, found.doubts) == (1, (), ())


def test_the_base_names_the_placeholder_only(tree):
    assert images_in(tree, "base") == ("shop",)
    assert pins(tree, "base", NAMES - {"shop"}) == ()


def test_files_of_a_real_work_tree_that_are_links_are_not_followed(tmp_path):
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod" / "kustomization.yaml").write_text("resources: [d.yaml]\nimages: [{name: shop, newTag: v1}]\n")
    (tmp_path / "elsewhere.yaml").write_text("containers: [{image: acme/shop}]\n")
    (tmp_path / "prod" / "d.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    (edit,) = plan_edits(Directory(tmp_path), "prod", NAMES, PROD, STAGING_TAG, STAGING_DIGEST)
    assert edit.path == "prod/kustomization.yaml"
