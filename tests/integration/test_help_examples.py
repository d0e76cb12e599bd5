"""`--help` of every verb fits a screen, and each example in it runs, with the names of a world that is here."""

from __future__ import annotations

import re
import shlex

import pytest
from support.git_world import isolate
from support.gitops_repo import TAG, make

from promote.cli.verbs import VERBS

SCREEN = 40
"""Rows of 80 columns: what a person sees without scrolling back."""
HERE = {
    "registry.example/acme/web:sha-4f2a91c": f"oci:../registries/staging/acme/shop:{TAG} "
    "--trusted-root trust/trusted_root.json --dry-run",
    "sha-4f2a91c": TAG[:11],
}
"""Names of the examples, and what stands for them here; an image that a public registry has would need a network."""


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


def examples(help_text: str) -> list[str]:
    """The commands in a help text: lines that begin so, without the remark after them."""
    rows = [row.strip() for row in help_text.splitlines()]
    return [re.split(r" {2,}", row)[0] for row in rows if row.startswith("promote ") and not row.endswith((".", ","))]


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_a_screen_and_its_examples_run(tmp_path, verb):
    repo = make(tmp_path)
    assert repo.promote(TAG).code == 0  # so that there is something to look at, and to go back from
    shown = repo.run(verb, "--help")
    assert shown.code == 0
    rows = shown.out.splitlines()
    assert len(rows) <= SCREEN
    assert max(map(len, rows)) <= 80
    found = examples(shown.out)
    assert found, shown.out
    for example in found:
        name = next((name for name in HERE if name in example), "")
        ran = repo.run(*shlex.split(example.replace(name, HERE.get(name, "")))[1:])
        assert ran.code == 0, f"{example}\n{ran.out}{ran.err}"


def test_the_example_of_the_whole_runs(tmp_path):
    repo = make(tmp_path)
    shown = repo.run("--help")
    (example,) = re.findall(r"promote '[^']+' \S+\w", " ".join(shown.out.split()))
    assert len(shown.out.splitlines()) <= SCREEN
    assert repo.run(*shlex.split(example.replace("sha-4f2a91c", TAG[:11]))[1:]).code == 0


def test_a_summary_of_a_verb_is_whole_in_the_list(tmp_path):
    shown = make(tmp_path, remote=False).run("--help")
    assert "..." not in shown.out.partition("Commands:")[2]
