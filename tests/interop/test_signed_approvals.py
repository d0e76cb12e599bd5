"""Approvals that must be signed: the keys count, which git verifies by the allowed signers of whoever promotes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.git_world import git, isolate
from support.release_world import World, make_world, tag

TEXT = f"shop {tag(1)} prod"


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    """Staging runs 1; prod wants signed approvals; everybody has a key, and Mallory's is not allowed."""
    isolate(monkeypatch, tmp_path)
    made = make_world(tmp_path, monkeypatch, gates={"approvals": {"count": 1, "signed": True}})
    made.stage(1)
    keys = {name: key(tmp_path, name) for name in ("ann", "bob", "test", "mallory", "ann-laptop")}
    owners = {"ann": "ann", "bob": "bob", "test": "test", "ann-laptop": "ann"}
    allowed = tmp_path / "allowed"
    allowed.write_text("".join(f"{owner}@example.com {keys[name].read_text()}" for name, owner in owners.items()))
    git(made.repo.root, "config", "gpg.format", "ssh")
    git(made.repo.root, "config", "gpg.ssh.allowedSignersFile", str(allowed))
    return made


def key(directory: Path, name: str) -> Path:
    """The public half of a new key."""
    path = directory / f"{name}.key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
    return path.with_suffix(".key.pub")


def demand(world: World, **policy: object) -> None:
    world.pull()
    world.repo.config["environments"]["prod"]["gates"] = {"approvals": {"signed": True, **policy}}
    world.repo.configure()


def approve(world: World, author: str, signed_by: str | None, text: str = TEXT) -> str:
    """An empty commit that says it is by `author`; what it is called in messages."""
    world.pull()
    world.tick()
    signing = [] if signed_by is None else [f"-S{world.repo.home / f'{signed_by}.key'}"]
    who = f"--author={author} <{author}@example.com>"
    git(world.repo.root, "commit", "-q", "--allow-empty", *signing, who, "-m", f"Fine\n\nPromote-Approve: {text}")
    git(world.repo.root, "push", "-q", "origin", "main")
    return world.head()[:12]


def test_an_allowed_key_counts(world):
    commit = approve(world, "ann", "ann")
    ran = world.promote(tag(1))
    assert (ran.code, world.runs()) == (0, 1), ran.out
    assert ran.gate("approvals")["summary"] == f"approved by ann@example.com (commit {commit})"


@pytest.mark.parametrize(
    ("author", "signed_by", "why"),
    [
        ("ann", None, "has no signature that git verifies"),
        ("ann", "mallory", "has no signature that git verifies"),
        ("test", "test", "is by whoever promotes"),
        ("ann", "test", "is by whoever promotes"),  # who wrote another author into his own commit
    ],
)
def test_another_key_none_and_ones_own_do_not_count(world, author, signed_by, why):
    commit = approve(world, author, signed_by)
    ran = world.promote(tag(1))
    assert (ran.code, ran.refused_by, world.runs()) == (10, "approvals", None), ran.out
    assert ran.gate("approvals")["actual"] == f"{commit} {why}"
    approve(world, "bob", "bob")
    assert world.promote(tag(1)).code == 0


def test_a_commit_that_was_changed_after_it_was_signed_does_not_count(world):
    approve(world, "ann", "ann", "shop sha-0000000 prod")
    signed = git(world.repo.root, "cat-file", "commit", "HEAD")
    forged = signed.replace("shop sha-0000000 prod", TEXT)
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=world.repo.root, input=f"{forged}\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    git(world.repo.root, "reset", "-q", "--hard", done.stdout.strip())
    git(world.repo.root, "push", "-q", "-f", "origin", "main")
    ran = world.promote(tag(1))
    assert (ran.code, ran.refused_by) == (10, "approvals"), ran.out
    assert "has no signature that git verifies" in ran.gate("approvals")["actual"]


def test_the_signer_is_asked_for_and_not_the_author(world):
    demand(world, count=1, by=["ann@example.com"])
    approve(world, "ann", "bob")
    ran = world.promote(tag(1))
    assert (ran.code, "is by bob@example.com, who is not asked" in ran.gate("approvals")["actual"]) == (10, True), (
        ran.out
    )
    approve(world, "bob", "ann")
    assert world.promote(tag(1)).code == 0


def test_two_keys_of_one_person_are_one(world):
    demand(world, count=2)
    approve(world, "ann", "ann")
    approve(world, "ann", "ann-laptop")
    ran = world.promote(tag(1))
    assert (ran.code, ran.refused_by) == (10, "approvals"), ran.out
    assert ran.gate("approvals")["summary"].startswith("1 of 2 approvals")
    approve(world, "bob", "bob")
    assert world.promote(tag(1)).code == 0


def test_without_allowed_signers_nobody_counts(world):
    git(world.repo.root, "config", "--unset", "gpg.ssh.allowedSignersFile")
    approve(world, "ann", "ann")
    ran = world.promote(tag(1))
    assert (ran.code, ran.refused_by) == (10, "approvals"), ran.out
