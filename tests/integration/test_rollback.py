"""`promote rollback`: to the release before, or to a named one, through the same gates, in one commit."""

from __future__ import annotations

import json
import shutil

import pytest
from support.git_world import executable, git, isolate
from support.gitops_repo import DIGEST, TAG, make, staging_overlay
from support.release_world import make_world, tag


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Prod ran 1, and runs 2."""
    made = make_world(tmp_path, monkeypatch)
    for number in (1, 2):
        made.stage(number)
        made.promoted(number)
    return made


def test_back_to_the_release_before_in_one_commit(world):
    before = world.head()
    ran = world.rollback("prod", "--reason", "500s at checkout")
    assert (ran.code, world.runs()) == (0, 1), ran.out
    result = ran.json
    assert (result["command"], result["from"], result["to"]) == ("rollback", None, "prod")
    (release,) = result["releases"]
    assert (release["tag"], release["digest"], release["changed"]) == (tag(1), world.digests["shop", 1], True)
    assert git(world.repo.bare, "rev-list", f"{before}..main").split() == [result["commit"]["id"]]
    message = world.message()
    assert message.startswith(f"rollback(prod): shop {tag(1)[:16]}")
    for line in (
        "Promote-Kind: rollback",
        f"Promote-Hold: {world.digests['shop', 2]}",
        "Promote-Reason: 500s at checkout",
    ):
        assert line in message.splitlines()
    assert "Promote-From" not in message


def test_history_tells_it_as_a_rollback(world):
    world.rollback("prod", "--reason", "500s at checkout")
    newest = world.history()[0]
    assert (newest["kind"], newest["tag"], newest["previous_tag"]) == ("rollback", tag(1), tag(2))
    assert (newest["reason"], newest["from"]) == ("500s at checkout", None)


def test_a_dry_run_writes_nothing_and_says_the_same(world):
    before = world.repo.everything()
    ran = world.rollback("prod", "--dry-run")
    assert (ran.code, ran.json["dry_run"], ran.json["releases"][0]["tag"]) == (0, True, tag(1))
    assert world.repo.everything() == before


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_for_people(world, form):
    ran = world.repo.run("rollback", "prod", "--format", form, "-q")
    assert ran.code == 0, ran.out
    assert "Brought back" in ran.out
    assert "None" not in ran.out
    assert "rollback" in ran.out.splitlines()[0]


def test_every_gate_of_a_promotion_is_judged_as_far_as_it_applies(world):
    gates = {g["gate"]: g["verdict"] for g in world.rollback("prod").json["releases"][0]["gates"]}
    skipped = {gate for gate in ("path", "freeze", "soak", "approvals") if gates[gate] == "skip"}
    assert skipped == {"path", "freeze", "soak", "approvals"}
    passed = ("tag", "overlay", "source", "target", "deployed", "ledger", "held")
    assert {gate: gates[gate] for gate in passed} == dict.fromkeys(passed, "pass")


@pytest.mark.exhaustive
def test_named_by_an_abbreviation_and_as_a_word(world):
    assert world.rollback("prod", "--to", tag(1)[:9], "--dry-run").json["releases"][0]["tag"] == tag(1)
    assert world.rollback("prod", tag(1)[:9], "--dry-run").json["releases"][0]["tag"] == tag(1)
    assert world.rollback("prod", f"shop={tag(1)[:9]}").json["releases"][0]["tag"] == tag(1)
    again = world.rollback("prod", "--to", tag(1), "--require-change")  # it runs there now
    assert (again.code, again.json["commit"]) == (6, None)
    assert world.rollback("prod", "--to", tag(1)).code == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("to", "code", "error"),
    [("sha-0", 10, "ambiguous-tag"), ("sha-ffffff", 10, "not-deployed"), ("latest", 14, "floating-tag")],
)
def test_a_name_that_is_none(world, to, code, error):
    before = world.head()
    ran = world.rollback("prod", "--to", to)
    assert (ran.code, ran.json["error"]["code"], ran.json["command"]) == (code, error, "rollback"), ran.out
    assert world.head() == before


def test_what_ran_elsewhere_alone_never_ran_here(world):
    world.stage(3)
    ran = world.rollback("prod", "--to", tag(3))
    assert (ran.code, ran.json["error"]["code"]) == (10, "not-deployed")


def test_a_tag_and_a_name_are_one_too_many(world):
    assert world.rollback("prod", f"shop={tag(1)}", "--to", tag(1)).code == 2
    assert world.rollback("elsewhere").json["error"]["code"] == "environment-unknown"


def test_nothing_to_go_back_to(tmp_path, monkeypatch):
    world = make_world(tmp_path, monkeypatch)
    ran = world.rollback("staging")
    assert (ran.code, ran.json["error"]["code"]) == (10, "no-release-before"), ran.out
    world.stage(1)
    assert [world.rollback("staging").code, TAG.encode() in world.repo.overlay("staging")] == [0, True]
    (release,) = world.rollback("staging").json["releases"]
    assert release["since"]["further"] is None


@pytest.mark.exhaustive
def test_what_is_held_is_nothing_to_go_back_to(world):
    assert world.rollback("prod", "--to", "sha-89abcdef").json["error"]["code"] == "no-such-tag"  # never had an image
    world.stage(3)
    world.promoted(3)
    assert [world.rollback("prod").code, world.runs()] == [0, 2]
    assert [world.rollback("prod", "--to", tag(1)).code, world.runs()] == [0, 1]
    world.stage(4)
    world.promoted(4)
    assert [world.rollback("prod").code, world.runs()] == [0, 1]
    assert world.rollback("prod").json["releases"][0]["since"]["further"] == "sha-89abcdef"


def test_a_rollback_that_names_nothing_is_done_once(world):
    world.stage(3)
    world.promoted(3)
    commit = world.rollback("prod", "--reason", "500s at checkout").json["commit"]["id"]
    told = world.history()
    after = world.repo.everything()
    ran = world.rollback("prod")
    (release,) = ran.json["releases"]
    assert (ran.code, ran.json["commit"], release["tag"], release["changed"]) == (0, None, tag(2), False), ran.out
    since = release["since"]
    assert since.pop("age") > 0
    assert since == {
        "kind": "rollback", "commit": commit, "when": told[0]["when"], "by": "Test <test@example.com>",
        "reason": "500s at checkout", "previous_tag": tag(3), "further": tag(1),
    }  # fmt: skip
    assert world.rollback("prod", "--dry-run").json["releases"][0]["since"]["commit"] == commit
    needed = world.rollback("prod", "--require-change")
    assert (needed.code, needed.json["releases"][0]["since"]["further"]) == (6, tag(1))
    assert world.repo.everything() == after


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_rollback_that_is_done_says_so_and_how_to_go_further(world, form):
    world.rollback("prod", "--reason", "500s at checkout")
    commit = world.head()
    for arguments in (("-q",), ("-q", "--dry-run"), ("-q", "--require-change")):
        ran = world.repo.run("rollback", "prod", "--format", form, *arguments)
        out = " ".join(ran.out.split())
        for part in (
            f"rollback from {tag(2)} by Test <test@example.com>, commit {commit[:12]}: 500s at checkout",
            "d ago)",
            "to go back further, name it: `promote rollback prod shop=sha-89abcdef`",
        ):
            assert part in out, out


def test_going_back_further_is_named_and_may_be_repeated(world):
    world.stage(3)
    world.promoted(3)
    assert world.rollback("prod").code == 0
    words = world.rollback("prod").json["releases"][0]["since"]["further"]
    assert [world.rollback("prod", f"shop={words}").code, world.runs()] == [0, 1]
    assert [world.rollback("prod", f"shop={words}").code, world.runs()] == [0, 1]
    assert [world.rollback("prod").code, world.runs()] == [0, 1]


@pytest.mark.exhaustive
def test_after_a_release_came_a_rollback_is_another_step(world):
    assert [world.rollback("prod").code, world.runs()] == [0, 1]
    world.stage(3)
    world.promoted(3)
    assert [world.rollback("prod").code, world.runs()] == [0, 1]
    assert world.promote(tag(2), "--lift", "it was the database").code == 0
    assert [world.rollback("prod").code, world.runs()] == [0, 1]


@pytest.mark.exhaustive
def test_one_app_that_is_back_already_does_not_keep_another_from_going_back(tmp_path, monkeypatch):
    world = make_world(tmp_path, monkeypatch, apps=("one", "two"))
    for number in (1, 2):
        for app in ("one", "two"):
            world.stage(number, app)
            world.promoted(number, app)
    assert world.rollback("prod", "one").code == 0
    ran = world.rollback("prod", "one", "two")
    assert [(r["app"], r["changed"], r["since"] is None) for r in ran.json["releases"]] == [
        ("one", False, False), ("two", True, True),
    ]  # fmt: skip
    assert [world.runs("prod", app) for app in ("one", "two")] == [1, 1]
    assert world.promote(f"one={tag(2)}").json["error"]["code"] == "held"


@pytest.mark.exhaustive
def test_two_steps_back_pass_over_what_is_held(world):
    world.stage(3)
    world.promoted(3)
    assert [world.rollback("prod").code, world.runs()] == [0, 2]
    assert [world.rollback("prod", "--to", tag(1)).code, world.runs()] == [0, 1]
    holds = [line for line in world.message().splitlines() if line.startswith("Promote-Hold")]
    assert holds == [f"Promote-Hold: {world.digests['shop', 2]}"]
    for number in (2, 3):
        assert world.rollback("prod", "--to", tag(number)).json["error"]["code"] == "held"
        assert world.promote(tag(number)).json["error"]["code"] == "held"
    world.stage(4)
    world.promoted(4)
    assert [world.rollback("prod").code, world.runs()] == [0, 1]


def test_an_older_release_promoted_again_is_no_way_back(world):
    world.promoted(1)  # 1, 2, 1: the one before is 2
    assert [world.rollback("prod").code, world.runs()] == [0, 2]


def test_after_a_revert_by_hand_the_release_before_is_the_one_below(world):
    world.stage(3)
    world.promoted(3)
    world.tick()
    world.pull()
    git(world.repo.root, "revert", "--no-edit", "HEAD")
    git(world.repo.root, "push", "-q", "origin", "main")
    assert world.runs() == 2
    assert [world.rollback("prod").code, world.runs()] == [0, 1]


def test_the_image_comes_from_the_environment_itself(world):
    shutil.rmtree(world.repo.layout("staging"))
    ran = world.rollback("prod")
    assert (ran.code, world.runs()) == (0, 1), ran.out
    assert "/prod/" in ran.json["releases"][0]["source"]


def test_what_is_gone_there_is_copied_again_from_where_it_came(world):
    shutil.rmtree(world.repo.layout("prod"))
    ran = world.rollback("prod")
    assert (ran.code, world.repo.tags()) == (0, {tag(1): world.digests["shop", 1]}), ran.out
    assert "/staging/" in ran.json["releases"][0]["source"]


def test_what_is_gone_everywhere_is_refused(world):
    for env in ("staging", "prod"):
        shutil.rmtree(world.repo.layout(env))
    before = world.head()
    ran = world.rollback("prod")
    assert (ran.code, ran.json["error"]["code"]) == (10, "no-such-tag"), ran.out
    assert world.head() == before


def test_a_tag_that_was_moved_meanwhile_is_refused_as_rebuilt(world):
    shutil.rmtree(world.repo.layout("prod"))
    index = world.repo.layout("staging") / "index.json"
    document = json.loads(index.read_text())
    name = "org.opencontainers.image.ref.name"
    by_tag = {d["annotations"][name]: d for d in document["manifests"] if "annotations" in d}
    by_tag[tag(1)]["digest"], by_tag[tag(1)]["size"] = by_tag[tag(2)]["digest"], by_tag[tag(2)]["size"]
    index.write_text(json.dumps(document))
    ran = world.rollback("prod")
    assert (ran.code, ran.refused_by) == (15, "ledger"), ran.out


def test_several_apps_are_one_commit(tmp_path, monkeypatch):
    world = make_world(tmp_path, monkeypatch, apps=("one", "two"))
    for number in (1, 2):
        for app in ("one", "two"):
            world.stage(number, app)
            world.promoted(number, app)
    assert world.rollback("prod").code == 2  # which of them?
    before = world.head()
    ran = world.rollback("prod", "one", f"two={tag(1)[:8]}")
    assert ran.code == 0, ran.out
    assert len(git(world.repo.bare, "rev-list", f"{before}..main").split()) == 1
    assert [world.runs("prod", app) for app in ("one", "two")] == [1, 1]
    for app in ("one", "two"):
        ran = world.promote(f"{app}={tag(2)}")
        assert (ran.code, ran.json["error"]["code"]) == (10, "held"), ran.out


def test_every_place_and_overlay_goes_back(tmp_path, monkeypatch):
    world = make_world(tmp_path, monkeypatch)
    places = [
        {"registry": f"oci:../registries/{name}", "pull": f"{name}.example", "overlays": [f"overlays/{{app}}/{name}"]}
        for name in ("eu", "us")
    ]
    world.repo.config["environments"]["prod"] = {"from": ["staging"], "places": places}
    for name in ("eu", "us"):
        shutil.copytree(world.repo.root / "overlays/shop/prod", world.repo.root / f"overlays/shop/{name}")
    world.repo.configure()
    for number in (1, 2):
        world.stage(number)
        world.promoted(number)
    shutil.rmtree(world.repo.layout("us"))
    ran = world.rollback("prod")
    assert ran.code == 0, ran.out
    assert [world.runs("eu"), world.runs("us")] == [1, 1]
    assert world.repo.tags("us") == {tag(1): world.digests["shop", 1]}
    assert world.promote(tag(2)).json["error"]["code"] == "held"
    assert world.message().count("Promote-Hold") == 1


def test_places_that_run_different_releases_want_a_name(tmp_path, monkeypatch):
    world = make_world(tmp_path, monkeypatch)
    world.stage(1)
    world.stage(2)
    world.promoted(1)
    world.promoted(2)
    prod = world.repo.config["environments"]["prod"]
    prod["overlays"] = ["overlays/{app}/prod", "overlays/{app}/beside"]
    world.pull()
    world.repo.write("overlays/shop/beside/kustomization.yaml", world.overlay(1))
    world.repo.configure()
    ran = world.rollback("prod")
    assert (ran.code, ran.json["error"]["code"]) == (10, "ambiguous-tag"), ran.out
    assert world.rollback("prod", "--to", tag(1)).code == 0
    assert [world.runs("prod"), world.runs("beside")] == [1, 1]


def test_real_evidence_is_verified_again_and_refused_when_it_is_gone(tmp_path):
    repo = make(tmp_path)
    assert repo.promote(TAG).code == 0
    git(repo.root, "pull", "-q", "--ff-only", "origin", "main")
    repo.set_overlay("prod", staging_overlay("shop", "sha-89abcdef", "sha256:" + "5" * 64))
    dry = repo.run("rollback", "prod", "--dry-run", "--format", "json", "-q")
    assert dry.code == 0, dry.out
    assert (dry.gate("signature")["verdict"], dry.gate("sbom")["verdict"]) == ("pass", "pass")
    assert "/prod/" in dry.json["releases"][0]["source"]
    kept = {path: path.read_bytes() for path in repo.layout("prod").glob("*.json")}
    (index,) = [path for path in kept if path.name == "index.json"]
    document = json.loads(index.read_text())
    name = "org.opencontainers.image.ref.name"
    document["manifests"] = [d for d in document["manifests"] if d.get("annotations", {}).get(name) == TAG]
    index.write_text(json.dumps(document))
    ran = repo.run("rollback", "prod", "--format", "json", "-q")
    assert ran.code == 11, ran.out
    index.write_bytes(kept[index])
    ran = repo.run("rollback", "prod", "--format", "json", "-q")
    assert (ran.code, DIGEST.encode() in repo.overlay()) == (0, True), ran.out


@pytest.mark.parametrize("remote", [True, False], ids=["remote", "no remote"])
def test_without_a_push_it_is_a_local_commit(tmp_path, monkeypatch, remote):
    world = make_world(tmp_path, monkeypatch, remote=remote)
    for number in (1, 2):
        world.stage(number)
        world.promoted(number)
    there = world.head()
    ran = world.rollback("prod", "--no-push")
    assert (ran.code, ran.json["commit"]["pushed"]) == (0, False), ran.out
    assert git(world.repo.root, "rev-parse", "main~1") == there
    assert (world.head() == there) == remote


def test_a_push_that_is_declined_leaves_it_to_the_same_command_to_finish(world):
    before = world.head()
    hook = world.repo.bare / "hooks" / "pre-receive"
    executable(hook, "echo no >&2\nexit 1")
    ran = world.rollback("prod")
    assert (ran.code, ran.json["error"]["code"], world.head()) == (10, "push-declined", before), ran.out
    hook.unlink()
    assert [world.rollback("prod").code, world.runs()] == [0, 1]


def test_a_shallow_clone_cannot_tell_what_ran_before(world, tmp_path):
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{world.repo.bare}", str(tmp_path / "shallow"))
    ran = world.rollback("prod", "--repo", str(tmp_path / "shallow"))
    assert (ran.code, ran.json["error"]["code"]) == (10, "no-release-before"), ran.out
    assert "shallow" in ran.json["error"]["message"]
    assert "unshallow" in ran.json["error"]["hint"]


def test_an_overlay_that_moved_still_has_its_past(world):
    world.pull()
    git(world.repo.root, "mv", "overlays/shop/prod", "overlays/shop/live")
    world.repo.config["environments"]["prod"]["overlays"] = ["overlays/{app}/live"]
    world.repo.configure()
    ran = world.rollback("prod")
    assert (ran.code, world.runs("live")) == (0, 1), ran.out
    assert world.promote(tag(2)).json["error"]["code"] == "held"


def test_what_is_done_already_is_told_since_when(world):
    commit = world.head()
    ran = world.repo.run("staging->prod", tag(2))
    assert (ran.code, "Already promoted: nothing was changed." in ran.out) == (0, True)
    since = next(line for line in ran.out.splitlines() if line.startswith("  since     2026-01-0"))
    assert " d ago): promote by Test <test@example.com>," in since
    assert f"commit {commit[:12]}" in ran.out
