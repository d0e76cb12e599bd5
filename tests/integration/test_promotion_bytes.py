"""The commit changes the image reference and not one other byte, and nothing of the user's is touched."""

from __future__ import annotations

import subprocess

import pytest
from support.git_world import executable, git, isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, make

PATH = "overlays/shop/prod/kustomization.yaml"
NAME = "registry.prod.example/acme/shop"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


COMMENTED = """\
# first
namePrefix: a-   # why

images:   # the images
- newTag: sha-89abcdef   # the tag
  name: shop   # the app

# last
resources:
- ../base
"""
ALL_KEYS = f"""\
resources: [../base]
images:
    -   newName: old.example/shop # mirror
        name: shop
        digest: sha256:{"0" * 64}
        newTag:   sha-89abcdef
"""
THREE_IMAGES = """\
images:
- name: other
  newTag: sha-89abcdef
- name: shop
  newTag: sha-89abcdef
- name: third
  newTag: sha-89abcdef
resources:
- ../base
"""
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
      - {name: shop,   image: 'shop:sha-89abcdef'}  # here
"""
QUOTED = "resources: ['../base']\nimages:\n  - name: 'shop'\n    newTag: 'sha-89abcdef'\n"
RETAGGED = {"sha-89abcdef": TAG}
STYLES = {
    "comments and order": (COMMENTED, RETAGGED),
    "double quotes": (QUOTED.replace("'", '"'), RETAGGED),
    "single quotes": (QUOTED, RETAGGED),
    "all three keys": (ALL_KEYS, {"old.example/shop": NAME, f"sha256:{'0' * 64}": DIGEST, **RETAGGED}),
    "flow style": ("resources: [../base]\nimages: [{name: shop, newTag: sha-89abcdef, digest: }]\n", None),
    "another image in between": (THREE_IMAGES, None),
    "raw image in a patch": ("resources:\n- ../base\npatches:\n- path: patch.yaml\n", None),
}
"""Each with what changes in it, None where that is not said value by value."""


def diff(repo: GitopsRepo) -> tuple[list[str], list[str]]:
    """The lines that the promotion took out and put in, as git shows them, and nothing else may be in the diff."""
    shown = subprocess.run(
        ["git", "diff", "-U0", "main^", "main"], cwd=repo.bare or repo.root, capture_output=True, check=True
    ).stdout.decode()
    lines = [line for line in shown.split("\n") if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    return [line[1:] for line in lines if line[:1] == "-"], [line[1:] for line in lines if line[:1] == "+"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("final", [True, False], ids=["final newline", "no final newline"])
@pytest.mark.parametrize("style", [name for name, (_, changed) in STYLES.items() if changed])
def test_only_the_values_change(tmp_path, style, final, ending):
    text, changes = STYLES[style]
    before = (text if final else text.rstrip("\n")).replace("\n", ending)
    repo = make(tmp_path)
    repo.set_overlay("prod", before.encode())
    ran = repo.promote(TAG)
    assert ran.code == 0, ran.out
    after = repo.overlay().decode()
    for old, new in changes.items():
        assert after.count(new) == 1
        after = after.replace(new, old)
    added = [line for line in after.split(ending) if line not in before.split(ending)]
    assert all(line.strip().split(":")[0] in {"newName", "digest", "- newName"} for line in added), added
    for line in added:
        after = after.replace(line + ending, "", 1) if line + ending in after else after.replace(ending + line, "", 1)
    assert after == before
    assert repo.overlay().count(b"\r\n") == (repo.overlay().count(b"\n") if ending == "\r\n" else 0)
    assert repo.overlay().endswith(ending.encode()) == final


@pytest.mark.parametrize("style", STYLES)
def test_the_diff_is_lines_of_the_image(tmp_path, style):
    repo = make(tmp_path)
    if "patch" in style:
        repo.write("overlays/shop/prod/patch.yaml", PATCH)
    repo.set_overlay("prod", STYLES[style][0])
    ran = repo.promote(TAG)
    assert ran.code == 0, ran.out
    removed, added = diff(repo)
    assert removed
    for line in (*removed, *added):
        assert any(word in line for word in ("newTag", "newName", "digest", "image: ")), line
    assert sum(DIGEST in line for line in added) == 1
    edits = ran.json["releases"][0]["edits"]
    assert {e["before"] for e in edits} - {""} == set(removed)
    assert {e["after"] for e in edits} == set(added)


def test_the_files_and_the_index_of_the_user_stay_as_they_are(tmp_path):
    repo = make(tmp_path)
    repo.write("notes.txt", "tracked\n")
    repo.write("staged.txt", "one\n")
    repo.commit()
    repo.write("notes.txt", "changed and not committed\n")
    repo.write("staged.txt", "two\n")
    repo.write("untracked.txt", "mine\n")
    git(repo.root, "add", "staged.txt")
    repo.write("staged.txt", "three\n")
    index = (repo.root / ".git/index").read_bytes()
    head = git(repo.root, "rev-parse", "HEAD")
    ran = repo.promote(TAG)
    assert (ran.code, len(repo.promotions())) == (0, 1)
    assert "notes.txt" in ran.json["commit"]["note"]
    assert (repo.root / ".git/index").read_bytes() == index
    assert git(repo.root, "rev-parse", "HEAD") == head
    assert [(repo.root / n).read_text() for n in ("notes.txt", "staged.txt", "untracked.txt")] == [
        "changed and not committed\n",
        "three\n",
        "mine\n",
    ]
    assert git(repo.bare, "show", "--format=", "--name-only", "main") == PATH


def test_a_clean_working_copy_follows(tmp_path):
    repo = make(tmp_path)
    repo.write("untracked.txt", "mine\n")
    assert repo.promote(TAG).code == 0
    assert git(repo.root, "rev-parse", "HEAD") == git(repo.bare, "rev-parse", "main")
    assert git(repo.root, "status", "--porcelain") == "?? untracked.txt"
    assert (repo.root / PATH).read_bytes() == repo.overlay()


def test_hooks_and_filters_do_not_run(tmp_path):
    repo = make(tmp_path)
    ran_file = tmp_path / "ran"
    for hook in ("pre-commit", "commit-msg", "post-commit", "pre-push", "post-merge", "post-checkout"):
        executable(repo.root / ".git/hooks" / hook, f"echo {hook} >> {ran_file}\nexit 1")
    git(repo.root, "config", "filter.shout.clean", f"tee {ran_file}")
    git(repo.root, "config", "filter.shout.smudge", f"tee {ran_file}")
    (repo.root / ".git/info").mkdir(exist_ok=True)
    (repo.root / ".git/info/attributes").write_text("*.yaml filter=shout\n")
    ran = repo.promote(TAG)
    assert (ran.code, len(repo.promotions())) == (0, 1), ran.out
    assert not ran_file.exists()


def test_line_ending_conversion_of_git_changes_nothing_in_the_commit(tmp_path):
    repo = make(tmp_path)
    head = "resources: [../base]\r\nimages:\r\n- name: shop\r\n"
    text = f"{head}  newName: {NAME}\r\n  newTag: sha-89abcdef\r\n  digest: {DIGEST}\r\n"
    repo.set_overlay("prod", text)
    git(repo.root, "config", "core.autocrlf", "input")
    assert repo.promote(TAG).code == 0
    assert repo.overlay() == text.replace("sha-89abcdef", TAG).encode()


def test_what_runs_already_is_no_commit_whatever_its_style(tmp_path):
    repo = make(tmp_path)
    text = f"images:\n- {{digest: '{DIGEST}', name: shop, newTag: \"{TAG}\", newName: {NAME}}}\nresources: [../base]"
    repo.set_overlay("prod", text)
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["commit"], repo.promotions()) == (0, None, [])
    assert ran.json["releases"][0]["changed"] is True
    assert repo.promote(TAG).json["releases"][0]["changed"] is False
