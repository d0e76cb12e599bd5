"""Completion: what is offered where, from a promote.yaml and overlays on disk, and how bash gets it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from promote.cli.bash import Words, joined
from promote.cli.pinned import MOST_FILES, tags
from promote.config.outline import Outline, nearest, outline

CONFIG = """\
version: 1
apps: {web: {image: acme/web}, api: {image: acme/api}}
environments:
  staging: {registry: r.example, overlays: ["{app}/staging"]}
  prod:
    from: [staging, canary]
    places: [{registry: eu.example, overlays: ["{app}/eu"]}, {registry: us.example, overlays: "{app}/us"}]
  canary: {from: staging, registry: c.example}
gates: {tag: 'sha-(?P<commit>[0-9a-f]{7,64})'}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "promote.yaml").write_text(CONFIG)
    for place, content in {
        "web/staging": "newTag: sha-1111111\n",
        "web/eu": "newTag: 'sha-2222222' # was sha-3333333\nxsha-4444444 sha-zzz\n",
        "api/us": "image: r.example/acme/api:sha-5555555@sha256:00\n",
    }.items():
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "kustomization.yaml").write_text(content)
    (tmp_path / "web/staging/notes.txt").write_text("sha-9999999")
    return tmp_path


def test_an_outline_has_the_names(root):
    found = outline(root / "promote.yaml")
    assert found.apps == ("web", "api")
    assert found.environments == {"staging": (), "prod": ("staging", "canary"), "canary": ("staging",)}
    assert found.overlays == {
        "staging": (("{app}/staging", None),),
        "prod": (("{app}/eu", None), ("{app}/us", None)),
        "canary": (),
    }
    assert found.tag == "sha-(?P<commit>[0-9a-f]{7,64})"


def test_tags_are_those_of_the_overlays_in_the_order_asked_for(root):
    found = outline(root / "promote.yaml")
    assert tags(found, ("staging", "prod")) == ("sha-1111111", "sha-2222222", "sha-3333333", "sha-5555555")
    assert tags(found, ("prod",), "api") == ("sha-5555555",)
    assert tags(found, ("canary", "nowhere")) == ()


def test_an_overlay_of_some_apps_has_no_tags_of_another(root):
    entry = "version: 1\napps: {web: {}, api: {}}\nenvironments: {prod: {overlays: [{path: OWN, apps: APPS}, 7, {}]}}\n"
    for apps, expected in (
        ("[api]", ("sha-5555555",)),
        ("api", ("sha-5555555",)),
        ("[web]", ()),
        ("null", ()),
        ("[7]", ()),
    ):
        (root / "promote.yaml").write_text(entry.replace("OWN", "'{app}/us'").replace("APPS", apps))
        found = outline(root / "promote.yaml")
        assert tags(found, ("prod",)) == expected
        assert tags(found, ("prod",), "web") == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"a: [",
        b"- 1",
        b"apps: 1\nenvironments: [x]\n",
        b"1: 2\napps: {1: 2}",
        b"a: &a [*a]",
        b"!!x y",
        b"[" * 9999,
    ],
    ids=range(9),
)
def test_a_file_that_is_wrong_has_nothing_to_offer(tmp_path, content):
    (tmp_path / "promote.yaml").write_bytes(content)
    found = outline(tmp_path / "promote.yaml")
    assert (found.apps, dict(found.environments)) == ((), {})


def test_no_file_has_nothing_to_offer(tmp_path):
    assert outline(tmp_path / "promote.yaml") == Outline(tmp_path)
    (tmp_path / ".git").mkdir()
    assert nearest(tmp_path) is None


def test_the_nearest_is_found_upwards(root):
    assert nearest(root / "web" / "eu") == root / "promote.yaml"


def test_a_pattern_that_is_none_finds_nothing(root):
    found = outline(root / "promote.yaml")
    assert tags(Outline(found.root, found.apps, found.environments, found.overlays, "sha-("), ("prod",)) == ()


def test_only_so_many_files_are_read(tmp_path):
    (tmp_path / "o").mkdir()
    for number in range(MOST_FILES + 5):
        (tmp_path / "o" / f"{number:03}.yaml").write_text(f"sha-{number:07}\n")
    os.mkfifo(tmp_path / "o" / "000.yml")
    assert len(tags(Outline(tmp_path, ("web",), {"e": ()}, {"e": (("o", None),)}), ("e",))) == MOST_FILES


@pytest.mark.parametrize(
    ("words", "whole", "given"),
    [
        (["promote", "sta"], ("promote", "sta"), ""),
        (["promote", ""], ("promote", ""), ""),
        (["promote", "staging", ":", "pr"], ("promote", "staging:pr"), "staging:"),
        (["promote", "staging", ":"], ("promote", "staging:"), "staging:"),
        (["promote", "staging-", ">", "p"], ("promote", "staging->p"), "staging->"),
        (["promote", "'staging->p"], ("promote", "'staging->p"), ""),
        (["promote", "a:b", "web", "=", "sha-1"], ("promote", "a:b", "web=sha-1"), "web="),
        (["promote", "staging", ":", "prod", "sh"], ("promote", "staging:prod", "sh"), ""),
        (["promote", "staging", ":", "prod", "web", "=", "s"], ("promote", "staging:prod", "web=s"), "web="),
    ],
)
def test_words_that_bash_broke_are_whole_again(words, whole, given):
    assert joined(words) == Words(whole, given)


@pytest.mark.parametrize(
    ("word", "given", "candidate", "told"),
    [
        ("sta", "", "staging->prod", "'staging->prod'"),
        ("'sta", "", "staging->prod", "staging->prod"),
        ('"sta', "", "staging->prod", "staging->prod"),
        ("staging:p", "staging:", "staging:prod", "prod"),
        ("staging->p", "staging->", "staging->prod", "prod"),
        ("web=", "web=", "web=sha-1111111", "sha-1111111"),
        ("ver", "", "verify", "verify"),
    ],
)
def test_bash_is_told_what_it_wants_to_insert(word, given, candidate, told):
    assert Words(("promote", word), given).form(candidate) == told
