"""What a person sees, word for word.  With REWRITE_GOLDEN=1 the files are written anew, to be read in the diff."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.git_world import isolate
from support.gitops_repo import DIGEST, PROD, TAG, GitopsRepo, make, staging_overlay

HERE = Path(__file__).parent
AGE = re.compile(r"\(\d+ d ago\)")
PACE = re.compile(r"in \d+\.\d s \([^)]*/s\)")
"""How long a copy took, which no two runs agree on."""
OTHER = "sha256:" + "0123456789abcdef" * 4

Scene = Callable[[GitopsRepo], list[tuple[str, ...]]]


def _already(repo: GitopsRepo) -> list[tuple[str, ...]]:
    assert repo.promote(TAG).code == 0
    return [("staging->prod", TAG)]


def _rebuilt(repo: GitopsRepo) -> list[tuple[str, ...]]:
    repo.set_overlay("staging", staging_overlay("shop", TAG, OTHER))
    return [("staging->prod", TAG)]


def _no_overlay(repo: GitopsRepo) -> list[tuple[str, ...]]:
    repo.set_overlay("prod", PROD.format(app="other").replace("resources: [../base]\n", ""))
    return [("staging->prod", TAG)]


def _configuration(repo: GitopsRepo) -> list[tuple[str, ...]]:
    repo.write(
        "promote.yaml", "version: 1\napps:\n  shop: {imagee: acme/shop}\nenvironments:\n  prod: {form: [staging]}\n"
    )
    return [("staging->prod", TAG)]


def _damaged(repo: GitopsRepo) -> list[tuple[str, ...]]:
    (repo.layout("staging") / "blobs/sha256" / DIGEST.removeprefix("sha256:")).write_bytes(b"{}")
    return [("staging->prod", TAG)]


def _run(*arguments: str) -> Scene:
    return lambda _repo: [arguments]


SCENES: dict[str, tuple[str, Scene]] = {
    "accepted": ("v3-keyless", _run("staging->prod", TAG)),
    "dry-run": ("v3-keyless", _run("staging->prod", TAG, "--dry-run")),
    "already-promoted": ("v3-keyless", _already),
    "refused-latest": ("v3-keyless", _run("staging->prod", "latest")),
    "refused-rebuilt": ("v3-keyless", _rebuilt),
    "refused-foreign": ("bad-v3-other-workflow", _run("staging->prod", TAG)),
    "refused-unsigned": ("bad-v3-attestation-only", _run("staging->prod", TAG)),
    "refused-no-sbom": ("bad-v3-no-sbom", _run("staging->prod", TAG)),
    "refused-no-overlay": ("v3-keyless", _no_overlay),
    "fault": ("v3-keyless", _damaged),
    "configuration": ("v3-keyless", _configuration),
    "usage": ("v3-keyless", _run("staging", TAG)),
    "verify": ("v3-keyless", _run("verify", "staging")),
}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for role in ("AUTHOR", "COMMITTER"):  # commits have the same names everywhere
        monkeypatch.setenv(f"GIT_{role}_DATE", "2026-01-02T03:04:05Z")


@pytest.mark.parametrize("name", SCENES)
def test_the_transcript(tmp_path, name):
    case, scene = SCENES[name]
    repo = make(tmp_path, case=case)
    lines = []
    for arguments in scene(repo):
        ran = repo.run(*arguments, "--jobs", "1")
        typed = " ".join(f"'{a}'" if ">" in a else a for a in arguments)
        lines += [
            f"$ promote {typed}",
            AGE.sub("(324 d ago)", ran.out)
            + (f"--- stderr\n{PACE.sub('in SECONDS s (RATE)', ran.err)}" if ran.err else "")
            + f"--- exit {ran.code}\n",
        ]
    transcript = "\n".join(lines)
    assert str(tmp_path) not in transcript
    golden = HERE / f"{name}.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        golden.write_text(transcript)
    assert transcript == golden.read_text()


def test_every_transcript_has_its_scene():
    assert sorted(p.stem for p in HERE.glob("*.txt")) == sorted(SCENES)
