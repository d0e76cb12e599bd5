"""The command as the manual writes it, typed into a real bash, zsh and fish: the arrow is a redirection there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from harness import gitops
from harness.gitops import GitOps
from harness.promote import nobody
from harness.shells import Shells
from support.gitops_repo import process_environment

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


Typed = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(params=["bash", "zsh", "fish"])
def typed(request: pytest.FixtureRequest, repository: GitOps, tools: Mapping[str, Path]) -> Typed:
    """A function that runs one line in a shell, in the clone, with the promote that is tested first on PATH."""
    environment = process_environment(**nobody(repository.clone.parent))
    shells = Shells(tools, environment, repository.clone.parent)
    return lambda line: shells.run(request.param, line, repository.clone)


def assert_nothing_was_written(repository: GitOps, head: str) -> None:
    assert repository.head() == head
    assert repository.git("status", "--porcelain") == ""
    assert not list((repository.clone.parent / "prod").rglob("index.json"))


def test_unquoted_arrow_promotes_and_leaves_no_file(repository: GitOps, typed: Typed) -> None:
    before = repository.head()
    done = typed(f"promote staging->prod {TAG}")
    assert done.returncode == 0, done.stderr
    assert not (repository.clone / "prod").exists()
    assert repository.git("status", "--porcelain") == ""
    assert repository.head() != before
    assert (
        TAG in (repository.checkout(repository.clone.parent / "fresh") / "overlays/prod/kustomization.yaml").read_text()
    )
    assert (repository.clone.parent / "prod/acme/web/index.json").is_file()


def test_unquoted_arrow_says_in_one_line_what_it_did(repository: GitOps, typed: Typed) -> None:
    done = typed(f"promote staging->prod {TAG}")
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if "quote" in line], done.stderr


@pytest.mark.parametrize("words", ["'staging->prod'", '"staging->prod"', r"staging-\>prod", "staging:prod"])
def test_quoted_arrow_promotes_and_reports_on_stdout(repository: GitOps, typed: Typed, words: str) -> None:
    before = repository.head()
    done = typed(f"promote {words} {TAG}")
    assert done.returncode == 0, done.stderr
    assert f"commit {repository.head()[:12]} on main" in done.stdout
    assert repository.head() != before
    assert not (repository.clone / "prod").exists()


def test_unquoted_arrow_into_a_directory_of_that_name_is_refused_by_the_shell(repository: GitOps, typed: Typed) -> None:
    """Where prod is a directory, as of overlays, no shell can redirect into it, and promote is never run."""
    before = repository.head()
    (repository.clone / "prod").mkdir()
    done = typed(f"promote staging->prod {TAG}")
    assert done.returncode != 0
    assert_nothing_was_written(repository, before)


def test_a_tracked_file_of_that_name_is_not_removed(repository: GitOps, typed: Typed) -> None:
    (repository.clone / "prod").write_text("")
    repository.git("add", "prod")
    repository.git("commit", "--quiet", "--message=A file called prod")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    done = typed(f"promote staging->prod {TAG}")
    assert done.returncode == 0, done.stderr
    assert (repository.clone / "prod").exists()


def test_latest_is_refused(repository: GitOps, typed: Typed) -> None:
    before = repository.head()
    done = typed("promote staging->prod latest")
    assert done.returncode == 14, done.stderr
    assert_nothing_was_written(repository, before)


def test_rebuilt_tag_is_refused(repository: GitOps, typed: Typed) -> None:
    """The tag moves to another image, which is signed as well as the first was."""
    before = repository.head()
    layout = repository.clone.parent / "staging/acme/web"
    shutil.rmtree(layout)
    shutil.copytree(FIXTURES / "v3-keyless-index" / "layout", layout)
    done = typed(f"promote staging->prod {TAG}")
    assert done.returncode == 15, done.stderr
    assert_nothing_was_written(repository, before)
