"""The command as the manual writes it, typed into a real bash: the arrow is a redirection there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import gitops
from harness.gitops import GitOps
from harness.promote import nobody

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cosign"
SOURCE = "acme/shop"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"
TRUST = {
    "root": "trust/trusted_root.json",
    "signers": [
        {
            "issuer": "https://token.actions.githubusercontent.com",
            "identity": "https://github.com/acme/shop/.github/workflows/build.yml@refs/heads/main",
        }
    ],
}


@pytest.fixture
def repository(tmp_path: Path) -> GitOps:
    """Staging and prod are layouts; staging has and runs an image that cosign v3 signed keylessly."""
    case = FIXTURES / "v3-keyless"
    shutil.copytree(case / "layout", tmp_path / "staging/acme/web")
    return gitops.create(
        tmp_path,
        source=SOURCE,
        staging=f"oci:{tmp_path}/staging",
        prod=f"oci:{tmp_path}/prod",
        trust=TRUST,
        trust_files={"trust/trusted_root.json": (case / "trusted_root.json").read_bytes()},
        tag=TAG,
        digest=json.loads((case / "case.json").read_text())["digest"],
    )


def type_into_bash(repository: GitOps, command: str) -> subprocess.CompletedProcess[str]:
    """Run one line in bash, in the clone, with the promote that is tested first on PATH."""
    commands = Path(sys.executable).parent
    return subprocess.run(
        ["bash", "-c", command],
        cwd=repository.clone,
        env={**os.environ, **nobody(repository.clone.parent), "PATH": f"{commands}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_nothing_was_written(repository: GitOps, head: str) -> None:
    assert repository.head() == head
    assert repository.git("status", "--porcelain") == ""
    assert not list((repository.clone.parent / "prod").rglob("index.json"))


def test_unquoted_arrow_promotes_and_leaves_no_file(repository):
    before = repository.head()
    done = type_into_bash(repository, f"promote staging->prod {TAG}")
    assert done.returncode == 0, done.stderr
    assert not (repository.clone / "prod").exists()
    assert repository.git("status", "--porcelain") == ""
    assert repository.head() != before
    assert (
        TAG in (repository.checkout(repository.clone.parent / "fresh") / "overlays/prod/kustomization.yaml").read_text()
    )
    assert (repository.clone.parent / "prod/acme/web/index.json").is_file()


def test_unquoted_arrow_says_in_one_line_what_it_did(repository):
    done = type_into_bash(repository, f"promote staging->prod {TAG}")
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if "quote" in line], done.stderr


def test_a_tracked_file_of_that_name_is_not_removed(repository):
    (repository.clone / "prod").write_text("")
    repository.git("add", "prod")
    repository.git("commit", "--quiet", "--message=A file called prod")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    done = type_into_bash(repository, f"promote staging->prod {TAG}")
    assert done.returncode == 0, done.stderr
    assert (repository.clone / "prod").exists()


def test_latest_is_refused(repository):
    before = repository.head()
    done = type_into_bash(repository, "promote staging->prod latest")
    assert done.returncode == 14, done.stderr
    assert_nothing_was_written(repository, before)


def test_rebuilt_tag_is_refused(repository):
    """The tag moves to another image, which is signed as well as the first was."""
    before = repository.head()
    layout = repository.clone.parent / "staging/acme/web"
    shutil.rmtree(layout)
    shutil.copytree(FIXTURES / "v3-keyless-index" / "layout", layout)
    done = type_into_bash(repository, f"promote staging->prod {TAG}")
    assert done.returncode == 15, done.stderr
    assert_nothing_was_written(repository, before)
