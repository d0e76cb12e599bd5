"""Where a failure is printed: on stdout; on stderr too where stdout is a file of its own, which nobody watches."""

from __future__ import annotations

import pytest
from support.git_world import isolate
from support.gitops_repo import make


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("redirected", "out", "err"),
    [("> out.log 2> err.log", 2, 1), ("> out.log 2>&1", 2, 0), ("2> err.log | cat > out.log", 2, 0)],
    ids=["apart", "one-log", "pipe"],
)
def test_a_refusal_is_said_once_to_whoever_reads(tmp_path, redirected, out, err):
    repo = make(tmp_path, remote=False)
    repo.command(f"promote 'staging->prod' latest --quiet {redirected}")
    found = [(repo.root / name).read_text() if (repo.root / name).exists() else "" for name in ("out.log", "err.log")]
    assert [text.count("latest is a floating tag") for text in found] == [out, err]
