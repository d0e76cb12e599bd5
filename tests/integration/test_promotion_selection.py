"""Which releases a command means, and the refusals and flags that decide before anything is copied."""

from __future__ import annotations

import json
import shutil

import pytest
from support.git_world import git, isolate
from support.gitops_repo import DIGEST, SOURCE, TAG, GitopsRepo, make, serve, staging_overlay
from support.registry_server import RegistryServer

SECOND = f"{TAG[:14]}ffffffffffff"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def retag(repo: GitopsRepo, tag: str, app: str = "shop") -> None:
    """Let one more tag name the image at staging."""
    index = repo.layout("staging", app) / "index.json"
    document = json.loads(index.read_bytes())
    name = "org.opencontainers.image.ref.name"
    first = next(d for d in document["manifests"] if d.get("annotations", {}).get(name) == TAG)
    document["manifests"].append({**first, "annotations": {name: tag}})
    index.write_text(json.dumps(document))


# -- tags


@pytest.mark.parametrize("length", [5, 8, 11, 20, len(TAG) - 1])
def test_an_abbreviation_is_completed_once_and_the_full_tag_is_written(tmp_path, length):
    repo = make(tmp_path)
    ran = repo.promote(TAG[:length])
    assert (ran.code, ran.json["releases"][0]["tag"]) == (0, TAG)
    assert f"newTag: {TAG}".encode() in repo.overlay()
    assert list(repo.tags()) == [TAG]


def test_an_abbreviation_is_looked_for_among_what_staging_ran(tmp_path):
    repo = make(tmp_path)
    retag(repo, SECOND)
    repo.set_overlay("staging", staging_overlay("shop", "sha-89abcdef", None))
    ran = repo.promote(TAG[:10], "--dry-run")
    assert (ran.code, ran.json["releases"][0]["tag"]) == (0, TAG)
    assert "staging ran it" in ran.gate("deployed")["summary"]


def test_an_abbreviation_of_what_git_does_not_know_is_looked_for_in_the_registry(tmp_path):
    repo = make(tmp_path, staging_runs=None, gates={"deployed": "off"})
    ran = repo.promote(TAG[:10])
    assert (ran.code, ran.json["releases"][0]["tag"], ran.gate("deployed")["code"]) == (0, TAG, "turned-off")


def test_an_ambiguous_abbreviation_lists_the_candidates(tmp_path):
    repo = make(tmp_path, staging_runs=None, gates={"deployed": "off"})
    retag(repo, SECOND)
    before = repo.everything()
    ran = repo.promote(TAG[:10])
    error = ran.json["error"]
    assert (ran.code, error["code"], error["expected"]) == (10, "ambiguous-tag", "one tag")
    assert error["actual"] == f"{TAG}, {SECOND}"
    assert repo.everything() == before


def test_a_whole_tag_wins_over_a_longer_one_that_begins_so(tmp_path):
    repo = make(tmp_path, staging_runs=None, gates={"deployed": "off"})
    retag(repo, TAG[:14])
    ran = repo.promote(TAG[:14], "--dry-run")
    assert (ran.code, ran.json["releases"][0]["tag"]) == (0, TAG[:14])


def test_no_such_tag(tmp_path):
    repo = make(tmp_path)
    before = repo.everything()
    ran = repo.promote("sha-" + "d" * 40)
    assert (ran.code, ran.refused_by, ran.json["error"]["code"]) == (10, "source", "no-such-tag")
    assert repo.everything() == before


@pytest.mark.parametrize(
    "tag", ["latest", "main", "staging", "prod", "v1.2.3", "1", "2024.01", "nightly", "LATEST", "develop"]
)
def test_a_floating_tag_is_refused_before_anything_is_asked(tmp_path, tag):
    with RegistryServer() as server:
        repo = make(tmp_path, staging=server.address, prod=server.address)
        ran = repo.promote(tag)
        assert server.requests == []
    assert (ran.code, ran.refused_by, ran.json["error"]["code"]) == (14, "tag", "floating-tag")


@pytest.mark.parametrize(
    "tag", ["sha-xyz", "sha256-0123456", "0123456789abcdef", "sha-ABCDEF0", "-", "sha-012345/../x", "a" * 200]
)
def test_what_is_no_commit_tag_is_refused_with_the_form_that_is_expected(tmp_path, tag):
    ran = make(tmp_path).run("staging->prod", "--format", "json", "--", f"shop={tag}")
    assert ran.code == 14, ran.out
    assert ran.json["error"]["expected"]


def test_another_form_of_commit_tag_can_be_configured(tmp_path):
    repo = make(tmp_path, gates={"tag": "git-(?P<commit>[0-9a-f]{12})", "deployed": "off"})
    tag = f"git-{TAG[4:16]}"
    retag(repo, tag)
    assert (repo.promote(TAG).code, repo.promote(tag).code) == (14, 0)
    assert tag.encode() in repo.overlay()


# -- what is deployed


def test_without_a_tag_whatever_staging_runs_is_promoted(tmp_path):
    repo = make(tmp_path)
    ran = repo.promote()
    assert (ran.code, ran.json["releases"][0]["tag"], repo.tags()) == (0, TAG, {TAG: DIGEST})


def test_without_a_tag_and_with_two_in_staging_the_candidates_are_listed(tmp_path):
    repo = make(tmp_path)
    retag(repo, SECOND)
    overlay = staging_overlay("shop", TAG, DIGEST) + f"  - name: acme/shop\n    newTag: {SECOND}\n"
    repo.set_overlay("staging", overlay)
    ran = repo.promote()
    assert (ran.code, ran.json["error"]["code"]) == (10, "ambiguous-tag")
    assert TAG in ran.json["error"]["actual"]
    assert SECOND in ran.json["error"]["actual"]


def test_without_a_tag_and_none_in_staging(tmp_path):
    repo = make(tmp_path)
    repo.set_overlay("staging", "resources: [../base]\n")
    ran = repo.promote()
    assert (ran.code, ran.json["error"]["code"]) == (10, "not-deployed")


def test_what_staging_never_ran_is_refused(tmp_path):
    repo = make(tmp_path, staging_runs=None)
    ran = repo.promote(TAG)
    error = ran.json["error"]
    assert (ran.code, ran.refused_by, error["code"]) == (10, "deployed", "not-deployed")
    assert (error["expected"], error["actual"]) == (f"{TAG}@{DIGEST}", "sha-0000000@(no digest)")


@pytest.mark.parametrize(("demand", "code"), [("current", 10), ("ever", 0), ("off", 0)])
def test_what_staging_ran_once(tmp_path, demand, code):
    repo = make(tmp_path, gates={"deployed": demand})
    repo.set_overlay("staging", staging_overlay("shop", "sha-89abcdef", None))
    ran = repo.promote(TAG, "--dry-run")
    assert (ran.code, ran.refused_by) == (code, "deployed" if code else None)


def test_a_tag_without_digest_in_staging_is_compared_by_tag(tmp_path):
    assert make(tmp_path, pinned=False).promote(TAG).code == 0


def test_an_earlier_tag_without_digest_counts_as_having_run(tmp_path):
    repo = make(tmp_path, pinned=False)
    repo.set_overlay("staging", staging_overlay("shop", "sha-89abcdef", None))
    assert repo.promote(TAG, "--dry-run").code == 0


# -- apps


def test_several_apps_are_one_commit(tmp_path):
    repo = make(tmp_path, apps=("web", "api", "worker"))
    ran = repo.promote(f"web={TAG[:12]}", "api")
    assert ran.code == 0, ran.out
    assert [r["app"] for r in ran.json["releases"]] == ["web", "api"]
    assert repo.promotions() == ["promote(prod): 2 apps from staging"]
    assert (DIGEST.encode() in repo.overlay(app="web"), DIGEST.encode() in repo.overlay(app="worker")) == (True, False)
    message = git(repo.bare, "log", "-1", "--format=%B", "main")
    assert [line for line in message.splitlines() if line.startswith("Promote-App")] == [
        "Promote-App: web",
        "Promote-App: api",
    ]


def test_one_app_that_is_refused_stops_all(tmp_path):
    repo = make(tmp_path, apps=("web", "api"))
    shutil.rmtree(repo.layout("staging", "api"))
    before = repo.everything()
    ran = repo.promote("web", f"api={TAG}")
    assert (ran.code, ran.json["error"]["code"]) == (10, "no-such-tag")
    assert [g["verdict"] for g in ran.json["releases"][0]["gates"] if g["gate"] == "signature"] == ["pass"]
    assert repo.everything() == before


def test_all_takes_every_app_that_differs(tmp_path):
    repo = make(tmp_path, apps=("web", "api", "worker"))
    assert repo.promote("api").code == 0
    ran = repo.promote("--all")
    assert ran.code == 0
    assert [r["app"] for r in ran.json["releases"]] == ["web", "worker"]
    again = repo.promote("--all")
    assert (again.code, again.json["releases"], again.json["commit"]) == (0, [], None)
    assert len(repo.promotions()) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nope"], "usage"),
        ([f"nope={TAG}"], "app-unknown"),
        ([TAG], "usage"),
        ([], "usage"),
        (["web", "web"], "usage"),
        (["web", f"web={TAG}"], "usage"),
        (["--all", "web"], "usage"),
    ],
    ids=str,
)
def test_apps_that_nobody_can_tell(tmp_path, words, code):
    ran = make(tmp_path, apps=("web", "api")).promote(*words)
    assert (ran.code, ran.json["error"]["code"]) == (2, code)


@pytest.mark.parametrize("words", [["shop="], [""], ["=", TAG]], ids=str)
def test_empty_words_are_refused(tmp_path, words):
    assert make(tmp_path).promote(*words).code in {2, 14}


# -- environments, overlays


def test_a_path_that_is_not_allowed(tmp_path):
    repo = make(tmp_path)
    before = repo.everything()
    ran = repo.run("prod->staging", TAG, "--format", "json")
    assert (ran.code, ran.refused_by, ran.json["error"]["code"]) == (10, "path", "path-not-allowed")
    assert repo.everything() == before


def test_an_environment_into_itself(tmp_path):
    assert make(tmp_path).run("prod->prod", TAG, "--format", "json").code == 10


@pytest.mark.parametrize(
    ("overlay", "code"),
    [
        (None, "no-overlay"),
        ("images:\n  - {name: other, newTag: sha-89abcde}\n", "no-overlay"),
        ("resources: [../base\n", "overlay-ambiguous"),
    ],
    ids=["no kustomization", "another image", "no yaml"],
)
def test_an_overlay_that_cannot_be_edited(tmp_path, overlay, code):
    repo = make(tmp_path)
    path = repo.root / "overlays/shop/prod/kustomization.yaml"
    path.unlink()
    if overlay is not None:
        repo.write("overlays/shop/prod/kustomization.yaml", overlay)
    repo.commit()
    before = repo.everything()
    ran = repo.promote(TAG)
    assert (ran.code, ran.refused_by) == (16, "overlay"), ran.out
    assert ran.json["error"]["code"] == code
    assert repo.everything() == before


def test_an_environment_without_overlays_is_copied_to_and_not_committed(tmp_path):
    repo = make(tmp_path)
    del repo.config["environments"]["prod"]["overlays"]
    repo.configure()
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["commit"], ran.json["releases"][0]["changed"]) == (0, None, True)
    assert (repo.tags(), repo.promotions()) == ({TAG: DIGEST}, [])
    assert ran.gate("overlay")["verdict"] == "skip"


def test_several_places_are_all_served_in_one_commit(tmp_path):
    with RegistryServer() as eu, RegistryServer(referrers=False) as us:
        repo = make(tmp_path)
        places = [
            {"registry": s.address, "overlays": [f"overlays/{{app}}/prod-{n}"]} for s, n in ((eu, "eu"), (us, "us"))
        ]
        repo.config["environments"]["prod"] = {"from": ["staging"], "places": places}
        for name in ("eu", "us"):
            shutil.copytree(repo.root / "overlays/shop/prod", repo.root / f"overlays/shop/prod-{name}")
        repo.configure()
        ran = repo.promote(TAG)
        assert ran.code == 0, ran.out
        for server, name in ((eu, "eu"), (us, "us")):
            assert server.repository("acme/shop").tags[TAG] == DIGEST
            assert f"newName: {server.address}/acme/shop".encode() in repo.overlay(f"prod-{name}")
    copies = ran.json["releases"][0]["copies"]
    assert [c["place"] for c in copies] == [0, 1]
    assert len(repo.promotions()) == 1


def test_a_configuration_below_the_top_of_the_repository(tmp_path):
    repo = make(tmp_path)
    for name in ("promote.yaml", "overlays", "trust"):
        (repo.root / "deploy").mkdir(exist_ok=True)
        shutil.move(repo.root / name, repo.root / "deploy" / name)
    repo.config["environments"]["staging"]["registry"] = "oci:../../registries/staging"
    repo.config["environments"]["prod"]["registry"] = "oci:../../registries/prod"
    repo.write("deploy/promote.yaml", json.dumps(repo.config))
    repo.commit()
    ran = repo.run("staging->prod", TAG, "--config", "deploy/promote.yaml", "--format", "json")
    assert ran.code == 0, ran.out
    assert ran.json["releases"][0]["edits"][0]["file"] == "deploy/overlays/shop/prod/kustomization.yaml"
    assert (
        git(repo.bare, "show", "--stat", "--format=", "main").split()[0]
        == "deploy/overlays/shop/prod/kustomization.yaml"
    )


def test_the_repository_can_be_named(tmp_path):
    repo = make(tmp_path)
    ran = repo.run("staging->prod", TAG, "--repo", str(repo.root), "--format", "json", cwd=tmp_path)
    assert (ran.code, len(repo.promotions())) == (0, 1), ran.out


# -- flags


def test_again_is_no_second_commit_and_sends_nothing(tmp_path):
    with RegistryServer() as source, RegistryServer() as target:
        repo = make(tmp_path, staging=serve(source), prod=target.address)
        assert repo.promote(TAG).code == 0
        target.forget_requests()
        before = repo.commits()
        ran = repo.promote(TAG)
        assert (ran.code, ran.json["releases"][0]["changed"], ran.json["commit"]) == (0, False, None)
        assert [r.method for r in target.requests if r.method in {"PUT", "PATCH", "DELETE"}] == []
    copies = ran.json["releases"][0]["copies"]
    assert (copies[0]["blobs_copied"], copies[0]["bytes"]) == (0, 0)
    assert repo.commits() == before


@pytest.mark.parametrize("flags", [[], ["--dry-run"]], ids=["real", "dry-run"])
def test_require_change(tmp_path, flags):
    repo = make(tmp_path)
    assert repo.promote(TAG, "--require-change", *flags).code == 0
    assert repo.promote(TAG).code == 0
    ran = repo.promote(TAG, "--require-change", *flags)
    assert (ran.code, ran.json["error"]["code"]) == (6, "nothing-changed")
    assert ran.json["dry_run"] is bool(flags)


CASES = {
    "accepted": (["shop=" + TAG], {}, 0),
    "floating": (["latest"], {}, 14),
    "foreign": ([TAG], {"case": "bad-v3-other-workflow"}, 12),
    "no sbom": ([TAG], {"case": "bad-v3-no-sbom"}, 13),
    "not deployed": ([TAG], {"staging_runs": None}, 10),
    "no signers": ([TAG], {"trust": {}}, 2),
}


@pytest.mark.parametrize("remote", [True, False], ids=["remote", "no remote"])
@pytest.mark.parametrize("name", CASES)
def test_a_dry_run_writes_nothing_and_exits_as_the_real_run(tmp_path, name, remote):
    words, options, code = CASES[name]
    repo = make(tmp_path, remote=remote, **options)
    before = repo.everything()
    dry = repo.promote(*words, "--dry-run")
    assert repo.everything() == before
    real = repo.promote(*words)
    assert (dry.code, real.code) == (code, code)
    plan, done = dry.json, real.json
    if plan["releases"]:
        assert plan["dry_run"] is True
    assert [r["gates"] for r in plan["releases"]] == [r["gates"] for r in done["releases"]]
    assert [r["edits"] for r in plan["releases"]] == [r["edits"] for r in done["releases"]]
    assert [r["changed"] for r in plan["releases"]] == [r["changed"] for r in done["releases"]]


def test_a_dry_run_against_registries_only_reads(tmp_path):
    with RegistryServer() as source, RegistryServer() as target:
        repo = make(tmp_path, staging=serve(source), prod=target.address)
        before = repo.everything()
        assert repo.promote(TAG, "--dry-run").code == 0
        written = [r for s in (source, target) for r in s.requests if r.method in {"PUT", "PATCH", "DELETE"}]
        assert written == []
        assert target.repositories.get("acme/shop") is None or not target.repository("acme/shop").blobs
    assert repo.everything() == before


def test_a_dry_run_stops_at_the_users_own_changes_as_the_real_run_does(tmp_path):
    repo = make(tmp_path, remote=False)
    repo.write("overlays/shop/prod/kustomization.yaml", "# mine\n")
    before = repo.everything()
    dry = repo.promote(TAG, "--dry-run")
    real = repo.promote(TAG)
    assert (dry.code, real.code, real.json["error"]["code"]) == (2, 2, "working-copy-dirty")
    assert dry.json["error"] == real.json["error"]
    assert repo.everything() == before


def test_without_push_the_commit_stays_here(tmp_path):
    repo = make(tmp_path)
    ran = repo.promote(TAG, "--no-push")
    assert (ran.code, ran.json["commit"]["pushed"]) == (0, False)
    assert repo.promotions() == []
    assert git(repo.root, "log", "-1", "--format=%s").startswith("promote(prod)")
    assert git(repo.root, "status", "--porcelain") == ""


def test_without_a_remote_the_commit_is_local_and_the_working_copy_follows(tmp_path):
    repo = make(tmp_path, remote=False)
    ran = repo.promote(TAG, "--reason", "release 7")
    assert (ran.code, ran.json["commit"]["pushed"], len(repo.promotions())) == (0, False, 1)
    assert git(repo.root, "status", "--porcelain") == ""
    assert DIGEST in (repo.root / "overlays/shop/prod/kustomization.yaml").read_text()
    trailers = git(repo.root, "log", "-1", "--format=%(trailers:only,unfold)").splitlines()
    assert f"Promote-Image: acme/shop:{TAG}@{DIGEST}" in trailers
    assert "Promote-Reason: release 7" in trailers
    assert f"Promote-Source-Repo: {SOURCE}" in trailers


def test_a_shallow_clone_promotes_and_says_what_it_could_not_see(tmp_path):
    repo = make(tmp_path)
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo.bare}", str(tmp_path / "shallow"))
    ran = repo.run("staging->prod", TAG, "--repo", str(tmp_path / "shallow"), "--format", "json")
    assert ran.code == 0, ran.out
    assert "shallow" in ran.gate("ledger")["summary"]
    assert len(repo.promotions()) == 1
