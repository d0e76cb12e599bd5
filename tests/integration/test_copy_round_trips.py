"""How many round trips of a copy and of a promotion must wait for one another: what they take on a long link.

The numbers are those of docs/benchmarks.md; opening a connection counts as one.
"""

from __future__ import annotations

import pytest
from support.git_world import isolate
from support.gitops_repo import TAG
from support.round_trips import far, far_repository, promote_far


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("case", "referrers", "most"),
    [
        pytest.param("v3-keyless", True, 11, marks=pytest.mark.exhaustive),
        ("v3-keyless", False, 13),
        pytest.param("v2-key", False, 10, marks=pytest.mark.exhaustive),
    ],
    ids=["api", "fallback", "tag-scheme"],
)
def test_a_copy_with_evidence(case, referrers, most):
    with far(case, referrers=referrers) as here:
        link = here.copy()
        assert len(link.levels) <= most, link.table()
        [tagged] = link.of(f"target PUT /v2/acme/shop/manifests/{TAG}")
        assert link.of("target PUT")[-1] == tagged == len(link.levels) - 1
        assert max(link.of("connect")) <= link.of("POST")[0]


@pytest.mark.parametrize(
    ("referrers", "most"), [pytest.param(True, 16, marks=pytest.mark.exhaustive), (False, 18)], ids=["api", "fallback"]
)
def test_a_whole_promotion(tmp_path, referrers, most):
    with far("v3-key", referrers=referrers) as here, far_repository(here, tmp_path, "v3-key") as repo:
        link = promote_far(here, repo)
        assert len(link.levels) <= most, link.table()
        assert link.of("git POST /deploy.git/git-receive-pack")[0] > link.of("target")[-1]
        assert link.of("target POST")[0] > link.of("git GET /deploy.git/info/refs?service=git-receive-pack")[0]


@pytest.mark.exhaustive
def test_a_promotion_that_finds_nothing_to_do(tmp_path):
    with far("v3-key", referrers=False) as here, far_repository(here, tmp_path, "v3-key") as repo:
        promote_far(here, repo)
        link = promote_far(here, repo)
        assert not link.of("PUT"), link.table()
        assert not link.of("POST /v2/"), link.table()
        assert len(link.levels) <= 7, link.table()
