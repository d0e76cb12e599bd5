"""Which environments directory names suggest, in which order, and which names are the image's."""

from __future__ import annotations

from pathlib import Path

import pytest

from promote.insight.working_files import MAX_FILE_BYTES
from promote.model.reference import Repository
from promote.promotion import candidates

REPOSITORY = Repository("registry.example", "acme/web")
IMAGE = "acme/web"


def tree(root: Path, *directories: str, content: str = "images: [{name: web, newTag: x}]\n") -> None:
    for directory in directories:
        (root / directory).mkdir(parents=True, exist_ok=True)
        (root / directory / "kustomization.yaml").write_text(content)


def names(root: Path) -> list[str]:
    found = candidates.overlays(root, IMAGE)
    return [e.name for e in candidates.environments(root, found, REPOSITORY, IMAGE)]


@pytest.mark.parametrize(
    ("directories", "expected"),
    [
        (("overlays/prod", "overlays/staging"), ["staging", "prod"]),
        (("overlays/web/production", "overlays/web/qa", "overlays/web/dev"), ["dev", "qa", "production"]),
        (("prod/web", "staging/web"), ["staging", "prod"]),
        (("clusters/eu/prod", "clusters/us/prod", "clusters/eu/uat"), ["uat", "prod"]),
        (("overlays/prod-eu", "overlays/prod-us", "overlays/preprod"), ["preprod", "prod-eu", "prod-us"]),
        (("overlays/blue", "overlays/live", "overlays/int"), ["blue", "int", "live"]),
        (("overlays/PROD_1", "overlays/Staging (old)"), ["staging-old", "prod_1"]),
        (("",), ["staging"]),
        (("clusters/prod/eu", "clusters/dev/eu"), ["dev", "prod"]),
        (("envs/live/web/v2", "envs/qa/web/v2"), ["qa", "live"]),
        (("test/overlays/blue",), ["test"]),
    ],
    ids=str,
)
def test_environments_are_named_and_ordered_by_directories(tmp_path, directories, expected):
    tree(tmp_path, *directories)
    assert names(tmp_path) == expected


def test_overlays_of_one_environment_stand_together(tmp_path):
    tree(tmp_path, "clusters/eu/prod", "clusters/us/prod")
    found = candidates.overlays(tmp_path, IMAGE)
    (prod,) = candidates.environments(tmp_path, found, REPOSITORY, IMAGE)
    assert sorted(entry.path for entry in prod.overlays) == ["clusters/eu/prod", "clusters/us/prod"]
    assert (prod.promoted_from, prod.registry, prod.guessed) == ((), "registry.example", False)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("web", True),
        ("acme/web", True),
        ("registry.example/acme/web", True),
        ("registry.example/prefix/acme/web", True),
        ("webby", False),
        ("my/web", False),
        ("notacme/web", False),
    ],
)
def test_only_names_of_the_image_count(tmp_path, name, found):
    tree(tmp_path, "overlays/prod", content=f"images: [{{name: {name}, newTag: x}}]\n")
    assert bool(candidates.overlays(tmp_path, IMAGE)) is found


@pytest.mark.parametrize(
    ("new_name", "pull"),
    [
        ("eu.example/acme/web", "eu.example"),
        ("eu.example:5000/x/acme/web", "eu.example:5000/x"),
        ("hub/acme/web", None),
    ],
)
def test_the_registry_is_what_the_overlay_pulls_from(tmp_path, new_name, pull):
    tree(tmp_path, "overlays/prod", content=f"images: [{{name: web, newName: '{new_name}', newTag: x}}]\n")
    (prod,) = candidates.environments(tmp_path, candidates.overlays(tmp_path, IMAGE), REPOSITORY, IMAGE)
    assert (prod.registry, prod.pull) == ("registry.example", pull)


def test_very_large_files_and_links_are_not_read(tmp_path):
    tree(tmp_path, "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/kustomization.yaml").symlink_to(tmp_path / "a/kustomization.yaml")
    tree(tmp_path, "c", content="#" * (MAX_FILE_BYTES + 1))
    assert [o.directory for o in candidates.overlays(tmp_path, IMAGE)] == ["a"]
