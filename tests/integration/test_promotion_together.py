"""Many promotions at once into one branch: all land, one after the other, and none is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support.acting import once, with_step
from support.git_world import git, isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, make
from support.promote_process import Ended, Nursery
from support.rivals import OTHER, rivals

APPS = ("one", "two", "three", "four", "five")


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as started:
        yield started


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def promote(nursery: Nursery, repo: GitopsRepo, *words: str):
    return nursery.start(repo.root, ["staging->prod", *words, "--format", "json", "-q"])


def check_all_landed(repo: GitopsRepo, ended: list[Ended], count: int) -> None:
    assert [e.code for e in ended] == [0] * count, [e.out + e.err for e in ended if e.code]
    where = repo.bare or repo.root
    assert git(where, "rev-list", "--merges", "main") == ""
    commits = [e.json["commit"]["id"] for e in ended]
    assert sorted(commits) == sorted(git(where, "rev-list", f"-{count}", "main").split())
    for app in APPS:
        assert repo.overlay(app=app).count(DIGEST.encode()) == 1
        assert repo.tags(app=app) == {TAG: DIGEST}
    for commit in commits:
        assert len(git(where, "show", "--format=", "--name-only", commit).split()) == 1


def test_five_apps_from_five_clones(tmp_path, nursery):
    repo = make(tmp_path, apps=APPS)
    clones = [repo.clone(f"clone-{app}") for app in APPS]
    started = [promote(nursery, clone, app) for clone, app in zip(clones, APPS, strict=True)]
    check_all_landed(repo, [s.wait() for s in started], 5)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "remote", [pytest.param(True, marks=pytest.mark.exhaustive), False], ids=["remote", "no remote"]
)
def test_five_apps_from_one_checkout(tmp_path, nursery, remote):
    repo = make(tmp_path, apps=APPS, remote=remote)
    started = [promote(nursery, repo, app) for app in APPS]
    check_all_landed(repo, [s.wait() for s in started], 5)
    assert promote(nursery, repo, "--all").wait().code == 0
    assert git(repo.root, "status", "--porcelain") == ""
    assert git(repo.root, "rev-parse", "HEAD") == git(repo.bare or repo.root, "rev-parse", "main")
    assert git(repo.root, "for-each-ref", "refs/promote") == ""


def test_the_same_promotion_five_times_at_once_is_one_commit(tmp_path, nursery):
    repo = make(tmp_path)
    clones = [repo.clone(f"clone-{n}") for n in range(5)]
    ended = [s.wait() for s in [promote(nursery, clone, TAG) for clone in clones]]
    assert [e.code for e in ended] == [0] * 5, [e.out for e in ended if e.code]
    assert len(repo.promotions()) == 1
    assert len({json.dumps(e.json["commit"]) for e in ended if e.json["commit"]}) == 1
    assert repo.tags() == {TAG: DIGEST}


def test_another_tag_that_lands_meanwhile_wins_and_the_later_one_says_so(tmp_path):
    repo, rival = rivals(tmp_path)
    before_push = once(lambda: check(rival.promote(OTHER), 0))
    ran = with_step(repo, "push", before_push, TAG)
    error = ran.json["error"]
    assert (ran.code, error["code"]) == (5, "superseded")
    assert (error["expected"], error["actual"]) == (f"{TAG}@{DIGEST}", f"{OTHER}@{DIGEST}")
    assert len(repo.promotions()) == 1
    assert f"newTag: {OTHER}".encode() in repo.overlay()
    assert check(repo.promote(TAG), 0)
    assert len(repo.promotions()) == 2


@pytest.mark.exhaustive
def test_another_app_that_lands_meanwhile_is_no_rival(tmp_path):
    repo = make(tmp_path, apps=("web", "api"))
    other = repo.clone("other")
    ran = with_step(repo, "push", once(lambda: check(other.promote("api"), 0)), "web")
    assert ran.code == 0, ran.out
    assert len(repo.promotions()) == 2
    assert all(DIGEST.encode() in repo.overlay(app=app) for app in ("web", "api"))


def test_the_same_release_that_lands_meanwhile_is_fine(tmp_path):
    repo = make(tmp_path)
    other = repo.clone("other")
    ran = with_step(repo, "push", once(lambda: check(other.promote(TAG), 0)), TAG)
    assert ran.code == 0, ran.out
    assert len(repo.promotions()) == 1


def test_a_comment_that_somebody_changes_meanwhile_stays_changed(tmp_path):
    repo = make(tmp_path)
    other = repo.clone("other")

    def edit() -> None:
        path = "overlays/shop/prod/kustomization.yaml"
        other.write(path, (other.root / path).read_text().replace("# prod", "# prod, and more"))
        other.commit("comment")

    ran = with_step(repo, "push", once(edit), TAG)
    assert ran.code == 0, ran.out
    assert b"# prod, and more" in repo.overlay()
    assert DIGEST.encode() in repo.overlay()


def check(ran, code: int) -> bool:
    assert ran.code == code, ran.out
    return True
