"""What history says of one app: from the diffs alone, whatever was committed and by whom.

| trap | test |
|---|---|
| 29 a shallow history's oldest commit looks like the change | test_a_shallow_clone_says_where_its_history_ends |
| 30 git revert, hand edits, force pushes, no trailers | test_a_hand_edit_..., test_a_git_revert_..., test_a_force_... |
| 31 squash, merge and rebase merges | test_the_three_ways_to_merge_tell_the_same_promotion |
| 32 overlay files renamed or split | test_a_renamed_overlay..., test_an_overlay_that_is_split... |
| 33 dates that are wrong or of the future | test_the_order_of_commits_wins_over_their_dates |
"""

from __future__ import annotations

import json

import pytest
from support.git_insight import Deploy, digest, kustomization, promotion
from support.git_world import git, isolate
from support.release_world import tag

PROD = "overlays/web/prod/kustomization.yaml"
BOT = "Bot <bot@example.com>"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def deploy(tmp_path) -> Deploy:
    return Deploy(tmp_path / "deploy")


def short(records):
    return [(r["kind"], r["to"], int(r["tag"][4:6], 16) if r["tag"] else None) for r in records]


def test_a_promotion_is_told_with_what_its_trailers_say_and_what_was_there_before(deploy):
    deploy.set("prod", 1)
    commit = deploy.set("prod", 2, trailers=True, author=BOT)
    newest, oldest = deploy.history("prod")
    assert newest == {
        "app": "web", "from": "staging", "to": "prod", "tag": tag(2), "digest": digest(2), "previous_tag": tag(1),
        "previous_digest": digest(1), "kind": "promote", "when": "2026-01-02T03:07:05Z", "by": BOT, "commit": commit,
        "reason": "because 2", "overlays": ["overlays/web/prod"], "notes": [],
    }  # fmt: skip
    assert (oldest["kind"], oldest["previous_tag"], oldest["from"], oldest["notes"]) == ("add", None, None, [])


def test_a_hand_edit_has_no_source_and_is_told_from_its_diff(deploy):
    deploy.set("prod", 1, trailers=True)
    deploy.set("prod", 2, message="quick fix")
    newest = deploy.history("prod")[0]
    assert (newest["kind"], newest["from"], newest["previous_tag"], newest["notes"]) == ("edit", None, tag(1), [])


def test_a_git_revert_is_a_revert_when_it_undid_what_it_names(deploy):
    deploy.set("prod", 1, trailers=True)
    wrong = deploy.set("prod", 2, trailers=True)
    git(deploy.root, "revert", "--no-edit", wrong)
    assert short(deploy.history("prod")) == [("revert", "prod", 1), ("promote", "prod", 2), ("promote", "prod", 1)]
    assert deploy.history("prod")[0]["from"] is None


def test_a_commit_that_only_claims_to_revert_is_an_edit(deploy):
    first = deploy.set("prod", 1)
    deploy.set("prod", 2)
    deploy.set("prod", 3, message=f"Revert it\n\nThis reverts commit {first}.")
    deploy.set("prod", 4, message=f"Revert it\n\nThis reverts commit {'1' * 40}.")
    assert [kind for kind, _, _ in short(deploy.history("prod"))] == ["edit", "edit", "edit", "add"]


def test_a_force_push_leaves_what_the_branch_says_now(deploy):
    deploy.set("prod", 1, trailers=True)
    deploy.set("prod", 2, trailers=True)
    git(deploy.root, "reset", "-q", "--hard", "HEAD~1")
    deploy.set("prod", 3, trailers=True)
    assert short(deploy.history("prod")) == [("promote", "prod", 3), ("promote", "prod", 1)]
    assert deploy.history("prod")[0]["previous_tag"] == tag(1)


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (promotion("web", "prod", 9), "another release"),
        (promotion("web", "staging", 2), "another environment"),
        (promotion("api", "prod", 2), "another app"),
        (promotion("web", "prod", 2).replace(digest(2), digest(3)), "the tag with another digest"),
        (promotion("web", "prod", 2).replace("Promote-Kind: promote", "Promote-Kind: approved"), "no such kind"),
    ],
)
def test_trailers_that_the_diff_does_not_confirm_count_for_nothing(deploy, forged, why):
    deploy.set("prod", 1)
    deploy.set("prod", 2, message=forged)
    newest = deploy.history("prod")[0]
    assert (newest["kind"], newest["from"], newest["reason"], newest["tag"]) == ("edit", None, None, tag(2)), why
    expected = [] if "approved" in forged else ["its trailers do not say what it changed here"]
    assert newest["notes"] == expected


def test_a_promotion_of_several_apps_in_one_commit_is_a_record_each(deploy):
    deploy.config["apps"]["api"] = {"image": "acme/api", "names": ["api"]}
    deploy.configure()
    deploy.set("prod", 1)
    for app in ("web", "api"):
        deploy.write(f"overlays/{app}/prod/kustomization.yaml", kustomization(app, 2))
    head, _, _ = promotion("web", "prod", 2).partition("Promote-App")
    images = "".join(f"Promote-App: {a}\nPromote-Image: acme/{a}:{tag(2)}@{digest(2)}\n" for a in ("web", "api"))
    deploy.commit(f"{head}{images}Promote-Reason: both\n")
    told = deploy.history("prod", "--limit", "2")
    assert {(r["app"], r["kind"], r["reason"], r["previous_tag"]) for r in told} == {
        ("web", "promote", "both", tag(1)), ("api", "promote", "both", None),
    }  # fmt: skip
    assert [r["app"] for r in deploy.history("--app", "api")] == ["api"]


@pytest.mark.parametrize("how", ["merge", "merge-titled", "squash", "squash-two", "rebase"])
def test_the_three_ways_to_merge_tell_the_same_promotion(deploy, how, monkeypatch):
    deploy.set("staging", 2)
    deploy.set("prod", 1)
    git(deploy.root, "checkout", "-q", "-b", "promote/prod/web")
    deploy.set("prod", 2, trailers=True, author=BOT)
    if how == "squash-two":  # a commit of a person upon the bot's
        deploy.write("overlays/web/prod/notes.md", "looked at\n")
        deploy.commit("notes")
    git(deploy.root, "checkout", "-q", "main")
    deploy.write("README.md", "meanwhile\n")
    deploy.commit("meanwhile")
    for name, value in deploy.tick().items():
        monkeypatch.setenv(name, value)
    title = "Merge pull request #7 from acme/promote/prod/web\n\nPromote web"
    if how == "merge":
        git(deploy.root, "merge", "-q", "--no-ff", "-m", title, "promote/prod/web")
    elif how == "merge-titled":  # a host that puts the request's body into the merge commit
        git(
            deploy.root, "merge", "-q", "--no-ff", "-m", f"{title}\n\n{promotion('web', 'prod', 2)}", "promote/prod/web"
        )
    elif how == "rebase":
        git(deploy.root, "checkout", "-q", "promote/prod/web")
        git(deploy.root, "rebase", "-q", "main")
        git(deploy.root, "checkout", "-q", "main")
        git(deploy.root, "merge", "-q", "--ff-only", "promote/prod/web")
    else:
        git(deploy.root, "merge", "-q", "--squash", "promote/prod/web")
        body = f"Promote web (#7)\n\n* {promotion('web', 'prod', 2)}\n* notes\n\nCo-authored-by: A <a@example.com>\n"
        deploy.git_as("Bot", "bot@example.com", f"{deploy.clock} +0000", "commit", "-q", "-m", body)
    newest, before = deploy.history("prod")
    told = {
        key: newest[key] for key in ("app", "from", "to", "tag", "digest", "previous_tag", "kind", "reason", "notes")
    }
    assert told == {
        "app": "web", "from": "staging", "to": "prod", "tag": tag(2), "digest": digest(2), "previous_tag": tag(1),
        "kind": "promote", "reason": "because 2", "notes": [],
    }  # fmt: skip
    assert newest["commit"] == deploy.head
    assert before["tag"] == tag(1)
    if how != "merge-titled":
        assert newest["by"] == BOT


def test_a_merge_is_not_explained_by_an_older_promotion_of_the_branch_itself(deploy):
    deploy.set("prod", 1, trailers=True)
    deploy.set("prod", 2)
    git(deploy.root, "checkout", "-q", "-b", "side")
    deploy.set("prod", 1, message="back by hand")
    git(deploy.root, "checkout", "-q", "main")
    deploy.write("README.md", "meanwhile\n")
    deploy.commit("meanwhile")
    git(deploy.root, "merge", "-q", "--no-ff", "-m", "Merge side", "side")
    assert short(deploy.history("prod")) == [("edit", "prod", 1), ("edit", "prod", 2), ("promote", "prod", 1)]


def test_a_renamed_file_of_an_overlay_is_no_record(deploy):
    commit = deploy.set("prod", 1, trailers=True)
    git(deploy.root, "mv", PROD, "overlays/web/prod/kustomization.yml")
    deploy.commit("rename")
    deploy.write("overlays/web/prod/kustomization.yml", "# reformatted\n\n" + kustomization("web", 1).replace('"', "'"))
    deploy.commit("reformat")
    assert [r["commit"] for r in deploy.history("prod")] == [commit]


def test_a_renamed_overlay_is_followed_through_promote_yaml(deploy):
    deploy.set("prod", 1)
    commit = deploy.set("prod", 2, trailers=True)
    git(deploy.root, "mv", "overlays/web/prod", "overlays/web/production")
    deploy.config["environments"]["prod"]["overlays"] = ["overlays/{app}/production"]
    deploy.configure()
    deploy.commit("rename")
    assert short(deploy.history("prod")) == [("promote", "prod", 2), ("add", "prod", 1)]
    (row,) = deploy.status("prod")
    assert (row["commit"], row["overlay"]) == (commit, "overlays/web/production")


def test_an_overlay_that_moved_far_away_in_two_steps_is_followed_too(deploy):
    commit = deploy.set("prod", 1, trailers=True)
    deploy.write("clusters/eu/web/kustomization.yaml", kustomization("web", 1))
    deploy.commit("copy")
    deploy.config["environments"]["prod"]["overlays"] = ["clusters/eu/{app}"]
    deploy.configure()
    deploy.commit("switch")
    git(deploy.root, "rm", "-q", "-r", "overlays")
    deploy.commit("clean up")
    assert [r["commit"] for r in deploy.history("prod")] == [commit]
    deploy.write("clusters/eu/web/kustomization.yaml", kustomization("web", 2))
    deploy.commit("edit")
    assert short(deploy.history("prod")) == [("edit", "prod", 2), ("promote", "prod", 1)]


def test_a_rename_that_also_changes_the_release_is_a_record(deploy):
    deploy.set("prod", 1)
    git(deploy.root, "mv", "overlays/web/prod", "overlays/web/production")
    deploy.write("overlays/web/production/kustomization.yaml", kustomization("web", 2))
    deploy.config["environments"]["prod"]["overlays"] = ["overlays/{app}/production"]
    deploy.configure()
    deploy.commit("rename and more")
    newest = deploy.history("prod")[0]
    assert (newest["kind"], newest["tag"], newest["previous_tag"]) == ("edit", tag(2), tag(1))


def test_an_app_and_an_environment_that_were_renamed_keep_their_history(deploy):
    commit = deploy.set("prod", 1, trailers=False)
    deploy.config["apps"] = {"shop": {"image": "acme/web", "names": ["web"]}}
    environments = deploy.config["environments"]
    environments["production"] = environments.pop("prod") | {"overlays": ["overlays/web/prod"]}
    environments["staging"]["overlays"] = ["overlays/web/staging"]
    deploy.configure()
    deploy.commit("rename")
    assert [(r["app"], r["to"], r["commit"]) for r in deploy.history()] == [("shop", "production", commit)]


def test_a_second_overlay_before_the_first_leaves_the_history_of_the_first(deploy):
    commit = deploy.set("prod", 1)
    deploy.config["environments"]["prod"]["overlays"] = ["overlays/{app}/prod-us", "overlays/{app}/prod"]
    deploy.configure()
    deploy.write("overlays/web/prod-us/kustomization.yaml", kustomization("web", 1))
    second = deploy.commit("one more region")
    told = [(r["commit"], r["overlays"]) for r in deploy.history("prod")]
    assert told == [(second, ["overlays/web/prod-us"]), (commit, ["overlays/web/prod"])]


def test_an_overlay_that_is_split_into_a_patch_is_followed_by_what_it_pins(deploy):
    commit = deploy.set("prod", 1, trailers=True)
    patch = (
        "kind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: "
        f"[{{name: web, image: 'acme/web:{tag(1)}@{digest(1)}'}}]}}}}}}\n"
    )
    deploy.write("overlays/web/prod/patch.yaml", patch)
    deploy.write(PROD, "patches: [{path: patch.yaml}]\n")
    deploy.commit("split")
    assert [r["commit"] for r in deploy.history("prod")] == [commit]
    deploy.write("overlays/web/prod/patch.yaml", patch.replace(tag(1), tag(2)).replace(digest(1), digest(2)))
    deploy.commit("edit")
    assert short(deploy.history("prod")) == [("edit", "prod", 2), ("promote", "prod", 1)]


def test_an_overlay_that_could_not_be_read_for_a_while_is_told_by_the_commit_that_mended_it(deploy):
    first = deploy.set("prod", 1)
    deploy.write(PROD, "images: [\n")
    deploy.commit("broken")
    deploy.set("staging", 5)
    mended = deploy.set("prod", 2)
    assert [r["commit"] for r in deploy.history("prod")] == [mended, first]
    assert deploy.history("prod")[0]["previous_tag"] == tag(1)
    assert short(deploy.history()) == [("edit", "prod", 2), ("add", "staging", 5), ("add", "prod", 1)]
    deploy.write(PROD, "images: [\n")
    deploy.commit("broken again")
    deploy.set("prod", 2, message="mended as it was")
    assert [r["commit"] for r in deploy.history("prod")] == [mended, first]


def test_an_app_that_is_pinned_no_longer_is_a_removal(deploy):
    deploy.set("prod", 1)
    deploy.write(PROD, "images: []\n")
    deploy.commit("take out")
    newest = deploy.history("prod")[0]
    assert (newest["kind"], newest["tag"], newest["digest"], newest["previous_tag"]) == ("remove", None, None, tag(1))


def test_the_order_of_commits_wins_over_their_dates(deploy):
    future = deploy.set("prod", 1, at=4_000_000_000)
    backwards = deploy.set("prod", 2, at=1_000_000_000)
    newest, oldest = deploy.history("prod")
    assert [newest["commit"], oldest["commit"]] == [backwards, future]
    assert newest["notes"] == ["its date is before that of an older commit"]
    assert oldest["notes"] == ["its date is in the future"]


def test_a_shallow_clone_says_where_its_history_ends(deploy, tmp_path):
    deploy.set("prod", 1)
    deploy.set("staging", 3)
    deploy.set("prod", 2)
    deploy.set("staging", 4)
    shallow = Deploy(_clone(deploy, tmp_path / "shallow", "--depth=2"))
    ran = shallow.run("history", "--format", "json")
    assert [r["tag"] for r in ran.records] == [tag(4)]
    assert "shallow" in ran.json["note"]
    prod, staging = sorted(shallow.status(), key=lambda row: str(row["environment"]))
    assert (prod["tag"], prod["since"], prod["commit"], prod["by"]) == (tag(2), None, None, None)
    assert prod["notes"] == [
        f"unknown since when: this clone is shallow, and its history begins with it at {prod_at(deploy)}"
    ]
    assert (staging["tag"], staging["since"] is not None, staging["notes"]) == (tag(4), True, [])


def prod_at(deploy: Deploy) -> str:
    return git(deploy.root, "rev-parse", "HEAD~1")[:12]


def _clone(deploy: Deploy, path, *options: str):
    git(deploy.root.parent, "clone", "-q", *options, f"file://{deploy.root}", str(path))
    return path


def test_history_stops_reading_at_its_limit(deploy):
    for number in range(1, 6):
        deploy.set("prod", number)
    assert [r["tag"] for r in deploy.history("prod", "--limit", "2")] == [tag(5), tag(4)]


def test_a_promote_yaml_in_a_subdirectory_has_its_overlays_there(tmp_path):
    deploy = Deploy(tmp_path / "mono")
    deploy.write("team/promote.yaml", json.dumps(deploy.config))
    deploy.write("team/overlays/web/prod/kustomization.yaml", kustomization("web", 1))
    deploy.commit()
    ran = deploy.run("history", "prod", "--format", "json", cwd=deploy.root / "team")
    assert [r["overlays"] for r in ran.records] == [["team/overlays/web/prod"]]


def test_names_that_promote_yaml_does_not_have_are_misuse(deploy):
    for arguments, code in ((("nowhere",), "environment-unknown"), (("--app", "nothing"), "app-unknown")):
        ran = deploy.run("history", *arguments, "--format", "json")
        assert (ran.code, ran.json["error"]["code"]) == (2, code)
