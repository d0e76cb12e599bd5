"""History and status follow a pin that stands outside the overlay, in a component, wherever that is and was."""

from __future__ import annotations

import shutil
from random import Random

import pytest
from support.git_insight import Deploy, kustomization, promotion
from support.git_world import executable, git, isolate
from support.release_world import tag

from promote.config.load import load
from promote.gitops.repository import Repository
from promote.insight.changes import Walk
from promote.insight.layout import Where
from promote.insight.overlay_state import pinned_by

OVERLAY = "overlays/web/prod/kustomization.yaml"
COMPONENT = "kind: Component\n"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def deploy(tmp_path) -> Deploy:
    return Deploy(tmp_path / "deploy")


def short(records):
    return [(r["kind"], int(r["tag"][4:6], 16) if r["tag"] else None) for r in records]


def pin(deploy: Deploy, directory: str, number: int, message: str | None = None) -> str:
    """Let the component at `directory` pin a release."""
    deploy.write(f"{directory}/kustomization.yaml", COMPONENT + kustomization("web", number))
    return deploy.commit(message or promotion("web", "prod", number))


def use(deploy: Deploy, *components: str) -> None:
    """Let the overlay of prod take in components."""
    deploy.write(OVERLAY, "components:\n" + "".join(f"  - ../../../{c}\n" for c in components))


def test_a_pin_in_a_component_elsewhere_is_followed(deploy):
    use(deploy, "components/pin")
    first = pin(deploy, "components/pin", 1)
    deploy.write("README.md", "meanwhile\n")
    deploy.commit("meanwhile")
    second = pin(deploy, "components/pin", 2)
    assert short(deploy.history("prod")) == [("promote", 2), ("promote", 1)]
    assert [r["commit"] for r in deploy.history("prod")] == [second, first]
    (row,) = deploy.status("prod")
    assert (row["commit"], row["tag"], row["overlay"]) == (second, tag(2), "overlays/web/prod")


def test_a_component_that_was_renamed_is_no_record(deploy):
    use(deploy, "components/pin")
    first = pin(deploy, "components/pin", 1)
    second = pin(deploy, "components/pin", 2)
    git(deploy.root, "mv", "components/pin", "components/image")
    use(deploy, "components/image")
    deploy.commit("rename")
    assert [r["commit"] for r in deploy.history("prod")] == [second, first]
    third = pin(deploy, "components/image", 3)
    assert [r["commit"] for r in deploy.history("prod")] == [third, second, first]
    assert [r["previous_tag"] for r in deploy.history("prod")] == [tag(2), tag(1), None]


def test_a_component_that_was_renamed_far_away_is_followed(deploy):
    use(deploy, "components/pin")
    first = pin(deploy, "components/pin", 1)
    second = pin(deploy, "components/pin", 2)
    deploy.write("lib/a/b/kustomization.yaml", COMPONENT + kustomization("web", 2))
    deploy.commit("copy")
    use(deploy, "lib/a/b")
    deploy.commit("switch")
    git(deploy.root, "rm", "-q", "-r", "components")
    deploy.commit("clean up")
    assert [r["commit"] for r in deploy.history("prod")] == [second, first]
    (row,) = deploy.status("prod")
    assert row["commit"] == second


def test_a_pin_that_moved_from_the_overlay_into_a_component_keeps_its_history(deploy):
    first = deploy.set("prod", 1)
    second = deploy.set("prod", 2)
    use(deploy, "components/pin")
    pin(deploy, "components/pin", 2, "into a component")
    third = pin(deploy, "components/pin", 3)
    assert [r["commit"] for r in deploy.history("prod")] == [third, second, first]
    deploy.write(OVERLAY, kustomization("web", 3))
    git(deploy.root, "rm", "-q", "-r", "components")
    deploy.commit("and back")
    fourth = deploy.set("prod", 4)
    assert [r["commit"] for r in deploy.history("prod")] == [fourth, third, second, first]


def test_a_switch_to_a_component_with_another_release_is_a_record(deploy):
    use(deploy, "components/blue")
    first = pin(deploy, "components/blue", 1)
    pin(deploy, "components/green", 2, "beside")
    pin(deploy, "components/green", 3, "beside")
    use(deploy, "components/green")
    switched = deploy.commit("switch")
    pin(deploy, "components/blue", 4, "beside")
    assert [(r["commit"], r["tag"]) for r in deploy.history("prod")] == [(switched, tag(3)), (first, tag(1))]
    assert deploy.history("prod")[0]["previous_tag"] == tag(1)


def test_a_component_of_a_component_is_followed(deploy):
    use(deploy, "components/outer")
    deploy.write("components/outer/kustomization.yaml", COMPONENT + "components: [../../lib/inner]\n")
    first = pin(deploy, "lib/inner", 1)
    second = pin(deploy, "lib/inner", 2)
    deploy.write("components/outer/kustomization.yaml", COMPONENT + kustomization("web", 2))
    git(deploy.root, "rm", "-q", "-r", "lib")
    deploy.commit("flatten")
    assert [r["commit"] for r in deploy.history("prod")] == [second, first]


def test_a_component_that_was_taken_away_is_a_removal(deploy):
    use(deploy, "components/pin")
    first = pin(deploy, "components/pin", 1)
    git(deploy.root, "rm", "-q", "-r", "components")
    gone = deploy.commit("oops")
    assert [(r["kind"], r["commit"]) for r in deploy.history("prod")] == [("remove", gone), ("promote", first)]
    again = pin(deploy, "components/pin", 1, "put it back")
    assert [r["commit"] for r in deploy.history("prod")] == [again, gone, first]


@pytest.fixture
def started(monkeypatch, tmp_path):
    """The subcommands of git that promote started."""
    log, real = tmp_path / "git.log", shutil.which("git")
    executable(tmp_path / "bin" / "git", f'printf "%s\\n" "$*" >>{log}\nexec {real} "$@"')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")

    def read() -> list[str]:
        lines = log.read_text().splitlines()
        log.write_text("")
        return [word for line in lines for word in line.split() if word in {"log", "ls-tree"}]

    return read


def test_components_cost_one_look_at_history_more_than_overlays(deploy, started):
    for number in range(12):
        deploy.write(
            f"overlays/app{number}/prod/kustomization.yaml", f"components: [../../../components/app{number}]\n"
        )
        deploy.write(f"components/app{number}/kustomization.yaml", COMPONENT + kustomization(f"app{number}", 1))
    apps = {f"app{number}": {"image": f"acme/app{number}", "names": [f"app{number}"]} for number in range(12)}
    deploy.config["apps"] = apps
    deploy.configure()
    deploy.commit("all of them")
    for number in range(12):
        deploy.write(f"components/app{number}/kustomization.yaml", COMPONENT + kustomization(f"app{number}", 2))
        deploy.commit(f"release app{number}")
    started()
    assert len(deploy.history("prod")) == 24
    assert sorted(started()) == ["log", "log", "ls-tree"]
    deploy.write("shared/kustomization.yaml", COMPONENT + kustomization("app0", 3))
    deploy.write("overlays/app0/prod/kustomization.yaml", "components: [../../../shared]\n")
    deploy.commit("another component")
    started()
    assert len(deploy.history("prod")) == 25
    assert sorted(started()) == ["log", "log", "ls-tree"]  # the others' components tell of the one that was left


def test_a_component_that_was_elsewhere_costs_one_more_look_at_history_from_there_on(deploy, started):
    use(deploy, "components/pin")
    for number in range(1, 20):
        pin(deploy, "components/pin", number)
    git(deploy.root, "mv", "components/pin", "components/image")
    use(deploy, "components/image")
    deploy.commit("rename")
    for number in range(20, 40):
        pin(deploy, "components/image", number)
    started()
    assert len(deploy.history("prod")) == 39
    assert sorted(started()) == ["log", "log", "log", "ls-tree", "ls-tree"]
    assert deploy.status("prod")[0]["tag"] == tag(39)
    assert sorted(started()) == ["log", "log", "ls-tree"]


def test_components_that_move_all_the_time_do_not_make_git_start_all_the_time(deploy, started):
    for number in range(1, 31):
        deploy.write(f"c{number}/x/kustomization.yaml", COMPONENT + kustomization("web", number))
        use(deploy, f"c{number}/x")
        deploy.commit(f"move {number}")
    started()
    assert short(deploy.history("prod")) == [("edit", number) for number in range(30, 1, -1)] + [("add", 1)]
    assert started().count("log") <= 13


PLACES = ("components/a", "components/b", "lib/deep/c", "pin")


def change(deploy: Deploy, random: Random) -> None:
    """One commit of somebody who pins here and there, and moves things."""
    place, number = random.choice(PLACES), random.randrange(1, 6)
    match random.randrange(7):
        case 0:
            deploy.write(OVERLAY, kustomization("web", number))
        case 1 | 2:
            use(deploy, place, *random.sample(PLACES, random.randrange(2)))
        case 3 | 4:
            deploy.write(f"{place}/kustomization.yaml", COMPONENT + kustomization("web", number))
        case 5:
            shutil.rmtree(deploy.root / place, ignore_errors=True)
        case _:
            nested = "../" * (place.count("/") + 1) + random.choice(PLACES)
            deploy.write(f"{place}/kustomization.yaml", f"{COMPONENT}components: [{nested}]\n")
    deploy.commit(f"{place} {number}")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(1, 4))])
def test_whatever_moves_where_it_is_what_each_commit_by_itself_says(deploy, seed):
    random = Random(seed)
    for _ in range(30):
        change(deploy, random)
    configuration = load(deploy.root / "promote.yaml")
    commits = git(deploy.root, "rev-list", "main").splitlines()
    with Repository.open(deploy.root, branch="main", remote="origin") as repository:
        where = Where("overlays/web/prod", frozenset({"web", "acme/web"}))
        states = [pinned_by(repository.snapshot(commit), where) for commit in commits]
        expected = [
            (commit, before.pins, after.pins)
            for commit, after, before in zip(commits, states, states[1:], strict=False)
            if before.pins != after.pins
        ]
        walk = Walk(repository, commits[0], configuration, ["prod"], ["web"])
        found = [(c.commit.oid, c.before.pins, c.after.pins) for c in walk.changes()]
    assert not any(state.problem for state in states)
    assert found == expected
    assert len(expected) > 3


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "name", ["../../../.git/x", '"../../../a\\tb"', "../../../-x", '"../../../\\u202e"', "../../../..", "/etc"]
)
def test_a_component_that_git_must_not_be_asked_for_is_not_there(deploy, name):
    first = deploy.set("prod", 1)
    deploy.write(OVERLAY, f"components: [{name}]\n")
    second = deploy.commit("odd")
    deploy.set("prod", 2)
    assert [r["commit"] for r in deploy.history("prod")][1:] == [second, first]
    deploy.write(OVERLAY, f"components: [{name}]\n")
    third = deploy.commit("odd again")
    assert (deploy.history("prod")[0]["commit"], deploy.status("prod")[0]["tag"]) == (third, None)
