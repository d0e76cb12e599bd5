"""A tag that was rebuilt is refused in all five ways that there are, and git's record stays cheap when it is long."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from support.cosign_fixtures import BUNDLE, TestKey, image, manifest_node, statement
from support.git_world import git, isolate
from support.gitops_repo import COMMIT, DIGEST, TAG, GitopsRepo, make, staging_overlay

import promote.gitops.command
import promote.overlays.sites
from promote.model.digest import Digest

OTHER = f"sha256:{'e' * 64}"
SIGN = "https://sigstore.dev/cosign/sign/v1"
SHORT = f"sha-{COMMIT[:9]}"
PROD = "overlays/shop/prod/kustomization.yaml"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def refused(repo: GitopsRepo, code: str, gate: str, *, tag: str = TAG) -> dict:
    """The error of a promotion that was refused as rebuilt, and changed nothing."""
    ran = repo.promote(tag)
    error = ran.json["error"]
    assert (ran.code, error["code"], ran.refused_by) == (15, code, gate), ran.out
    assert repo.promotions() == []
    assert error["expected"] != error["actual"]
    return error


def pinned(tag: str, digest: str) -> str:
    return staging_overlay("shop", tag, digest)


def test_the_source_environment_pins_another_digest(tmp_path):
    for number, demand in enumerate(("ever", "current", "off")):
        home = tmp_path / str(number)
        home.mkdir()
        repo = make(home, gates={"deployed": demand})
        repo.set_overlay("staging", pinned(TAG, OTHER))
        error = refused(repo, "rebuilt-since-deployed", "deployed")
        assert (error["expected"], error["actual"]) == (OTHER, DIGEST)


def test_the_target_has_the_tag_with_another_digest(tmp_path):
    repo = make(tmp_path)
    target = repo.layout("prod")
    shutil.copytree(repo.layout("staging"), target)
    index = json.loads((target / "index.json").read_bytes())
    there = image("v3-keyless-index")
    there.lay(tmp_path / "there")
    shutil.copytree(tmp_path / "there" / "blobs", target / "blobs", dirs_exist_ok=True)
    index["manifests"] = json.loads((tmp_path / "there" / "index.json").read_bytes())["manifests"]
    (target / "index.json").write_text(json.dumps(index))
    error = refused(repo, "rebuilt-at-target", "target")
    assert (error["expected"], error["actual"]) == (DIGEST, str(there.digest))


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_any_earlier_commit_recorded_the_tag_with_another_digest(tmp_path, environment):
    repo = make(tmp_path)
    now = repo.overlay(environment)
    repo.set_overlay(environment, pinned(TAG, OTHER))
    repo.set_overlay(environment, now)
    error = refused(repo, "rebuilt-since-recorded", "ledger")
    assert (error["expected"], error["actual"]) == (OTHER, DIGEST)


def test_the_record_is_read_without_any_network(tmp_path):
    repo = make(tmp_path, remote=False)
    repo.set_overlay("prod", pinned(TAG, OTHER))
    repo.set_overlay("prod", pinned("sha-89abcdef", OTHER))
    refused(repo, "rebuilt-since-recorded", "ledger")


@pytest.mark.parametrize(("case", "gate"), [("bad-v3-other-commit", "commit")])
def test_what_was_signed_names_another_commit(tmp_path, case, gate):
    error = refused(make(tmp_path, case=case), "commit-disagrees", gate)
    assert {error["expected"], error["actual"]} == {COMMIT, "f" * 40}


KEY = TestKey.make()


def signed_by_key(repo: GitopsRepo, *statements: dict) -> None:
    """Put the bare image with these statements, signed by a key, into staging."""
    target = image("v3-key").bare()
    for payload in statements:
        bundle = KEY.bundle(json.dumps(payload).encode())
        target = target.with_nodes(manifest_node(target, [(BUNDLE, bundle, {})]))
    shutil.rmtree(repo.layout("staging"))
    target.lay(repo.layout("staging"))
    repo.write("trust/test.pub", KEY.signer.pem)
    repo.configure(trust={"signers": [{"key": "trust/test.pub"}]}, gates={"sbom": "off"})


def sign(*digests: str, name: str | None = "r.example/shop") -> dict:
    named = {"name": name} if name else {}
    annotations = {"annotations": {"commit": COMMIT}}
    subjects = [{**named, **annotations, "digest": {"sha256": d.removeprefix("sha256:")}} for d in digests]
    return statement(Digest.parse(digests[0]), subject=subjects, predicateType=SIGN)


def test_one_statement_signs_two_images_of_the_commit(tmp_path):
    repo = make(tmp_path, case="v3-key")
    signed_by_key(repo, sign(DIGEST, OTHER))
    error = refused(repo, "rebuilt-signed-twice", "commit")
    assert DIGEST in error["expected"]
    assert OTHER in error["actual"]


def test_a_statement_about_several_things_with_names_of_their_own_is_fine(tmp_path):
    repo = make(tmp_path, case="v3-key")
    signed_by_key(repo, sign(DIGEST), sign(DIGEST, OTHER, name=None))
    assert repo.promote(TAG).code == 0


def _with_a_twin(repo: GitopsRepo, donor: str) -> str:
    """Another image, with the evidence of `donor`, that staging ran as another tag of the commit; its digest."""
    twin, here = image(donor), repo.layout("staging")
    twin.lay(repo.home / "twin")
    shutil.copytree(repo.home / "twin" / "blobs", here / "blobs", dirs_exist_ok=True)
    index = json.loads((here / "index.json").read_bytes())
    more = json.loads((repo.home / "twin" / "index.json").read_bytes())["manifests"]
    for entry in more:
        entry.get("annotations", {}).pop("org.opencontainers.image.ref.name", None)
    index["manifests"] += more
    (here / "index.json").write_text(json.dumps(index))
    repo.set_overlay("staging", pinned(SHORT, str(twin.digest)))
    repo.set_overlay("staging", pinned(TAG, DIGEST))
    return str(twin.digest)


def test_two_digests_that_git_recorded_for_the_commit_are_both_signed(tmp_path):
    repo = make(tmp_path)
    root = json.loads((repo.root / "trust" / "trusted_root.json").read_bytes())
    theirs = json.loads(image("v3-keyless-index").trust.root or b"")
    for key in ("tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"):
        root[key] += [item for item in theirs[key] if item not in root[key]]
    repo.write("trust/trusted_root.json", json.dumps(root))
    repo.commit("both roots")
    twin = _with_a_twin(repo, "v3-keyless-index")
    error = refused(repo, "rebuilt-signed-twice", "commit")
    assert DIGEST in error["expected"]
    assert twin in error["actual"]
    assert SHORT in error["message"]


def test_another_digest_of_the_commit_that_nobody_signed_proves_nothing(tmp_path):
    repo = make(tmp_path)
    repo.set_overlay("staging", pinned(SHORT, OTHER))
    repo.set_overlay("staging", pinned(TAG, DIGEST))
    assert repo.promote(TAG).code == 0


# -- a long record

RECORDS = 10_000


def _grow(repo: GitopsRepo) -> None:
    """Ten thousand promotions into prod, by ``git fast-import``; the first of them recorded `TAG` rebuilt."""
    stream = [b"feature done\n"]
    for number in range(RECORDS):
        tag = TAG if number == 0 else f"sha-{number:040x}"
        content = f"images:\n  - name: shop\n    newTag: {tag}\n    digest: {OTHER}\n".encode()
        stream.append(b"commit refs/heads/main\ncommitter T <t@example.com> %d +0000\n" % (1_700_000_000 + number))
        stream.append(b"data 1\nx\n" + (b"from refs/heads/main^0\n" if number == 0 else b""))
        stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (PROD.encode(), len(content), content))
    stream.append(b"done\n")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repo.root, input=b"".join(stream), check=True)
    git(repo.root, "reset", "-q", "--hard", "main")


@pytest.mark.exhaustive
def test_ten_thousand_records_are_read_in_one_pass_and_hardly_any_is_parsed(tmp_path, monkeypatch):
    repo = make(tmp_path, remote=False)
    _grow(repo)
    repo.set_overlay("prod", "resources: [../base]\nimages:\n  - name: shop\n    newTag: sha-89abcdef\n")
    started: list[str] = []
    parsed: list[str] = []
    start, pins = promote.gitops.command.Git.start, promote.overlays.sites.pins

    def counting_start(self, arguments, *more, **named):
        started.append(arguments[0])
        return start(self, arguments, *more, **named)

    def counting_pins(tree, *more, **named):
        parsed.append(getattr(tree, "commit", "the present one, and what it asks for"))
        return pins(tree, *more, **named)

    monkeypatch.setattr(promote.gitops.command.Git, "start", counting_start)
    monkeypatch.setattr(promote.overlays.sites, "pins", counting_pins)
    error = refused(repo, "rebuilt-since-recorded", "ledger")
    assert error["expected"] == OTHER
    assert started.count("log") == 2  # the records, and the claims of holds
    assert started.count("cat-file") == 1
    assert len(started) <= 12
    assert len(set(parsed)) <= 4
